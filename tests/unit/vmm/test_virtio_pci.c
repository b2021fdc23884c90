/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio_pci.c: from DRIVER_OK to reset, kicks, interrupts, and what breaks the
 * device.
 */
#include "unit/vmm/virtio_bed.h"

#define TIME_LIMIT_S 60

static void test_enable_out_of_order(void **state)
{
	struct bed *bed = *state;

	set_queue(bed, 0, &bed->ring[0].setup); /* before FEATURES_OK */
	assert_int_equal(get(bed, COMMON + 28, 2), 0);
	set_features(bed, VERSION_1);
	set_queue(bed, 0, &bed->ring[0].setup);
	assert_int_equal(get(bed, COMMON + 28, 2), 1);
	set_queue(bed, 0, &bed->ring[1].setup); /* frozen */
	assert_int_equal(get(bed, COMMON + 32, 8), bed->ring[0].setup.descriptor_gpa);
	put(bed, COMMON + 28, 2, 0);
	assert_int_equal(get(bed, COMMON + 28, 2), 1);
	put(bed, STATUS, 1, 0xF);
	run(bed);
	set_queue(bed, 1, &bed->ring[1].setup); /* after DRIVER_OK */
	assert_int_equal(get(bed, COMMON + 28, 2), 0);
	assert_non_null(virtio_pci_queue(bed->transport, 0));
	assert_null(virtio_pci_queue(bed->transport, 1));
	assert_null(virtio_pci_queue(bed->transport, QUEUES));
	put(bed, NOTIFY + 4, 2, 1);
	run(bed);
	assert_int_equal(bed->kicks[1], 0);
}

static void test_bad_queue_breaks(void **state)
{
	struct bed *bed = *state;
	struct queue_setup bad = bed->ring[0].setup;

	set_features(bed, VERSION_1);
	bad.device_gpa = RAM_BYTES;
	set_queue(bed, 0, &bad);
	assert_int_equal(get(bed, COMMON + 28, 2), 0);
	assert_true(get(bed, STATUS, 1) & VIRTIO_STATUS_NEEDS_RESET);
	set_queue(bed, 0, &bed->ring[0].setup);
	assert_int_equal(get(bed, COMMON + 28, 2), 0);
	put(bed, STATUS, 1, 0xF);
	run(bed);
	assert_int_equal(bed->activations, 0);
	assert_int_equal(virtio_pci_breaks(bed->transport), 1);
	put(bed, STATUS, 1, 0);
	run(bed);
	assert_int_equal(get(bed, STATUS, 1), 0);
	set_up(bed);
}

static void test_reset_waits_for_the_io_thread(void **state)
{
	struct bed *bed = *state;

	set_up(bed);
	put(bed, STATUS, 1, 0);
	assert_int_equal(get(bed, STATUS, 1), 0xF);
	put(bed, STATUS, 1, VIRTIO_STATUS_ACKNOWLEDGE); /* nothing counts until it is done */
	put(bed, COMMON + 22, 2, 0);
	put(bed, NOTIFY, 2, 0);
	assert_int_equal(get(bed, COMMON + 22, 2), 1);
	assert_int_equal(get(bed, STATUS, 1), 0xF);
	assert_int_equal(bed->resets, 0);
	run(bed);
	assert_int_equal(bed->resets, 1);
	assert_int_equal(get(bed, STATUS, 1), 0);
	assert_int_equal(get(bed, COMMON + 22, 2), 0);
	assert_int_equal(get(bed, COMMON + 28, 2), 0);
	assert_null(virtio_pci_queue(bed->transport, 0));
	put(bed, STATUS, 1, 0); /* nothing to reset: at once */
	assert_int_equal(get(bed, STATUS, 1), 0);
	run(bed);
	assert_int_equal(bed->resets, 1);
	bed->activations = 0;
	set_up(bed);
}

