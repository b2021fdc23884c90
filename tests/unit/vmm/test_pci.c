/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci.[ch], pci_bar.[ch], pci_cfg.[ch]: what a guest can do to configuration space and BARs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/pci.h"
#include "bus/pci_cfg.h"
#include "lib/check.h"
#include "lib/leak.h"
#include "mem/layout.h"

#define TIME_LIMIT_S 60

struct bed {
	struct bus *pio;
	struct bus *mmio;
	struct pci_bus *pci;
	struct pci_device *device;
	uint64_t at[PCI_BARS]; /* as on_map told */
	int refuse; /* what on_map answers */
	uint32_t written; /* hook calls */
	struct leak_guard *guard;
};

struct hook {
	struct bed *bed;
	uint32_t bar;
};

static struct hook hooks[PCI_BARS];

static int on_map(void *device, uint64_t gpa)
{
	struct hook *hook = device;

	if (gpa != PCI_NOWHERE && hook->bed->refuse)
		return hook->bed->refuse;
	/* It is always told to leave before it is told where to go. */
	assert_true(gpa == PCI_NOWHERE || hook->bed->at[hook->bar] == PCI_NOWHERE);
	hook->bed->at[hook->bar] = gpa;
	return 0;
}

static void device_read(void *device, uint64_t offset, void *data, uint32_t bytes)
{
	(void)device;
	memset(data, (int)offset & 0xFF, bytes);
}

static void device_write(void *device, uint64_t offset, const void *data, uint32_t bytes)
{
	(void)device;
	(void)offset;
	(void)data;
	(void)bytes;
}

static const struct bus_ops device_ops = { device_read, device_write };

static void config_written(void *owner, uint32_t offset, uint32_t bytes)
{
	struct bed *bed = owner;

	assert_true(offset + bytes <= PCI_CFG_BYTES);
	bed->written++;
}

static const struct pci_device_ops hooks_ops = { NULL, config_written };

static const struct pci_identity identity = {
	.vendor = 0x1AF4,
	.device = 0x107F,
	.subsystem_vendor = 0x1AF4,
	.subsystem = 0x1100,
	.class_code = 0xFF0000,
	.revision = 1,
};

static int add_bar(struct bed *bed, uint32_t index, enum pci_bar_kind kind, uint64_t bytes)
{
	const struct pci_bar bar = {
		.index = index,
		.kind = kind,
		.bytes = bytes,
		.ops = kind == PCI_BAR_MEM32 ? &device_ops : NULL,
		.device = &hooks[index],
		.on_map = on_map,
	};

	hooks[index] = (struct hook){ bed, index };
	return pci_device_add_bar(bed->device, &bar);
}

static int setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	bed->guard = leak_guard_new();
	for (int i = 0; i < PCI_BARS; i++)
		bed->at[i] = PCI_NOWHERE;
	assert_int_equal(bus_new(&bed->pio), 0);
	assert_int_equal(bus_new(&bed->mmio), 0);
	assert_int_equal(pci_bus_new(bed->pio, bed->mmio, &bed->pci), 0);
	assert_int_equal(pci_device_new(bed->pci, &identity, &hooks_ops, bed, &bed->device), 0);
	assert_int_equal(pci_device_slot(bed->device), 1);
	assert_int_equal(add_bar(bed, 0, PCI_BAR_MEM32, 0x4000), 0);
	assert_int_equal(add_bar(bed, 1, PCI_BAR_MEM32, 0x1000), 0);
	assert_int_equal(add_bar(bed, 2, PCI_BAR_MEM64, UINT64_C(1) << 36), 0);
	*state = bed;
	return 0;
}

static int teardown(void **state)
{
	struct bed *bed = *state;
	uint32_t data;

	bed->device = pci_device_free(bed->device);
	for (int i = 0; i < PCI_BARS; i++)
		assert_int_equal(bed->at[i], PCI_NOWHERE);
	bed->pci = pci_bus_free(bed->pci);
	assert_false(bus_read(bed->pio, 0xCFC, &data, 4));
	bed->mmio = bus_free(bed->mmio);
	bed->pio = bus_free(bed->pio);
	leak_guard_check(bed->guard);
	free(bed);
	return 0;
}

static void select_register(struct bed *bed, uint32_t slot, uint32_t reg)
{
	uint32_t address = 0x80000000u | slot << 11 | (reg & 0xFC);

	assert_true(bus_write(bed->pio, 0xCF8, &address, 4));
}

