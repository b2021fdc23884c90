/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ivshmem*.[ch]: the function as a guest sees it, and the doorbell with a server
 * that is played here.  Without a VM: no MSI-X, and every ring is passed on by us.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/cleanup.h"
#include "base/fdmsg.h"
#include "bus/bus.h"
#include "bus/pci.h"
#include "dev/ivshmem.h"
#include "lib/check.h"
#include "lib/leak.h"
#include "mem/layout.h"
#include "mem/window.h"

#define TIME_LIMIT_S 60
#define VECTORS 2
#define OWN 7
#define MIB (UINT64_C(1) << 20)
#define REGISTERS UINT64_C(0xC0000000)
#define MOVED UINT64_C(0xD0000100)

struct bed {
	struct leak_guard *guard;
	struct bus *pio;
	struct bus *mmio;
	struct pci_bus *pci;
	struct window *window;
	struct event_base *events;
	struct ivshmem *ivshmem;
	int server; /* our end of the stream, or -1 */
	int connects;
	int own[VECTORS]; /* what a ring of us would set */
	int peer[VECTORS]; /* of peer 9 */
};

/* One message, with a descriptor or -1. */
static void say(const struct bed *bed, int64_t value, int fd)
{
	assert_int_equal(fdmsg_send(bed->server, &value, sizeof(value), &fd, fd >= 0, 0), 0);
}

static void say_own(const struct bed *bed)
{
	for (int i = 0; i < VECTORS; i++)
		say(bed, OWN, bed->own[i]);
}

static void say_peer(const struct bed *bed)
{
	for (int i = 0; i < VECTORS; i++)
		say(bed, 9, bed->peer[i]);
}

static int open_stream(struct bed *bed, int *ret_fd)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	fd_close(bed->server);
	bed->server = ends[0];
	*ret_fd = ends[1];
	bed->connects++;
	return 0;
}

/* A server that tells all at once. */
static int connect_all(void *owner, uint32_t vectors, int *ret_fd)
{
	struct bed *bed = owner;

	assert_int_equal(vectors, VECTORS);
	(void)open_stream(bed, ret_fd);
	say(bed, 0, -1);
	say(bed, OWN, -1);
	say_peer(bed);
	say_own(bed);
	return 0;
}

static int connect_refused(void *owner, uint32_t vectors, int *ret_fd)
{
	(void)owner;
	(void)vectors;
	(void)ret_fd;
	return -EPERM;
}

