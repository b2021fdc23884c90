/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers of parties: in turn, round again, to the last one; lists and jobs when they come again.
 */
#include "unit/broker/restore_bed.h"

#include <errno.h>
#include <unistd.h>

#include "broker/job.h"
#include "broker/party_ids.h"
#include "broker/session.h"

struct fixture {
	struct registry registry;
	struct party a, b, c;
	struct refusal refusal;
};

static int setup(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	bed_registry(&fixture.registry);
	bed_join(&fixture.registry, &fixture.a, 1);
	bed_join(&fixture.registry, &fixture.b, 2);
	bed_join(&fixture.registry, &fixture.c, 2);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	registry_remove_party(&f->registry, &f->a);
	registry_remove_party(&f->registry, &f->b);
	registry_remove_party(&f->registry, &f->c);
	registry_deinit(&f->registry);
	return 0;
}

/* Joins, says its number, and leaves. */
static uint32_t visit(struct fixture *f)
{
	struct party party;
	uint32_t id;

	bed_join(&f->registry, &party, 5);
	id = party.id;
	registry_remove_party(&f->registry, &party);
	return id;
}

static void test_set(void **state)
{
	struct party_ids ids = { 0 };
	uint32_t i;

	(void)state;
	assert_int_equal(party_ids_next(&ids, 0), 0);
	for (i = 1; i <= VMSECT_PEER_MAX; i++)
		assert_int_equal(party_ids_take(&ids, i - 1), i);
	assert_int_equal(party_ids_take(&ids, 77), 0);
	party_ids_give_back(&ids, 64);
	assert_int_equal(party_ids_take(&ids, 64), 64);
	party_ids_give_back(&ids, 1);
	party_ids_give_back(&ids, VMSECT_PEER_MAX);
	assert_int_equal(party_ids_next(&ids, 0), 2);
	assert_int_equal(party_ids_next(&ids, VMSECT_PEER_MAX - 2), VMSECT_PEER_MAX - 1);
	assert_int_equal(party_ids_next(&ids, VMSECT_PEER_MAX - 1), 0);
	assert_int_equal(party_ids_take(&ids, 9), VMSECT_PEER_MAX);
	assert_int_equal(party_ids_take(&ids, VMSECT_PEER_MAX), 1);
}

static void test_round_again(void **state)
{
	struct fixture *f = *state;

	f->registry.last_party_id = VMSECT_PEER_MAX - 1;
	assert_int_equal(visit(f), VMSECT_PEER_MAX);
	assert_int_equal(visit(f), 4); /* 0 is none; 1, 2, 3 are in use */
	assert_int_equal(visit(f), 5);
	f->registry.last_party_id = UINT32_MAX; /* as a damaged journal may say */
	assert_int_equal(visit(f), 4);
}

/* A number that was given back is the last to be used again. */
static void test_in_turn(void **state)
{
	struct fixture *f = *state;
	uint32_t i;

	for (i = 4; i <= VMSECT_PEER_MAX; i++)
		assert_int_equal(visit(f), i);
	assert_int_equal(visit(f), 4);
	assert_int_equal(f->registry.last_party_serial, VMSECT_PEER_MAX + 1);
}

static void test_run_out(void **state)
{
	struct fixture *f = *state;
	struct party *parties = calloc(VMSECT_PEER_MAX, sizeof(*parties));
	struct party more = { .kind = VMSECT_PEER_PROCESS, .subject = { .uid = 5 } };
	uint32_t i;

	assert_non_null(parties);
	for (i = 3; i < VMSECT_PEER_MAX; i++)
		bed_join(&f->registry, &parties[i], 5);
	assert_int_equal(registry_add_party(&f->registry, &more, &f->refusal), -EDQUOT);
	assert_int_equal(f->refusal.detail, VMSECT_DETAIL_LIMIT);
	assert_string_equal(f->refusal.text,
			    "the broker has 65535 clients, and no number for another");
	assert_int_equal(more.id, 0);
	registry_remove_party(&f->registry, &more); /* one that was not added */
	registry_remove_party(&f->registry, &parties[40000]);
	assert_int_equal(registry_add_party(&f->registry, &more, &f->refusal), 0);
	assert_int_equal(more.id, 40001);
	registry_remove_party(&f->registry, &more);
	for (i = 3; i < VMSECT_PEER_MAX; i++)
		registry_remove_party(&f->registry, &parties[i]);
	free(parties);
}