static uint32_t cfg_read(struct bed *bed, uint32_t slot, uint32_t reg, uint32_t bytes)
{
	uint32_t value = 0;

	select_register(bed, slot, reg);
	assert_true(bus_read(bed->pio, 0xCFC + (reg & 3), &value, bytes));
	return value;
}

static void cfg_write(struct bed *bed, uint32_t reg, uint32_t bytes, uint32_t value)
{
	select_register(bed, 1, reg);
	assert_true(bus_write(bed->pio, 0xCFC + (reg & 3), &value, bytes));
}

static void set_bar64(struct bed *bed, uint32_t index, uint64_t gpa)
{
	cfg_write(bed, PCI_CFG_COMMAND, 2, 0);
	cfg_write(bed, PCI_CFG_BAR(index), 4, (uint32_t)gpa);
	cfg_write(bed, PCI_CFG_BAR(index + 1), 4, (uint32_t)(gpa >> 32));
	cfg_write(bed, PCI_CFG_COMMAND, 2, PCI_COMMAND_MEMORY);
}

static void test_refused_devices(void **state)
{
	struct bed *bed = *state;
	struct pci_device *more[PCI_SLOTS], *poison = (struct pci_device *)0x1, *none = poison;

	assert_int_equal(add_bar(bed, 0, PCI_BAR_MEM32, 0x1000), -EINVAL); /* there */
	assert_int_equal(add_bar(bed, 4, PCI_BAR_MEM32, 8), -EINVAL); /* small */
	assert_int_equal(add_bar(bed, 4, PCI_BAR_MEM32, 0x3000), -EINVAL); /* odd */
	assert_int_equal(add_bar(bed, 5, PCI_BAR_MEM64, 0x1000), -EINVAL); /* no second */
	assert_int_equal(add_bar(bed, 4, PCI_BAR_MEM64, UINT64_C(1) << 40), -ENOSPC);
	assert_int_equal(add_bar(bed, 4, PCI_BAR_MEM32, UINT64_C(1) << 30), -ENOSPC);
	for (int i = 2; i < PCI_SLOTS; i++)
		assert_int_equal(pci_device_new(bed->pci, &identity, NULL, NULL, &more[i]), 0);
	assert_int_equal(pci_device_new(bed->pci, &identity, NULL, NULL, &none), -ENOSPC);
	assert_ptr_equal(none, poison);
	for (int i = 2; i < PCI_SLOTS; i++)
		assert_null(pci_device_free(more[i]));
}

static void test_hook_that_refuses(void **state)
{
	struct bed *bed = *state;

	bed->refuse = -ENOMEM;
	assert_int_equal(add_bar(bed, 4, PCI_BAR_MEM32, 0x1000), -EIO);
	assert_int_equal(pci_device_bar_gpa(bed->device, 4), PCI_NOWHERE);
	bed->refuse = 0;
}

static void test_mechanism_refuses(void **state)
{
	struct bed *bed = *state;
	uint32_t value = 0x80000800, data;

	/* Only a 32-bit access reaches the address register. */
	assert_true(bus_write(bed->pio, 0xCF8, &value, 4));
	for (uint32_t bytes = 1; bytes <= 2; bytes++) {
		data = 0;
		assert_true(bus_write(bed->pio, 0xCF8, &data, bytes));
		assert_true(bus_read(bed->pio, 0xCF8, &data, bytes));
		assert_int_equal(data, 0xFFFFFFFF >> (32 - 8 * bytes));
	}
	assert_true(bus_read(bed->pio, 0xCF8, &data, 4));
	assert_int_equal(data, 0x80000800);
	/* Across address and data; past the end. */
	assert_true(bus_read(bed->pio, 0xCFA, &data, 4));
	assert_int_equal(data, 0xFFFFFFFF);
	assert_false(bus_read(bed->pio, 0xCFE, &data, 4));
	/* Reserved bits of the address do not stay. */
	value = 0xFFFFFFFF;
	assert_true(bus_write(bed->pio, 0xCF8, &value, 4));
	assert_true(bus_read(bed->pio, 0xCF8, &data, 4));
	assert_int_equal(data, 0x80FFFFFC);
}

static void test_nobody_in_slot(void **state)
{
	struct bed *bed = *state;
	const uint32_t nobody[] = { 0x00000800, 0x80010800, 0x80000900, 0x80001000, 0x8000F800 };
	uint32_t data;

	for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
		assert_true(bus_write(bed->pio, 0xCF8, &nobody[i], 4));
		data = 0;
		assert_true(bus_read(bed->pio, 0xCFC, &data, 4));
		assert_int_equal(data, 0xFFFFFFFF);
		assert_true(bus_write(bed->pio, 0xCFC, &data, 4));
	}
	assert_int_equal(bed->written, 0);
}

