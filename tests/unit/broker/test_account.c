/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Charges, limits, and the text that sets limits. */
#include "lib/check.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "broker/account.h"

static void small_limits(struct limits *limits)
{
	limits_init(limits, 1000, 4096);
	limits->user[RESOURCE_VIEWS] = 3;
	limits->all[RESOURCE_VIEWS] = 5;
}

static void test_limits_are_kept(void **state)
{
	struct account account;
	struct refusal refusal;
	struct limits limits;

	(void)state;
	small_limits(&limits);
	account_init(&account, &limits);
	assert_int_equal(account_charge(&account, 7, RESOURCE_VIEWS, 4, &refusal), -EDQUOT);
	assert_int_equal(refusal.detail, VMSECT_DETAIL_LIMIT);
	assert_non_null(strstr(refusal.text, "user.views"));
	assert_int_equal(account_used(&account, 7, RESOURCE_VIEWS), 0);
	assert_int_equal(account_charge(&account, 7, RESOURCE_VIEWS, 3, &refusal), 0);
	assert_int_equal(account_charge(&account, 7, RESOURCE_VIEWS, 1, &refusal), -EDQUOT);
	assert_int_equal(account_charge(&account, 8, RESOURCE_VIEWS, 3, &refusal), -EDQUOT);
	assert_non_null(strstr(refusal.text, "all.views"));
	assert_int_equal(account_charge(&account, 8, RESOURCE_VIEWS, 2, &refusal), 0);
	assert_int_equal(account_charge(&account, 8, RESOURCE_VIEWS, UINT64_MAX, &refusal),
			 -EDQUOT);
	assert_int_equal(account_used(&account, 7, RESOURCE_VIEWS), 3);
	assert_int_equal(account_used(&account, 8, RESOURCE_VIEWS), 2);
	account_refund(&account, 7, RESOURCE_VIEWS, 3);
	assert_int_equal(account_charge(&account, 8, RESOURCE_VIEWS, 1, &refusal), 0);
	account_refund(&account, 8, RESOURCE_VIEWS, 3);
	account_deinit(&account);
}

static void test_nothing_is_nothing(void **state)
{
	struct account account;
	struct refusal refusal;
	struct limits limits;

	(void)state;
	small_limits(&limits);
	account_init(&account, &limits);
	account_refund(&account, 7, RESOURCE_VIEWS, 0);
	assert_int_equal(account_charge(&account, 7, RESOURCE_BYTES, 0, &refusal), 0);
	assert_null(account.users);
	account_deinit(&account);
}

/* A limit that is lowered below what is used refuses, and does not wrap. */
static void test_lowered_limit(void **state)
{
	struct account account;
	struct refusal refusal;
	struct limits limits;

	(void)state;
	small_limits(&limits);
	account_init(&account, &limits);
	assert_int_equal(account_charge(&account, 7, RESOURCE_VIEWS, 3, &refusal), 0);
	account.limits.user[RESOURCE_VIEWS] = 1;
	assert_int_equal(account_charge(&account, 7, RESOURCE_VIEWS, 1, &refusal), -EDQUOT);
	account_refund(&account, 7, RESOURCE_VIEWS, 3);
	account_deinit(&account);
}

static void test_defaults(void **state)
{
	struct limits limits;
	int i;

	(void)state;
	limits_init(&limits, UINT64_C(1) << 33, 1u << 20);
	assert_true(limits.user[RESOURCE_SECTIONS] >= 100000);
	assert_true(limits.all[RESOURCE_DESCRIPTORS] >= 200000);
	assert_int_equal(limits.all[RESOURCE_BYTES], UINT64_C(1) << 33);
	for (i = 0; i < RESOURCE_COUNT; i++)
		assert_true(limits.user[i] > 0 && limits.all[i] > 0);
	assert_true(limits.notify_rate >= 10000);
	limits_init(&limits, 0, 10);
	assert_int_equal(limits.all[RESOURCE_DESCRIPTORS], 0);
}

static void test_limits_from_text(void **state)
{
	static const char *const wrong[] = {
		"",
		"user",
		"user.",
		"user.sections",
		"user.sections=",
		"user.sections=x",
		"user.section=1",
		"users.sections=1",
		"all.=1",
		"=",
		"a=b.c",
		"all.views=-1",
		"user.sectionsx=1",
		"user.bytes=99999999999999999999",
		"user.notify=1",
		"client.=1",
		"client.views=1",
		"client.notif=1",
		"client.notify",
		"client.notify=-1",
	};
	struct limits limits, before;
	size_t i;

	(void)state;
	small_limits(&limits);
	before = limits;
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_true(limits_set(&limits, wrong[i]) < 0);
	assert_memory_equal(&limits, &before, sizeof(limits));
	assert_int_equal(limits_set(&limits, "user.sections=12"), 0);
	assert_int_equal(limits_set(&limits, "all.bytes=2M"), 0);
	assert_int_equal(limits_set(&limits, "client.notify=7"), 0);
	assert_int_equal(limits.notify_rate, 7);
	assert_int_equal(limits.user[RESOURCE_SECTIONS], 12);
	assert_int_equal(limits.all[RESOURCE_BYTES], 2u << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits_are_kept),	 cmocka_unit_test(test_nothing_is_nothing),
		cmocka_unit_test(test_lowered_limit),	 cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_limits_from_text),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
