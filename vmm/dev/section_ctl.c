/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See section_impl.h.  The control queue.  A request is copied once, checked
 * for its size and its reserved fields, and handed to its operation; the reply
 * is built in our memory and written once, by the operation's end or later
 * (section_pending.c).
 */
#include "dev/section_impl.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "virtio/virtio_pci.h"

#define NO_RESERVED UINT32_MAX

#define NO_FEATURE (-1)

/* Big enough and aligned for every request. */
union request {
	struct vmsect_req_hdr hdr;
	struct vmsect_req_create create; /* the longest */
	uint8_t bytes[sizeof(struct vmsect_req_create)];
};

struct operation {
	uint32_t op;
	uint32_t request_bytes;
	uint32_t reply_bytes;
	uint32_t reserved; /* offset of the reserved le32, or NO_RESERVED */
	int feature; /* bit, or NO_FEATURE */
	bool is_list; /* reply_bytes is the least: entries follow */
	struct section_answer (*run)(struct section_dev *dev, struct section_call *call);
};

#define REQ(name) sizeof(struct vmsect_req_##name)
#define RSP(name) sizeof(struct vmsect_rsp_##name)
#define RESERVED(name) offsetof(struct vmsect_req_##name, reserved)

static const struct operation operations[] = {
	{ VMSECT_REQ_LIST, REQ(list), RSP(list), RESERVED(list), NO_FEATURE, true, section_list },
	{ VMSECT_REQ_OPEN, REQ(open), RSP(open), RESERVED(open), NO_FEATURE, false, section_open },
	{ VMSECT_REQ_CLOSE, REQ(close), RSP(close), RESERVED(close), NO_FEATURE, false,
	  section_close },
	{ VMSECT_REQ_MAP, REQ(map), RSP(map), RESERVED(map), NO_FEATURE, false, section_map },
	{ VMSECT_REQ_UNMAP, REQ(unmap), RSP(unmap), RESERVED(unmap), NO_FEATURE, false,
	  section_unmap },
	{ VMSECT_REQ_QUERY_SECTION, REQ(query_section), RSP(query_section), RESERVED(query_section),
	  NO_FEATURE, false, section_query_section },
	{ VMSECT_REQ_QUERY_VIEW, REQ(query_view), RSP(query_view), RESERVED(query_view), NO_FEATURE,
	  false, section_query_view },
	{ VMSECT_REQ_CREATE, REQ(create), RSP(open), NO_RESERVED, VMSECT_F_CREATE, false,
	  section_create },
	{ VMSECT_REQ_DUPLICATE, REQ(duplicate), RSP(open), NO_RESERVED, VMSECT_F_PROTECT, false,
	  section_duplicate },
	{ VMSECT_REQ_PROTECT, REQ(range), RSP(value), NO_RESERVED, VMSECT_F_PROTECT, false,
	  section_protect },
	{ VMSECT_REQ_QUERY_PAGES, REQ(range), RSP(query_pages), NO_RESERVED, VMSECT_F_PROTECT,
	  false, section_query_pages },
	{ VMSECT_REQ_EXTEND, REQ(extend), RSP(value), RESERVED(extend), VMSECT_F_EXTEND, false,
	  section_extend },
	{ VMSECT_REQ_COMMIT, REQ(range), RSP(value), NO_RESERVED, VMSECT_F_EXTEND, false,
	  section_commit },
	{ VMSECT_REQ_FLUSH, REQ(flush), RSP(hdr), NO_RESERVED, VMSECT_F_FLUSH, false,
	  section_flush },
	{ VMSECT_REQ_RESET, REQ(range), RSP(value), NO_RESERVED, VMSECT_F_COW, false,
	  section_reset },
	{ VMSECT_REQ_DIFF, REQ(diff), RSP(diff), RESERVED(diff), VMSECT_F_COW, true, section_diff },
	{ VMSECT_REQ_PUBLISH, REQ(publish), RSP(hdr), NO_RESERVED, VMSECT_F_COW, false,
	  section_publish },
	{ VMSECT_REQ_NOTIFY, REQ(notify), RSP(hdr), NO_RESERVED, VMSECT_F_NOTIFY, false,
	  section_notify },
	{ VMSECT_REQ_HOLD, REQ(hold), RSP(hdr), NO_RESERVED, VMSECT_F_HOLD, false, section_hold },
	{ VMSECT_REQ_REMAP, REQ(range), RSP(value), NO_RESERVED, VMSECT_F_IN_PAGE_ERROR, false,
	  section_remap },
};

