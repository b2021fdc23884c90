/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who becomes a member from outside, of which sections, and whom a right that
 * goes takes along.  Needs root, to be other users.
 */
#include "unit/broker/doorbell_bed.h"

#include <fcntl.h>

#include "broker/grant.h"
#include "broker/journal_buffer.h"

#define OTHER 1234u
#define ENOUGH (ACCESS_READ | ACCESS_WRITE | ACCESS_NOTIFY | ACCESS_QUERY)

static int setup(void **state)
{
	*state = bed_new(1, 600000);
	return 0;
}

static int teardown(void **state)
{
	bed_free(*state);
	return 0;
}

static void expect_refused(struct bed *bed, uid_t uid, int status)
{
	uint64_t refused = bed->stats.refused;
	int result = 0;
	int socket = bed_connect(bed, uid, &result);

	assert_int_equal(result, status);
	assert_int_equal(bed->stats.refused, refused + 1);
	bed_expect_end(bed, socket);
	assert_int_equal(bed->section->view_count, 0);
}

static int expect_taken(struct bed *bed, uid_t uid)
{
	int result = -1;
	int socket = bed_connect(bed, uid, &result);

	assert_int_equal(result, 0);
	(void)bed_drain(bed, socket);
	return socket;
}

/* An entry for a uid; what it forbids is revoked. */
static void grant(struct bed *bed, uid_t uid, uint32_t access)
{
	const struct vmsect_wire_grant entry = {
		.grantee = VMSECT_GRANTEE_UID,
		.id = uid,
		.access = access,
	};
	struct revoke_count count;

	assert_int_equal(grant_set(&bed->registry, bed->section, &entry, &bed->refusal), 0);
	revoke_by_grant(&bed->registry, bed->section, &entry, &bed->owner, &count);
	bed_on_unit(bed);
}

static void test_rights(void **state)
{
	struct bed *bed = *state;

	if (geteuid()) {
		skip();
		return;
	}
	expect_refused(bed, OTHER, -EACCES);
	grant(bed, OTHER, ENOUGH & ~(uint32_t)ACCESS_NOTIFY);
	expect_refused(bed, OTHER, -EACCES);
	grant(bed, OTHER, ENOUGH & ~(uint32_t)ACCESS_WRITE);
	expect_refused(bed, OTHER, -EACCES);
	grant(bed, OTHER, ENOUGH);
	bed_hang_up(bed, expect_taken(bed, OTHER));
	bed_hang_up(bed, expect_taken(bed, 0));
	bed->section->ownership.mode = 0660; /* whose group it has */
	bed_hang_up(bed, expect_taken(bed, OTHER + 1));
	bed->section->ownership.mode = 0640;
	expect_refused(bed, OTHER + 1, -EACCES);
}

/* The stream ends with the right; others hear that it has left. */
static void test_revoked(void **state)
{
	struct bed *bed = *state;
	int good, bad;

	if (geteuid()) {
		skip();
		return;
	}
	(void)bed_open(bed, &bed->owner, ACCESS_ALL);
	grant(bed, OTHER, ENOUGH);
	good = expect_taken(bed, 0);
	bad = expect_taken(bed, OTHER);
	(void)bed_drain(bed, good);
	grant(bed, OTHER, ENOUGH | ACCESS_EXECUTE);
	bed_expect_nothing(bed, bad);
	grant(bed, OTHER, ACCESS_READ | ACCESS_NOTIFY | ACCESS_QUERY);
	bed_expect_end(bed, bad);
	ivshmem_expect(good, 3);
	bed_expect_nothing(bed, good);
	assert_int_equal(bed->stats.ended[DOORBELL_END_REVOKED], 1);
	assert_null(registry_find_party(&bed->registry, 3));
	assert_int_equal(bed->section->view_count, 1);
	bed_hang_up(bed, good);
}

static void test_expired(void **state)
{
	struct bed *bed = *state;
	struct handle *handle = bed_open(bed, &bed->owner, ACCESS_NOTIFY);
	uint64_t soon = deadline_now() + 1000;
	int socket = -1;

	assert_int_equal(registry_expire_handle(&bed->registry, handle, soon, &bed->refusal), 0);
	assert_int_equal(doorbell_join(bed->doorbells, handle, 1, &socket, &bed->refusal), 0);
	(void)bed_drain(bed, socket);
	revoke_expired(&bed->registry, soon - 1, 10);
	bed_on_unit(bed);
	bed_expect_nothing(bed, socket);
	revoke_expired(&bed->registry, soon, 10);
	bed_on_unit(bed);
	bed_expect_end(bed, socket);
}

