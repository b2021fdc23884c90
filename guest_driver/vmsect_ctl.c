// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control queue: requests and their replies.
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

static int ctl_send(struct vmsect_ctl *ctl, struct vmsect_request *r)
{
	int sent = 0;
	int err = wait_event_killable(ctl->room, (sent = ctl_try_send(ctl, r)) != 0);

	if (err)
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
static int reply_check(const struct vmsect_request *r, const void *rsp, u32 min_bytes)
{
	const struct vmsect_rsp_hdr *hdr = rsp;

	if (r->written < sizeof(*hdr) || r->written > r->rsp_bytes)
		return -EIO;
	if (hdr->status != cpu_to_le32(VMSECT_S_OK))
		return status_to_errno(le32_to_cpu(hdr->status));
	return r->written < min_bytes ? -EIO : 0;
}

struct exchange {
	const void *req;
	u32 req_bytes;
	void *rsp; /* private copy of the reply, meaningful on success */
	u32 rsp_bytes; /* room in it */
	u32 min_bytes; /* shortest good reply */
	u32 written; /* out */
};

static int ctl_exchange(struct vmsect_ctl *ctl, struct exchange *x)
{
	struct vmsect_request *r = request_new(x->req, x->req_bytes, x->rsp_bytes);
	int err;

	if (!r)
		return -ENOMEM;
	err = ctl_send(ctl, r);
	if (err)
		goto out;
	if (wait_for_completion_killable(&r->done)) {
		err = -EINTR;
		goto out;
	}
	err = r->result;
	if (err)
		goto out;
	memcpy(x->rsp, r->rsp, x->rsp_bytes);
	x->written = r->written;
	err = reply_check(r, x->rsp, x->min_bytes);
out:
	request_put(r);
	return err;
}

int vmsect_ctl_list(struct vmsect_ctl *ctl, u32 cursor, struct vmsect_rsp_list *ret_page)
{
	struct vmsect_req_list req = {
		.hdr.op = cpu_to_le32(VMSECT_REQ_LIST),
		.cursor = cpu_to_le32(cursor),
	};
	struct exchange x = {
		.req = &req,
		.req_bytes = sizeof(req),
		.rsp = ret_page,
		.rsp_bytes = VMSECT_LIST_BYTES,
		.min_bytes = sizeof(*ret_page),
	};
	u32 count;
	int err = ctl_exchange(ctl, &x);

	if (err)
		return err;
	count = le32_to_cpu(ret_page->count);
	if (count > VMSECT_LIST_ENTRIES || x.written < struct_size(ret_page, entries, count))
		return -EIO;
	return 0;
}

/* A request whose good reply has one size. */
static int ctl_ask(struct vmsect_ctl *ctl, const void *req, u32 req_bytes, void *rsp, u32 rsp_bytes)
{
	struct exchange x = {
		.req = req,
		.req_bytes = req_bytes,
		.rsp = rsp,
		.rsp_bytes = rsp_bytes,
		.min_bytes = rsp_bytes,
	};

	return ctl_exchange(ctl, &x);
}

int vmsect_ctl_query_section(struct vmsect_ctl *ctl, u32 handle,
			     struct vmsect_dev_section *ret_section)
{
	struct vmsect_req_query_section req = {
		.hdr.op = cpu_to_le32(VMSECT_REQ_QUERY_SECTION),
		.handle = cpu_to_le32(handle),
	};
	struct vmsect_rsp_query_section rsp;
	int err = ctl_ask(ctl, &req, sizeof(req), &rsp, sizeof(rsp));

	if (!err)
		*ret_section = rsp.section;
	return err;
}

int vmsect_ctl_query_view(struct vmsect_ctl *ctl, u32 view, struct vmsect_dev_view *ret_view)
{
	struct vmsect_req_query_view req = {
		.hdr.op = cpu_to_le32(VMSECT_REQ_QUERY_VIEW),
		.view = cpu_to_le32(view),
	};
	struct vmsect_rsp_query_view rsp;
	int err = ctl_ask(ctl, &req, sizeof(req), &rsp, sizeof(rsp));

	if (!err)
		*ret_view = rsp.view;
	return err;
}

int vmsect_ctl_range(struct vmsect_ctl *ctl, u32 op, u32 view, const struct vmsect_pages *pages,
		     u64 *ret_value)
{
	struct vmsect_req_range req = {
		.hdr.op = cpu_to_le32(op),
		.view = cpu_to_le32(view),
		.offset = cpu_to_le64((u64)pages->first << PAGE_SHIFT),
		.length = cpu_to_le64((u64)(pages->end - pages->first) << PAGE_SHIFT),
	};
	struct vmsect_rsp_value rsp;
	int err = ctl_ask(ctl, &req, sizeof(req), &rsp, sizeof(rsp));

	if (!err)
		*ret_value = le64_to_cpu(rsp.value);
	return err;
}

int vmsect_ctl_flush(struct vmsect_ctl *ctl, u32 view, const struct vmsect_pages *pages)
{
	struct vmsect_req_flush req = {
		.hdr.op = cpu_to_le32(VMSECT_REQ_FLUSH),
		.view = cpu_to_le32(view),
		.flush_flags = cpu_to_le32(VMSECT_FLUSH_F_DURABLE),
		.offset = cpu_to_le64((u64)pages->first << PAGE_SHIFT),
		.length = cpu_to_le64((u64)(pages->end - pages->first) << PAGE_SHIFT),
	};
	struct vmsect_rsp_hdr rsp;

	return ctl_ask(ctl, &req, sizeof(req), &rsp, sizeof(rsp));
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

void vmsect_ctl_init(struct vmsect_ctl *ctl, struct virtqueue *vq)
{
	spin_lock_init(&ctl->lock);
	INIT_LIST_HEAD(&ctl->inflight);
	init_waitqueue_head(&ctl->room);
	ctl->error = 0;
	ctl->vq = vq;
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
