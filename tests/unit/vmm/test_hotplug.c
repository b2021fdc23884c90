/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hotplug.[ch]: the registers by which a function leaves. */
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "bus/bus.h"
#include "dev/hotplug.h"
#include "lib/check.h"
#include "lib/leak.h"
#include "mem/layout.h"

#define TIME_LIMIT_S 60

struct bed {
	struct leak_guard *guard;
	struct bus *pio;
	struct event_base *events;
	struct hotplug *hotplug;
	uint32_t ejected; /* slots */
	unsigned int calls;
};

static void on_ejected(void *owner, uint32_t slot)
{
	struct bed *bed = owner;

	bed->ejected |= UINT32_C(1) << slot;
	bed->calls++;
}

static int setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	struct hotplug_env env = { .ejected = on_ejected, .owner = bed };

	assert_non_null(bed);
	*state = bed;
	bed->guard = leak_guard_new();
	assert_int_equal(bus_new(&bed->pio), 0);
	bed->events = event_base_new();
	assert_non_null(bed->events);
	env.pio = bed->pio;
	env.events = bed->events;
	assert_int_equal(hotplug_new(&env, &bed->hotplug), 0);
	return 0;
}

static int teardown(void **state)
{
	struct bed *bed = *state;

	assert_null(hotplug_free(bed->hotplug));
	event_base_free(bed->events);
	(void)bus_free(bed->pio);
	leak_guard_check(bed->guard);
	free(bed);
	return 0;
}

static uint32_t get(const struct bed *bed, uint32_t at, uint32_t bytes)
{
	uint32_t value = UINT32_MAX;

	assert_true(bus_read(bed->pio, LAYOUT_HOTPLUG_PORT + at, &value, bytes));
	return bytes == 4 ? value : value & ((UINT32_C(1) << (8 * bytes)) - 1);
}

static void put(const struct bed *bed, uint32_t at, uint32_t value, uint32_t bytes)
{
	assert_true(bus_write(bed->pio, LAYOUT_HOTPLUG_PORT + at, &value, bytes));
	assert_true(event_base_loop(bed->events, EVLOOP_NONBLOCK) >= 0);
}

/* Slots that may not leave, and accesses that are none. */
static void test_refused(void **state)
{
	struct bed *bed = *state;

	hotplug_ask(bed->hotplug, 3);
	assert_int_equal(get(bed, 0, 4), 0);
	put(bed, 4, UINT32_MAX, 4);
	assert_int_equal(bed->calls, 0);
	hotplug_allow(bed->hotplug, 3);
	hotplug_ask(bed->hotplug, 3);
	put(bed, 0, UINT32_MAX, 4);
	put(bed, 4, UINT32_MAX, 1);
	put(bed, 5, UINT32_MAX, 2);
	put(bed, 6, UINT32_MAX, 2);
	assert_int_equal(bed->calls, 0);
	assert_int_equal(get(bed, 0, 1), 0);
	assert_int_equal(get(bed, 4, 4), 0);
	assert_int_equal(get(bed, 0, 4), 1 << 3);
}

static void test_leaves(void **state)
{
	struct bed *bed = *state;

	hotplug_allow(bed->hotplug, 3);
	hotplug_allow(bed->hotplug, 31);
	hotplug_ask(bed->hotplug, 31);
	hotplug_ask(bed->hotplug, 31);
	assert_int_equal(get(bed, 0, 4), UINT32_C(1) << 31);
	put(bed, 4, UINT32_C(1) << 31, 4);
	assert_int_equal(bed->ejected, UINT32_C(1) << 31);
	assert_int_equal(get(bed, 0, 4), 0);
	/* Once is for good. */
	put(bed, 4, UINT32_C(1) << 31, 4);
	hotplug_ask(bed->hotplug, 31);
	assert_int_equal(get(bed, 0, 4), 0);
	assert_int_equal(bed->calls, 1);
}

/* The guest need not be asked. */
static void test_unasked(void **state)
{
	struct bed *bed = *state;

	hotplug_allow(bed->hotplug, 2);
	hotplug_allow(bed->hotplug, 5);
	put(bed, 4, UINT32_MAX, 4);
	assert_int_equal(bed->ejected, 1 << 2 | 1 << 5);
	assert_int_equal(bed->calls, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_refused), TEST(test_leaves),
					    TEST(test_unasked) };

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
