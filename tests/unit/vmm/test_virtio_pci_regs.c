/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio_pci_regs.c: every register, every width, and what order they must come in. */
#include "unit/vmm/virtio_bed.h"

#define TIME_LIMIT_S 60

/* Every offset, every width, read and written, up to the end of the BAR and over it. */
static void test_every_access(void **state)
{
	struct bed *bed = *state;

	for (uint64_t offset = 0; offset < 0x4010; offset++) {
		if (offset % 0x1000 == 0x60)
			offset += 0xF80; /* there is more of the same in between */
		for (uint32_t bytes = 1; bytes <= 8; bytes++) {
			uint64_t value = UINT64_MAX;
			bool inside = offset + bytes <= 0x4000;

			assert_int_equal(bus_read(bed->mmio, bed->bar + offset, &value, bytes),
					 inside);
			if (offset != STATUS)
				assert_int_equal(
					bus_write(bed->mmio, bed->bar + offset, &value, bytes),
					inside);
		}
	}
	run(bed);
	assert_int_equal(bed->activations, 0);
	assert_int_equal(bed->kicks[0] + bed->kicks[1], 0);
	assert_int_equal(get(bed, STATUS, 1), 0);
}

static void test_wrong_widths(void **state)
{
	struct bed *bed = *state;

	assert_int_equal(get(bed, COMMON, 4), 0);
	assert_int_equal(get(bed, COMMON, 2), 0xFFFF);
	assert_int_equal(get(bed, COMMON + 2, 2), 0xFFFF);
	assert_int_equal(get(bed, COMMON + 1, 4), 0xFFFFFFFF);
	assert_int_equal(get(bed, COMMON + 18, 2), QUEUES);
	assert_int_equal(get(bed, COMMON + 16, 4), 0xFFFFFFFF); /* two fields */
	assert_int_equal(get(bed, COMMON + 20, 2), 0xFFFF);
	assert_int_equal(get(bed, COMMON + 36, 8), UINT64_MAX); /* not a 64-bit field */
	assert_int_equal(get(bed, COMMON + 56, 2), 0xFFFF); /* behind the structure */
	put(bed, STATUS, 2, 1);
	put(bed, STATUS, 4, 1);
	assert_int_equal(get(bed, STATUS, 1), 0);
	/* The device's own: any width inside, ones over the end. */
	assert_int_equal(get(bed, DEVICE + 1, 2), 0x0302);
	assert_int_equal(get(bed, DEVICE + 4, 8), UINT64_C(0x0C0B0A0908070605));
	assert_int_equal(get(bed, DEVICE + 8, 8), UINT64_MAX);
	assert_int_equal(get(bed, DEVICE + 12, 1), 0xFF);
	put(bed, DEVICE, 4, 0);
	assert_int_equal(get(bed, DEVICE, 1), 1);
}

static void test_feature_negotiation(void **state)
{
	struct bed *bed = *state;
	uint64_t offered;

	put(bed, COMMON, 4, 0);
	offered = get(bed, COMMON + 4, 4);
	put(bed, COMMON, 4, 1);
	offered |= get(bed, COMMON + 4, 4) << 32;
	assert_int_equal(offered, VERSION_1 | DEVICE_FEATURE | 1 << 28 | 1 << 29);
	put(bed, COMMON, 4, 2);
	assert_int_equal(get(bed, COMMON + 4, 4), 0);

	set_features(bed, DEVICE_FEATURE); /* without VERSION_1 */
	assert_false(get(bed, STATUS, 1) & VIRTIO_STATUS_FEATURES_OK);
	set_features(bed, VERSION_1 | 1); /* not offered */
	assert_false(get(bed, STATUS, 1) & VIRTIO_STATUS_FEATURES_OK);
	set_features(bed, VERSION_1 | UINT64_C(1) << 40); /* RING_RESET */
	assert_false(get(bed, STATUS, 1) & VIRTIO_STATUS_FEATURES_OK);
	put(bed, STATUS, 1, 0xF); /* DRIVER_OK without it */
	assert_false(get(bed, STATUS, 1) & VIRTIO_STATUS_DRIVER_OK);
	set_features(bed, VERSION_1 | DEVICE_FEATURE);
	assert_true(get(bed, STATUS, 1) & VIRTIO_STATUS_FEATURES_OK);
	set_features(bed, VERSION_1); /* too late */
	put(bed, STATUS, 1, 0xF);
	run(bed);
	assert_int_equal(bed->features, VERSION_1 | DEVICE_FEATURE);
}

