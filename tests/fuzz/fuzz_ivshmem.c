/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as what a guest does to an ivshmem device with a doorbell, and as
 * what the doorbell's server says meanwhile, in pieces of any size and with
 * descriptors where none belong.  Registers that are not there read zero, IVPosition
 * stays what it is, and no descriptor is left at the end.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/cleanup.h"
#include "base/fdmsg.h"
#include "base/log.h"
#include "bus/bus.h"
#include "bus/pci.h"
#include "dev/ivshmem.h"
#include "mem/layout.h"
#include "mem/window.h"

#define VECTORS 3u
#define OWN 5
#define MEMORY_BYTES UINT64_C(0x200000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum action {
	ACTION_CONFIG, /* a port access of the guest */
	ACTION_REGISTER, /* a register access */
	ACTION_MESSAGE, /* the server speaks */
	ACTION_PIECE, /* ... and does not finish */
	ACTION_SERVER_GOES,
	ACTION_RECONNECT,
	ACTION_REVOKE,
	ACTION_RUN,
	ACTION_COUNT,
};

/* 12 bytes of input. */
struct step {
	uint8_t what; /* enum action; bit 7: a write, or with a descriptor */
	uint8_t bytes;
	uint16_t offset;
	uint64_t value;
} __attribute__((packed));

struct machine {
	struct bus *pio;
	struct bus *mmio;
	struct pci_bus *pci;
	struct window *window;
	struct event_base *events;
	struct ivshmem *ivshmem;
	int server; /* or -1 */
	int bell;
};

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void say(const struct machine *machine, int64_t value, bool has_fd)
{
	(void)fdmsg_send(machine->server, &value, sizeof(value), &machine->bell, has_fd,
			 FDMSG_DONTWAIT);
}

static int connect_bell(void *owner, uint32_t vectors, int *ret_fd)
{
	struct machine *machine = owner;
	int ends[2];

	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	fd_close(machine->server);
	machine->server = ends[0];
	*ret_fd = ends[1];
	say(machine, 0, false);
	say(machine, OWN, false);
	for (uint32_t i = 0; i < vectors; i++)
		say(machine, OWN, true);
	return 0;
}

static void build(struct machine *machine)
{
	struct ivshmem_env env = { 0 };
	struct ivshmem_info info = { .name = "fuzz", .vectors = VECTORS, .id = OWN };

	*machine = (struct machine){ .server = -1 };
	machine->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	require(bus_new(&machine->pio) == 0 && bus_new(&machine->mmio) == 0);
	require(pci_bus_new(machine->pio, machine->mmio, &machine->pci) == 0);
	require(window_new(NULL, MEMORY_BYTES, &machine->window) == 0);
	machine->events = event_base_new();
	require(machine->events != NULL);
	env.pci = machine->pci;
	env.events = machine->events;
	info.window = machine->window;
	info.connect = connect_bell;
	info.owner = machine;
	require(ivshmem_new(&env, &info, &machine->ivshmem) == 0);
}

static void destroy(struct machine *machine)
{
	(void)ivshmem_free(machine->ivshmem);
	event_base_free(machine->events);
	(void)window_free(machine->window);
	(void)pci_bus_free(machine->pci);
	(void)bus_free(machine->mmio);
	(void)bus_free(machine->pio);
	fd_close(machine->server);
	fd_close(machine->bell);
}

static void do_config(const struct machine *machine, const struct step *step)
{
	uint32_t address = UINT32_C(0x80000800) | (step->offset & 0xFC);
	uint64_t value = step->value;
	uint32_t bytes = UINT32_C(1) << (step->bytes % 3);

	(void)bus_write(machine->pio, 0xCF8, &address, 4);
	if (step->what & 0x80)
		(void)bus_write(machine->pio, 0xCFC + (step->offset & 3), &value, bytes);
	else
		(void)bus_read(machine->pio, 0xCFC + (step->offset & 3), &value, bytes);
}

static void do_register(const struct machine *machine, const struct step *step)
{
	uint64_t at = LAYOUT_PCI32_START + step->offset % 256, value = step->value, position = 0;
	uint32_t bytes = step->bytes % 8 + 1;

	if (step->what & 0x80)
		(void)bus_write(machine->mmio, at, &value, bytes);
	else if (bus_read(machine->mmio, at, &value, bytes) && step->offset % 256 >= 0x10)
		require((value & (bytes == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * bytes)) - 1)) ==
			0);
	if (bus_read(machine->mmio, LAYOUT_PCI32_START + 8, &position, 4))
		require(position == OWN);
}

static void do_step(struct machine *machine, const struct step *step)
{
	switch ((enum action)((step->what & 0x7F) % ACTION_COUNT)) {
	case ACTION_CONFIG:
		do_config(machine, step);
		break;
	case ACTION_REGISTER:
		do_register(machine, step);
		break;
	case ACTION_MESSAGE:
		say(machine, (int64_t)step->value, step->what & 0x80);
		break;
	case ACTION_PIECE:
		(void)fdmsg_send(machine->server, &step->value, step->bytes % 8 + 1u,
				 &machine->bell, step->what >> 7, FDMSG_DONTWAIT);
		break;
	case ACTION_SERVER_GOES:
		machine->server = fd_close(machine->server);
		break;
	case ACTION_RECONNECT:
		ivshmem_reconnected(machine->ivshmem);
		break;
	case ACTION_REVOKE:
		ivshmem_revoked(machine->ivshmem);
		break;
	default:
		(void)event_base_loop(machine->events, EVLOOP_NONBLOCK);
	}
}

static int count_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int before = count_fds();
	struct machine machine;
	struct step step;

	log_init("fuzz", LOG_LEVEL_ERROR);
	build(&machine);
	for (; size >= sizeof(step); data += sizeof(step), size -= sizeof(step)) {
		memcpy(&step, data, sizeof(step));
		do_step(&machine, &step);
	}
	destroy(&machine);
	require(count_fds() == before);
	return 0;
}