static int setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	*state = bed;
	bed->guard = leak_guard_new();
	bed->server = -1;
	assert_int_equal(bus_new(&bed->pio), 0);
	assert_int_equal(bus_new(&bed->mmio), 0);
	assert_int_equal(pci_bus_new(bed->pio, bed->mmio, &bed->pci), 0);
	assert_int_equal(window_new(NULL, MIB, &bed->window), 0);
	bed->events = event_base_new();
	assert_non_null(bed->events);
	for (int i = 0; i < VECTORS; i++) {
		bed->own[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		bed->peer[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	}
	return 0;
}

static int teardown(void **state)
{
	struct bed *bed = *state;

	assert_null(ivshmem_free(bed->ivshmem));
	for (int i = 0; i < VECTORS; i++) {
		fd_close(bed->own[i]);
		fd_close(bed->peer[i]);
	}
	fd_close(bed->server);
	event_base_free(bed->events);
	(void)window_free(bed->window);
	(void)pci_bus_free(bed->pci);
	(void)bus_free(bed->mmio);
	(void)bus_free(bed->pio);
	leak_guard_check(bed->guard);
	free(bed);
	return 0;
}

typedef int connect_call(void *owner, uint32_t vectors, int *ret_fd);

static int make(struct bed *bed, uint32_t vectors, connect_call *connect)
{
	const struct ivshmem_env env = { .pci = bed->pci, .events = bed->events };
	const struct ivshmem_info info = {
		.name = "data",
		.window = bed->window,
		.vectors = vectors,
		.id = OWN,
		.connect = connect,
		.owner = bed,
	};

	return ivshmem_new(&env, &info, &bed->ivshmem);
}

static void run(const struct bed *bed)
{
	assert_true(event_base_loop(bed->events, EVLOOP_NONBLOCK) >= 0);
}

static uint32_t config_read(const struct bed *bed, uint32_t offset, uint32_t bytes)
{
	uint32_t address = UINT32_C(0x80000800) | (offset & 0xFC), value = 0;

	assert_true(bus_write(bed->pio, 0xCF8, &address, 4));
	assert_true(bus_read(bed->pio, 0xCFC + (offset & 3), &value, bytes));
	return value;
}

static void config_write(const struct bed *bed, uint32_t offset, uint32_t value)
{
	uint32_t address = UINT32_C(0x80000800) | offset;

	assert_true(bus_write(bed->pio, 0xCF8, &address, 4));
	assert_true(bus_write(bed->pio, 0xCFC, &value, 4));
}

static uint64_t get(const struct bed *bed, uint64_t at, uint32_t bytes)
{
	uint64_t value = 0;

	assert_true(bus_read(bed->mmio, REGISTERS + at, &value, bytes));
	return value;
}

static void put(const struct bed *bed, uint64_t at, uint64_t value, uint32_t bytes)
{
	assert_true(bus_write(bed->mmio, REGISTERS + at, &value, bytes));
}

static uint64_t rings(int fd)
{
	eventfd_t count = 0;

	return eventfd_read(fd, &count) == 0 ? count : 0;
}

/* As the specification and QEMU have it, but that decoding is on from the start. */
static void test_function(void **state)
{
	struct bed *bed = *state;

	assert_int_equal(make(bed, 0, NULL), 0);
	assert_int_equal(config_read(bed, 0x00, 4), 0x11101AF4);
	assert_int_equal(config_read(bed, 0x06, 2), 0); /* no capability */
	assert_int_equal(config_read(bed, 0x08, 4), 0x05000001);
	assert_int_equal(config_read(bed, 0x2C, 4), 0x11001AF4);
	assert_int_equal(config_read(bed, 0x34, 1), 0);
	assert_int_equal(config_read(bed, 0x3D, 1), 0);
	assert_int_equal(config_read(bed, 0x14, 4), 0); /* no BAR 1 */
	config_write(bed, 0x10, UINT32_MAX);
	assert_int_equal(config_read(bed, 0x10, 4), 0xFFFFFF00); /* 256 bytes */
	config_write(bed, 0x18, UINT32_MAX);
	config_write(bed, 0x1C, UINT32_MAX);
	assert_int_equal(config_read(bed, 0x18, 4), 0xFFF0000C); /* 1 MiB, 64 bits, prefetchable */
	assert_int_equal(config_read(bed, 0x1C, 4), UINT32_MAX);
}

static void test_registers(void **state)
{
	struct bed *bed = *state;

	assert_int_equal(make(bed, 0, NULL), 0);
	for (uint64_t at = 0; at < 256; at += 4)
		assert_int_equal(get(bed, at, 4), 0);
	put(bed, 0x00, 0x12345678, 4);
	assert_int_equal(get(bed, 0x00, 4), 0x12345678);
	assert_int_equal(get(bed, 0x00, 2), 0x5678);
	assert_int_equal(get(bed, 0x01, 1), 0); /* no register starts there */
	put(bed, 0x04, 0xFF, 4);
	assert_int_equal(get(bed, 0x04, 4), 0xFF);
	assert_int_equal(get(bed, 0x04, 4), 0); /* a read clears it */
	put(bed, 0x08, 0xFF, 4);
	assert_int_equal(get(bed, 0x08, 4), 0);
	put(bed, 0x10, UINT64_MAX, 8);
	assert_int_equal(get(bed, 0x10, 8), 0);
	put(bed, 0x00, 0xAA, 1); /* widened with zeros */
	assert_int_equal(get(bed, 0x00, 4), 0xAA);
	put(bed, 0x0C, 0xFFFF0000, 4);
	assert_int_equal(get(bed, 0x0C, 4), 0);
}

/* The section at the start of BAR 2 and a hole behind it; it follows the BAR. */
static void test_memory(void **state)
{
	struct bed *bed = *state;

	assert_int_equal(make(bed, 0, NULL), 0);
	assert_true(window_has(bed->window, LAYOUT_PCI64_START));
	assert_true(window_has(bed->window, LAYOUT_PCI64_START + MIB - 1));
	assert_false(window_has(bed->window, LAYOUT_PCI64_START + MIB));
	config_write(bed, 0x18, 0x00100000);
	assert_true(window_has(bed->window, LAYOUT_PCI64_START + MIB));
	assert_false(window_has(bed->window, LAYOUT_PCI64_START));
	config_write(bed, 0x04, 0);
	assert_false(window_has(bed->window, LAYOUT_PCI64_START + MIB));
}

static void test_rings(void **state)
{
	struct bed *bed = *state;
	struct ivshmem_counters counters;

	assert_int_equal(make(bed, VECTORS, connect_all), 0);
	assert_int_equal(get(bed, 0x08, 4), OWN);
	assert_int_equal(get(bed, 0x08, 8), OWN);
	put(bed, 0x0C, 9 << 16 | 1, 4);
	put(bed, 0x0C, 9 << 16 | 1, 4);
	put(bed, 0x0C, UINT64_C(0xFFFFFFFF00000000) | 9 << 16, 8); /* its low half counts */
	put(bed, 0x0C, 0xFFFF, 2); /* can only name peer 0 */
	put(bed, 0x0C, OWN << 16, 4); /* loops back */
	assert_int_equal(rings(bed->peer[0]), 1);
	assert_int_equal(rings(bed->peer[1]), 2);
	assert_int_equal(rings(bed->own[0]), 1);
	put(bed, 0x0C, 9 << 16 | 2, 4);
	put(bed, 0x0C, 9 << 16 | 0x100, 4); /* not vector 0 */
	put(bed, 0x0C, 8 << 16, 4);
	ivshmem_counters(bed->ivshmem, &counters);
	assert_int_equal(counters.rung, 4);
	assert_int_equal(counters.no_vector, 2);
	assert_int_equal(counters.no_peer, 2);
	assert_int_equal(rings(bed->peer[0]) + rings(bed->peer[1]), 0);
}

/* A register that the guest has moved is as good. */
static void test_moved(void **state)
{
	struct bed *bed = *state;
	uint32_t value = 9 << 16;

	assert_int_equal(make(bed, VECTORS, connect_all), 0);
	config_write(bed, 0x10, MOVED);
	assert_false(bus_write(bed->mmio, REGISTERS + 0x0C, &value, 4));
	assert_true(bus_write(bed->mmio, MOVED + 0x0C, &value, 4));
	assert_int_equal(rings(bed->peer[0]), 1);
}

static void test_peers_come_and_go(void **state)
{
	struct bed *bed = *state;
	struct ivshmem_counters counters;

	assert_int_equal(make(bed, VECTORS, connect_all), 0);
	say(bed, 3, bed->peer[0]);
	say(bed, 3, bed->peer[1]);
	say(bed, 3, bed->peer[1]); /* more than it was to have */
	say(bed, 9, -1);
	say(bed, 1000, -1); /* whom we never knew */
	run(bed);
	put(bed, 0x0C, 9 << 16, 4);
	put(bed, 0x0C, 3 << 16 | 1, 4);
	assert_int_equal(rings(bed->peer[0]), 0);
	assert_int_equal(rings(bed->peer[1]), 1);
	ivshmem_counters(bed->ivshmem, &counters);
	assert_int_equal(counters.surplus, 1);
	assert_int_equal(counters.no_peer, 1);
}

/* A message may come in pieces. */
static void test_pieces(void **state)
{
	struct bed *bed = *state;
	const int64_t left = 9;
	const uint8_t *bytes = (const uint8_t *)&left;

	assert_int_equal(make(bed, VECTORS, connect_all), 0);
	for (size_t i = 0; i < sizeof(left); i++) {
		put(bed, 0x0C, 9 << 16, 4);
		assert_int_equal(rings(bed->peer[0]), 1);
		assert_int_equal(send(bed->server, &bytes[i], 1, 0), 1);
		run(bed);
	}
	put(bed, 0x0C, 9 << 16, 4);
	assert_int_equal(rings(bed->peer[0]), 0);
}

/* What the server says wrong ends the stream; those who are known stay. */
static void test_wrong_messages(void **state)
{
	struct bed *bed = *state;
	const int64_t wrong[] = { -1, -2, 65536, INT64_MIN, INT64_MAX, OWN };
	char byte;

	assert_int_equal(make(bed, VECTORS, connect_all), 0);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		say(bed, wrong[i], -1);
		run(bed);
		assert_int_equal(recv(bed->server, &byte, 1, 0), 0);
		put(bed, 0x0C, 9 << 16, 4);
		assert_int_equal(rings(bed->peer[0]), 1);
		ivshmem_reconnected(bed->ivshmem);
		run(bed);
	}
}