static void test_identity(void **state)
{
	struct bed *bed = *state;

	assert_int_equal(cfg_read(bed, 0, 0, 2), 0x8086);
	assert_int_equal(cfg_read(bed, 0, 0x0B, 1), 0x06); /* a bridge */
	assert_int_equal(cfg_read(bed, 1, 0, 4), 0x107F1AF4);
	assert_int_equal(cfg_read(bed, 1, 8, 4), 0xFF000001);
	assert_int_equal(cfg_read(bed, 1, 0x2C, 4), 0x11001AF4);
	assert_int_equal(cfg_read(bed, 1, 2, 2), 0x107F);
	assert_int_equal(cfg_read(bed, 1, 1, 1), 0x1A);
	assert_int_equal(cfg_read(bed, 1, PCI_CFG_COMMAND, 2),
			 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

/* Every register, every width: what is not the guest's does not change. */
static void test_write_masks(void **state)
{
	struct bed *bed = *state;
	uint8_t before[PCI_CFG_BYTES];

	for (uint32_t reg = 0; reg < PCI_CFG_BYTES; reg++)
		before[reg] = (uint8_t)cfg_read(bed, 1, reg, 1);
	for (uint32_t bytes = 1; bytes <= 4; bytes *= 2)
		for (uint32_t reg = 0; reg < PCI_CFG_BYTES; reg += bytes)
			if (reg != PCI_CFG_COMMAND)
				cfg_write(bed, reg, bytes, reg == 4 ? 0 : 0xFFFFFFFF);
	for (uint32_t reg = 0; reg < PCI_CFG_BYTES; reg++) {
		bool is_bar = reg >= 0x10 && reg < 0x20, is_command = reg == 4 || reg == 5;
		bool is_scratch = reg == 0x0C || reg == 0x3C;

		if (!is_bar && !is_command && !is_scratch)
			assert_int_equal(cfg_read(bed, 1, reg, 1), before[reg]);
	}
	assert_int_equal(cfg_read(bed, 1, 0x3C, 1), 0xFF);
	assert_int_equal(cfg_read(bed, 1, 0x20, 4), 0); /* no such BAR */
}

static void test_sizing(void **state)
{
	struct bed *bed = *state;

	for (uint32_t reg = 0x10; reg < 0x28; reg += 4)
		cfg_write(bed, reg, 4, 0xFFFFFFFF);
	assert_int_equal(cfg_read(bed, 1, 0x10, 4), 0xFFFFC000);
	assert_int_equal(cfg_read(bed, 1, 0x14, 4), 0xFFFFF000);
	assert_int_equal(cfg_read(bed, 1, 0x18, 4), 0x0000000C);
	assert_int_equal(cfg_read(bed, 1, 0x1C, 4), 0xFFFFFFF0);
	assert_int_equal(cfg_read(bed, 1, 0x20, 4), 0);
	assert_int_equal(bed->at[0], PCI_NOWHERE);
	assert_int_equal(bed->at[2], PCI_NOWHERE);
}

static void test_assigned_at_start(void **state)
{
	struct bed *bed = *state;
	uint8_t data;

	assert_int_equal(bed->at[0], LAYOUT_PCI32_START);
	assert_int_equal(bed->at[1], LAYOUT_PCI32_START + 0x4000);
	assert_int_equal(bed->at[2], LAYOUT_PCI64_START);
	assert_int_equal(pci_device_bar_gpa(bed->device, 2), LAYOUT_PCI64_START);
	assert_int_equal(pci_device_bar_gpa(bed->device, 3), PCI_NOWHERE);
	assert_int_equal(pci_device_bar_gpa(bed->device, PCI_BARS), PCI_NOWHERE);
	assert_true(bus_read(bed->mmio, LAYOUT_PCI32_START + 0x123, &data, 1));
	assert_int_equal(data, 0x23);
	assert_int_equal(cfg_read(bed, 1, 0x18, 4), 0xC);
	assert_int_equal(cfg_read(bed, 1, 0x1C, 4), LAYOUT_PCI64_START >> 32);
	assert_int_equal(pci_bus_refused_bars(bed->pci), 0);
}

static void test_decode_bit(void **state)
{
	struct bed *bed = *state;
	uint8_t data;

	cfg_write(bed, PCI_CFG_COMMAND, 2, 0);
	assert_int_equal(bed->at[0], PCI_NOWHERE);
	assert_int_equal(bed->at[2], PCI_NOWHERE);
	assert_false(bus_read(bed->mmio, LAYOUT_PCI32_START, &data, 1));
	cfg_write(bed, PCI_CFG_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(bed->at[0], LAYOUT_PCI32_START);
	assert_int_equal(bed->at[2], LAYOUT_PCI64_START);
	assert_true(bus_read(bed->mmio, LAYOUT_PCI32_START, &data, 1));
	assert_int_equal(pci_bus_refused_bars(bed->pci), 0);
}

static void test_moved_where_it_may_not(void **state)
{
	struct bed *bed = *state;
	const uint32_t bad[] = {
		0,
		0x1000000, /* RAM */
		LAYOUT_PCI32_START - 0x4000, /* below the window */
		LAYOUT_PCI32_START + LAYOUT_PCI32_SIZE, /* above it */
		LAYOUT_IOAPIC & ~0x3FFFu,
		LAYOUT_LAPIC,
		0xFFFFC000,
		LAYOUT_PCI32_START + 0x4000, /* over BAR 1 */
	};
	uint64_t refused = 0;
	uint8_t data;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cfg_write(bed, PCI_CFG_BAR(0), 4, bad[i]);
		assert_int_equal(bed->at[0], PCI_NOWHERE);
		assert_int_equal(cfg_read(bed, 1, 0x10, 4), bad[i]);
		assert_int_equal(pci_bus_refused_bars(bed->pci), ++refused);
	}
	/* The other one is where it was, and is itself. */
	assert_true(bus_read(bed->mmio, LAYOUT_PCI32_START + 0x4001, &data, 1));
	assert_int_equal(data, 1);
	/* When that moves away, the waiting one gets its place. */
	cfg_write(bed, PCI_CFG_BAR(1), 4, LAYOUT_PCI32_START + 0x10000);
	assert_int_equal(bed->at[0], LAYOUT_PCI32_START + 0x4000);
	assert_int_equal(bed->at[1], LAYOUT_PCI32_START + 0x10000);
	assert_int_equal(pci_bus_refused_bars(bed->pci), refused);
}

static void test_window_bar_moves(void **state)
{
	struct bed *bed = *state;
	const uint64_t size = UINT64_C(1) << 36, good = LAYOUT_PCI64_START + size;
	const uint64_t bad[] = { 0, size * 4, LAYOUT_PCI64_START + LAYOUT_PCI64_SIZE,
				 UINT64_MAX & ~(size - 1) };

	set_bar64(bed, 2, good);
	assert_int_equal(bed->at[2], good);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		set_bar64(bed, 2, bad[i]);
		assert_int_equal(bed->at[2], PCI_NOWHERE);
	}
	set_bar64(bed, 2, LAYOUT_PCI64_START);
	assert_int_equal(bed->at[2], LAYOUT_PCI64_START);
}

static void test_half_a_move_is_followed(void **state)
{
	struct bed *bed = *state;

	/* With decoding on, the first half alone points elsewhere for a moment. */
	cfg_write(bed, PCI_CFG_BAR(3), 4, 0);
	assert_int_equal(bed->at[2], PCI_NOWHERE);
	assert_int_equal(pci_bus_refused_bars(bed->pci), 1);
	cfg_write(bed, PCI_CFG_BAR(3), 4, 0x20);
	assert_int_equal(bed->at[2], UINT64_C(0x2000000000));
}

static void test_hook_fails_on_move(void **state)
{
	struct bed *bed = *state;
	uint8_t data;

	bed->refuse = -ENOMEM;
	cfg_write(bed, PCI_CFG_BAR(0), 4, LAYOUT_PCI32_START + 0x20000);
	assert_int_equal(pci_device_bar_gpa(bed->device, 0), PCI_NOWHERE);
	assert_false(bus_read(bed->mmio, LAYOUT_PCI32_START + 0x20000, &data, 1));
	bed->refuse = 0;
	cfg_write(bed, PCI_CFG_BAR(0), 4, LAYOUT_PCI32_START + 0x20000);
	assert_int_equal(bed->at[0], LAYOUT_PCI32_START + 0x20000);
}

static void test_capability_list(void **state)
{
	struct bed *bed = *state;
	struct pci_cfg *cfg = pci_device_cfg(bed->device);
	const uint8_t capability[16] = { 9, 0xEE, 16, 1 }, mask[16] = { [8] = 0xF0 };
	uint8_t big[PCI_CFG_BYTES] = { 9 };
	int first, second;

	assert_int_equal(pci_cfg_add_capability(cfg, big, NULL, sizeof(big)), -ENOSPC);
	assert_int_equal(pci_cfg_add_capability(cfg, big, NULL, 1), -ENOSPC);
	assert_int_equal(cfg_read(bed, 1, PCI_CFG_STATUS, 2) & PCI_STATUS_CAPABILITIES, 0);
	first = pci_cfg_add_capability(cfg, capability, mask, 14);
	second = pci_cfg_add_capability(cfg, capability, NULL, 16);
	assert_int_equal(first, PCI_CFG_FIRST_CAPABILITY);
	assert_int_equal(second, first + 16);
	assert_int_equal(cfg_read(bed, 1, PCI_CFG_STATUS, 2) & PCI_STATUS_CAPABILITIES,
			 PCI_STATUS_CAPABILITIES);
	assert_int_equal(cfg_read(bed, 1, PCI_CFG_CAPABILITIES, 1), first);
	assert_int_equal(cfg_read(bed, 1, (uint32_t)first + 1, 1), second);
	assert_int_equal(cfg_read(bed, 1, (uint32_t)second + 1, 1), 0);
	cfg_write(bed, (uint32_t)first + 8, 4, 0xFFFFFFFF);
	assert_int_equal(cfg_read(bed, 1, (uint32_t)first + 8, 4), 0xF0);
	while (pci_cfg_add_capability(cfg, capability, NULL, 16) > 0)
		continue;
	assert_true(cfg->end <= PCI_CFG_BYTES);
}

/*
 * Random writes to all registers of three BARs, against a rule that is told
 * apart from the code: whatever is mapped lies in a window, where its register
 * says, alone.
 */
static void test_random_moves(void **state)
{
	struct bed *bed = *state;
	const uint64_t sizes[3] = { 0x4000, 0x1000, UINT64_C(1) << 36 };
	unsigned int seed = (unsigned int)getpid();

	print_message("seed %u\n", seed);
	for (int turn = 0; turn < 20000; turn++) {
		uint32_t reg = 0x10 + (uint32_t)rand_r(&seed) % 4 * 4;
		uint32_t value = (uint32_t)rand_r(&seed) % 8 * 0x1000 + LAYOUT_PCI32_START;

		if (reg == 0x1C)
			value = (uint32_t)rand_r(&seed) % 6 * 0x8;
		if (rand_r(&seed) % 8 == 0)
			cfg_write(bed, PCI_CFG_COMMAND, 2, (uint32_t)rand_r(&seed) % 2 * 2);
		else
			cfg_write(bed, reg, 4, value);
		for (int i = 0; i < 3; i++) {
			uint64_t gpa = bed->at[i],
				 bar = cfg_read(bed, 1, 0x10 + 4 * (uint32_t)i, 4) & ~0xFu;

			assert_int_equal(gpa, pci_device_bar_gpa(bed->device, (uint32_t)i));
			if (gpa == PCI_NOWHERE)
				continue;
			if (i == 2)
				bar |= (uint64_t)cfg_read(bed, 1, 0x1C, 4) << 32;
			assert_int_equal(gpa, bar);
			assert_true(cfg_read(bed, 1, 4, 2) & PCI_COMMAND_MEMORY);
			assert_true(gpa >= LAYOUT_PCI32_START);
			assert_true(gpa + sizes[i] <= LAYOUT_PCI32_START + LAYOUT_PCI32_SIZE ||
				    (i == 2 && gpa >= LAYOUT_PCI64_START &&
				     gpa + sizes[i] <= LAYOUT_PCI64_START + LAYOUT_PCI64_SIZE));
		}
		if (bed->at[0] != PCI_NOWHERE && bed->at[1] != PCI_NOWHERE)
			assert_true(bed->at[0] + sizes[0] <= bed->at[1] ||
				    bed->at[1] + sizes[1] <= bed->at[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refused_devices, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hook_that_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mechanism_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_in_slot, setup, teardown),
		cmocka_unit_test_setup_teardown(test_identity, setup, teardown),
		cmocka_unit_test_setup_teardown(test_write_masks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sizing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_assigned_at_start, setup, teardown),
		cmocka_unit_test_setup_teardown(test_decode_bit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_moved_where_it_may_not, setup, teardown),
		cmocka_unit_test_setup_teardown(test_window_bar_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_a_move_is_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hook_fails_on_move, setup, teardown),
		cmocka_unit_test_setup_teardown(test_capability_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random_moves, setup, teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
