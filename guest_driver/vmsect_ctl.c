// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control queue: the transport of requests and their replies.
 *
 * A request is made by its caller, lent to the device and completed by the
 * queue's interrupt, by vmsect_ctl_stop(), or by nobody: a caller that is
 * killed leaves it behind.  Caller and device therefore each hold a reference,
 * and its buffers live until the device gives them back or is reset.  Several
 * are in flight at a time; when the ring is full, callers wait for room.
 *
 * States of a request: new, in flight (on ctl->inflight, the device may write
 * to its reply), done.  ctl->lock, which the interrupt takes, guards the list,
 * the queue and request.result.
 *
 * The reply is copied out of the device's reach once and checked afterwards.
 */
#include <linux/kref.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "vmsect_core.h"
#include "vmsect_trace.h"

struct vmsect_request {
	struct kref ref;
	struct list_head entry;
	struct completion done;
	int result; /* valid when done */
	u32 written; /* bytes of the reply that the device claims */
	u32 req_bytes;
	u32 rsp_bytes;
	void *req; /* the two buffers are allocations of their own: DMA */
	void *rsp;
};

static void request_free(struct kref *ref)
{
	struct vmsect_request *r = container_of(ref, struct vmsect_request, ref);

	kfree(r->req);
	kfree(r->rsp);
	kfree(r);
}

static void request_put(struct vmsect_request *r)
{
	kref_put(&r->ref, request_free);
}

static struct vmsect_request *request_new(const void *req, u32 req_bytes, u32 rsp_bytes)
{
	struct vmsect_request *r = kzalloc(sizeof(*r), GFP_KERNEL);

	if (!r)
		return NULL;
	kref_init(&r->ref);
	INIT_LIST_HEAD(&r->entry);
	init_completion(&r->done);
	r->req_bytes = req_bytes;
	r->rsp_bytes = rsp_bytes;
	r->req = kmemdup(req, req_bytes, GFP_KERNEL);
	r->rsp = kzalloc(rsp_bytes, GFP_KERNEL);
	if (r->req && r->rsp)
		return r;
	request_put(r);
	return NULL;
}

/* Takes a request off the list; its waiter goes on.  The device's reference stays. */
static void request_finish(struct vmsect_ctl *ctl, struct vmsect_request *r, int result)
{
	lockdep_assert_held(&ctl->lock);
	if (list_empty(&r->entry))
		return;
	list_del_init(&r->entry);
	r->result = result;
	complete(&r->done);
}

/* 1: sent, 0: no room now, else -errno. */
static int ctl_try_send(struct vmsect_ctl *ctl, struct vmsect_request *r)
{
	struct scatterlist out, in, *sgs[] = { &out, &in };
	unsigned long flags;
	bool kick = false;
	int err;

	sg_init_one(&out, r->req, r->req_bytes);
	sg_init_one(&in, r->rsp, r->rsp_bytes);
	spin_lock_irqsave(&ctl->lock, flags);
	err = ctl->error;
	if (!err)
		err = virtqueue_add_sgs(ctl->vq, sgs, 1, 1, r, GFP_ATOMIC);
	if (!err) {
		kref_get(&r->ref);
		list_add_tail(&r->entry, &ctl->inflight);
		kick = virtqueue_kick_prepare(ctl->vq);
	}
	/* Under the lock, as the queue may be gone after vmsect_ctl_stop(). */
	if (kick)
		virtqueue_notify(ctl->vq);
	spin_unlock_irqrestore(&ctl->lock, flags);
	if (!err)
		return 1;
	return err == -ENOSPC ? 0 : err;
}

static int ctl_send(struct vmsect_ctl *ctl, struct vmsect_request *r, bool detached)
{
	int sent = 0;

	if (detached)
		wait_event(ctl->room, (sent = ctl_try_send(ctl, r)) != 0);
	else if (wait_event_killable(ctl->room, (sent = ctl_try_send(ctl, r)) != 0))
		return -EINTR;
	return sent < 0 ? sent : 0;
}