static void test_feature_words_past_the_second(void **state)
{
	struct bed *bed = *state;

	put(bed, COMMON + 8, 4, 2);
	put(bed, COMMON + 12, 4, 1);
	assert_int_equal(get(bed, COMMON + 12, 4), 0);
	put(bed, COMMON + 8, 4, UINT32_MAX);
	put(bed, COMMON + 12, 4, 0);
	set_features(bed, VERSION_1);
	assert_true(get(bed, STATUS, 1) & VIRTIO_STATUS_FEATURES_OK);
}

static void test_queue_registers(void **state)
{
	struct bed *bed = *state;

	set_features(bed, VERSION_1);
	put(bed, COMMON + 22, 2, QUEUES); /* no such queue */
	for (uint64_t offset = 24; offset < 56; offset += 2)
		put(bed, COMMON + offset, 2, 1);
	assert_int_equal(get(bed, COMMON + 24, 2), 0);
	assert_int_equal(get(bed, COMMON + 32, 8), 0);
	put(bed, COMMON + 22, 2, 1);
	assert_int_equal(get(bed, COMMON + 24, 2), QUEUE_SIZE);
	assert_int_equal(get(bed, COMMON + 26, 2), VIRTIO_NO_VECTOR);
	assert_int_equal(get(bed, COMMON + 30, 2), 1);
	for (uint32_t size = 0; size <= 0x10000; size++) {
		bool legal = size > 0 && size <= QUEUE_SIZE && (size & (size - 1)) == 0;

		put(bed, COMMON + 24, 2, 16);
		put(bed, COMMON + 24, 2, size);
		assert_int_equal(get(bed, COMMON + 24, 2), legal ? size : 16);
	}
	put(bed, COMMON + 26, 2, 0); /* there is no vector at all */
	assert_int_equal(get(bed, COMMON + 26, 2), VIRTIO_NO_VECTOR);
	put(bed, COMMON + 32, 8, UINT64_C(0x1122334455667788));
	assert_int_equal(get(bed, COMMON + 36, 4), 0x11223344);
	put(bed, COMMON + 36, 4, 0xAABBCCDD);
	assert_int_equal(get(bed, COMMON + 32, 8), UINT64_C(0xAABBCCDD55667788));
}

/* Random writes of every width everywhere: nothing but registers changes. */
static void test_random_writes(void **state)
{
	struct bed *bed = *state;
	unsigned int seed = (unsigned int)getpid();

	print_message("seed %u\n", seed);
	for (int turn = 0; turn < 200000; turn++) {
		uint64_t offset =
			(uint64_t)rand_r(&seed) % 4 * 0x1000 + (uint64_t)rand_r(&seed) % 64;
		uint64_t value = (uint64_t)rand_r(&seed) * (uint64_t)rand_r(&seed);
		uint32_t bytes = 1u << rand_r(&seed) % 4;

		if (rand_r(&seed) % 2)
			value &= 0xF;
		(void)bus_write(bed->mmio, bed->bar + offset, &value, bytes);
		(void)bus_read(bed->mmio, bed->bar + offset, &value, bytes);
		if (rand_r(&seed) % 16 == 0)
			run(bed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_access, virtio_setup, virtio_teardown),
		cmocka_unit_test_setup_teardown(test_wrong_widths, virtio_setup, virtio_teardown),
		cmocka_unit_test_setup_teardown(test_feature_negotiation, virtio_setup,
						virtio_teardown),
		cmocka_unit_test_setup_teardown(test_feature_words_past_the_second, virtio_setup,
						virtio_teardown),
		cmocka_unit_test_setup_teardown(test_queue_registers, virtio_setup,
						virtio_teardown),
		cmocka_unit_test_setup_teardown(test_random_writes, virtio_setup, virtio_teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
