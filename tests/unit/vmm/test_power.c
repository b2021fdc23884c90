/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers that end a VM: what does, and what does not. */
#include "lib/check.h"

#include <string.h>
#include <unistd.h>

#include "bus/bus.h"
#include "dev/power.h"
#include "mem/layout.h"

#define NOTHING (-1)

struct seen {
	int end; /* enum power_end or NOTHING */
	int exit_code;
};

static void on_end(void *owner, enum power_end end, int exit_code)
{
	struct seen *seen = owner;

	seen->end = (int)end;
	seen->exit_code = exit_code;
}

static const struct {
	const char *name;
	uint64_t port;
	uint32_t bytes;
	uint32_t value;
	int end;
	int exit_code;
} writes[] = {
	{ "sleep type without enable", LAYOUT_SLEEP_PORT, 1, 5 << 2, NOTHING, 0 },
	{ "enable of another type", LAYOUT_SLEEP_PORT, 1, 0x20 | 1 << 2, NOTHING, 0 },
	{ "sleep status", LAYOUT_SLEEP_STATUS_PORT, 1, 0x34, NOTHING, 0 },
	{ "reset mode without reset", LAYOUT_RESET_PORT, 1, 0x02, NOTHING, 0 },
	{ "another 8042 command", LAYOUT_I8042_COMMAND, 1, 0xaa, NOTHING, 0 },
	{ "power off", LAYOUT_SLEEP_PORT, 1, 0x34, POWER_END_OFF, 0 },
	{ "reset", LAYOUT_RESET_PORT, 1, 0x06, POWER_END_RESET, 0 },
	{ "8042 reset", LAYOUT_I8042_COMMAND, 1, 0xfe, POWER_END_RESET, 0 },
	{ "debug exit 0", LAYOUT_DEBUG_EXIT, 4, 0, POWER_END_DEBUG, 1 },
	{ "debug exit 16", LAYOUT_DEBUG_EXIT, 1, 16, POWER_END_DEBUG, 33 },
	{ "debug exit of all ones", LAYOUT_DEBUG_EXIT, 4, UINT32_MAX, POWER_END_DEBUG, 127 },
};

static void test_writes(void **state)
{
	struct seen seen;
	struct power power = { .owner = &seen, .ended = on_end };
	struct bus *pio;

	(void)state;
	assert_int_equal(bus_new(&pio), 0);
	assert_int_equal(power_add(pio, &power, true), 0);
	for (size_t i = 0; i < ARRAY_SIZE(writes); i++) {
		uint64_t value = 0xa5;

		print_message("%s\n", writes[i].name);
		seen = (struct seen){ NOTHING, 0 };
		assert_true(bus_read(pio, writes[i].port, &value, 1));
		assert_int_equal(seen.end, NOTHING);
		assert_true(bus_write(pio, writes[i].port, &writes[i].value, writes[i].bytes));
		assert_int_equal(seen.end, writes[i].end);
		assert_int_equal(seen.exit_code, writes[i].exit_code);
	}
	(void)bus_free(pio);
}

static void test_no_debug_port(void **state)
{
	struct power power = { .ended = on_end };
	struct bus *pio;
	uint8_t value = 0;

	(void)state;
	assert_int_equal(bus_new(&pio), 0);
	assert_int_equal(power_add(pio, &power, false), 0);
	assert_false(bus_write(pio, LAYOUT_DEBUG_EXIT, &value, 1));
	(void)bus_free(pio);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writes),
		cmocka_unit_test(test_no_debug_port),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
