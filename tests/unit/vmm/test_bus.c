/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bus.[ch]: ranges, and which device gets which access. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bus/bus.h"
#include "lib/check.h"

#define TIME_LIMIT_S 30

/* A device that remembers the last access and reads as its own number. */
struct probe {
	uint8_t number;
	uint32_t reads;
	uint32_t writes;
	uint64_t offset;
	uint32_t bytes;
	uint64_t data;
};

static void probe_read(void *device, uint64_t offset, void *data, uint32_t bytes)
{
	struct probe *probe = device;

	probe->reads++;
	probe->offset = offset;
	probe->bytes = bytes;
	memset(data, probe->number, bytes);
}

static void probe_write(void *device, uint64_t offset, const void *data, uint32_t bytes)
{
	struct probe *probe = device;

	probe->writes++;
	probe->offset = offset;
	probe->bytes = bytes;
	probe->data = 0;
	memcpy(&probe->data, data, bytes);
}

static const struct bus_ops probe_ops = { probe_read, probe_write };

static int setup(void **state)
{
	struct bus *bus;

	assert_int_equal(bus_new(&bus), 0);
	*state = bus;
	return 0;
}

static int teardown(void **state)
{
	assert_null(bus_free(*state));
	return 0;
}

static void test_refused_ranges(void **state)
{
	struct bus *bus = *state;
	struct probe probe = { .number = 1 };

	assert_int_equal(bus_add(bus, 0x100, 0, &probe_ops, &probe), -EINVAL);
	assert_int_equal(bus_add(bus, UINT64_MAX, 2, &probe_ops, &probe), -EINVAL);
	assert_int_equal(bus_add(bus, 1, UINT64_MAX, &probe_ops, &probe), 0);
	bus_remove(bus, 1);

	assert_int_equal(bus_add(bus, 0x100, 0x10, &probe_ops, &probe), 0);
	assert_int_equal(bus_add(bus, 0x100, 0x10, &probe_ops, &probe), -EEXIST);
	assert_int_equal(bus_add(bus, 0x100, 0x8, &probe_ops, &probe), -EEXIST);
	assert_int_equal(bus_add(bus, 0x10F, 2, &probe_ops, &probe), -EEXIST);
	assert_int_equal(bus_add(bus, 0xFF, 2, &probe_ops, &probe), -EEXIST);
}

static void test_nobody_there(void **state)
{
	struct bus *bus = *state;
	struct probe probe = { .number = 1 };
	uint64_t data = 0;

	assert_int_equal(bus_add(bus, 0x100, 0x10, &probe_ops, &probe), 0);
	assert_false(bus_read(bus, 0xFF, &data, 1));
	assert_int_equal(data, 0xFF);
	data = 0;
	assert_false(bus_read(bus, 0x10D, &data, 4)); /* straddles the end */
	assert_int_equal(data, 0xFFFFFFFF);
	assert_false(bus_read(bus, 0xFE, &data, 4)); /* straddles the start */
	assert_false(bus_write(bus, 0x110, &data, 1));
	assert_false(bus_write(bus, UINT64_MAX, &data, 8)); /* wraps */
	assert_false(bus_write(bus, 0x100, &data, 0));
	assert_int_equal(probe.reads + probe.writes, 0);
}

static void test_every_width_inside(void **state)
{
	struct bus *bus = *state;
	struct probe probe = { .number = 0xA5 };
	uint64_t data;

	assert_int_equal(bus_add(bus, 0x100, 0x10, &probe_ops, &probe), 0);
	for (uint32_t bytes = 1; bytes <= 8; bytes++) {
		for (uint64_t offset = 0; offset + bytes <= 0x10; offset++) {
			data = 0;
			assert_true(bus_read(bus, 0x100 + offset, &data, bytes));
			assert_int_equal(probe.offset, offset);
			assert_int_equal(probe.bytes, bytes);
			assert_int_equal(data, 0xA5A5A5A5A5A5A5A5 >> (64 - 8 * bytes));
			data = 0x0102030405060708;
			assert_true(bus_write(bus, 0x100 + offset, &data, bytes));
			assert_memory_equal(&probe.data, &data, bytes);
		}
	}
}

static void test_top_of_address_space(void **state)
{
	struct bus *bus = *state;
	struct probe probe = { .number = 2 };
	uint8_t data = 0;

	assert_int_equal(bus_add(bus, UINT64_MAX, 1, &probe_ops, &probe), 0);
	assert_true(bus_read(bus, UINT64_MAX, &data, 1));
	assert_int_equal(data, 2);
}

static void test_inner_range_wins(void **state)
{
	struct bus *bus = *state;
	struct probe outer = { .number = 1 }, inner = { .number = 2 }, innermost = { .number = 3 };
	uint32_t data = 0;

	assert_int_equal(bus_add(bus, 0xCF8, 8, &probe_ops, &outer), 0);
	assert_int_equal(bus_add(bus, 0xCF9, 4, &probe_ops, &inner), 0);
	assert_int_equal(bus_add(bus, 0xCFA, 1, &probe_ops, &innermost), 0);
	assert_true(bus_read(bus, 0xCF8, &data, 4));
	assert_int_equal(data, 0x01010101);
	data = 0;
	assert_true(bus_read(bus, 0xCF9, &data, 1));
	assert_int_equal(data, 2);
	assert_true(bus_read(bus, 0xCFA, &data, 1));
	assert_int_equal(data, 3);
	assert_true(bus_read(bus, 0xCFA, &data, 2)); /* past the innermost */
	assert_int_equal(data, 0x0202);
	assert_true(bus_read(bus, 0xCFF, &data, 1)); /* behind the inner ones */
	assert_int_equal((uint8_t)data, 1);
	bus_remove(bus, 0xCF9);
	assert_true(bus_read(bus, 0xCF9, &data, 1));
	assert_int_equal((uint8_t)data, 1);
}

static void test_remove(void **state)
{
	struct bus *bus = *state;
	struct probe probes[32];
	uint8_t data;

	for (uint8_t i = 0; i < 32; i++) {
		probes[i] = (struct probe){ .number = i };
		assert_int_equal(bus_add(bus, 0x1000 - i * 0x10u, 0x10, &probe_ops, &probes[i]), 0);
	}
	bus_remove(bus, 0x1001); /* not a start: nothing */
	for (uint8_t i = 0; i < 32; i += 2)
		bus_remove(bus, 0x1000 - i * 0x10u);
	for (uint8_t i = 0; i < 32; i++) {
		assert_int_equal(bus_read(bus, 0x1000 - i * 0x10u, &data, 1), i % 2);
		assert_int_equal(data, i % 2 ? i : 0xFF);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refused_ranges, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_width_inside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_top_of_address_space, setup, teardown),
		cmocka_unit_test_setup_teardown(test_inner_range_wins, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove, setup, teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
