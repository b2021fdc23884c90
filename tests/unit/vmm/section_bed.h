/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A section device on a PCI bus, without a VM, and a driver for it that sends
 * any request, good or bad.  Views are read and written through the window's
 * classifier.
 */
#ifndef TESTS_UNIT_VMM_SECTION_BED_H
#define TESTS_UNIT_VMM_SECTION_BED_H

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "bus/bus.h"
#include "bus/pci.h"
#include "dev/section_dev.h"
#include "lib/check.h"
#include "mem/guest_mem.h"
#include "mem/layout.h"
#include "mem/window.h"
#include "unit/vmm/driver_ring.h"
#include "virtio/virtio.h"
#include "vmsect_dev.h"

#define BED_RAM UINT64_C(0x400000)
#define BED_WINDOW (UINT64_C(1) << 32)
#define BED_QUEUE_SIZE 64
#define BED_REQUEST 0x100000
#define BED_REPLY 0x110000
#define BED_EVENTS 0x180000
#define BED_EVENT_STEP 0x100
#define BED_STATUS 20
#define BED_NOTIFY 0x3000

struct section_bed {
	struct guest_mem mem;
	struct bus *pio;
	struct bus *mmio;
	struct pci_bus *pci;
	struct windows *windows;
	struct window *window; /* the first of them */
	struct event_base *events;
	struct section_dev *dev;
	struct driver_ring control;
	struct driver_ring event;
	uint32_t refused; /* of the device's own feature bits: not taken */
	struct section_dev_policy policy; /* for bed_attach() */
	char error[256];
};

static inline void bed_init(struct section_bed *bed)
{
	*bed = (struct section_bed){ 0 };
	assert_int_equal(guest_mem_init(&bed->mem, NULL, BED_RAM), 0);
	assert_int_equal(bus_new(&bed->pio), 0);
	assert_int_equal(bus_new(&bed->mmio), 0);
	assert_int_equal(pci_bus_new(bed->pio, bed->mmio, &bed->pci), 0);
	assert_int_equal(windows_new(NULL, &bed->windows), 0);
	assert_int_equal(windows_add(bed->windows, BED_WINDOW, &bed->window), 0);
	bed->events = event_base_new();
	assert_non_null(bed->events);
}

static inline int bed_attach(struct section_bed *bed, struct vmsect_client *client,
			     const struct section_attach *attach, size_t count)
{
	const struct section_dev_env env = {
		.mem = &bed->mem,
		.mmio = bed->mmio,
		.pci = bed->pci,
		.windows = bed->windows,
		.window = bed->window,
		.events = bed->events,
		.client = client,
		.policy = bed->policy,
	};
	const struct section_attach_list list = { attach, count };
	const struct section_error error = { bed->error, sizeof(bed->error) };

	return section_dev_new(&env, &list, &error, &bed->dev);
}

static inline void bed_deinit(struct section_bed *bed)
{
	bed->dev = section_dev_free(bed->dev);
	event_base_free(bed->events);
	bed->windows = windows_free(bed->windows);
	bed->pci = pci_bus_free(bed->pci);
	bed->mmio = bus_free(bed->mmio);
	bed->pio = bus_free(bed->pio);
	guest_mem_deinit(&bed->mem);
}

static inline void bed_run(struct section_bed *bed)
{
	/* Twice: what the first turn asks for is done in the second. */
	assert_true(event_base_loop(bed->events, EVLOOP_NONBLOCK) >= 0);
	assert_true(event_base_loop(bed->events, EVLOOP_NONBLOCK) >= 0);
}

static inline void bed_put(struct section_bed *bed, uint64_t offset, uint32_t bytes, uint64_t value)
{
	assert_true(bus_write(bed->mmio, LAYOUT_PCI32_START + offset, &value, bytes));
}

static inline uint64_t bed_get(struct section_bed *bed, uint64_t offset, uint32_t bytes)
{
	uint64_t value = 0;

	assert_true(bus_read(bed->mmio, LAYOUT_PCI32_START + offset, &value, bytes));
	return value;
}

