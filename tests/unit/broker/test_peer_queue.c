/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events that wait for a slow reader: which of them become one, and which never do. */
#include "lib/check.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/event.h"
#include "broker/peer.h"
#include "broker/peer_queue.h"
#include "lib/leak.h"

struct bed {
	struct peer_owner owner;
	struct account account;
	struct peer_counters counters;
	uint8_t buffer[VMSECT_MSG_MAX];
	int client;
	struct peer *peer;
};

static void bed_init(struct bed *bed)
{
	struct limits limits;
	int ends[2];

	memset(bed, 0, sizeof(*bed));
	limits_init(&limits, 1u << 30, 1u << 16);
	account_init(&bed->account, &limits);
	bed->owner = (struct peer_owner){
		.arg = bed,
		.base = loop_new(),
		.account = &bed->account,
		.counters = &bed->counters,
		.buffer = bed->buffer,
	};
	assert_non_null(bed->owner.base);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	bed->client = ends[0];
	assert_int_equal(peer_new_take_fd(&bed->owner, ends[1], 10000, &bed->peer), 0);
}

static void bed_deinit(struct bed *bed)
{
	peer_free(bed->peer);
	account_deinit(&bed->account);
	event_base_free(bed->owner.base);
	assert_int_equal(close(bed->client), 0);
}

static struct vmsect_msg_event event_of(uint32_t type)
{
	return (struct vmsect_msg_event){
		.hdr = { .size = sizeof(struct vmsect_msg_event), .op = VMSECT_OP_EVENT },
		.type = type,
		.section = 1,
	};
}

static void add(struct bed *bed, const struct vmsect_msg_event *event)
{
	assert_int_equal(peer_queue_add_take_fd(bed->peer, event, sizeof(*event), -1), 0);
}

/* Sends what waits and takes the next one; false if there is none. */
static bool next(struct bed *bed, struct vmsect_msg_event *event)
{
	assert_int_equal(peer_queue_flush(bed->peer), 0);
	return recv(bed->client, event, sizeof(*event), MSG_DONTWAIT) == sizeof(*event);
}

static void test_peers_that_come_and_go(void **state)
{
	struct vmsect_msg_event joined = event_of(VMSECT_WIRE_EVENT_PEER_JOINED);
	struct vmsect_msg_event left = event_of(VMSECT_WIRE_EVENT_PEER_LEFT);
	struct vmsect_msg_event event;
	static struct bed bed;

	(void)state;
	bed_init(&bed);
	add(&bed, &joined);
	add(&bed, &joined);
	add(&bed, &left);
	assert_false(next(&bed, &event));
	left.peer = 7; /* another one */
	add(&bed, &joined);
	add(&bed, &left);
	assert_true(next(&bed, &event));
	assert_true(next(&bed, &event));
	assert_int_equal(event.peer, 7);
	assert_false(next(&bed, &event));
	bed_deinit(&bed);
}

static void test_sizes_and_errors(void **state)
{
	struct vmsect_msg_event resized = event_of(VMSECT_WIRE_EVENT_RESIZED);
	struct vmsect_msg_event broken = event_of(VMSECT_WIRE_EVENT_IO_ERROR);
	struct vmsect_msg_event event;
	static struct bed bed;

	(void)state;
	bed_init(&bed);
	for (resized.value = 1; resized.value <= 100; resized.value++)
		add(&bed, &resized);
	add(&bed, &broken);
	add(&bed, &broken);
	resized.section = 2;
	add(&bed, &resized);
	assert_true(next(&bed, &event));
	assert_int_equal(event.type, VMSECT_WIRE_EVENT_RESIZED);
	assert_int_equal(event.value, 100);
	assert_true(next(&bed, &event));
	assert_int_equal(event.type, VMSECT_WIRE_EVENT_IO_ERROR);
	assert_true(next(&bed, &event));
	assert_int_equal(event.section, 2);
	assert_false(next(&bed, &event));
	/* What was sent is not what a new one joins. */
	add(&bed, &resized);
	assert_true(next(&bed, &event));
	bed_deinit(&bed);
}

static void test_committed_ranges(void **state)
{
	struct vmsect_msg_event committed = event_of(VMSECT_WIRE_EVENT_COMMITTED);
	static const uint64_t ranges[][2] = {
		{ 8192, 4096 }, { 65536, 8192 }, { 4096, 4096 }, { 8192, 4096 }
	};
	struct vmsect_msg_event event;
	static struct bed bed;
	size_t i;

	(void)state;
	bed_init(&bed);
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		committed.offset = ranges[i][0];
		committed.length = ranges[i][1];
		add(&bed, &committed);
	}
	assert_true(next(&bed, &event));
	assert_int_equal(event.offset, 4096);
	assert_int_equal(event.length, 65536 + 8192 - 4096);
	assert_false(next(&bed, &event));
	bed_deinit(&bed);
}