static void test_server_goes(void **state)
{
	struct bed *bed = *state;

	assert_int_equal(make(bed, VECTORS, connect_all), 0);
	bed->server = fd_close(bed->server);
	run(bed);
	put(bed, 0x0C, 9 << 16, 4);
	assert_int_equal(rings(bed->peer[0]), 1);
	ivshmem_reconnected(bed->ivshmem);
	run(bed);
	assert_int_equal(bed->connects, 2);
	put(bed, 0x0C, 9 << 16 | 1, 4);
	assert_int_equal(rings(bed->peer[1]), 1);
	assert_int_equal(get(bed, 0x08, 4), OWN);
}

/* The broker lives, and is asked again by and by. */
static void test_dropped(void **state)
{
	struct bed *bed = *state;

	assert_int_equal(make(bed, VECTORS, connect_all), 0);
	bed->server = fd_close(bed->server);
	while (bed->connects < 2)
		assert_int_equal(event_base_loop(bed->events, EVLOOP_ONCE), 0);
	run(bed);
	put(bed, 0x0C, 9 << 16 | 1, 4);
	assert_int_equal(rings(bed->peer[1]), 1);
	/* Not any more once the section is taken. */
	bed->server = fd_close(bed->server);
	run(bed);
	ivshmem_revoked(bed->ivshmem);
	assert_int_equal(event_base_loop(bed->events, EVLOOP_ONCE), 1);
	assert_int_equal(bed->connects, 2);
}

