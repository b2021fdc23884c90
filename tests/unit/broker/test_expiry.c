/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The heap of deadlines against a simple model, and the timer in a real loop. */
#include "lib/check.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <vmsect/vmsect.h>

#include "base/event.h"
#include "broker/expiry.h"
#include "broker/offer.h"
#include "broker/rights.h"
#include "lib/leak.h"

#define DEADLINES 300

static uint64_t told; /* of the first time */

static void on_first(void *arg, uint64_t at_ms)
{
	(void)arg;
	told = at_ms;
}

static uint64_t model_first(const struct deadline *deadlines)
{
	uint64_t first = 0;
	size_t i;

	for (i = 0; i < DEADLINES; i++) {
		if (deadlines[i].place)
			first = deadline_earlier(first, deadlines[i].at_ms);
	}
	return first;
}

static unsigned int test_seed(void)
{
	const char *text = getenv("VMSECT_SEED");
	unsigned int seed = text ? (unsigned int)strtoul(text, NULL, 0) : (unsigned int)time(NULL);

	print_message("VMSECT_SEED=%u\n", seed);
	return seed;
}

static void test_heap_is_a_heap(void **state)
{
	static struct deadline all[DEADLINES];
	struct deadlines deadlines = { .first_changed = on_first };
	unsigned int seed = test_seed();
	int round;
	size_t i;

	(void)state;
	memset(all, 0, sizeof(all));
	told = 0;
	for (round = 0; round < 20000; round++) {
		i = (size_t)rand_r(&seed) % DEADLINES;
		if (all[i].place) {
			deadlines_remove(&deadlines, &all[i]);
		} else {
			assert_int_equal(deadlines_reserve(&deadlines), 0);
			deadlines_add(&deadlines, &all[i], DEADLINE_VIEW,
				      1 + (uint64_t)rand_r(&seed) % 50);
		}
		assert_int_equal(told, model_first(all));
	}
	for (i = 0; i < DEADLINES; i++)
		deadlines_remove(&deadlines, &all[i]);
	assert_null(deadlines_first(&deadlines));
	assert_int_equal(told, 0);
	deadlines_deinit(&deadlines);
}

static void test_times(void **state)
{
	uint64_t now = deadline_now();

	(void)state;
	assert_int_equal(deadline_in(0), 0);
	assert_true(deadline_in(1000) >= now + 1000);
	assert_true(deadline_in(UINT64_MAX) > now);
	assert_int_equal(deadline_earlier(0, 0), 0);
	assert_int_equal(deadline_earlier(0, 5), 5);
	assert_int_equal(deadline_earlier(5, 0), 5);
	assert_int_equal(deadline_earlier(5, 3), 3);
}

struct bed {
	struct registry registry;
	struct party a, b;
	struct event_base *base;
	struct expiry expiry;
	unsigned int told[16];
};

static void on_tell(void *arg, struct party *to, const struct registry_event *event)
{
	struct bed *bed = arg;

	(void)to;
	bed->told[event->type]++;
}

static void on_ended(void *arg)
{
	struct bed *bed = arg;

	if (!deadlines_first(&bed->registry.deadlines))
		(void)event_base_loopbreak(bed->base);
}

static void bed_init(struct bed *bed)
{
	struct limits limits;
	struct refusal refusal;

	*bed = (struct bed){ .a = { .subject = { .uid = 1 } }, .b = { .subject = { .uid = 2 } } };
	limits_init(&limits, 1u << 30, 1u << 16);
	registry_init(&bed->registry, &limits);
	bed->registry.tell = on_tell;
	bed->registry.tell_arg = bed;
	assert_int_equal(registry_add_party(&bed->registry, &bed->a, &refusal), 0);
	assert_int_equal(registry_add_party(&bed->registry, &bed->b, &refusal), 0);
	bed->base = loop_new();
	assert_non_null(bed->base);
}

static void bed_deinit(struct bed *bed)
{
	expiry_deinit(&bed->expiry);
	registry_remove_party(&bed->registry, &bed->a);
	registry_remove_party(&bed->registry, &bed->b);
	registry_deinit(&bed->registry);
	event_base_free(bed->base);
}

