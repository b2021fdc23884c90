/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept for a client that is not back yet. */
#include "lib/check.h"

#include <unistd.h>

#include "broker/restore_absent.h"
#include "lib/leak.h"

static struct registry_event event_of(enum vmsect_wire_event_type type, uint32_t peer)
{
	return (struct registry_event){ .type = type, .peer = peer, .section = 1 };
}

static void notify(struct absent *absent, uint32_t peer, uint64_t section, uint64_t value)
{
	struct registry_event event = event_of(VMSECT_WIRE_EVENT_NOTIFIED, peer);

	event.section = section;
	event.value = value;
	event.length = 1;
	absent_tell(&absent->party, &event);
}

/* The next of them, taken out. */
static struct registry_event take(struct absent *absent)
{
	struct absent_event *first = STAILQ_FIRST(&absent->events);

	assert_non_null(first);
	STAILQ_REMOVE_HEAD(&absent->events, of_absent);
	STAILQ_INSERT_TAIL(&absent->events, first, of_absent);
	return first->event;
}

static void test_others_are_not_kept(void **state)
{
	struct registry_event event = event_of(VMSECT_WIRE_EVENT_RESIZED, 0);
	struct absent_list list = LIST_HEAD_INITIALIZER(list);
	struct absent *absent = absent_new(&list);

	(void)state;
	assert_non_null(absent);
	absent_tell(&absent->party, &event);
	event.type = VMSECT_WIRE_EVENT_REVOKE_VIEW;
	absent_tell(&absent->party, &event);
	assert_int_equal(absent->event_count, 0);
	assert_int_equal(absent->lost, 0);
	absent_free(absent);
}

static void test_notifications_become_one(void **state)
{
	struct absent_list list = LIST_HEAD_INITIALIZER(list);
	struct absent *absent = absent_new(&list);
	struct registry_event event;

	(void)state;
	assert_non_null(absent);
	for (uint64_t i = 1; i <= 1000; i++) {
		notify(absent, 7, 1, i);
		notify(absent, 7, 2, i + 1);
		notify(absent, 8, 1, i + 2);
	}
	assert_int_equal(absent->event_count, 3);
	for (uint64_t i = 0; i < 3; i++) {
		event = take(absent);
		assert_int_equal(event.peer, i < 2 ? 7 : 8);
		assert_int_equal(event.section, i == 1 ? 2 : 1);
		assert_int_equal(event.value, 1000 + i);
		assert_int_equal(event.length, 1000);
	}
	absent_free(absent);
}

static void test_counts_do_not_wrap(void **state)
{
	struct registry_event event = event_of(VMSECT_WIRE_EVENT_NOTIFIED, 7);
	struct absent_list list = LIST_HEAD_INITIALIZER(list);
	struct absent *absent = absent_new(&list);

	(void)state;
	assert_non_null(absent);
	event.length = UINT64_MAX - 1;
	absent_tell(&absent->party, &event);
	absent_tell(&absent->party, &event);
	assert_int_equal(take(absent).length, UINT64_MAX);
	absent_free(absent);
}

/* Whoever forgets a peer that has left hears of what it does when it is back. */
static void test_a_peer_that_comes_back(void **state)
{
	const struct registry_event joined = event_of(VMSECT_WIRE_EVENT_PEER_JOINED, 7);
	const struct registry_event left = event_of(VMSECT_WIRE_EVENT_PEER_LEFT, 7);
	struct absent_list list = LIST_HEAD_INITIALIZER(list);
	struct absent *absent = absent_new(&list);

	(void)state;
	assert_non_null(absent);
	notify(absent, 7, 1, 10);
	absent_tell(&absent->party, &left);
	absent_tell(&absent->party, &joined);
	notify(absent, 7, 1, 20);
	notify(absent, 7, 1, 30);
	assert_int_equal(take(absent).value, 10);
	assert_int_equal(take(absent).type, VMSECT_WIRE_EVENT_PEER_LEFT);
	assert_int_equal(take(absent).type, VMSECT_WIRE_EVENT_PEER_JOINED);
	assert_int_equal(take(absent).value, 30);
	assert_int_equal(absent->event_count, 4);
	absent_free(absent);
}

static void test_what_is_too_much_is_counted(void **state)
{
	const struct registry_event left = event_of(VMSECT_WIRE_EVENT_PEER_LEFT, 9999);
	struct absent_list list = LIST_HEAD_INITIALIZER(list);
	struct absent *absent = absent_new(&list);
	uint32_t peer;

	(void)state;
	assert_non_null(absent);
	for (peer = 1; peer <= ABSENT_EVENTS_MAX; peer++)
		notify(absent, peer, 1, 0);
	assert_int_equal(absent->lost, 0);
	notify(absent, peer, 1, 0);
	absent_tell(&absent->party, &left);
	assert_int_equal(absent->event_count, ABSENT_EVENTS_MAX);
	assert_int_equal(absent->lost, 2);
	notify(absent, 5, 1, 77); /* needs no room */
	assert_int_equal(absent->lost, 2);
	absent_free(absent);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, leak_setup, leak_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_others_are_not_kept),		TEST(test_notifications_become_one),
		TEST(test_counts_do_not_wrap),		TEST(test_a_peer_that_comes_back),
		TEST(test_what_is_too_much_is_counted),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