static void test_revoked(void **state)
{
	struct bed *bed = *state;
	char byte;

	assert_int_equal(make(bed, VECTORS, connect_all), 0);
	ivshmem_revoked(bed->ivshmem);
	ivshmem_revoked(bed->ivshmem);
	assert_int_equal(recv(bed->server, &byte, 1, 0), 0);
	put(bed, 0x0C, 9 << 16, 4);
	put(bed, 0x0C, OWN << 16, 4);
	assert_int_equal(rings(bed->peer[0]) + rings(bed->own[0]), 0);
	ivshmem_reconnected(bed->ivshmem);
	assert_int_equal(bed->connects, 1);
	assert_int_equal(get(bed, 0x08, 4), OWN);
}

static int connect_wrong_version(void *owner, uint32_t vectors, int *ret_fd)
{
	(void)vectors;
	(void)open_stream(owner, ret_fd);
	say(owner, 1, -1);
	return 0;
}

static int connect_wrong_id(void *owner, uint32_t vectors, int *ret_fd)
{
	(void)vectors;
	(void)open_stream(owner, ret_fd);
	say(owner, 0, -1);
	say(owner, OWN + 1, -1);
	return 0;
}

static int connect_cut_short(void *owner, uint32_t vectors, int *ret_fd)
{
	struct bed *bed = owner;

	(void)vectors;
	(void)open_stream(bed, ret_fd);
	say(bed, 0, -1);
	say(bed, OWN, -1);
	say(bed, OWN, bed->own[0]);
	bed->server = fd_close(bed->server);
	return 0;
}

/* No device comes of that, and nothing is left. */
static void test_refused(void **state)
{
	struct bed *bed = *state;

	assert_int_equal(make(bed, IVSHMEM_VECTORS_MAX + 1, connect_all), -EINVAL);
	assert_int_equal(make(bed, VECTORS, connect_refused), -EPERM);
	assert_int_equal(make(bed, VECTORS, connect_wrong_version), -EPROTO);
	assert_int_equal(make(bed, VECTORS, connect_wrong_id), -EPROTO);
	assert_int_equal(make(bed, VECTORS, connect_cut_short), -EPIPE);
	assert_null(bed->ivshmem);
	assert_int_equal(config_read(bed, 0x00, 4), UINT32_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_refused),	   TEST(test_function),
		TEST(test_registers),	   TEST(test_memory),
		TEST(test_rings),	   TEST(test_moved),
		TEST(test_pieces),	   TEST(test_peers_come_and_go),
		TEST(test_wrong_messages), TEST(test_revoked),
		TEST(test_server_goes),	   TEST(test_dropped),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
