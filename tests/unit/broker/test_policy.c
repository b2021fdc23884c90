/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may do what. */
#include "lib/check.h"

#include <errno.h>
#include <unistd.h>

#include "broker/policy.h"
#include "broker/rights.h"

#define READER (ACCESS_QUERY | ACCESS_READ | ACCESS_EXECUTE)
#define WRITER (ACCESS_WRITE | ACCESS_EXTEND | ACCESS_NOTIFY)

static gid_t extra_groups[] = { 300, 400 };

static const struct {
	const char *name;
	struct subject subject;
	struct ownership object;
	uint32_t access;
} cases[] = {
	{ "a stranger of 0600", { .uid = 2, .gid = 2 }, { 1, 1, 0600 }, 0 },
	{ "a stranger of 0660", { .uid = 2, .gid = 2 }, { 1, 1, 0660 }, 0 },
	{ "a stranger of 0604", { .uid = 2, .gid = 2 }, { 1, 1, 0604 }, READER },
	{ "a stranger of 0602", { .uid = 2, .gid = 2 }, { 1, 1, 0602 }, WRITER },
	{ "a stranger of 0601", { .uid = 2, .gid = 2 }, { 1, 1, 0601 }, 0 },
	{ "the group of 0640", { .uid = 2, .gid = 1 }, { 1, 1, 0640 }, READER },
	{ "the group of 0606 is no other", { .uid = 2, .gid = 1 }, { 1, 1, 0606 }, 0 },
	{ "a supplementary group",
	  { .uid = 2, .gid = 2, .group_count = 2, .groups = extra_groups },
	  { 1, 400, 0660 },
	  READER | WRITER },
	{ "another supplementary group",
	  { .uid = 2, .gid = 2, .group_count = 2, .groups = extra_groups },
	  { 1, 401, 0660 },
	  0 },
	{ "the owner of 0600", { .uid = 1, .gid = 9 }, { 1, 1, 0600 }, ACCESS_ALL },
	{ "the owner of 0400", { .uid = 1, .gid = 9 }, { 1, 1, 0400 }, READER | ACCESS_GRANT },
	{ "the owner of 0066 is no other", { .uid = 1, .gid = 1 }, { 1, 1, 0066 }, ACCESS_GRANT },
	{ "root of 0000", { .uid = 0, .gid = 0 }, { 1, 1, 0 }, ACCESS_ALL },
};

static void test_access(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("%s\n", cases[i].name);
		assert_int_equal(policy_access(&cases[i].subject, &cases[i].object),
				 cases[i].access);
		assert_int_equal(policy_may_see(&cases[i].subject, &cases[i].object),
				 cases[i].access != 0);
	}
}

static void test_open(void **state)
{
	const struct subject stranger = { .uid = 2, .gid = 2 };
	const struct ownership object = { 1, 1, 0604 };
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
	const struct ownership object = { 1, 1, 0666 };

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
		cmocka_unit_test(test_access),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_remove_and_addresses),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
