// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A client of the section device: requests and events.
 */
#include "section.h"

#include "text.h"

#define ANSWER_MS 10000
#define EVENT_BUFFERS 16
#define LIST_AT_ONCE 4

struct virtio section_device;
static struct vmsect_dev_event events[EVENT_BUFFERS];
static uint8_t request_bytes[4096] __attribute__((aligned(16)));
static uint8_t reply_bytes[4096] __attribute__((aligned(16)));

static void post_event(uint32_t index)
{
	struct vring_desc *desc = &section_device.queue[VMSECT_VQ_EVENT].desc[index];

	desc->addr = (uint64_t)&events[index];
	desc->len = sizeof(events[index]);
	desc->flags = VRING_DESC_F_WRITE;
	desc->next = 0;
	virtio_push(&section_device, VMSECT_VQ_EVENT, (uint16_t)index);
}

bool section_start_bare(const char **ret_why)
{
	*ret_why = "none";
	return virtio_find(&section_device, VMSECT_VIRTIO_ID) &&
	       virtio_start(&section_device, ret_why);
}

bool section_start(const char **ret_why)
{
	if (!section_start_bare(ret_why))
		return false;
	for (uint32_t i = 0; i < EVENT_BUFFERS; i++)
		post_event(i);
	return true;
}

bool section_request(const void *req, uint32_t req_bytes, void *rsp, uint32_t rsp_bytes,
		     uint32_t *ret_length)
{
	struct virtio_queue *queue = &section_device.queue[VMSECT_VQ_CONTROL];
	struct vring_used_elem used;

	if (!section_device.found || !queue->size || req_bytes > sizeof(request_bytes) ||
	    rsp_bytes > sizeof(reply_bytes))
		return false;
	memcpy(request_bytes, req, req_bytes);
	memset(reply_bytes, 0xee, rsp_bytes);
	queue->desc[0].addr = (uint64_t)request_bytes;
	queue->desc[0].len = req_bytes;
	queue->desc[0].flags = VRING_DESC_F_NEXT;
	queue->desc[0].next = 1;
	queue->desc[1].addr = (uint64_t)reply_bytes;
	queue->desc[1].len = rsp_bytes;
	queue->desc[1].flags = VRING_DESC_F_WRITE;
	queue->desc[1].next = 0;
	virtio_push(&section_device, VMSECT_VQ_CONTROL, 0);
	if (!virtio_take(&section_device, VMSECT_VQ_CONTROL, ANSWER_MS, &used))
		return false;
	memcpy(rsp, reply_bytes, rsp_bytes);
	*ret_length = used.len;
	return true;
}

struct section_result section_ask(const void *req, uint32_t req_bytes, void *rsp,
				  uint32_t rsp_bytes)
{
	struct section_result result = { SECTION_TIMEOUT, 0 };
	const struct vmsect_rsp_hdr *hdr = rsp;
	uint32_t length;

	if (!section_request(req, req_bytes, rsp, rsp_bytes, &length))
		return result;
	result.status = SECTION_MALFORMED;
	result.detail = length;
	if (length < sizeof(*hdr) || (hdr->status == VMSECT_S_OK && length != rsp_bytes))
		return result;
	result.status = hdr->status;
	result.detail = hdr->detail;
	return result;
}

struct section_result section_open(const char *name, uint32_t access,
				   struct vmsect_rsp_open *ret_rsp)
{
	struct vmsect_req_open req = { .hdr.op = VMSECT_REQ_OPEN, .access = access };

	for (uint32_t i = 0; i < VMSECT_DEV_NAME_MAX && name[i]; i++)
		req.name[i] = (uint8_t)name[i];
	return section_ask(&req, sizeof(req), ret_rsp, sizeof(*ret_rsp));
}

struct section_result section_close(uint32_t handle)
{
	struct vmsect_req_close req = { .hdr.op = VMSECT_REQ_CLOSE, .handle = handle };
	struct vmsect_rsp_close rsp;