static inline void bed_queue(struct section_bed *bed, uint16_t index, struct driver_ring *ring)
{
	uint8_t zero[0x3000] = { 0 };

	ring_init(ring, &bed->mem, 0x10000 + 0x10000 * (uint64_t)index, BED_QUEUE_SIZE);
	assert_true(guest_mem_write(&bed->mem, ring->setup.descriptor_gpa, zero, sizeof(zero)));
	bed_put(bed, 22, 2, index);
	bed_put(bed, 24, 2, ring->setup.size);
	bed_put(bed, 32, 8, ring->setup.descriptor_gpa);
	bed_put(bed, 40, 8, ring->setup.driver_gpa);
	bed_put(bed, 48, 8, ring->setup.device_gpa);
	bed_put(bed, 28, 2, 1);
}

static inline void bed_drive(struct section_bed *bed)
{
	bed_put(bed, BED_STATUS, 1, 3);
	bed_put(bed, 0, 4, 0);
	bed_put(bed, 8, 4, 0);
	bed_put(bed, 12, 4, bed_get(bed, 4, 4) & 0xFFFFFF & ~bed->refused);
	bed_put(bed, 8, 4, 1);
	bed_put(bed, 12, 4, 1); /* VERSION_1, and no other of virtio's own */
	bed_put(bed, BED_STATUS, 1, 0xB);
	bed_queue(bed, VMSECT_VQ_CONTROL, &bed->control);
	bed_queue(bed, VMSECT_VQ_EVENT, &bed->event);
	bed_put(bed, BED_STATUS, 1, 0xF);
	bed_run(bed);
	assert_int_equal(bed_get(bed, BED_STATUS, 1), 0xF);
}

static inline void bed_reset(struct section_bed *bed)
{
	bed_put(bed, BED_STATUS, 1, 0);
	bed_run(bed);
	assert_int_equal(bed_get(bed, BED_STATUS, 1), 0);
}

/* Sends a chain of these two parts (0 bytes: without it); the used length, or -1. */
static inline int64_t bed_send(struct section_bed *bed, const void *request, uint32_t request_bytes,
			       void *reply, uint32_t reply_bytes)
{
	uint32_t head, bytes;
	uint16_t first = request_bytes ? 0 : 1;

	if (request_bytes) {
		assert_true(guest_mem_write(&bed->mem, BED_REQUEST, request, request_bytes));
		ring_desc(&bed->control, 0,
			  (struct driver_desc){ BED_REQUEST, request_bytes,
						reply_bytes ? RING_NEXT : 0, 1 });
	}
	if (reply_bytes) {
		assert_true(guest_mem_write(&bed->mem, BED_REPLY, reply, reply_bytes));
		ring_desc(&bed->control, 1,
			  (struct driver_desc){ BED_REPLY, reply_bytes, RING_WRITE, 0 });
	}
	ring_publish(&bed->control, first);
	bed_put(bed, BED_NOTIFY, 2, VMSECT_VQ_CONTROL);
	bed_run(bed);
	if (!ring_take(&bed->control, &head, &bytes))
		return -1;
	assert_int_equal(head, first);
	if (reply_bytes)
		assert_true(guest_mem_read(&bed->mem, BED_REPLY, reply, reply_bytes));
	return bytes;
}

/* A request of the right size: its status, and the detail in *ret_detail. */
static inline uint32_t bed_call(struct section_bed *bed, const void *request,
				uint32_t request_bytes, void *reply, uint32_t reply_bytes)
{
	struct vmsect_rsp_hdr hdr;
	int64_t used;

	memset(reply, 0xA5, reply_bytes);
	used = bed_send(bed, request, request_bytes, reply, reply_bytes);
	memcpy(&hdr, reply, sizeof(hdr));
	if (hdr.status == VMSECT_S_OK) {
		assert_int_equal(used, reply_bytes);
	} else {
		/* The header alone; nothing behind it is touched. */
		assert_int_equal(used, sizeof(hdr));
		for (uint32_t i = sizeof(hdr); i < reply_bytes; i++)
			assert_int_equal(((const uint8_t *)reply)[i], 0xA5);
	}
	return hdr.status | hdr.detail << 16;
}