/* An offer that has ended is not told of; and that it has ended is not sent. */
static void test_offers_that_end(void **state)
{
	struct vmsect_msg_event offered = event_of(VMSECT_WIRE_EVENT_OFFERED);
	struct vmsect_msg_event ended = event_of(VMSECT_WIRE_EVENT_OFFERED);
	struct vmsect_msg_event event;
	static struct bed bed;

	(void)state;
	bed_init(&bed);
	offered.length = 2;
	for (offered.value = 1; offered.value <= 3; offered.value++)
		add(&bed, &offered);
	ended.value = 2;
	peer_send_take_fd(bed.peer, &ended, sizeof(ended), -1);
	ended.value = 99;
	peer_send_take_fd(bed.peer, &ended, sizeof(ended), -1);
	assert_true(next(&bed, &event));
	assert_int_equal(event.value, 1);
	assert_true(next(&bed, &event));
	assert_int_equal(event.value, 3);
	assert_false(next(&bed, &event));
	peer_send_take_fd(bed.peer, &ended, sizeof(ended), -1);
	assert_false(next(&bed, &event));
	bed_deinit(&bed);
}

/* The newest value and the number of all, of each sender and each section. */
static void test_notifications_become_one(void **state)
{
	struct vmsect_msg_event notified = event_of(VMSECT_WIRE_EVENT_NOTIFIED);
	struct vmsect_msg_event event;
	static struct bed bed;

	(void)state;
	bed_init(&bed);
	notified.length = 1;
	for (notified.value = 1; notified.value <= 100; notified.value++) {
		notified.peer = notified.value % 2 ? 7 : 8;
		notified.section = 1;
		add(&bed, &notified);
		notified.section = 2;
		add(&bed, &notified);
	}
	assert_int_equal(bed.counters.merged, 200 - 4);
	for (int i = 0; i < 4; i++) {
		assert_true(next(&bed, &event));
		assert_int_equal(event.type, VMSECT_WIRE_EVENT_NOTIFIED);
		assert_int_equal(event.peer, i < 2 ? 7 : 8);
		assert_int_equal(event.section, 1 + i % 2);
		assert_int_equal(event.value, i < 2 ? 99 : 100);
		assert_int_equal(event.length, 50);
	}
	assert_false(next(&bed, &event));
	bed_deinit(&bed);
}

static void test_notifications_do_not_wrap(void **state)
{
	struct vmsect_msg_event notified = event_of(VMSECT_WIRE_EVENT_NOTIFIED);
	struct vmsect_msg_event event;
	static struct bed bed;

	(void)state;
	bed_init(&bed);
	notified.length = UINT64_MAX - 1;
	add(&bed, &notified);
	add(&bed, &notified);
	assert_true(next(&bed, &event));
	assert_int_equal(event.length, UINT64_MAX);
	/* Sent: the next is one of its own. */
	notified.length = 1;
	add(&bed, &notified);
	assert_true(next(&bed, &event));
	assert_int_equal(event.length, 1);
	bed_deinit(&bed);
}

/* A peer that goes and comes back is as if it had stayed, and so are its notifications. */
static void test_notifications_and_peers(void **state)
{
	struct vmsect_msg_event notified = event_of(VMSECT_WIRE_EVENT_NOTIFIED);
	struct vmsect_msg_event joined = event_of(VMSECT_WIRE_EVENT_PEER_JOINED);
	struct vmsect_msg_event left = event_of(VMSECT_WIRE_EVENT_PEER_LEFT);
	struct vmsect_msg_event event;
	static struct bed bed;

	(void)state;
	bed_init(&bed);
	notified.length = 1;
	add(&bed, &notified);
	add(&bed, &left);
	add(&bed, &joined);
	add(&bed, &notified);
	add(&bed, &left);
	assert_true(next(&bed, &event));
	assert_int_equal(event.type, VMSECT_WIRE_EVENT_NOTIFIED);
	assert_int_equal(event.length, 2);
	assert_true(next(&bed, &event));
	assert_int_equal(event.type, VMSECT_WIRE_EVENT_PEER_LEFT);
	assert_false(next(&bed, &event));
	bed_deinit(&bed);
}

/* Fills the socket, so that what comes next has to wait. */
static void fill(struct bed *bed)
{
	const struct vmsect_msg_event other = event_of(VMSECT_WIRE_EVENT_REVOKE_VIEW);

	while (send(bed->peer->fd, &other, sizeof(other), MSG_DONTWAIT) > 0)
		continue;
}