/* What a device could not have, or could do too much with. */
static void test_sections(void **state)
{
	struct bed *bed = *state;
	struct section *section = bed->section;
	struct section *odd = bed_section(bed, "odd", 3 * 4096);

	assert_int_equal(doorbell_check_section(section, &bed->refusal), 0);
	assert_int_equal(doorbell_check_section(odd, &bed->refusal), -EINVAL);
	assert_int_equal(bed->refusal.detail, VMSECT_DETAIL_SIZE);
	section->protection = PROTECTION_READONLY;
	expect_refused(bed, BED_OWNER, -EACCES);
	section->protection = PROTECTION_READWRITE;
	section->missing = true;
	expect_refused(bed, BED_OWNER, -EAGAIN);
	section->missing = false;
	section->reserve = true;
	assert_int_equal(commit_map_add(&section->committed, 0, 4096), 0);
	expect_refused(bed, BED_OWNER, -EOPNOTSUPP);
	assert_int_equal(commit_map_add(&section->committed, 4096, 4096), 0);
	bed_hang_up(bed, expect_taken(bed, BED_OWNER));
	section->reserve = false;
	/* Its memory is larger than it is: it could grow. */
	section->backing.size_bytes = 4096;
	expect_refused(bed, BED_OWNER, -EOPNOTSUPP);
	section->backing.size_bytes = BED_BYTES;
	bed_hang_up(bed, expect_taken(bed, BED_OWNER));
}

static void test_not_held(void **state)
{
	struct bed *bed = *state;
	int socket, result = 0;

	doorbells_release(bed->doorbells, bed->section->id);
	doorbells_release(bed->doorbells, bed->section->id);
	socket = bed_connect(bed, BED_OWNER, &result);
	assert_int_equal(result, -EINVAL);
	assert_int_equal(bed->stats.refused, 1);
	bed_expect_end(bed, socket);
	assert_int_equal(doorbells_hold(bed->doorbells, bed->section, 4, &bed->refusal), 0);
	assert_int_equal(doorbells_hold(bed->doorbells, bed->section, 5, &bed->refusal), -EBUSY);
	assert_int_equal(doorbells_hold(bed->doorbells, bed->section, 0, &bed->refusal), -EINVAL);
	socket = expect_taken(bed, BED_OWNER);
	/* Members keep what nobody holds any more. */
	doorbells_release(bed->doorbells, bed->section->id);
	assert_int_equal(doorbells_hold(bed->doorbells, bed->section, 5, &bed->refusal), -EBUSY);
	bed_hang_up(bed, socket);
	assert_int_equal(doorbells_hold(bed->doorbells, bed->section, 5, &bed->refusal), 0);
}

/* A section that goes: its members have kept it, and are the last to. */
static void test_section_goes(void **state)
{
	struct bed *bed = *state;
	uint64_t id = bed->section->id;
	int socket = expect_taken(bed, BED_OWNER);

	registry_remove_section(&bed->registry, bed->section);
	bed_on_unit(bed);
	bed_expect_nothing(bed, socket);
	assert_non_null(registry_find_section_id(&bed->registry, id));
	bed_hang_up(bed, socket);
	assert_null(registry_find_section_id(&bed->registry, id));
}

/* To the next broker they are not there. */
static void test_not_in_the_journal(void **state)
{
	struct journal_buffer with = { 0 }, without = { 0 };
	struct bed *bed = *state;
	int socket;

	journal_put_all(&without, &bed->registry, "boot");
	socket = expect_taken(bed, BED_OWNER);
	bed->registry.last_party_id--; /* of the header */
	bed->registry.last_view_id--;
	journal_put_all(&with, &bed->registry, "boot");
	bed->registry.last_party_id++;
	bed->registry.last_view_id++;
	assert_int_equal(with.size, without.size);
	assert_memory_equal(with.bytes, without.bytes, with.size);
	journal_buffer_deinit(&with);
	journal_buffer_deinit(&without);
	bed_hang_up(bed, socket);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rights),
		TEST(test_revoked),
		TEST(test_expired),
		TEST(test_sections),
		TEST(test_not_held),
		TEST(test_section_goes),
		TEST(test_not_in_the_journal),
	};

	(void)alarm(60);
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
