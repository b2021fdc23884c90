/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The doorbells of a section through libvmsect: streams of two clients and a
 * third that has none, refusals, ends, a new broker, and brokers that lie.
 */
#include "lib/fake_broker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/ivshmem_client.h"

#define VECTORS 3u
#define RIGHTS (VMSECT_ACCESS_READ | VMSECT_ACCESS_NOTIFY)
#define RINGS 100000

/* A client with doorbells. */
struct ringer {
	struct vmsect_client *client;
	struct vmsect_section *section;
	uint32_t id;
	int stream;
	int own[VECTORS];
};

static struct vmsect_section *open_with(struct vmsect_client *client, uint32_t access)
{
	struct vmsect_section *section;

	assert_int_equal(vmsect_section_open(client, "x", access, &section), 0);
	return section;
}

static void ask(struct ringer *ringer)
{
	assert_int_equal(vmsect_section_doorbell(ringer->section, VECTORS, &ringer->stream), 0);
	assert_int_equal(ivshmem_greet(ringer->stream, false, NULL), ringer->id);
}

static void ringer_init(struct ringer *ringer, struct box *box, const char *name)
{
	ringer->client = box_connect(box, name);
	ringer->id = vmsect_client_peer_id(ringer->client);
	if (vmsect_section_open(ringer->client, "x", RIGHTS, &ringer->section) < 0)
		ringer->section = box_section(ringer->client, "x", 4096);
	ask(ringer);
}

static void ringer_deinit(struct ringer *ringer)
{
	ivshmem_close_fds(ringer->own, VECTORS);
	fd_close(ringer->stream);
	vmsect_section_close(ringer->section);
	vmsect_client_free(ringer->client);
}

/*
 * A client is a native peer from its handle on, and a member when it asks: it may
 * be told of as the one, leave, and come as the other.  By then its own eventfd is
 * rung.  What is left of others is passed over.
 */
static void see_member(const struct ringer *by, const struct ringer *other, int bells[VECTORS])
{
	struct ivshmem_message message = { .fd = -1 };
	unsigned int count = 0;

	while (count < VECTORS || !ivshmem_is_rung(other->own[0])) {
		assert_int_equal(ivshmem_wait(by->stream, &message), IVSHMEM_MESSAGE);
		if (message.value != other->id) {
			fd_close(message.fd);
		} else if (message.fd >= 0) {
			assert_true(count < VECTORS);
			bells[count++] = message.fd;
			if (count == VECTORS)
				ivshmem_ring(bells[0]);
		} else {
			ivshmem_close_fds(bells, count);
			count = 0;
		}
	}
	assert_int_equal(ivshmem_take(other->own[0]), 1);
}

static void ring_each_other(void **state)
{
	struct ringer a, b;
	int to_a[VECTORS], to_b[VECTORS];
	uint64_t got = 0;
	int i;

	ringer_init(&a, *state, "a");
	ivshmem_expect_fds(a.stream, a.id, a.own, VECTORS);
	ringer_init(&b, *state, "b");
	ivshmem_expect_fds(b.stream, a.id, to_a, VECTORS);
	ivshmem_expect_fds(b.stream, b.id, b.own, VECTORS);
	see_member(&a, &b, to_b);
	ivshmem_ring(to_a[2]);
	assert_int_equal(ivshmem_take(a.own[2]), 1);
	for (i = 0; i < RINGS; i++)
		ivshmem_ring(to_a[0]);
	while (got < RINGS)
		got += ivshmem_take(a.own[0]);
	assert_int_equal(got, RINGS);
	ivshmem_close_fds(to_a, VECTORS);
	ivshmem_close_fds(to_b, VECTORS);
	ringer_deinit(&b);
	ringer_deinit(&a);
}