/* NULL: unknown, or behind a feature that the driver did not take. */
static const struct operation *operation_of(const struct section_dev *dev, uint32_t op)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		int feature = operations[i].feature;

		if (operations[i].op != op)
			continue;
		if (feature != NO_FEATURE && !(dev->features >> feature & 1))
			return NULL;
		return &operations[i];
	}
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
	return chain->readable_bytes == operation->request_bytes &&
	       (operation->is_list ? chain->writable_bytes >= operation->reply_bytes
				   : chain->writable_bytes == operation->reply_bytes);
}

/* The request is here and whole. */
static struct section_answer run(struct section_dev *dev, const struct operation *operation,
				 const union request *request, struct section_call *call)
{
	if (!is_clean(operation, request))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_RESERVED);
	memset(dev->reply, 0, dev->reply_room);
	call->request = request;
	call->reply = dev->reply;
	call->reply_room = dev->chain.writable_bytes;
	call->reply_bytes = operation->reply_bytes;
	return operation->run(dev, call);
}

static struct section_answer decode(struct section_dev *dev, const struct queue *queue,
				    struct section_call *call)
{
	const struct queue_chain *chain = &dev->chain;
	const struct operation *operation;
	union request request;
	size_t bytes = chain->readable_bytes;

	memset(&request, 0, sizeof(request));
	bytes = bytes < sizeof(request) ? bytes : sizeof(request);
	if (bytes < sizeof(request.hdr) || !queue_chain_read(queue, chain, request.bytes, bytes))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_FORMAT);
	operation = operation_of(dev, le32toh(request.hdr.op));
	if (!operation)
		return section_refuse(VMSECT_S_EOPNOTSUPP, VMSECT_D_NONE);
	if (!has_right_size(operation, chain))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_FORMAT);
	return run(dev, operation, &request, call);
}

/* An error is answered with the header alone. */
void section_ctl_answer(struct section_dev *dev, const struct queue_chain *chain,
			struct section_answer answer, uint32_t bytes)
{
	struct queue *queue = virtio_pci_queue(dev->transport, VMSECT_VQ_CONTROL);
	const struct vmsect_rsp_hdr hdr = {
		.status = htole32(answer.status),
		.detail = htole32(answer.detail),
	};

	dev->counters.refused += answer.status != VMSECT_S_OK;
	if (!queue)
		return; /* it broke meanwhile */
	if (answer.status != VMSECT_S_OK)
		bytes = sizeof(hdr);
	memcpy(dev->reply, &hdr, sizeof(hdr));
	/* Cannot fail: RAM and size were checked when the chain was taken. */
	(void)queue_chain_write(queue, chain, dev->reply, bytes);
	queue_push(queue, chain, bytes);
}

/* One request. */
static void handle(struct section_dev *dev, const struct queue *queue)
{
	struct section_call call = { 0 };
	struct section_answer answer = decode(dev, queue, &call);

	dev->counters.requests++;
	if (!call.is_pending)
		section_ctl_answer(dev, &dev->chain, answer, call.reply_bytes);
}

/* 1: one was handled; 0: none is there or the queue is dead. */
static int handle_next(struct section_dev *dev)
{
	struct queue *queue;
	int result;

	/* What the broker has said by now is true for the next request. */
	section_broker_take(dev);
	queue = virtio_pci_queue(dev->transport, VMSECT_VQ_CONTROL);
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