static void expect_peers(struct fixture *f, uint64_t after, uint32_t first, uint32_t second)
{
	struct reply *reply = calloc(1, sizeof(*reply));
	const struct request request = { .op = VMSECT_OP_LIST_PEERS, .list = { .after = after } };
	const struct session session = {
		.registry = &f->registry,
		.party = &f->a,
		.request = &request,
		.reply = reply,
		.refusal = &f->refusal,
	};
	const struct vmsect_wire_peer *peers;

	assert_non_null(reply);
	peers = (const struct vmsect_wire_peer *)(&reply->list + 1);
	assert_int_equal(session_list_peers(&session), 0);
	assert_int_equal(reply->list.count, !!first + !!second);
	assert_false(reply->list.more);
	assert_true(!first || peers[0].id == first);
	assert_true(!second || peers[1].id == second);
	free(reply);
}

/* A peer that came last and has a low number is not passed over. */
static void test_listed_in_order(void **state)
{
	struct fixture *f = *state;
	struct party last;

	registry_remove_party(&f->registry, &f->b);
	f->registry.last_party_id = 1;
	bed_join(&f->registry, &last, 5);
	assert_int_equal(last.id, 2);
	expect_peers(f, 1, 2, 3);
	expect_peers(f, 2, 3, 0);
	expect_peers(f, 3, 0, 0);
	expect_peers(f, UINT64_MAX, 0, 0);
	registry_remove_party(&f->registry, &last);
}

/* The answer to one who has left is not for who has its number now. */
static void test_job_of_former(void **state)
{
	struct fixture *f = *state;
	const struct job job = { .party = f->b.id, .party_serial = f->b.serial };
	struct party next;

	assert_ptr_equal(job_party(&f->registry, &job), &f->b);
	registry_remove_party(&f->registry, &f->b);
	assert_null(job_party(&f->registry, &job));
	f->registry.last_party_id = job.party - 1;
	bed_join(&f->registry, &next, 5);
	assert_int_equal(next.id, job.party);
	assert_null(job_party(&f->registry, &job));
	registry_remove_party(&f->registry, &next);
}

/* Those of a journal keep their numbers, and the turn goes on behind the highest. */
static void test_restored(void **state)
{
	struct fixture *f = *state;
	struct journal_buffer image = { 0 };
	struct bed_copy copy;
	struct party party;

	registry_remove_party(&f->registry, &f->c);
	f->registry.last_party_id = 49999;
	bed_join(&f->registry, &f->c, 2);
	bed_image(&f->registry, &image);
	bed_restore(&copy, image.bytes, image.size);
	assert_int_equal(copy.outcome, 0);
	assert_int_equal(copy.result.parties, 3);
	assert_non_null(registry_find_party(&copy.registry, 50000));
	bed_join(&copy.registry, &party, 5);
	assert_int_equal(party.id, 50001);
	registry_remove_party(&copy.registry, &party);
	copy.registry.last_party_id = 49999;
	bed_join(&copy.registry, &party, 5);
	assert_int_equal(party.id, 50001);
	registry_remove_party(&copy.registry, &party);
	bed_drop(&copy);
	journal_buffer_deinit(&image);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_set),	     TEST(test_round_again),	 TEST(test_in_turn),
		TEST(test_run_out),  TEST(test_listed_in_order), TEST(test_job_of_former),
		TEST(test_restored),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
