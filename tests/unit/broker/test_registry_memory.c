/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every allocation of the registry is made to fail once: the call says -ENOMEM,
 * nothing has changed, and nothing leaks.  The linker puts the functions below
 * in the place of malloc() and calloc() (see module.mk).
 */
#include "lib/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/registry.h"
#include "broker/rights.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

static int fail_at; /* the n-th allocation from now fails; 0: none */

static int fails_now(void)
{
	return fail_at && !--fail_at;
}

void *__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails_now() ? NULL : __real_calloc(count, size);
}

/* A whole story: party, section, handle, view.  The first failure ends it. */
static int run_story(struct registry *registry, struct party *party)
{
	const struct section_spec spec = {
		.name = "s",
		.protection = PROTECTION_READWRITE,
		.ownership = { .uid = 1 },
		.backing = { .kind = BACKING_SHMEM, .size_bytes = 4096 },
	};
	const struct view_spec view_spec = { .protection = PROTECTION_READONLY, .length = 4096 };
	struct section *section = NULL;
	struct handle *handle = NULL;
	struct view *view = NULL;
	struct refusal refusal;
	int r;

	r = registry_add_party(registry, party, &refusal);
	if (!r)
		r = registry_new_section(registry, &spec, &section, &refusal);
	if (!r) {
		r = party_open(party, section, ACCESS_READ, &handle, &refusal);
		if (r < 0)
			registry_free_section(registry, section);
	}
	if (!r)
		r = registry_map(registry, handle, &view_spec, &view, &refusal);
	if (r < 0)
		assert_int_equal(refusal.status, r);
	return r;
}

static void test_every_allocation_fails_once(void **state)
{
	struct registry registry;
	struct limits limits;
	struct party party;
	int n, r = -1;

	(void)state;
	limits_init(&limits, 1u << 30, 1u << 16);
	for (n = 1; r; n++) {
		assert_true(n < 100);
		party = (struct party){ .subject = { .uid = 1 } };
		registry_init(&registry, &limits);
		fail_at = n;
		r = run_story(&registry, &party);
		fail_at = 0;
		assert_true(!r || r == -ENOMEM);
		registry_remove_party(&registry, &party);
		registry_deinit(&registry); /* asserts that all was refunded */
	}
	/* Objects, tables and the account's users: the story really allocates. */
	assert_true(n > 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_allocation_fails_once),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