/* A status with its detail, as bed_call() returns them. */
#define REFUSED(status, detail) ((uint32_t)(status) | (uint32_t)(detail) << 16)

static inline uint32_t bed_open(struct section_bed *bed, const char *name, uint32_t access,
				struct vmsect_rsp_open *reply)
{
	struct vmsect_req_open request = { .hdr.op = VMSECT_REQ_OPEN, .access = access };

	memcpy(request.name, name, strnlen(name, sizeof(request.name)));
	return bed_call(bed, &request, sizeof(request), reply, sizeof(*reply));
}

static inline uint32_t bed_close(struct section_bed *bed, uint32_t handle)
{
	struct vmsect_req_close request = { .hdr.op = VMSECT_REQ_CLOSE, .handle = handle };
	struct vmsect_rsp_close reply;

	return bed_call(bed, &request, sizeof(request), &reply, sizeof(reply));
}

static inline uint32_t bed_map(struct section_bed *bed, const struct vmsect_req_map *want,
			       struct vmsect_rsp_map *reply)
{
	struct vmsect_req_map request = *want;

	request.hdr.op = VMSECT_REQ_MAP;
	return bed_call(bed, &request, sizeof(request), reply, sizeof(*reply));
}

static inline uint32_t bed_unmap(struct section_bed *bed, uint32_t view)
{
	struct vmsect_req_unmap request = { .hdr.op = VMSECT_REQ_UNMAP, .view = view };
	struct vmsect_rsp_unmap reply;

	return bed_call(bed, &request, sizeof(request), &reply, sizeof(reply));
}

static inline uint32_t bed_query_view(struct section_bed *bed, uint32_t view,
				      struct vmsect_rsp_query_view *reply)
{
	struct vmsect_req_query_view request = { .hdr.op = VMSECT_REQ_QUERY_VIEW, .view = view };

	return bed_call(bed, &request, sizeof(request), reply, sizeof(*reply));
}

static inline uint32_t bed_query_section(struct section_bed *bed, uint32_t handle,
					 struct vmsect_rsp_query_section *reply)
{
	struct vmsect_req_query_section request = { .hdr.op = VMSECT_REQ_QUERY_SECTION,
						    .handle = handle };

	return bed_call(bed, &request, sizeof(request), reply, sizeof(*reply));
}

/* A guest access to the window, at an offset. */
static inline enum window_fault bed_touch(struct section_bed *bed, uint64_t offset, bool is_write,
					  uint64_t *value)
{
	return window_fault(bed->window, LAYOUT_PCI64_START + offset, is_write, value, 8);
}

/* Gives the device one event buffer. */
static inline void bed_give_buffer(struct section_bed *bed, uint32_t bytes)
{
	uint16_t slot = bed->event.avail % BED_QUEUE_SIZE;

	ring_desc(&bed->event, slot,
		  (struct driver_desc){ BED_EVENTS + BED_EVENT_STEP * (uint64_t)slot, bytes,
					RING_WRITE, 0 });
	ring_publish(&bed->event, slot);
	bed_put(bed, BED_NOTIFY + 4, 2, VMSECT_VQ_EVENT);
	bed_run(bed);
}

/* The next event that was delivered; false if there is none. */
static inline bool bed_take_event(struct section_bed *bed, struct vmsect_dev_event *ret_event)
{
	uint32_t head, bytes;

	if (!ring_take(&bed->event, &head, &bytes))
		return false;
	assert_int_equal(bytes, sizeof(*ret_event));
	assert_true(guest_mem_read(&bed->mem, BED_EVENTS + BED_EVENT_STEP * (uint64_t)head,
				   ret_event, sizeof(*ret_event)));
	return true;
}

#endif
