/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * section_notify.c, and NOTIFIED on its way to the driver: with a broker that is
 * stopped, or killed, where the test wants requests to be on their way.
 */
#include <signal.h>

#include "dev/section_impl.h"
#include "unit/vmm/section_notifier.h"

#define TIME_LIMIT_S 120
#define RIGHTS (VMSECT_DEV_ACCESS_READ | VMSECT_DEV_ACCESS_NOTIFY)
#define ON_THEIR_WAY 32u
#define BURST 2000u

static struct vmsect_section *listen_to(struct vmsect_client *client)
{
	struct vmsect_section *section = NULL;

	assert_int_equal(vmsect_section_open(client, "data", VMSECT_ACCESS_READ, &section), 0);
	return section;
}

static void test_refused(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	uint32_t silent = open_handle(bed, "data", VMSECT_DEV_ACCESS_READ);
	uint32_t handle = open_handle(bed, "data", RIGHTS);

	assert_int_equal(notify_call(bed, 0, 0, 1), VMSECT_S_EBADF);
	assert_int_equal(notify_call(bed, 99, 0, 1), VMSECT_S_EBADF);
	assert_int_equal(notify_call(bed, silent, 0, 1), VMSECT_S_EPERM);
	assert_int_equal(notify_call(bed, 1, 0, 1), VMSECT_S_EPERM); /* attached to read */
	assert_int_equal(notify_call(bed, handle, 999, 1), VMSECT_S_ENXIO);
	assert_int_equal(bed_close(bed, handle), VMSECT_S_OK);
	assert_int_equal(notify_call(bed, handle, 0, 1), VMSECT_S_EBADF);
}

static void test_without_the_feature(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = &test->bed;
	struct vmsect_client *other;
	struct vmsect_section *section;
	struct vmsect_dev_event event;

	bed->refused = 1u << VMSECT_F_NOTIFY;
	(void)start(test);
	assert_int_equal(notify_call(bed, 2, 0, 1), VMSECT_S_EOPNOTSUPP);
	other = box_connect(test->box, "other");
	section = box_section(other, "theirs", 4096);
	bed_give_buffer(bed, sizeof(event));
	assert_int_equal(vmsect_section_notify(test->data, 0, 1, NULL), 0);
	vmsect_section_close(section);
	section = listen_to(other);
	/* The first that comes is of what came later. */
	assert_int_equal(notify_event(bed).type, VMSECT_EV_PEER_JOINED);
	vmsect_section_close(section);
	vmsect_client_free(other);
}

static void test_to_others(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct vmsect_client *other = box_connect(test->box, "other");
	struct vmsect_section *section = listen_to(other);
	uint32_t peer = vmsect_client_peer_id(other);
	struct vmsect_event event;

	/* Through the attachment that may write. */
	assert_int_equal(notify_call(bed, 2, peer, UINT64_MAX), VMSECT_S_OK);
	event = box_wait_event_of(other, VMSECT_EVENT_NOTIFIED);
	assert_true(event.value == UINT64_MAX);
	assert_int_equal(event.length, 1);
	assert_int_equal(event.peer_id, vmsect_client_peer_id(test->client));
	assert_int_equal(notify_call(bed, 2, 0, 7), VMSECT_S_OK);
	assert_int_equal(box_wait_event_of(other, VMSECT_EVENT_NOTIFIED).value, 7);
	assert_int_equal(box_wait_event_of(test->owner, VMSECT_EVENT_NOTIFIED).value, 7);
	vmsect_section_close(section);
	assert_int_equal(notify_call(bed, 2, peer, 1), VMSECT_S_ENXIO);
	vmsect_client_free(other);
}

static void test_from_others(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	uint32_t vm = vmsect_client_peer_id(test->client);
	struct vmsect_dev_event event;

	bed_give_buffer(bed, sizeof(event));
	assert_int_equal(vmsect_section_notify(test->data, vm, 0x1122334455667788, NULL), 0);
	event = notify_event(bed);
	assert_int_equal(event.type, VMSECT_EV_NOTIFIED);
	assert_int_equal(event.flags | event.view | event.reserved, 0);
	assert_int_equal(event.handle, 1);
	assert_int_equal(event.peer, vmsect_client_peer_id(test->owner));
	assert_int_equal(event.section_id, vmsect_section_info(test->data)->id);
	assert_true(event.value == 0x1122334455667788);
	assert_int_equal(event.length, 1);
	assert_int_equal(event.offset, 0);
	/* To itself, as a program of the guest may to another one. */
	bed_give_buffer(bed, sizeof(event));
	assert_int_equal(notify_call(bed, 2, vm, 3), VMSECT_S_OK);
	event = notify_event(bed);
	assert_int_equal(event.peer, vm);
	assert_int_equal(event.value, 3);
}