/* What finds no room costs nobody the connection, and is told behind all that waits. */
static void test_notifications_without_room(void **state)
{
	struct vmsect_msg_event notified = event_of(VMSECT_WIRE_EVENT_NOTIFIED);
	struct vmsect_msg_event revoked = event_of(VMSECT_WIRE_EVENT_REVOKE_VIEW);
	struct vmsect_msg_event event;
	static struct bed bed;

	(void)state;
	bed_init(&bed);
	fill(&bed);
	notified.length = 1;
	peer_send_take_fd(bed.peer, &notified, sizeof(notified), -1);
	bed.account.limits.user[RESOURCE_QUEUE] = 0;
	peer_send_take_fd(bed.peer, &notified, sizeof(notified), -1); /* joins the first */
	notified.section = 2;
	peer_send_take_fd(bed.peer, &notified, sizeof(notified), -1);
	notified.length = 4;
	peer_send_take_fd(bed.peer, &notified, sizeof(notified), -1);
	assert_int_equal(bed.peer->state, PEER_WRITING);
	assert_int_equal(bed.counters.lost, 5);
	assert_int_equal(peer_queue_flush(bed.peer), -EAGAIN);
	while (recv(bed.client, &event, sizeof(event), MSG_DONTWAIT) == sizeof(event))
		assert_int_equal(event.type, VMSECT_WIRE_EVENT_REVOKE_VIEW);
	assert_true(next(&bed, &event));
	assert_int_equal(event.type, VMSECT_WIRE_EVENT_NOTIFIED);
	assert_int_equal(event.length, 2);
	assert_true(next(&bed, &event));
	assert_int_equal(event.type, VMSECT_WIRE_EVENT_LOST);
	assert_int_equal(event.value, 5);
	assert_false(next(&bed, &event)); /* said once */
	fill(&bed);
	peer_send_take_fd(bed.peer, &revoked, sizeof(revoked), -1);
	assert_int_equal(bed.peer->state, PEER_DOOMED); /* this may not be lost */
	bed_deinit(&bed);
}

/* LOST itself waits until the socket takes it. */
static void test_lost_waits(void **state)
{
	struct vmsect_msg_event notified = event_of(VMSECT_WIRE_EVENT_NOTIFIED);
	struct vmsect_msg_event event;
	static struct bed bed;

	(void)state;
	bed_init(&bed);
	fill(&bed);
	bed.account.limits.user[RESOURCE_QUEUE] = 0;
	notified.length = 1;
	peer_send_take_fd(bed.peer, &notified, sizeof(notified), -1);
	assert_int_equal(bed.peer->state, PEER_WRITING);
	assert_int_equal(peer_queue_flush(bed.peer), -EAGAIN);
	while (recv(bed.client, &event, sizeof(event), MSG_DONTWAIT) == sizeof(event))
		assert_int_equal(event.type, VMSECT_WIRE_EVENT_REVOKE_VIEW);
	assert_true(next(&bed, &event));
	assert_int_equal(event.type, VMSECT_WIRE_EVENT_LOST);
	assert_int_equal(event.value, 1);
	assert_false(next(&bed, &event));
	bed_deinit(&bed);
}

/* What was revoked is heard of each time; a reply is no event, whatever its bytes. */
static void test_what_is_never_merged(void **state)
{
	struct vmsect_msg_event revoked = event_of(VMSECT_WIRE_EVENT_REVOKE_VIEW);
	struct vmsect_msg_event reply = event_of(VMSECT_WIRE_EVENT_RESIZED);
	struct vmsect_msg_event event;
	static struct bed bed;
	int i;

	(void)state;
	bed_init(&bed);
	reply.hdr.flags = VMSECT_MSG_REPLY;
	for (i = 0; i < 3; i++) {
		add(&bed, &revoked);
		add(&bed, &reply);
	}
	for (i = 0; i < 6; i++)
		assert_true(next(&bed, &event));
	assert_false(next(&bed, &event));
	revoked.type = VMSECT_WIRE_EVENT_REVOKE_HANDLE;
	add(&bed, &revoked);
	add(&bed, &revoked);
	bed.account.limits.user[RESOURCE_QUEUE] = 0;
	assert_true(peer_queue_add_take_fd(bed.peer, &revoked, sizeof(revoked), -1) < 0);
	assert_true(next(&bed, &event));
	assert_true(next(&bed, &event));
	bed_deinit(&bed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, leak_setup, leak_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_peers_that_come_and_go),     TEST(test_sizes_and_errors),
		TEST(test_committed_ranges),	       TEST(test_offers_that_end),
		TEST(test_what_is_never_merged),       TEST(test_notifications_become_one),
		TEST(test_notifications_do_not_wrap),  TEST(test_notifications_and_peers),
		TEST(test_notifications_without_room), TEST(test_lost_waits),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
