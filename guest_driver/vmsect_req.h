/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control queue: its transport (vmsect_ctl.c) and the requests (vmsect_req.c).
 */
#ifndef VMSECT_REQ_H
#define VMSECT_REQ_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "vmsect_dev.h"
#include "vmsect_ioctl.h"
#include "vmsect_view.h"

struct virtqueue;

struct vmsect_ctl {
	spinlock_t lock; /* what follows */
	struct virtqueue *vq;
	struct list_head inflight; /* requests that the device holds */
	int error; /* why no more requests go out; 0 = they do */

	wait_queue_head_t room; /* woken when descriptors come back */
};

/* One request and its reply; the reply is a private copy, meaningful on success. */
struct vmsect_exchange {
	const void *req;
	u32 req_bytes;
	void *rsp;
	u32 rsp_bytes; /* room in it */
	u32 min_bytes; /* shortest good reply */
	u32 written; /* out */
	u32 detail; /* out: what an error or a good reply says beside its status */
	bool detached; /* not even a fatal signal ends the wait: somebody cleans up */
};

/* vmsect_ctl.c */
void vmsect_ctl_prepare(struct vmsect_ctl *ctl);
void vmsect_ctl_start(struct vmsect_ctl *ctl, struct virtqueue *vq);
void vmsect_ctl_used(struct vmsect_ctl *ctl);
/* vmsect_ctl_stop - every request, waiting or to come, ends with error */
void vmsect_ctl_stop(struct vmsect_ctl *ctl, int error);
/* vmsect_ctl_drain - after the reset: free what the device held */
void vmsect_ctl_drain(struct vmsect_ctl *ctl);
int vmsect_ctl_exchange(struct vmsect_ctl *ctl, struct vmsect_exchange *x);

/* A page of LIST: room for this many entries behind the header. */
#define VMSECT_LIST_ENTRIES 16
#define VMSECT_LIST_BYTES                                                                          \
	(sizeof(struct vmsect_rsp_list) + VMSECT_LIST_ENTRIES * sizeof(struct vmsect_attachment))
/* Likewise of DIFF. */
#define VMSECT_DIFF_RANGES 128
#define VMSECT_DIFF_BYTES                                                                          \
	(sizeof(struct vmsect_rsp_diff) + VMSECT_DIFF_RANGES * sizeof(struct vmsect_dev_range))

/*
 * vmsect_req.c: the requests.  They sleep; a fatal signal ends the wait with EINTR
 * (CLOSE, UNMAP and those whose result must not be lost: does not).  -errno as the
 * device's status says, EIO for a reply that makes no sense, ENODEV once the
 * device has gone.
 */
int vmsect_req_list(struct vmsect_ctl *ctl, u32 cursor, struct vmsect_rsp_list *ret_page);
int vmsect_req_open(struct vmsect_ctl *ctl, const struct vmsect_open *open,
		    struct vmsect_rsp_open *ret_rsp);
int vmsect_req_create(struct vmsect_ctl *ctl, const struct vmsect_create *create,
		      struct vmsect_rsp_open *ret_rsp, bool *ret_existed);
int vmsect_req_duplicate(struct vmsect_ctl *ctl, u32 handle, u32 access,
			 struct vmsect_rsp_open *ret_rsp);
int vmsect_req_close(struct vmsect_ctl *ctl, u32 handle);
int vmsect_req_map(struct vmsect_ctl *ctl, u32 handle, const struct vmsect_view_request *request,
		   struct vmsect_dev_view *ret_view);
int vmsect_req_unmap(struct vmsect_ctl *ctl, u32 view);
int vmsect_req_query_section(struct vmsect_ctl *ctl, u32 handle,
			     struct vmsect_dev_section *ret_section);
int vmsect_req_query_view(struct vmsect_ctl *ctl, u32 view, struct vmsect_dev_view *ret_view);
int vmsect_req_extend(struct vmsect_ctl *ctl, u32 handle, u64 size, u64 *ret_size);
int vmsect_req_notify(struct vmsect_ctl *ctl, u32 handle, const struct vmsect_notify *notify);
int vmsect_req_hold(struct vmsect_ctl *ctl);

/* PROTECT, COMMIT, RESET, REMAP of pages of a view; protection 0 where there is none. */
struct vmsect_req_pages {
	u32 op;
	u32 view;
	u32 protection;
	struct vmsect_pages pages;
};
int vmsect_req_range(struct vmsect_ctl *ctl, const struct vmsect_req_pages *what, u64 *ret_value);
int vmsect_req_query_pages(struct vmsect_ctl *ctl, u32 view, struct vmsect_page_run *run);
int vmsect_req_diff(struct vmsect_ctl *ctl, u32 view, u64 after, struct vmsect_rsp_diff *ret_rsp);
int vmsect_req_publish(struct vmsect_ctl *ctl, u32 view, u32 handle);
int vmsect_req_flush(struct vmsect_ctl *ctl, u32 view, const struct vmsect_pages *pages,
		     bool durable);

#endif
