/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See section_impl.h.  Requests that wait for a disk: their chains are kept,
 * the library tells with a ticket when they are done.
 *
 * A reset of the device forgets them.  Their tickets then find nothing, and
 * the memory of their chains, which is the guest's, is not written.
 */
#include "dev/section_impl.h"

#include <endian.h>
#include <errno.h>

#include "virtio/virtio_pci.h"

bool section_pending_has_room(const struct section_dev *dev)
{
	for (uint32_t i = 0; i < VMSECT_PENDING_MAX; i++)
		if (!dev->pending[i].is_used)
			return true;
	return false;
}

void section_pending_add(struct section_dev *dev, struct section_call *call, uint64_t ticket,
			 struct section_publish *publish)
{
	struct section_pending *pending = dev->pending;

	while (pending->is_used)
		pending++;
	pending->is_used = true;
	pending->ticket = ticket;
	pending->chain = dev->chain;
	pending->publish = publish;
	call->is_pending = true;
}

static void drop(struct section_dev *dev, struct section_pending *pending)
{
	section_publish_free(dev, pending->publish);
	pending->publish = NULL;
	pending->is_used = false;
}

static void finish(struct section_dev *dev, struct section_pending *pending,
		   struct section_answer answer)
{
	section_ctl_answer(dev, &pending->chain, answer, sizeof(struct vmsect_rsp_hdr));
	drop(dev, pending);
	virtio_pci_signal(dev->transport, VMSECT_VQ_CONTROL);
}

void section_pending_done(struct section_dev *dev, uint64_t ticket, int status)
{
	for (uint32_t i = 0; i < VMSECT_PENDING_MAX; i++) {
		struct section_pending *pending = &dev->pending[i];
		struct section_answer answer = section_answer_errno(status);

		if (!pending->is_used || pending->ticket != ticket)
			continue;
		if (pending->publish && status == 0)
			section_publish_done(dev, pending->publish);
		else if (!pending->publish && (status == -EIO || status == -ENOSPC))
			answer.detail = VMSECT_D_IO;
		finish(dev, pending, answer);
		return;
	}
}

void section_pending_fail(struct section_dev *dev, struct section_answer answer)
{
	for (uint32_t i = 0; i < VMSECT_PENDING_MAX; i++)
		if (dev->pending[i].is_used)
			finish(dev, &dev->pending[i], answer);
}

void section_pending_forget(struct section_dev *dev)
{
	for (uint32_t i = 0; i < VMSECT_PENDING_MAX; i++)
		if (dev->pending[i].is_used)
			drop(dev, &dev->pending[i]);
}

struct section_answer section_flush(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_flush *request = call->request;
	uint32_t durable = le32toh(request->flush_flags) & VMSECT_FLUSH_F_DURABLE;
	struct section_answer answer;
	struct window_range range;
	struct section_view *view;
	uint64_t ticket = 0;

	if (le32toh(request->flush_flags) & ~(uint32_t)VMSECT_FLUSH_F_DURABLE)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_RESERVED);
	view = section_view_of(dev, le32toh(request->view), &answer);
	if (!view)
		return answer;
	if (!section_view_range(view, le64toh(request->offset), le64toh(request->length), &range))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_RANGE);
	if (!section_pending_has_room(dev))
		return section_refuse(VMSECT_S_EDQUOT, VMSECT_D_PENDING);
	if (dev->broker_gone)
		return section_refuse(VMSECT_S_EHOSTDOWN, VMSECT_D_NONE);
	answer = section_answer_of(
		dev, vmsect_view_flush_start(view->registered, range.offset, range.bytes,
					     durable ? VMSECT_FLUSH_TO_DISK : 0, &ticket));
	if (answer.status == VMSECT_S_OK)
		section_pending_add(dev, call, ticket, NULL);
	return answer;
}