static void test_kicks(void **state)
{
	struct bed *bed = *state;

	put(bed, NOTIFY, 2, 0); /* too early */
	run(bed);
	assert_int_equal(bed->kicks[0], 0);
	set_up(bed);
	assert_int_equal(bed->kicks[0], 1); /* on activation, for what was too early */
	assert_int_equal(bed->kicks[1], 1);
	for (uint32_t bytes = 1; bytes <= 8; bytes++)
		put(bed, NOTIFY, bytes, 0xFFFF); /* the place counts, not the value */
	run(bed);
	assert_int_equal(bed->kicks[0], 2);
	put(bed, NOTIFY + 4, 4, 0);
	run(bed);
	assert_int_equal(bed->kicks[1], 2);
	for (uint64_t offset = 1; offset < 0xFF8; offset++)
		if (offset != 4)
			put(bed, NOTIFY + offset, 2, 0);
	run(bed);
	assert_int_equal(bed->kicks[0], 2);
	assert_int_equal(bed->kicks[1], 2);
	/* A device that has more to do is called again. */
	bed->kick_result = 1;
	put(bed, NOTIFY, 2, 0);
	run(bed);
	bed->kick_result = 0;
	run(bed);
	run(bed);
	assert_int_equal(bed->kicks[0], 4);
}

static void test_signal_sets_isr(void **state)
{
	struct bed *bed = *state;
	struct queue_chain *chain = calloc(1, sizeof(*chain));
	struct queue *queue;

	assert_non_null(chain);
	set_up(bed);
	virtio_pci_signal(bed->transport, 0); /* nothing was used */
	assert_int_equal(get(bed, ISR, 1), 0);
	ring_desc(&bed->ring[0], 0, (struct driver_desc){ 0x100000, 8, RING_WRITE, 0 });
	ring_publish(&bed->ring[0], 0);
	queue = virtio_pci_queue(bed->transport, 0);
	assert_int_equal(queue_pop(queue, chain), 1);
	queue_push(queue, chain, 8);
	virtio_pci_signal(bed->transport, 0);
	assert_int_equal(get(bed, ISR, 2), 0xFFFF); /* not a read of the register */
	assert_int_equal(get(bed, ISR, 1), 1);
	assert_int_equal(get(bed, ISR, 1), 0); /* reading clears */
	free(chain);
}

static void test_break(void **state)
{
	struct bed *bed = *state;

	set_up(bed);
	virtio_pci_break(bed->transport, "a test says so");
	assert_int_equal(get(bed, STATUS, 1), 0xF | VIRTIO_STATUS_NEEDS_RESET);
	assert_int_equal(get(bed, ISR, 1), 2);
	virtio_pci_break(bed->transport, "a test says so again");
	assert_int_equal(virtio_pci_breaks(bed->transport), 1);
	assert_int_equal(get(bed, ISR, 1), 0);
	assert_null(virtio_pci_queue(bed->transport, 0));
	put(bed, NOTIFY, 2, 0);
	run(bed);
	assert_int_equal(bed->kicks[0], 1);
	put(bed, STATUS, 1, 0x4F); /* the driver cannot clear it so */
	assert_int_equal(get(bed, STATUS, 1), 0x4F);
	put(bed, STATUS, 1, 0);
	run(bed);
	assert_int_equal(get(bed, STATUS, 1), 0);
	bed->activations = 0;
	set_up(bed);
	assert_int_equal(bed->kicks[0], 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_enable_out_of_order, virtio_setup,
						virtio_teardown),
		cmocka_unit_test_setup_teardown(test_bad_queue_breaks, virtio_setup,
						virtio_teardown),
		cmocka_unit_test_setup_teardown(test_reset_waits_for_the_io_thread, virtio_setup,
						virtio_teardown),
		cmocka_unit_test_setup_teardown(test_kicks, virtio_setup, virtio_teardown),
		cmocka_unit_test_setup_teardown(test_signal_sets_isr, virtio_setup,
						virtio_teardown),
		cmocka_unit_test_setup_teardown(test_break, virtio_setup, virtio_teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