static struct section *new_section(struct bed *bed)
{
	const struct section_spec spec = {
		.name = "s",
		.protection = PROTECTION_READWRITE,
		.ownership = { .uid = 1, .gid = 1, .mode = 0600 },
		.backing = { .kind = BACKING_SHMEM, .page_shift = 12, .size_bytes = 8192 },
	};
	struct section *section;
	struct refusal refusal;

	assert_int_equal(registry_new_section(&bed->registry, &spec, &section, &refusal), 0);
	return section;
}

/* A handle with a view and an offer, all of which end soon.  The section's last. */
static void make_short_lived(struct bed *bed, bool by_field)
{
	const struct view_spec view_spec = { .protection = PROTECTION_READONLY, .length = 4096 };
	struct section *section = new_section(bed);
	struct offer_spec offer_spec = {
		.expires_ms = deadline_in(10),
		.access = ACCESS_READ,
		.from = bed->a.id,
		.to = bed->b.id,
		.section = section,
	};
	struct handle *handle;
	struct refusal refusal;
	struct offer *offer;
	struct view *view;

	assert_int_equal(party_open(&bed->a, section, ACCESS_READ, &handle, &refusal), 0);
	if (by_field)
		handle->expires_ms = deadline_in(20);
	else
		assert_int_equal(
			registry_expire_handle(&bed->registry, handle, deadline_in(20), &refusal),
			0);
	assert_int_equal(registry_map(&bed->registry, handle, &view_spec, &view, &refusal), 0);
	assert_int_equal(view->expires_ms, handle->expires_ms);
	assert_int_equal(offer_add(&bed->registry, &offer_spec, &offer, &refusal), 0);
}

static void expect_all_ended(struct bed *bed)
{
	assert_int_equal(event_base_dispatch(bed->base), 0);
	assert_int_equal(bed->told[VMSECT_WIRE_EVENT_REVOKE_HANDLE], 1);
	assert_int_equal(bed->told[VMSECT_WIRE_EVENT_REVOKE_VIEW], 1);
	assert_null(bed->registry.offers);
	assert_null(bed->a.handles);
	assert_null(registry_find_section(&bed->registry, "s"));
	/* The view is the client's to take away. */
	assert_int_equal(bed->registry.sections->view_count, 1);
	assert_int_equal(bed->registry.views->flags, VMSECT_VIEW_REVOKED);
}

static void test_timer_ends_what_expires(void **state)
{
	static struct bed bed;

	(void)state;
	bed_init(&bed);
	assert_int_equal(expiry_init(&bed.expiry, bed.base, &bed.registry, on_ended, &bed), 0);
	make_short_lived(&bed, false);
	expect_all_ended(&bed);
	bed_deinit(&bed);
}

/* More than one turn's worth, all at once. */
static void test_many_at_once(void **state)
{
	static struct bed bed;
	struct section *section;
	struct handle *handle;
	struct refusal refusal;
	uint64_t soon;
	int i;

	(void)state;
	bed_init(&bed);
	assert_int_equal(expiry_init(&bed.expiry, bed.base, &bed.registry, on_ended, &bed), 0);
	section = new_section(&bed);
	soon = deadline_in(1);
	for (i = 0; i < 3000; i++) {
		assert_int_equal(party_open(&bed.a, section, ACCESS_READ, &handle, &refusal), 0);
		assert_int_equal(registry_expire_handle(&bed.registry, handle, soon, &refusal), 0);
	}
	assert_int_equal(event_base_dispatch(bed.base), 0);
	assert_int_equal(bed.told[VMSECT_WIRE_EVENT_REVOKE_HANDLE], 3000);
	assert_null(bed.registry.sections);
	assert_int_equal(HASH_COUNT(bed.a.revoked_handles), 3000);
	bed_deinit(&bed);
}

/* As after a restart: the objects have their times, and no timer knows of them. */
static void test_times_are_adopted(void **state)
{
	static struct bed bed;

	(void)state;
	bed_init(&bed);
	make_short_lived(&bed, true);
	assert_int_equal(expiry_init(&bed.expiry, bed.base, &bed.registry, on_ended, &bed), 0);
	expect_all_ended(&bed);
	bed_deinit(&bed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, leak_setup, leak_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_heap_is_a_heap),
		TEST(test_times),
		TEST(test_timer_ends_what_expires),
		TEST(test_times_are_adopted),
		TEST(test_many_at_once),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
