/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may do what: mode bits, grants, and which of them decides. */
#include "lib/check.h"

#include <errno.h>
#include <unistd.h>

#include "broker/policy.h"
#include "broker/registry.h"
#include "broker/rights.h"

#define READER (ACCESS_QUERY | ACCESS_READ | ACCESS_EXECUTE)
#define WRITER (ACCESS_WRITE | ACCESS_EXTEND | ACCESS_NOTIFY)

static gid_t extra_groups[] = { 300, 400 };

#define PERSON(...)                                                                                \
	{                                                                                          \
		.kind = VMSECT_PEER_PROCESS, .name = "box", .subject = { __VA_ARGS__ }             \
	}
#define OBJECT(owner, group, bits)                                                                 \
	{                                                                                          \
		.uid = (owner), .gid = (group), .mode = (bits)                                     \
	}

static const struct {
	const char *name;
	struct party party;
	struct ownership object;
	uint32_t access;
} modes[] = {
	{ "a stranger of 0600", PERSON(.uid = 2, .gid = 2), OBJECT(1, 1, 0600), 0 },
	{ "a stranger of 0660", PERSON(.uid = 2, .gid = 2), OBJECT(1, 1, 0660), 0 },
	{ "a stranger of 0604", PERSON(.uid = 2, .gid = 2), OBJECT(1, 1, 0604), READER },
	{ "a stranger of 0602", PERSON(.uid = 2, .gid = 2), OBJECT(1, 1, 0602), WRITER },
	{ "a stranger of 0601", PERSON(.uid = 2, .gid = 2), OBJECT(1, 1, 0601), 0 },
	{ "the group of 0640", PERSON(.uid = 2, .gid = 1), OBJECT(1, 1, 0640), READER },
	{ "the group of 0606 is no other", PERSON(.uid = 2, .gid = 1), OBJECT(1, 1, 0606), 0 },
	{ "a supplementary group",
	  PERSON(.uid = 2, .gid = 2, .group_count = 2, .groups = extra_groups),
	  OBJECT(1, 400, 0660), READER | WRITER },
	{ "another supplementary group",
	  PERSON(.uid = 2, .gid = 2, .group_count = 2, .groups = extra_groups),
	  OBJECT(1, 401, 0660), 0 },
	{ "the owner of 0600", PERSON(.uid = 1, .gid = 9), OBJECT(1, 1, 0600), ACCESS_ALL },
	{ "the owner of 0400", PERSON(.uid = 1, .gid = 9), OBJECT(1, 1, 0400),
	  READER | ACCESS_GRANT },
	{ "the owner of 0066 is no other", PERSON(.uid = 1, .gid = 1), OBJECT(1, 1, 0066),
	  ACCESS_GRANT },
	{ "root of 0000", PERSON(.uid = 0, .gid = 0), OBJECT(1, 1, 0), ACCESS_ALL },
};

static void test_modes(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		print_message("%s\n", modes[i].name);
		assert_int_equal(policy_access(&modes[i].party, &modes[i].object), modes[i].access);
		assert_int_equal(policy_may_see(&modes[i].party, &modes[i].object),
				 modes[i].access != 0);
	}
}

/* The entries of a section of uid 1 and gid 1. */
static struct vmsect_wire_grant entries[] = {
	{ .grantee = VMSECT_GRANTEE_UID, .id = 5, .access = ACCESS_READ },
	{ .grantee = VMSECT_GRANTEE_UID, .id = 6, .access = 0 },
	{ .grantee = VMSECT_GRANTEE_UID, .id = 1, .access = ACCESS_QUERY },
	{ .grantee = VMSECT_GRANTEE_UID, .id = 0, .access = 0 },
	{ .grantee = VMSECT_GRANTEE_GID, .id = 300, .access = ACCESS_READ },
	{ .grantee = VMSECT_GRANTEE_GID, .id = 400, .access = ACCESS_WRITE },
	{ .grantee = VMSECT_GRANTEE_GID, .id = 500, .access = 0 },
	{ .grantee = VMSECT_GRANTEE_VM, .id = 5, .name = "vm", .access = ACCESS_EXTEND },
	{ .grantee = VMSECT_GRANTEE_VM, .id = 1, .name = "vm", .access = ACCESS_READ },
	{ .grantee = VMSECT_GRANTEE_VM, .id = 0, .name = "vm", .access = 0 },
};