/* Statuses are the numbers of asm-generic/errno.h, which not every architecture uses. */
static int status_to_errno(u32 status)
{
	switch (status) {
	case VMSECT_S_OK:
		return 0;
	case VMSECT_S_EPERM:
		return -EPERM;
	case VMSECT_S_ENOENT:
		return -ENOENT;
	case VMSECT_S_EIO:
		return -EIO;
	case VMSECT_S_ENXIO:
		return -ENXIO;
	case VMSECT_S_EBADF:
		return -EBADF;
	case VMSECT_S_EAGAIN:
		return -EAGAIN;
	case VMSECT_S_ENOMEM:
		return -ENOMEM;
	case VMSECT_S_EACCES:
		return -EACCES;
	case VMSECT_S_EBUSY:
		return -EBUSY;
	case VMSECT_S_EEXIST:
		return -EEXIST;
	case VMSECT_S_EINVAL:
		return -EINVAL;
	case VMSECT_S_EFBIG:
		return -EFBIG;
	case VMSECT_S_ENOSPC:
		return -ENOSPC;
	case VMSECT_S_EOPNOTSUPP:
		return -EOPNOTSUPP;
	case VMSECT_S_EHOSTDOWN:
		return -EHOSTDOWN;
	case VMSECT_S_EDQUOT:
		return -EDQUOT;
	default:
		return -EIO;
	}
}

/* A reply: at least its header; beyond it, all that the caller asked for. */
static int reply_check(const struct vmsect_request *r, struct vmsect_exchange *x)
{
	const struct vmsect_rsp_hdr *hdr = x->rsp;

	if (r->written < sizeof(*hdr) || r->written > r->rsp_bytes)
		return -EIO;
	x->written = r->written;
	x->detail = le32_to_cpu(hdr->detail);
	if (hdr->status != cpu_to_le32(VMSECT_S_OK))
		return status_to_errno(le32_to_cpu(hdr->status));
	return r->written < x->min_bytes ? -EIO : 0;
}

static int request_wait(struct vmsect_request *r, bool detached)
{
	if (detached)
		wait_for_completion(&r->done);
	else if (wait_for_completion_killable(&r->done))
		return -EINTR;
	return r->result;
}

/**
 * vmsect_ctl_exchange - send a request and wait for its reply
 * @ctl: the queue
 * @x: request, room for the reply; filled in on success
 *
 * Sleeps.  Return: 0; -errno of the reply's status; -EIO for a reply that makes
 * no sense; -EINTR for a fatal signal; -ENOMEM; why the queue was stopped.
 */
int vmsect_ctl_exchange(struct vmsect_ctl *ctl, struct vmsect_exchange *x)
{
	struct vmsect_request *r = request_new(x->req, x->req_bytes, x->rsp_bytes);
	int err;

	if (!r)
		return -ENOMEM;
	err = ctl_send(ctl, r, x->detached);
	if (!err)
		err = request_wait(r, x->detached);
	if (!err) {
		memcpy(x->rsp, r->rsp, x->rsp_bytes);
		err = reply_check(r, x);
	}
	trace_vmsect_request(x->req, err);
	request_put(r);
	return err;
}

/* The queue's interrupt. */
void vmsect_ctl_used(struct vmsect_ctl *ctl)
{
	struct vmsect_request *r;
	unsigned long flags;
	u32 written;

	spin_lock_irqsave(&ctl->lock, flags);
	do {
		virtqueue_disable_cb(ctl->vq);
		while ((r = virtqueue_get_buf(ctl->vq, &written))) {
			r->written = written;
			request_finish(ctl, r, 0);
			request_put(r);
		}
	} while (!virtqueue_enable_cb(ctl->vq));
	spin_unlock_irqrestore(&ctl->lock, flags);
	wake_up_all(&ctl->room);
}

/* Once; until vmsect_ctl_start() requests give -ENODEV. */
void vmsect_ctl_prepare(struct vmsect_ctl *ctl)
{
	spin_lock_init(&ctl->lock);
	INIT_LIST_HEAD(&ctl->inflight);
	init_waitqueue_head(&ctl->room);
	ctl->error = -ENODEV;
}

void vmsect_ctl_start(struct vmsect_ctl *ctl, struct virtqueue *vq)
{
	spin_lock_irq(&ctl->lock);
	ctl->vq = vq;
	ctl->error = 0;
	spin_unlock_irq(&ctl->lock);
}

void vmsect_ctl_stop(struct vmsect_ctl *ctl, int error)
{
	struct vmsect_request *r;
	unsigned long flags;

	spin_lock_irqsave(&ctl->lock, flags);
	ctl->error = error;
	while ((r = list_first_entry_or_null(&ctl->inflight, struct vmsect_request, entry)))
		request_finish(ctl, r, error);
	spin_unlock_irqrestore(&ctl->lock, flags);
	wake_up_all(&ctl->room);
}

void vmsect_ctl_drain(struct vmsect_ctl *ctl)
{
	struct vmsect_request *r;

	while ((r = virtqueue_detach_unused_buf(ctl->vq)))
		request_put(r);
}