/* A process without doorbells, in both directions. */
static void native_peer(void **state)
{
	struct vmsect_client *client;
	struct vmsect_section *section;
	struct vmsect_event event;
	int bells[VECTORS];
	struct ringer a;
	uint32_t id;

	ringer_init(&a, *state, "a");
	ivshmem_expect_fds(a.stream, a.id, a.own, VECTORS);
	client = box_connect(*state, "native");
	id = vmsect_client_peer_id(client);
	section = open_with(client, RIGHTS);
	ivshmem_expect_fds(a.stream, id, bells, VECTORS);
	assert_int_equal(vmsect_section_notify(section, a.id, 1, NULL), 0);
	assert_int_equal(ivshmem_take(a.own[1]), 1);
	assert_int_equal(vmsect_section_notify(section, 0, 2, NULL), 0);
	assert_int_equal(ivshmem_take(a.own[2]), 1);
	assert_int_equal(vmsect_section_notify(section, a.id, 1u << 20, NULL), 0);
	assert_int_equal(ivshmem_take(a.own[0]), 1);
	ivshmem_ring(bells[2]);
	event = box_wait_event_of(client, VMSECT_EVENT_NOTIFIED);
	assert_int_equal(event.peer_id, a.id);
	assert_int_equal(event.value, 2);
	assert_int_equal(event.length, 1);
	vmsect_section_close(section);
	ivshmem_expect(a.stream, id);
	vmsect_client_free(client);
	ivshmem_close_fds(bells, VECTORS);
	ringer_deinit(&a);
}

static void refused(void **state)
{
	struct vmsect_client *client;
	struct vmsect_section *section, *second;
	struct ringer a;
	int fd = -7;

	ringer_init(&a, *state, "a");
	ivshmem_expect_fds(a.stream, a.id, a.own, VECTORS);
	client = box_connect(*state, "b");
	section = open_with(client, VMSECT_ACCESS_READ);
	assert_int_equal(vmsect_section_doorbell(section, VECTORS, &fd), -EPERM);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_ACCESS);
	vmsect_section_close(section);
	section = open_with(client, RIGHTS);
	assert_int_equal(vmsect_section_doorbell(section, 0, &fd), -EINVAL);
	assert_int_equal(vmsect_section_doorbell(section, 65, &fd), -EINVAL);
	assert_int_equal(vmsect_section_doorbell(section, VECTORS - 1, &fd), -EBUSY);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_STATE);
	second = open_with(a.client, RIGHTS);
	assert_int_equal(vmsect_section_doorbell(second, VECTORS, &fd), -EBUSY);
	assert_int_equal(fd, -7);
	vmsect_section_close(second);
	vmsect_section_close(section);
	vmsect_client_free(client);
	ringer_deinit(&a);
}

static void expect_end(int stream)
{
	struct ivshmem_message message;

	assert_int_equal(ivshmem_wait(stream, &message), IVSHMEM_END);
}

