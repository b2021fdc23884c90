/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * section_pending.c: requests that wait, with a broker that is stopped and so
 * answers when the test wants it to.
 */
#include <signal.h>

#include "unit/vmm/section_box.h"

#define TIME_LIMIT_S 60
#define STEP 64 /* between the buffers of two requests */
#define UNTOUCHED UINT64_C(0xA5A5A5A5A5A5A5A5)

/* Sends FLUSH of view 2 as request number i, without waiting. */
static void send_flush(struct section_bed *bed, uint16_t i)
{
	const struct vmsect_req_flush request = { .hdr.op = VMSECT_REQ_FLUSH, .view = 2 };
	const uint64_t untouched = UNTOUCHED, to = BED_REQUEST + STEP * (uint64_t)i;
	const uint64_t reply = BED_REPLY + STEP * (uint64_t)i;

	assert_true(guest_mem_write(&bed->mem, to, &request, sizeof(request)));
	assert_true(guest_mem_write(&bed->mem, reply, &untouched, sizeof(untouched)));
	ring_desc(&bed->control, (uint16_t)(2 * i),
		  (struct driver_desc){ to, sizeof(request), RING_NEXT, (uint16_t)(2 * i + 1) });
	ring_desc(&bed->control, (uint16_t)(2 * i + 1),
		  (struct driver_desc){ reply, sizeof(struct vmsect_rsp_hdr), RING_WRITE, 0 });
	ring_publish(&bed->control, (uint16_t)(2 * i));
	bed_put(bed, BED_NOTIFY, 2, VMSECT_VQ_CONTROL);
	bed_run(bed);
}

static uint64_t reply_of(struct section_bed *bed, uint16_t i)
{
	uint64_t reply = 0;

	assert_true(
		guest_mem_read(&bed->mem, BED_REPLY + STEP * (uint64_t)i, &reply, sizeof(reply)));
	return reply;
}

/* Status and detail as the reply has them. */
static uint64_t reply_word(uint32_t status, uint32_t detail)
{
	return (uint64_t)detail << 32 | status;
}

/* Runs the loop until a chain is given back: its head. */
static uint32_t wait_answer(struct section_bed *bed)
{
	uint32_t head, bytes;

	while (!ring_take(&bed->control, &head, &bytes))
		assert_int_equal(event_base_loop(bed->events, EVLOOP_ONCE), 0);
	assert_int_equal(bytes, sizeof(struct vmsect_rsp_hdr));
	return head;
}

static struct section_bed *start_stopped(struct test *test)
{
	struct section_bed *bed = start(test);

	assert_int_equal(kill(test->box->broker.pid, SIGSTOP), 0);
	for (uint16_t i = 0; i < VMSECT_PENDING_MAX; i++)
		send_flush(bed, i);
	return bed;
}

static void go_on(const struct test *test)
{
	assert_int_equal(kill(test->box->broker.pid, SIGCONT), 0);
}

static void test_others_go_on(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start_stopped(test);
	struct vmsect_rsp_query_view view;
	uint32_t head, bytes, seen = 0;

	assert_false(ring_take(&bed->control, &head, &bytes));
	/* One more is refused at once. */
	send_flush(bed, VMSECT_PENDING_MAX);
	assert_int_equal(wait_answer(bed), 2 * VMSECT_PENDING_MAX);
	assert_true(reply_of(bed, VMSECT_PENDING_MAX) ==
		    reply_word(VMSECT_S_EDQUOT, VMSECT_D_PENDING));
	/* bed_call() has buffers and descriptors that are in use: its own are elsewhere. */
	send_flush(bed, VMSECT_PENDING_MAX + 1);
	assert_int_equal(wait_answer(bed), 2 * (VMSECT_PENDING_MAX + 1));
	go_on(test);
	for (uint32_t i = 0; i < VMSECT_PENDING_MAX; i++) {
		head = wait_answer(bed);
		assert_true(head < 2 * VMSECT_PENDING_MAX && head % 2 == 0);
		assert_false(seen & UINT32_C(1) << head / 2);
		seen |= UINT32_C(1) << head / 2;
		assert_true(reply_of(bed, (uint16_t)(head / 2)) == VMSECT_S_OK);
	}
	assert_int_equal(bed_query_view(bed, 2, &view), VMSECT_S_OK);
}

static void test_reset_forgets(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start_stopped(test);

	bed_reset(bed);
	bed_drive(bed);
	send_flush(bed, VMSECT_PENDING_MAX); /* there is room again */
	go_on(test);
	assert_int_equal(wait_answer(bed), 2 * VMSECT_PENDING_MAX);
	assert_true(reply_of(bed, VMSECT_PENDING_MAX) == VMSECT_S_OK);
	/* Those before it are done by now: their buffers are the driver's again. */
	send_flush(bed, VMSECT_PENDING_MAX + 1);
	assert_int_equal(wait_answer(bed), 2 * (VMSECT_PENDING_MAX + 1));
	for (uint16_t i = 0; i < VMSECT_PENDING_MAX; i++)
		assert_true(reply_of(bed, i) == UNTOUCHED);
}

/* The device is given up while requests wait: teardown finds what leaks. */
static void test_end_forgets(void **state)
{
	struct test *test = *state;

	(void)start_stopped(test);
	go_on(test);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_others_go_on, section_setup, section_teardown),
		cmocka_unit_test_setup_teardown(test_reset_forgets, section_setup,
						section_teardown),
		cmocka_unit_test_setup_teardown(test_end_forgets, section_setup, section_teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
