/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was granted, passed and revoked outlives the broker, and so does the time it ends. */
#include "lib/check.h"

#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/broker_fixture.h"
#include "lib/wire_resume.h"

#define READ VMSECT_ACCESS_READ
#define QUERY VMSECT_ACCESS_QUERY
#define GRANT VMSECT_ACCESS_GRANT

#define SOON_MS 1000

struct two {
	struct wire_client a, b;
	struct wire_identity who_a, who_b;
	uint64_t section;
	int memory; /* owned */
};

/* The first one's handle 1 is on section "s". */
static void two_init(struct two *two, struct broker_fixture *f)
{
	wire_join_noted(&two->a, f->socket_path, "a", &two->who_a);
	wire_join_noted(&two->b, f->socket_path, "b", &two->who_b);
	assert_int_equal(wire_create_shmem(&two->a, "s", READ | QUERY | GRANT), 0);
	two->section = two->a.reply.handle.section.id;
	two->memory = steal_fd(&two->a.reply_fd);
}

static void two_restart(struct two *two, struct broker_fixture *f)
{
	broker_fixture_kill(f);
	broker_fixture_start(f, NULL);
	assert_int_equal(wire_resume(&two->a, f->socket_path, &two->who_a), 0);
	assert_int_equal(wire_hand_back(&two->a, two->section, two->memory), 0);
	assert_int_equal(wire_resume(&two->b, f->socket_path, &two->who_b), 0);
}

static void two_deinit(struct two *two)
{
	wire_close(&two->a);
	wire_close(&two->b);
	two->memory = fd_close(two->memory);
}

static void test_grants_and_offers(void **state)
{
	static struct two two;
	uint64_t offer;

	two_init(&two, *state);
	assert_int_equal(wire_grant(&two.a, 1,
				    &(struct wire_grant){ .grantee = VMSECT_GRANTEE_UID,
							  .id = 7,
							  .access = READ }),
			 0);
	assert_int_equal(wire_pass(&two.a, 1, two.b.peer, READ, 0), 0);
	offer = two.a.reply.pass.offer;
	two_restart(&two, *state);
	assert_int_equal(wire_list_grants(&two.a, 1), 0);
	assert_int_equal(two.a.reply.list.count, 1);
	assert_int_equal(wire_listed_grant(&two.a, 0)->id, 7);
	assert_int_equal(wire_expect_event(&two.b, VMSECT_WIRE_EVENT_OFFERED).value, offer);
	assert_int_equal(wire_accept(&two.b, offer), 0);
	assert_int_equal(wire_accept(&two.b, offer), -ENOENT);
	assert_int_equal(wire_pass(&two.a, 1, two.b.peer, READ, 0), 0);
	assert_int_equal(two.a.reply.pass.offer, offer + 1);
	two_deinit(&two);
}

/* The timer of the new broker ends what the old one gave. */
static void test_expiry(void **state)
{
	static struct two two;
	uint64_t view;

	two_init(&two, *state);
	assert_int_equal(wire_pass(&two.a, 1, two.b.peer, READ | QUERY, SOON_MS), 0);
	assert_int_equal(wire_accept(&two.b, two.a.reply.pass.offer), 0);
	assert_int_equal(wire_map(&two.b, 1, VMSECT_PROT_READONLY, 0, 0), 0);
	view = two.b.reply.map.view;
	two_restart(&two, *state);
	/* In any order. */
	(void)wire_expect_event(&two.a, VMSECT_WIRE_EVENT_PEER_LEFT);
	do
		assert_int_equal(wire_list(&two.a, VMSECT_OP_LIST_VIEWS, 0, 0), 0);
	while (!(wire_listed_view(&two.a, 0)->flags & VMSECT_VIEW_REVOKED));
	assert_int_equal(wire_query(&two.b, 1), -EBADF);
	assert_int_equal(two.b.reply.hdr.detail, VMSECT_DETAIL_REVOKED);
	assert_int_equal(wire_revoked(&two.b, view), 0);
	two_deinit(&two);
}

/* Orders that were not carried out are given again. */
static void test_what_was_revoked(void **state)
{
	static struct two two;
	uint64_t view;

	two_init(&two, *state);
	assert_int_equal(wire_pass(&two.a, 1, two.b.peer, READ | QUERY, SOON_MS), 0);
	assert_int_equal(wire_accept(&two.b, two.a.reply.pass.offer), 0);
	assert_int_equal(wire_map(&two.b, 1, VMSECT_PROT_READONLY, 0, 0), 0);
	view = two.b.reply.map.view;
	do
		assert_int_equal(wire_list(&two.a, VMSECT_OP_LIST_VIEWS, 0, 0), 0);
	while (!(wire_listed_view(&two.a, 0)->flags & VMSECT_VIEW_REVOKED));
	two.b.event_count = 0; /* never heard of */
	two_restart(&two, *state);
	assert_int_equal(wire_expect_event(&two.b, VMSECT_WIRE_EVENT_REVOKE_VIEW).view, view);
	assert_int_equal(wire_query(&two.b, 1), -EBADF);
	assert_int_equal(two.b.reply.hdr.detail, VMSECT_DETAIL_REVOKED);
	assert_int_equal(wire_close_handle(&two.b, 1), 0);
	assert_int_equal(wire_revoked(&two.b, view), 0);
	two_deinit(&two);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, broker_setup, broker_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_grants_and_offers),
		TEST(test_expiry),
		TEST(test_what_was_revoked),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