/* Who speaks, closes its handle or asks again has a stream that ends. */
static void ends(void **state)
{
	struct vmsect_section *other;
	struct ringer a;
	int first;

	ringer_init(&a, *state, "a");
	ivshmem_expect_fds(a.stream, a.id, a.own, VECTORS);
	assert_true(fcntl(a.stream, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(a.stream, F_GETFD) & FD_CLOEXEC);
	first = a.stream;
	ask(&a);
	expect_end(first);
	fd_close(first);
	ivshmem_close_fds(a.own, VECTORS);
	ivshmem_expect_fds(a.stream, a.id, a.own, VECTORS);
	assert_int_equal(send(a.stream, "x", 1, MSG_NOSIGNAL), 1);
	expect_end(a.stream);
	fd_close(a.stream);
	ask(&a);
	ivshmem_close_fds(a.own, VECTORS);
	ivshmem_expect_fds(a.stream, a.id, a.own, VECTORS);
	other = open_with(a.client, VMSECT_ACCESS_READ);
	vmsect_section_close(a.section);
	expect_end(a.stream);
	a.section = open_with(a.client, RIGHTS);
	fd_close(a.stream);
	ask(&a);
	ivshmem_close_fds(a.own, VECTORS);
	ivshmem_expect_fds(a.stream, a.id, a.own, VECTORS);
	vmsect_section_close(other);
	ringer_deinit(&a);
}

/* The number stays; the stream is asked for anew, and nothing was left of the old. */
static void a_new_broker(void **state)
{
	struct box *box = *state;
	struct ringer a, b;
	int to_a[VECTORS];

	ringer_init(&a, box, "a");
	ivshmem_expect_fds(a.stream, a.id, a.own, VECTORS);
	broker_fixture_kill(&box->broker);
	expect_end(a.stream);
	fd_close(a.stream);
	ivshmem_close_fds(a.own, VECTORS);
	broker_fixture_start(&box->broker, NULL);
	assert_int_equal(box_wait_event_of(a.client, VMSECT_EVENT_RECONNECTED).status, 0);
	ask(&a);
	ivshmem_expect_fds(a.stream, a.id, a.own, VECTORS);
	ringer_init(&b, box, "b");
	ivshmem_expect_fds(b.stream, a.id, to_a, VECTORS);
	ivshmem_expect_fds(b.stream, b.id, b.own, VECTORS);
	ivshmem_ring(to_a[1]);
	assert_int_equal(ivshmem_take(a.own[1]), 1);
	ivshmem_close_fds(to_a, VECTORS);
	ringer_deinit(&b);
	ringer_deinit(&a);
}

/* One that is asked while no broker is there waits for the next. */
static void asked_in_between(void **state)
{
	struct box *box = *state;
	struct ringer a;

	ringer_init(&a, box, "a");
	ivshmem_expect_fds(a.stream, a.id, a.own, VECTORS);
	broker_fixture_kill(&box->broker);
	broker_fixture_start(&box->broker, NULL);
	fd_close(a.stream);
	ivshmem_close_fds(a.own, VECTORS);
	ask(&a);
	ivshmem_expect_fds(a.stream, a.id, a.own, VECTORS);
	ringer_deinit(&a);
}

/* A member that has come and gone, to one who sees it and one who is a native peer. */
static void visit(struct box *box, const struct ringer *seen_by)
{
	int other[VECTORS], bells[VECTORS];
	struct ivshmem_message message;
	struct ringer guest;

	ringer_init(&guest, box, "guest");
	ivshmem_expect_fds(guest.stream, seen_by->id, other, VECTORS);
	ivshmem_expect_fds(guest.stream, guest.id, guest.own, VECTORS);
	see_member(seen_by, &guest, bells);
	ivshmem_close_fds(other, VECTORS);
	ivshmem_close_fds(bells, VECTORS);
	ringer_deinit(&guest);
	do {
		assert_int_equal(ivshmem_wait(seen_by->stream, &message), IVSHMEM_MESSAGE);
		fd_close(message.fd);
	} while (message.value != guest.id || message.fd >= 0);
}

/* The broker has seen that all others have gone. */
static size_t fds_when_alone(const struct box *box, struct vmsect_client *client)
{
	struct vmsect_peer_info *list;
	size_t count;

	do {
		assert_int_equal(vmsect_list_peers(client, &list, &count), 0);
		free(list);
	} while (count > 1);
	return broker_fixture_fds(&box->broker);
}

static void nothing_is_left(void **state)
{
	struct box *box = *state;
	struct ringer a;
	size_t fds;
	int i;

	ringer_init(&a, box, "a");
	ivshmem_expect_fds(a.stream, a.id, a.own, VECTORS);
	visit(box, &a);
	fds = fds_when_alone(box, a.client);
	for (i = 0; i < 20; i++)
		visit(box, &a);
	assert_int_equal(fds_when_alone(box, a.client), fds);
	ringer_deinit(&a);
}

static int open_first(int socket, const struct vmsect_msg_hdr *request)
{
	const struct vmsect_rep_handle handle = fake_handle(request);

	if (request->op == VMSECT_OP_OPEN)
		return fake_send(socket, &handle, sizeof(handle), 1, O_RDONLY);
	return fake_done(socket, request); /* DOORBELL without a descriptor */
}

static void lying_broker(void **state)
{
	struct fake_broker fake = { .answer = open_first };
	struct vmsect_section *section;
	struct vmsect_client *client;
	int fd = -7;

	fake_broker_start(&fake, *state);
	client = fake_connect(*state, 0);
	section = open_with(client, VMSECT_ACCESS_READ);
	assert_int_equal(vmsect_section_doorbell(section, 1, &fd), -EPROTO);
	assert_int_equal(fd, -7);
	vmsect_section_close(section);
	vmsect_client_free(client);
	fake_broker_stop(&fake);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)
#define ALONE(name) cmocka_unit_test_setup_teardown(name, box_setup_without_broker, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(ring_each_other), TEST(native_peer),
		TEST(refused),	       TEST(ends),
		TEST(a_new_broker),    TEST(asked_in_between),
		TEST(nothing_is_left), ALONE(lying_broker),
	};

	return cmocka_run_group_tests_name("lib_doorbell", tests, NULL, NULL);
}
