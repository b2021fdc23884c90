/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio_pci_func.c: capabilities, the access capability, BARs that move. */
#include "bus/pci_cfg.h"
#include "unit/vmm/virtio_bed.h"

#define TIME_LIMIT_S 60

/* The offset of the vendor capability of this type, found as a driver does. */
static uint32_t capability(struct bed *bed, uint32_t type)
{
	uint32_t at = cfg(bed, 0x34, 1);

	for (int turns = 0; at && turns < 48; turns++, at = cfg(bed, at + 1, 1))
		if (cfg(bed, at, 1) == 9 && cfg(bed, at + 3, 1) == type)
			return at;
	fail_msg("no capability of type %u", type);
	return 0;
}

static void test_capabilities(void **state)
{
	struct bed *bed = *state;
	const struct {
		uint32_t type, bytes, offset, length;
	} cases[] = {
		{ 1, 16, COMMON, 56 },
		{ 2, 20, NOTIFY, 4 * QUEUES },
		{ 3, 16, ISR, 1 },
		{ 4, 16, DEVICE, sizeof(config) },
	};
	uint32_t at;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		at = capability(bed, cases[i].type);
		assert_int_equal(cfg(bed, at + 2, 1), cases[i].bytes);
		assert_int_equal(cfg(bed, at + 4, 1), 0);
		assert_int_equal(cfg(bed, at + 8, 4), cases[i].offset);
		assert_int_equal(cfg(bed, at + 12, 4), cases[i].length);
	}
	assert_int_equal(cfg(bed, capability(bed, 2) + 16, 4), 4);
	at = capability(bed, 8);
	assert_int_equal(cfg(bed, at + 2, 1), 24);
	assert_int_equal(cfg(bed, at + 4, 1), 2); /* BAR */
	assert_int_equal(cfg(bed, at + 5, 1), 5); /* shmid */
	assert_int_equal(cfg(bed, at + 8, 4), 0);
	assert_int_equal(cfg(bed, at + 12, 4), SHM_BYTES);
	assert_int_equal(cfg(bed, at + 16, 4), 0);
	assert_int_equal(cfg(bed, at + 20, 4), 0);
	assert_int_equal(cfg(bed, 0, 4), 0x107F1AF4);
	assert_int_equal(cfg(bed, 8, 1), 1);
	assert_true(cfg(bed, 0x2E, 2) >= 0x40);
	assert_int_equal(bed->shm_gpa, 0x1000000000);
}

static void test_config_access(void **state)
{
	struct bed *bed = *state;
	uint32_t at = capability(bed, 5);
	const struct {
		uint32_t bar, offset, length;
	} bad[] = {
		{ 1, 0, 4 },	  { 6, 0, 4 },	    { 0, 0, 0 },
		{ 0, 0, 3 },	  { 0, 0, 8 },	    { 0, 2, 4 },
		{ 0, 0x4000, 4 }, { 0, 0x3FFF, 2 }, { 0, UINT32_MAX - 3, 4 },
	};

	assert_int_equal(cfg(bed, at + 2, 1), 20);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		set_cfg(bed, at + 4, 1, bad[i].bar);
		set_cfg(bed, at + 8, 4, bad[i].offset);
		set_cfg(bed, at + 12, 4, bad[i].length);
		set_cfg(bed, at + 16, 4, 0x5A);
		assert_int_equal(cfg(bed, at + 16, 4), 0xFFFFFFFF);
	}
	set_cfg(bed, at + 4, 1, 0);
	set_cfg(bed, at + 8, 4, STATUS);
	set_cfg(bed, at + 12, 4, 1);
	set_cfg(bed, at + 16, 1, 3);
	assert_int_equal(get(bed, STATUS, 1), 3);
	assert_int_equal(cfg(bed, at + 16, 1), 3);
	set_cfg(bed, at + 8, 4, COMMON + 18);
	set_cfg(bed, at + 12, 4, 2);
	assert_int_equal(cfg(bed, at + 16, 2), QUEUES);
}

static void test_bar_moves(void **state)
{
	struct bed *bed = *state;
	uint64_t value;

	set_up(bed);
	set_cfg(bed, 0x10, 4, 0xC0100000);
	assert_false(bus_read(bed->mmio, bed->bar + STATUS, &value, 1));
	bed->bar = 0xC0100000;
	assert_int_equal(get(bed, STATUS, 1), 0xF);
	put(bed, NOTIFY, 2, 0);
	run(bed);
	assert_int_equal(bed->kicks[0], 2);
	set_cfg(bed, 4, 2, 0);
	assert_false(bus_read(bed->mmio, bed->bar + STATUS, &value, 1));
	assert_int_equal(bed->shm_gpa, PCI_NOWHERE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_capabilities, virtio_setup, virtio_teardown),
		cmocka_unit_test_setup_teardown(test_config_access, virtio_setup, virtio_teardown),
		cmocka_unit_test_setup_teardown(test_bar_moves, virtio_setup, virtio_teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