static const struct {
	const char *name;
	struct party party;
	uint32_t mode;
	uint32_t access;
} grants[] = {
	{ "root, whatever its entry says", PERSON(.uid = 0), 0, ACCESS_ALL },
	{ "root's VM has its entry alone",
	  { .kind = VMSECT_PEER_VM, .name = "vm", .subject = { .uid = 0 } },
	  0666,
	  0 },
	{ "another VM of root",
	  { .kind = VMSECT_PEER_VM, .name = "vm2", .subject = { .uid = 0 } },
	  0,
	  ACCESS_ALL },
	{ "a VM by name and uid",
	  { .kind = VMSECT_PEER_VM, .name = "vm", .subject = { .uid = 5, .gid = 5 } },
	  0666,
	  ACCESS_EXTEND },
	{ "a VM of that name of another uid",
	  { .kind = VMSECT_PEER_VM, .name = "vm", .subject = { .uid = 7, .gid = 7 } },
	  0600,
	  0 },
	{ "another VM of that uid is a uid",
	  { .kind = VMSECT_PEER_VM, .name = "vm2", .subject = { .uid = 5, .gid = 5 } },
	  0600,
	  ACCESS_READ },
	{ "a process that calls itself like the VM",
	  { .kind = VMSECT_PEER_PROCESS, .name = "vm", .subject = { .uid = 5, .gid = 5 } },
	  0600,
	  ACCESS_READ },
	{ "the owner's VM has its entry alone",
	  { .kind = VMSECT_PEER_VM, .name = "vm", .subject = { .uid = 1, .gid = 1 } },
	  0600,
	  ACCESS_READ },
	{ "the owner by mode, not by entry", PERSON(.uid = 1, .gid = 1), 0600, ACCESS_ALL },
	{ "a uid with an entry, whatever the others have", PERSON(.uid = 5, .gid = 5), 0666,
	  ACCESS_READ },
	{ "a uid with nothing", PERSON(.uid = 6, .gid = 1), 0666, 0 },
	{ "a uid before its groups",
	  PERSON(.uid = 5, .gid = 5, .group_count = 2, .groups = extra_groups), 0660, ACCESS_READ },
	{ "all groups together",
	  PERSON(.uid = 7, .gid = 7, .group_count = 2, .groups = extra_groups), 0600,
	  ACCESS_READ | ACCESS_WRITE },
	{ "the owning group and another",
	  PERSON(.uid = 7, .gid = 1, .group_count = 2, .groups = extra_groups), 0640,
	  READER | ACCESS_WRITE },
	{ "a group with nothing is no other", PERSON(.uid = 7, .gid = 500), 0666, 0 },
	{ "others", PERSON(.uid = 7, .gid = 7), 0604, READER },
};

static void test_grants(void **state)
{
	struct ownership object = OBJECT(1, 1, 0);
	size_t i;

	(void)state;
	object.grants = entries;
	object.grant_count = ARRAY_SIZE(entries);
	for (i = 0; i < ARRAY_SIZE(grants); i++) {
		print_message("%s\n", grants[i].name);
		object.mode = grants[i].mode;
		assert_int_equal(policy_access(&grants[i].party, &object), grants[i].access);
	}
}

/* Does the entry say something about the party, now or before it went? */
static void test_concerns(void **state)
{
	const struct party root = PERSON(.uid = 0), owner = PERSON(.uid = 1, .gid = 300);
	const struct party five = PERSON(.uid = 5, .gid = 300),
			   seven = PERSON(.uid = 7, .gid = 300);
	const struct party vm = { .kind = VMSECT_PEER_VM, .name = "vm", .subject = { .uid = 5 } };
	const struct vmsect_wire_grant *of_five = &entries[0], *of_300 = &entries[4];
	const struct vmsect_wire_grant *of_vm = &entries[7];
	struct ownership object = OBJECT(1, 1, 0600);

	(void)state;
	assert_true(policy_concerns(&five, &object, of_five)); /* it was taken back */
	assert_false(policy_concerns(&seven, &object, of_five));
	assert_true(policy_concerns(&seven, &object, of_300));
	assert_true(policy_concerns(&vm, &object, of_vm));
	assert_false(policy_concerns(&five, &object, of_vm));
	object.grants = entries;
	object.grant_count = ARRAY_SIZE(entries);
	assert_true(policy_concerns(&five, &object, of_five));
	assert_false(policy_concerns(&vm, &object, of_five)); /* its own decides */
	assert_false(policy_concerns(&five, &object, of_300)); /* the uid's decides */
	assert_true(policy_concerns(&seven, &object, of_300));
	assert_false(policy_concerns(&owner, &object, of_300));
	assert_false(policy_concerns(&root, &object, &entries[3]));
	assert_false(policy_concerns(&owner, &object, &entries[2]));
}

static void test_same_grantee(void **state)
{
	struct vmsect_wire_grant other = entries[7];

	(void)state;
	other.access = ACCESS_ALL;
	assert_true(policy_same_grantee(&entries[7], &other));
	other.id = 6;
	assert_false(policy_same_grantee(&entries[7], &other));
	other = entries[7];
	other.name[0] = 'w';
	assert_false(policy_same_grantee(&entries[7], &other));
	other = entries[0];
	other.grantee = VMSECT_GRANTEE_GID;
	assert_false(policy_same_grantee(&entries[0], &other));
}

static void test_open(void **state)
{
	const struct party stranger = PERSON(.uid = 2, .gid = 2);
	const struct ownership object = OBJECT(1, 1, 0604);
	struct refusal refusal;

	(void)state;
	assert_int_equal(policy_check_open(&stranger, &object, ACCESS_WRITE, &refusal), -EACCES);
	assert_int_equal(refusal.detail, VMSECT_DETAIL_ACCESS);
	assert_int_equal(
		policy_check_open(&stranger, &object, ACCESS_READ | ACCESS_GRANT, &refusal),
		-EACCES);
	assert_int_equal(
		policy_check_open(&stranger, &object, ACCESS_READ | ACCESS_QUERY, &refusal), 0);
}

static void test_remove_and_addresses(void **state)
{
	const struct subject root = { .uid = 0 }, owner = { .uid = 1 }, other = { .uid = 2 };
	const struct ownership object = OBJECT(1, 1, 0666);

	(void)state;
	assert_false(policy_may_remove(&other, &object));
	assert_true(policy_may_remove(&owner, &object));
	assert_true(policy_may_remove(&root, &object));
	assert_false(policy_may_see_address(&other, 1));
	assert_true(policy_may_see_address(&owner, 1));
	assert_true(policy_may_see_address(&root, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),	 cmocka_unit_test(test_grants),
		cmocka_unit_test(test_concerns), cmocka_unit_test(test_same_grantee),
		cmocka_unit_test(test_open),	 cmocka_unit_test(test_remove_and_addresses),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
