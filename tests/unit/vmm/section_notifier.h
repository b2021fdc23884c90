/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A driver that sends NOTIFY, whose answer comes when the broker has spoken. */
#ifndef TESTS_UNIT_VMM_SECTION_NOTIFIER_H
#define TESTS_UNIT_VMM_SECTION_NOTIFIER_H

#include "unit/vmm/section_box.h"

#define NOTIFY_STEP 64 /* between the buffers of two requests */
#define NOTIFY_UNTOUCHED UINT64_C(0xA5A5A5A5A5A5A5A5)

/* Puts NOTIFY into the queue as request number i, and does not kick. */
static inline void notify_put(struct section_bed *bed, uint16_t i,
			      const struct vmsect_req_notify *notify)
{
	const uint64_t untouched = NOTIFY_UNTOUCHED;
	const uint64_t to = BED_REQUEST + NOTIFY_STEP * (uint64_t)i;
	const uint64_t reply = BED_REPLY + NOTIFY_STEP * (uint64_t)i;
	const uint16_t head = (uint16_t)(2 * i % BED_QUEUE_SIZE);
	struct vmsect_req_notify request = *notify;

	request.hdr.op = VMSECT_REQ_NOTIFY;
	assert_true(guest_mem_write(&bed->mem, to, &request, sizeof(request)));
	assert_true(guest_mem_write(&bed->mem, reply, &untouched, sizeof(untouched)));
	ring_desc(&bed->control, head,
		  (struct driver_desc){ to, sizeof(request), RING_NEXT, (uint16_t)(head + 1) });
	ring_desc(&bed->control, (uint16_t)(head + 1),
		  (struct driver_desc){ reply, sizeof(struct vmsect_rsp_hdr), RING_WRITE, 0 });
	ring_publish(&bed->control, head);
}

static inline void notify_kick(struct section_bed *bed)
{
	bed_put(bed, BED_NOTIFY, 2, VMSECT_VQ_CONTROL);
	bed_run(bed);
}

/* Status and detail of request number i, or NOTIFY_UNTOUCHED. */
static inline uint64_t notify_reply(struct section_bed *bed, uint16_t i)
{
	uint64_t reply = 0;

	assert_true(guest_mem_read(&bed->mem, BED_REPLY + NOTIFY_STEP * (uint64_t)i, &reply,
				   sizeof(reply)));
	return reply;
}

/* Runs the loop until a chain is given back. */
static inline void notify_wait(struct section_bed *bed)
{
	uint32_t head, bytes;

	while (!ring_take(&bed->control, &head, &bytes))
		assert_int_equal(event_base_loop(bed->events, EVLOOP_ONCE), 0);
	assert_int_equal(bytes, sizeof(struct vmsect_rsp_hdr));
}

/* One, from beginning to end: status and detail as REFUSED() has them. */
static inline uint32_t notify_call(struct section_bed *bed, uint32_t handle, uint32_t peer,
				   uint64_t value)
{
	uint64_t reply;

	notify_put(bed, 0,
		   &(const struct vmsect_req_notify){
			   .handle = handle, .peer = peer, .value = value });
	notify_kick(bed);
	notify_wait(bed);
	reply = notify_reply(bed, 0);
	return REFUSED(reply & UINT32_MAX, reply >> 32);
}

/* Waits for an event of the driver's. */
static inline struct vmsect_dev_event notify_event(struct section_bed *bed)
{
	struct vmsect_dev_event event;

	while (!bed_take_event(bed, &event))
		assert_int_equal(event_base_loop(bed->events, EVLOOP_ONCE), 0);
	return event;
}

#endif
