/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * msix.[ch]: table, pending bits and masks, as a guest reaches them.  The
 * messages end in a real VM without vCPUs; without /dev/kvm the tests skip.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/msix.h"
#include "bus/pci.h"
#include "bus/pci_cfg.h"
#include "kvm/irq.h"
#include "kvm/vm.h"
#include "lib/check.h"
#include "lib/leak.h"

#define TIME_LIMIT_S 60
#define VECTORS 3
#define BAR UINT64_C(0xC0000000)
#define PENDING 0x800

#define MESSAGE_ADDRESS UINT64_C(0xFEE00000)
#define CONTROL_ENABLE 0x8000
#define CONTROL_MASK 0x4000

struct bed {
	struct vm vm;
	struct irq_table *irq;
	struct bus *pio;
	struct bus *mmio;
	struct pci_bus *pci;
	struct pci_device *device;
	struct msix *msix;
	struct leak_guard *guard;
};

static void config_written(void *owner, uint32_t offset, uint32_t bytes)
{
	msix_config_written(((struct bed *)owner)->msix, offset, bytes);
}

static const struct pci_device_ops device_ops = { NULL, config_written };

static int setup(void **state)
{
	const struct pci_identity identity = { .vendor = 0x1AF4, .device = 0x107F };
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	*state = bed;
	bed->guard = leak_guard_new();
	if (access("/dev/kvm", R_OK | W_OK) < 0)
		return 0;
	assert_int_equal(vm_init(&bed->vm), 0);
	assert_int_equal(irq_table_new(&bed->vm, VECTORS, &bed->irq), 0);
	assert_int_equal(bus_new(&bed->pio), 0);
	assert_int_equal(bus_new(&bed->mmio), 0);
	assert_int_equal(pci_bus_new(bed->pio, bed->mmio, &bed->pci), 0);
	assert_int_equal(pci_device_new(bed->pci, &identity, &device_ops, bed, &bed->device), 0);
	assert_int_equal(msix_new(bed->device, bed->irq, 1, VECTORS, &bed->msix), 0);
	return 0;
}

static int teardown(void **state)
{
	struct bed *bed = *state;

	if (bed->irq) {
		bed->device = pci_device_free(bed->device);
		bed->msix = msix_free(bed->msix);
		bed->pci = pci_bus_free(bed->pci);
		bed->mmio = bus_free(bed->mmio);
		bed->pio = bus_free(bed->pio);
		bed->irq = irq_table_free(bed->irq);
		vm_deinit(&bed->vm);
	}
	leak_guard_check(bed->guard);
	free(bed);
	return 0;
}

static struct bed *bed_of(void **state)
{
	struct bed *bed = *state;

	if (!bed->irq)
		skip();
	return bed;
}

static uint64_t get(struct bed *bed, uint64_t offset, uint32_t bytes)
{
	uint64_t value = 0;

	assert_true(bus_read(bed->mmio, BAR + offset, &value, bytes));
	return value;
}

static void put(struct bed *bed, uint64_t offset, uint32_t bytes, uint64_t value)
{
	assert_true(bus_write(bed->mmio, BAR + offset, &value, bytes));
}

static uint32_t cfg(struct bed *bed, uint32_t reg, uint32_t bytes)
{
	uint32_t address = 0x80000800 | (reg & 0xFC), value = 0;

	assert_true(bus_write(bed->pio, 0xCF8, &address, 4));
	assert_true(bus_read(bed->pio, 0xCFC + (reg & 3), &value, bytes));
	return value;
}

static void set_control(struct bed *bed, uint32_t value)
{
	uint32_t at = cfg(bed, 0x34, 1) + 2, address = 0x80000800 | (at & 0xFC);

	assert_true(bus_write(bed->pio, 0xCF8, &address, 4));
	assert_true(bus_write(bed->pio, 0xCFC + (at & 3), &value, 2));
}

static void set_vector(struct bed *bed, uint32_t vector, bool masked)
{
	put(bed, 16 * vector, 8, MESSAGE_ADDRESS);
	put(bed, 16 * vector + 8, 8, (uint64_t)masked << 32 | (0x40 + vector));
}

static void test_refused(void **state)
{
	struct bed *bed = bed_of(state);
	struct msix *poison = (struct msix *)0x1, *msix = poison;

	assert_int_equal(msix_new(bed->device, bed->irq, 2, 0, &msix), -EINVAL);
	assert_int_equal(msix_new(bed->device, bed->irq, 2, MSIX_VECTORS_MAX + 1, &msix), -EINVAL);
	assert_int_equal(msix_new(bed->device, bed->irq, 2, 1, &msix), -ENOSPC); /* no GSI left */
	assert_ptr_equal(msix, poison);
}

static void test_capability(void **state)
{
	struct bed *bed = bed_of(state);
	uint32_t at = cfg(bed, 0x34, 1);

	assert_int_equal(cfg(bed, at, 1), 0x11);
	assert_int_equal(cfg(bed, at + 2, 2), VECTORS - 1);
	assert_int_equal(cfg(bed, at + 4, 4), 1);
	assert_int_equal(cfg(bed, at + 8, 4), PENDING | 1);
	set_control(bed, 0xFFFF);
	assert_int_equal(cfg(bed, at + 2, 2), CONTROL_ENABLE | CONTROL_MASK | (VECTORS - 1));
	assert_true(msix_is_enabled(bed->msix));
	set_control(bed, 0);
	assert_false(msix_is_enabled(bed->msix));
}

