/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See section_impl.h.  NOTIFY: the guest's wake-ups on their way to the broker.
 * A request that is on its way keeps its chain; the library tells with a ticket
 * how it ended, and the thread goes on meanwhile.
 *
 * A guest costs the broker no more than the bucket lets through: what is too
 * fast is answered here.  When the broker goes those on their way are answered
 * at once, so that nobody sleeps on them; the library may still send them to the
 * next one, and a wake-up too many does no harm.
 */
#include "dev/section_impl.h"

#include <endian.h>
#include <errno.h>

#include "base/token_bucket.h"
#include "virtio/virtio_pci.h"

#define RATE 20000u /* a second */
#define BURST 2000u

void section_notify_init(struct section_dev *dev)
{
	token_bucket_init(&dev->notify_bucket, RATE, BURST);
}

static struct section_notification *find_free(struct section_dev *dev)
{
	for (uint32_t i = 0; i < SECTION_NOTIFICATIONS_MAX; i++)
		if (!dev->notifications[i].is_used)
			return &dev->notifications[i];
	return NULL;
}

static struct section_answer refuse_rate(struct section_dev *dev)
{
	uint64_t dropped;

	dev->counters.notify_limited++;
	if (log_allowed(&dev->notify_limit, &dropped))
		log_warning("the guest notifies faster than the host allows");
	return section_refuse(VMSECT_S_EAGAIN, VMSECT_D_NONE);
}

struct section_answer section_notify(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_notify *request = call->request;
	struct section_notification *notification;
	struct section_answer answer;
	const struct section_handle *handle =
		section_handle_of(dev, le32toh(request->handle), &answer);
	uint64_t ticket = 0;

	if (!handle)
		return answer;
	if (!(vmsect_section_access(handle->section) & VMSECT_ACCESS_NOTIFY))
		return section_refuse(VMSECT_S_EPERM, VMSECT_D_NONE);
	if (dev->broker_gone)
		return section_refuse(VMSECT_S_EHOSTDOWN, VMSECT_D_NONE);
	notification = find_free(dev);
	if (!notification || !token_bucket_take(&dev->notify_bucket, token_bucket_now()))
		return refuse_rate(dev);
	answer = section_answer_of(dev,
				   vmsect_section_notify(handle->section, le32toh(request->peer),
							 le64toh(request->value), &ticket));
	/* Those of drivers before this one may still be on their way. */
	if (answer.status == VMSECT_S_EDQUOT)
		return refuse_rate(dev);
	if (answer.status != VMSECT_S_OK)
		return answer;
	notification->is_used = true;
	notification->ticket = ticket;
	notification->chain = dev->chain;
	call->is_pending = true;
	return answer;
}

static void finish(struct section_dev *dev, struct section_notification *notification,
		   struct section_answer answer)
{
	section_ctl_answer(dev, &notification->chain, answer, sizeof(struct vmsect_rsp_hdr));
	notification->is_used = false;
	virtio_pci_signal(dev->transport, VMSECT_VQ_CONTROL);
}

/* EAGAIN of a notification is the broker's own limit, not memory that is missing. */
static struct section_answer answer_of(struct section_dev *dev, int status)
{
	return status == -EAGAIN ? refuse_rate(dev) : section_answer_errno(status);
}

bool section_notify_done(struct section_dev *dev, uint64_t ticket, int status)
{
	for (uint32_t i = 0; i < SECTION_NOTIFICATIONS_MAX; i++) {
		struct section_notification *notification = &dev->notifications[i];

		if (!notification->is_used || notification->ticket != ticket)
			continue;
		finish(dev, notification, answer_of(dev, status));
		return true;
	}
	return false;
}

void section_notify_fail(struct section_dev *dev, struct section_answer answer)
{
	for (uint32_t i = 0; i < SECTION_NOTIFICATIONS_MAX; i++)
		if (dev->notifications[i].is_used)
			finish(dev, &dev->notifications[i], answer);
}

void section_notify_forget(struct section_dev *dev)
{
	for (uint32_t i = 0; i < SECTION_NOTIFICATIONS_MAX; i++)
		dev->notifications[i].is_used = false;
}