/* While the driver has no buffer: one for each sender, the newest value, all counted. */
static void test_merged_without_buffers(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct vmsect_client *other = box_connect(test->box, "other");
	struct vmsect_section *section = NULL;
	struct section_dev_counters counted;
	struct vmsect_dev_event event;
	uint64_t count = 0;

	assert_int_equal(vmsect_section_open(other, "data",
					     VMSECT_ACCESS_READ | VMSECT_ACCESS_NOTIFY, &section),
			 0);
	for (uint64_t i = 1; i <= 500; i++) {
		assert_int_equal(vmsect_section_notify(test->data, 0, i, NULL), 0);
		assert_int_equal(vmsect_section_notify(section, 0, 1000 + i, NULL), 0);
		bed_run(bed);
	}
	do {
		bed_run(bed);
		section_dev_counters(bed->dev, &counted);
	} while (counted.events < 3);
	/* The last may still be on its way: it joins. */
	assert_int_equal(notify_call(bed, 2, vmsect_client_peer_id(test->client), 0), VMSECT_S_OK);
	for (int i = 0; i < 4; i++)
		bed_give_buffer(bed, sizeof(event));
	assert_int_equal(notify_event(bed).type, VMSECT_EV_PEER_JOINED);
	event = notify_event(bed);
	assert_int_equal(event.type, VMSECT_EV_NOTIFIED);
	assert_int_equal(event.peer, vmsect_client_peer_id(test->owner));
	assert_int_equal(event.value, 500);
	assert_int_equal(event.length, 500);
	event = notify_event(bed);
	assert_int_equal(event.value, 1500);
	assert_int_equal(event.length, 500);
	count = notify_event(bed).length; /* its own */
	assert_int_equal(count, 1);
	section_dev_counters(bed->dev, &counted);
	assert_int_equal(counted.events_lost, 0);
	vmsect_section_close(section);
	vmsect_client_free(other);
}

/* Nothing joins a word from before the peer left. */
static void test_a_peer_that_comes_back(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct vmsect_client *other = box_connect(test->box, "other");
	struct section_dev_counters counted;
	static const uint32_t types[] = { VMSECT_EV_PEER_JOINED, VMSECT_EV_NOTIFIED,
					  VMSECT_EV_PEER_LEFT, VMSECT_EV_PEER_JOINED,
					  VMSECT_EV_NOTIFIED };
	struct vmsect_section *section = NULL;
	struct vmsect_dev_event event;

	for (uint64_t i = 1; i <= 2; i++) {
		assert_int_equal(vmsect_section_open(other, "data", VMSECT_ACCESS_NOTIFY, &section),
				 0);
		assert_int_equal(vmsect_section_notify(section, 0, i, NULL), 0);
		do {
			assert_int_equal(event_base_loop(bed->events, EVLOOP_ONCE), 0);
			section_dev_counters(bed->dev, &counted);
		} while (counted.events < 3 * i - 1);
		if (i == 1)
			vmsect_section_close(section);
	}
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		bed_give_buffer(bed, sizeof(event));
		event = notify_event(bed);
		assert_int_equal(event.type, types[i]);
	}
	assert_int_equal(event.value, 2);
	assert_int_equal(event.length, 1);
	vmsect_section_close(section);
	vmsect_client_free(other);
}

static void stop(const struct test *test, int number)
{
	assert_int_equal(kill(test->box->broker.pid, number), 0);
}

/* The thread goes on, and what is too much is answered by itself. */
static void test_a_broker_that_is_slow(void **state)
{
	const struct vmsect_req_notify notify = { .handle = 2, .value = 5 };
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct section_dev_counters counted;
	uint32_t head, bytes;
	uint16_t i;

	stop(test, SIGSTOP);
	for (i = 0; i < BED_QUEUE_SIZE / 2; i++)
		notify_put(bed, i, &notify);
	_Static_assert(BED_QUEUE_SIZE / 2 == ON_THEIR_WAY, "all chains of the queue");
	notify_kick(bed);
	assert_false(ring_take(&bed->control, &head, &bytes));
	stop(test, SIGCONT);
	for (i = 0; i < ON_THEIR_WAY; i++)
		notify_wait(bed);
	for (i = 0; i < ON_THEIR_WAY; i++)
		assert_int_equal(notify_reply(bed, i), VMSECT_S_OK);
	section_dev_counters(bed->dev, &counted);
	assert_int_equal(counted.notify_limited, 0);
}