/* Every offset and width of the BAR: only aligned 4 and 8 in the table take. */
static void test_bounds(void **state)
{
	struct bed *bed = bed_of(state);

	for (uint64_t offset = 0; offset < 0x1000; offset++) {
		for (uint32_t bytes = 1; bytes <= 8; bytes++) {
			bool aligned = (bytes == 4 || bytes == 8) && offset % bytes == 0;
			uint64_t value = UINT64_MAX, ones = UINT64_MAX >> (64 - 8 * bytes);
			bool inside = offset + bytes <= 0x1000;

			assert_int_equal(bus_write(bed->mmio, BAR + offset, &value, bytes), inside);
			assert_int_equal(bus_read(bed->mmio, BAR + offset, &value, bytes), inside);
			if (!inside || !aligned)
				assert_memory_equal(&value, &ones, bytes);
			else if (offset >= 16 * VECTORS)
				assert_memory_equal(&value, &(uint64_t){ 0 }, bytes);
		}
	}
	for (uint32_t i = 0; i < VECTORS; i++) {
		assert_int_equal(get(bed, 16 * i, 8), UINT64_MAX & ~UINT64_C(3));
		assert_int_equal(get(bed, 16 * i + 8, 8), UINT64_C(0x1FFFFFFFF));
	}
	assert_int_equal(msix_failed_routes(bed->msix), 0);
}

static void test_starts_masked(void **state)
{
	struct bed *bed = bed_of(state);

	for (uint32_t i = 0; i < VECTORS; i++)
		assert_int_equal(get(bed, 16 * i + 12, 4), 1);
	msix_fire(bed->msix, 0); /* not enabled: nobody's */
	set_control(bed, CONTROL_ENABLE);
	assert_int_equal(get(bed, PENDING, 8), 0);
	msix_fire(bed->msix, VECTORS);
	msix_fire(bed->msix, UINT32_MAX);
	assert_int_equal(get(bed, PENDING, 8), 0);
}

static void test_pending(void **state)
{
	struct bed *bed = bed_of(state);

	set_control(bed, CONTROL_ENABLE);
	set_vector(bed, 1, true);
	msix_fire(bed->msix, 1);
	msix_fire(bed->msix, 1);
	assert_int_equal(get(bed, PENDING, 8), 2);
	assert_int_equal(get(bed, PENDING, 4), 2);
	assert_int_equal(get(bed, PENDING + 4, 4), 0);
	put(bed, PENDING, 8, 0); /* read-only */
	assert_int_equal(get(bed, PENDING, 8), 2);
	set_vector(bed, 1, false); /* sent now */
	assert_int_equal(get(bed, PENDING, 8), 0);
	set_vector(bed, 1, true);
	assert_int_equal(get(bed, PENDING, 8), 0); /* and only once */
}

static void test_function_mask(void **state)
{
	struct bed *bed = bed_of(state);

	set_vector(bed, 0, false);
	set_vector(bed, 2, false);
	set_control(bed, CONTROL_ENABLE | CONTROL_MASK);
	msix_fire(bed->msix, 0);
	msix_fire(bed->msix, 2);
	assert_int_equal(get(bed, PENDING, 8), 5);
	set_control(bed, CONTROL_ENABLE);
	assert_int_equal(get(bed, PENDING, 8), 0);
	msix_fire(bed->msix, 0); /* open: KVM takes it */
	set_control(bed, CONTROL_ENABLE | CONTROL_MASK);
	assert_int_equal(get(bed, PENDING, 8), 0);
}

static void test_disable_drops_pending(void **state)
{
	struct bed *bed = bed_of(state);

	set_control(bed, CONTROL_ENABLE);
	msix_fire(bed->msix, 0);
	assert_int_equal(get(bed, PENDING, 8), 1);
	set_control(bed, 0);
	set_control(bed, CONTROL_ENABLE);
	assert_int_equal(get(bed, PENDING, 8), 0);
}

/* What a hostile guest writes: KVM refuses it or not, we stay. */
static void test_odd_messages(void **state)
{
	struct bed *bed = bed_of(state);
	const uint64_t addresses[] = { 0, UINT64_MAX, 0xFEE00000, UINT64_C(0xFFFFFFFFFEE00000) };

	set_control(bed, CONTROL_ENABLE);
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		put(bed, 0, 8, addresses[i]);
		put(bed, 8, 8, UINT32_MAX);
		msix_fire(bed->msix, 0);
		put(bed, 0, 4, 0x1234560); /* changed while open */
		msix_fire(bed->msix, 0);
		put(bed, 12, 4, 1);
	}
}

static void test_random(void **state)
{
	struct bed *bed = bed_of(state);
	unsigned int seed = (unsigned int)getpid();

	print_message("seed %u\n", seed);
	for (int turn = 0; turn < 2000; turn++) {
		uint32_t vector = (uint32_t)rand_r(&seed) % (VECTORS + 1);

		switch (rand_r(&seed) % 4) {
		case 0:
			set_control(bed, (uint32_t)rand_r(&seed) << 1 & 0xFFFF);
			break;
		case 1:
			put(bed, 16 * vector + 4 * ((uint32_t)rand_r(&seed) % 4), 4,
			    (uint64_t)rand_r(&seed));
			break;
		case 2:
			msix_fire(bed->msix, vector);
			break;
		case 3:
			assert_true(get(bed, PENDING, 8) < 1 << VECTORS);
			break;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_capability, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_starts_masked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pending, setup, teardown),
		cmocka_unit_test_setup_teardown(test_function_mask, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disable_drops_pending, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd_messages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random, setup, teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
