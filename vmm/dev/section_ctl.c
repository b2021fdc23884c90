/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See section_impl.h.  The control queue.  A request is copied once, checked
 * for its size and its reserved fields, and handed to its operation; the reply
 * is built in our memory and written once.
 */
#include "dev/section_impl.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "virtio/virtio_pci.h"

#define NO_RESERVED UINT32_MAX

/* Big enough and aligned for every request. */
union request {
	struct vmsect_req_hdr hdr;
	struct vmsect_req_open open; /* the longest */
	struct vmsect_req_map map;
	uint8_t bytes[sizeof(struct vmsect_req_open)];
};

struct operation {
	uint32_t op;
	uint32_t request_bytes;
	uint32_t reply_bytes; /* LIST: at least */
	uint32_t reserved; /* offset of the reserved le32, or NO_RESERVED */
	struct section_answer (*run)(struct section_dev *dev, struct section_call *call);
};

static const struct operation operations[] = {
	{ VMSECT_REQ_LIST, sizeof(struct vmsect_req_list), sizeof(struct vmsect_rsp_list),
	  offsetof(struct vmsect_req_list, reserved), section_list },
	{ VMSECT_REQ_OPEN, sizeof(struct vmsect_req_open), sizeof(struct vmsect_rsp_open),
	  offsetof(struct vmsect_req_open, reserved), section_open },
	{ VMSECT_REQ_CLOSE, sizeof(struct vmsect_req_close), sizeof(struct vmsect_rsp_close),
	  offsetof(struct vmsect_req_close, reserved), section_close },
	{ VMSECT_REQ_MAP, sizeof(struct vmsect_req_map), sizeof(struct vmsect_rsp_map), NO_RESERVED,
	  section_map },
	{ VMSECT_REQ_UNMAP, sizeof(struct vmsect_req_unmap), sizeof(struct vmsect_rsp_unmap),
	  offsetof(struct vmsect_req_unmap, reserved), section_unmap },
	{ VMSECT_REQ_QUERY_SECTION, sizeof(struct vmsect_req_query_section),
	  sizeof(struct vmsect_rsp_query_section),
	  offsetof(struct vmsect_req_query_section, reserved), section_query_section },
	{ VMSECT_REQ_QUERY_VIEW, sizeof(struct vmsect_req_query_view),
	  sizeof(struct vmsect_rsp_query_view), offsetof(struct vmsect_req_query_view, reserved),
	  section_query_view },
};

static const struct operation *operation_of(uint32_t op)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (operations[i].op == op)
			return &operations[i];
	return NULL;
}

static bool is_clean(const struct operation *operation, const union request *request)
{
	uint32_t reserved = 0;

	if (operation->reserved != NO_RESERVED)
		memcpy(&reserved, request->bytes + operation->reserved, sizeof(reserved));
	return request->hdr.flags == 0 && reserved == 0;
}

static bool has_right_size(const struct operation *operation, const struct queue_chain *chain)
{
	bool is_list = operation->op == VMSECT_REQ_LIST;

	return chain->readable_bytes == operation->request_bytes &&
	       (is_list ? chain->writable_bytes >= operation->reply_bytes
			: chain->writable_bytes == operation->reply_bytes);
}

/* The request is here and whole.  *ret_bytes: of the reply. */
static struct section_answer run(struct section_dev *dev, const struct operation *operation,
				 const union request *request, uint32_t *ret_bytes)
{
	struct section_call call = {
		.request = request,
		.reply = dev->reply,
		.reply_room = dev->chain.writable_bytes,
		.reply_bytes = operation->reply_bytes,
	};
	struct section_answer answer;

	if (!is_clean(operation, request))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_RESERVED);
	memset(dev->reply, 0, dev->reply_room);
	answer = operation->run(dev, &call);
	if (answer.status == VMSECT_S_OK)
		*ret_bytes = call.reply_bytes;
	return answer;
}

static struct section_answer decode(struct section_dev *dev, const struct queue *queue,
				    uint32_t *ret_bytes)
{
	const struct queue_chain *chain = &dev->chain;
	const struct operation *operation;
	union request request;
	size_t bytes = chain->readable_bytes;

	memset(&request, 0, sizeof(request));
	bytes = bytes < sizeof(request) ? bytes : sizeof(request);
	if (bytes < sizeof(request.hdr) || !queue_chain_read(queue, chain, request.bytes, bytes))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_FORMAT);
	operation = operation_of(le32toh(request.hdr.op));
	if (!operation)
		return section_refuse(VMSECT_S_EOPNOTSUPP, VMSECT_D_NONE);
	if (!has_right_size(operation, chain))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_FORMAT);
	return run(dev, operation, &request, ret_bytes);
}

/* One request; an error is answered with the header alone. */
static void handle(struct section_dev *dev, struct queue *queue)
{
	uint32_t bytes = sizeof(struct vmsect_rsp_hdr);
	struct section_answer answer = decode(dev, queue, &bytes);
	const struct vmsect_rsp_hdr hdr = {
		.status = htole32(answer.status),
		.detail = htole32(answer.detail),
	};

	dev->counters.requests++;
	dev->counters.refused += answer.status != VMSECT_S_OK;
	memcpy(dev->reply, &hdr, sizeof(hdr));
	/* Cannot fail: RAM and size were checked when the chain was taken. */
	(void)queue_chain_write(queue, &dev->chain, dev->reply, bytes);
	queue_push(queue, &dev->chain, bytes);
}

/* 1: one was handled; 0: none is there or the queue is dead. */
static int handle_next(struct section_dev *dev)
{
	struct queue *queue = virtio_pci_queue(dev->transport, VMSECT_VQ_CONTROL);
	int result;

	if (!queue)
		return 0;
	result = queue_pop(queue, &dev->chain);
	if (result == 0)
		return queue_enable_kick(queue);
	if (result == 1 && dev->chain.writable_bytes < sizeof(struct vmsect_rsp_hdr))
		result = -EPROTO;
	if (result < 0) {
		virtio_pci_break(dev->transport, "malformed chain in the control queue");
		return 0;
	}
	handle(dev, queue);
	return 1;
}

int section_ctl_kick(struct section_dev *dev)
{
	uint32_t left = SECTION_KICK_BUDGET;

	while (left > 0 && handle_next(dev) == 1)
		left--;
	virtio_pci_signal(dev->transport, VMSECT_VQ_CONTROL);
	/* Events that came while we waited for the broker's replies. */
	section_event_drain(dev);
	return left == 0;
}