/* What the bucket does not let through is answered here; the broker never sees it. */
static void test_too_fast(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct section_dev_counters counted;
	uint32_t sent = 0, status;

	token_bucket_init(&bed->dev->notify_bucket, 1, 3);
	while ((status = notify_call(bed, 2, 0, sent)) == VMSECT_S_OK)
		assert_true(++sent < 10); /* a host so slow that seconds passed */
	assert_int_equal(status, VMSECT_S_EAGAIN);
	assert_true(sent >= 3);
	section_dev_counters(bed->dev, &counted);
	assert_int_equal(counted.notify_limited, 1);
	assert_int_equal(box_wait_event_of(test->owner, VMSECT_EVENT_NOTIFIED).value, 0);
	while ((status = notify_call(bed, 2, 0, 77)) == VMSECT_S_EAGAIN)
		continue;
	assert_int_equal(status, VMSECT_S_OK);
	while (box_wait_event_of(test->owner, VMSECT_EVENT_NOTIFIED).value != 77)
		continue;
}

/* The default lets a burst through that no ring needs. */
static void test_default_rate(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);

	for (uint32_t i = 0; i < BURST; i++)
		assert_int_equal(notify_call(bed, 2, 0, i), VMSECT_S_OK);
}

/* Drivers that come and go leave behind what is on its way: there is an end to that. */
static void test_what_resets_leave(void **state)
{
	const struct vmsect_req_notify notify = { .handle = 2, .value = 5 };
	struct test *test = *state;
	struct section_bed *bed = start(test);
	uint64_t reply;
	uint32_t sent = 0;

	stop(test, SIGSTOP);
	do {
		notify_put(bed, 0, &notify);
		notify_kick(bed);
		reply = notify_reply(bed, 0);
		bed_reset(bed);
		bed_drive(bed);
		assert_true(++sent < 100);
	} while (reply == NOTIFY_UNTOUCHED);
	stop(test, SIGCONT);
	assert_int_equal(reply, VMSECT_S_EAGAIN);
	assert_true(sent > ON_THEIR_WAY);
	while (notify_call(bed, 2, 0, 9) == VMSECT_S_EAGAIN)
		continue;
}

/* Nobody sleeps on what a broker has taken along. */
static void test_a_broker_that_dies(void **state)
{
	const struct vmsect_req_notify notify = { .handle = 2, .value = 5 };
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct vmsect_dev_event event;

	stop(test, SIGSTOP);
	notify_put(bed, 0, &notify);
	notify_put(bed, 1, &notify);
	notify_kick(bed);
	broker_fixture_kill(&test->box->broker);
	notify_wait(bed);
	notify_wait(bed);
	assert_int_equal(notify_reply(bed, 0), VMSECT_S_EHOSTDOWN);
	assert_int_equal(notify_reply(bed, 1), VMSECT_S_EHOSTDOWN);
	assert_int_equal(notify_call(bed, 2, 0, 1), VMSECT_S_EHOSTDOWN);
	broker_fixture_start(&test->box->broker, NULL);
	while (notify_call(bed, 2, 0, 9) == VMSECT_S_EHOSTDOWN)
		assert_int_equal(event_base_loop(bed->events, EVLOOP_ONCE), 0);
	/* The driver hears that it may have missed something. */
	bed_give_buffer(bed, sizeof(event));
	assert_int_equal(notify_call(bed, 2, vmsect_client_peer_id(test->client), 10), VMSECT_S_OK);
	event = notify_event(bed);
	assert_int_equal(event.flags, VMSECT_EV_FLAG_LOST);
	assert_int_equal(box_wait_event_of(test->owner, VMSECT_EVENT_RECONNECTED).status, 0);
	while (box_wait_event_of(test->owner, VMSECT_EVENT_NOTIFIED).value != 9)
		continue;
}

static void test_reset_forgets(void **state)
{
	const struct vmsect_req_notify notify = { .handle = 2, .value = 5 };
	struct test *test = *state;
	struct section_bed *bed = start(test);

	stop(test, SIGSTOP);
	notify_put(bed, 0, &notify);
	notify_kick(bed);
	bed_reset(bed);
	bed_drive(bed);
	notify_put(bed, 1, &notify);
	notify_kick(bed);
	stop(test, SIGCONT);
	notify_wait(bed);
	assert_int_equal(notify_reply(bed, 1), VMSECT_S_OK);
	assert_true(notify_reply(bed, 0) == NOTIFY_UNTOUCHED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, section_setup, section_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_refused),
		TEST(test_without_the_feature),
		TEST(test_to_others),
		TEST(test_from_others),
		TEST(test_merged_without_buffers),
		TEST(test_a_peer_that_comes_back),
		TEST(test_a_broker_that_is_slow),
		TEST(test_too_fast),
		TEST(test_default_rate),
		TEST(test_what_resets_leave),
		TEST(test_a_broker_that_dies),
		TEST(test_reset_forgets),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