	return section_ask(&req, sizeof(req), &rsp, sizeof(rsp));
}

struct section_result section_map(const struct vmsect_req_map *map,
				  struct vmsect_dev_view *ret_view)
{
	struct vmsect_rsp_map rsp;
	struct section_result result = section_ask(map, sizeof(*map), &rsp, sizeof(rsp));

	if (result.status == VMSECT_S_OK)
		*ret_view = rsp.view;
	return result;
}

struct section_result section_unmap(uint32_t view)
{
	struct vmsect_req_unmap req = { .hdr.op = VMSECT_REQ_UNMAP, .view = view };
	struct vmsect_rsp_unmap rsp;

	return section_ask(&req, sizeof(req), &rsp, sizeof(rsp));
}

struct section_result section_query(uint32_t handle, struct vmsect_dev_section *ret_section)
{
	struct vmsect_req_query_section req = { .hdr.op = VMSECT_REQ_QUERY_SECTION,
						.handle = handle };
	struct vmsect_rsp_query_section rsp;
	struct section_result result = section_ask(&req, sizeof(req), &rsp, sizeof(rsp));

	if (result.status == VMSECT_S_OK)
		*ret_section = rsp.section;
	return result;
}

struct section_result section_query_view(uint32_t view, struct vmsect_dev_view *ret_view)
{
	struct vmsect_req_query_view req = { .hdr.op = VMSECT_REQ_QUERY_VIEW, .view = view };
	struct vmsect_rsp_query_view rsp;
	struct section_result result = section_ask(&req, sizeof(req), &rsp, sizeof(rsp));

	if (result.status == VMSECT_S_OK)
		*ret_view = rsp.view;
	return result;
}

/* One LIST; rsp has room for LIST_AT_ONCE entries. */
static struct section_result list_some(uint32_t cursor, struct vmsect_rsp_list *rsp)
{
	struct vmsect_req_list req = { .hdr.op = VMSECT_REQ_LIST, .cursor = cursor };
	struct section_result result = { SECTION_TIMEOUT, 0 };
	uint32_t room = sizeof(*rsp) + LIST_AT_ONCE * (uint32_t)sizeof(rsp->entries[0]);
	uint32_t length;

	if (!section_request(&req, sizeof(req), rsp, room, &length))
		return result;
	result.status = rsp->hdr.status;
	result.detail = rsp->hdr.detail;
	if (result.status == VMSECT_S_OK &&
	    (rsp->count > LIST_AT_ONCE ||
	     length != sizeof(*rsp) + rsp->count * sizeof(rsp->entries[0])))
		result.status = SECTION_MALFORMED;
	return result;
}

struct section_result section_list(struct vmsect_attachment *to, uint32_t max, uint32_t *ret_count)
{
	static union {
		struct vmsect_rsp_list rsp;
		uint8_t bytes[sizeof(struct vmsect_rsp_list) +
			      LIST_AT_ONCE * sizeof(struct vmsect_attachment)];
	} reply;
	struct section_result result;
	uint32_t count = 0;
	uint32_t cursor = 0;

	do {
		result = list_some(cursor, &reply.rsp);
		if (result.status != VMSECT_S_OK)
			return result;
		for (uint32_t i = 0; i < reply.rsp.count && count < max; i++)
			to[count++] = reply.rsp.entries[i];
		cursor = reply.rsp.next;
	} while (cursor && count < max);
	*ret_count = count;
	return result;
}

bool section_event(uint32_t limit_ms, struct vmsect_dev_event *ret_event)
{
	struct vring_used_elem used;

	if (!section_device.queue[VMSECT_VQ_EVENT].size ||
	    !virtio_take(&section_device, VMSECT_VQ_EVENT, limit_ms, &used) ||
	    used.id >= EVENT_BUFFERS || used.len != sizeof(*ret_event))
		return false;
	*ret_event = events[used.id];
	post_event(used.id);
	return true;
}
