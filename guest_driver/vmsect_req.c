// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The requests of the control queue, one function each: arguments to the device's
 * little-endian structures and back.  Stateless; any thread that may sleep.
 *
 * A reply is a private copy by now.  What it says is checked here as far as it
 * can be without knowing the object: counts against the bytes that were written.
 */
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "vmsect_req.h"

/* A request whose good reply has one size. */
static int req_send(struct vmsect_ctl *ctl, struct vmsect_exchange *x)
{
	x->min_bytes = x->rsp_bytes;
	return vmsect_ctl_exchange(ctl, x);
}

static int req_ask(struct vmsect_ctl *ctl, const void *req, u32 req_bytes, void *rsp, u32 rsp_bytes)
{
	struct vmsect_exchange x = {
		.req = req,
		.req_bytes = req_bytes,
		.rsp = rsp,
		.rsp_bytes = rsp_bytes,
	};

	return req_send(ctl, &x);
}

/* The same of one that makes something, or gives it back: the result must not be lost. */
static int req_ask_detached(struct vmsect_ctl *ctl, const void *req, u32 req_bytes, void *rsp,
			    u32 rsp_bytes)
{
	struct vmsect_exchange x = {
		.req = req,
		.req_bytes = req_bytes,
		.rsp = rsp,
		.rsp_bytes = rsp_bytes,
		.detached = true,
	};

	return req_send(ctl, &x);
}

int vmsect_req_list(struct vmsect_ctl *ctl, u32 cursor, struct vmsect_rsp_list *ret_page)
{
	struct vmsect_req_list req = {
		.hdr.op = cpu_to_le32(VMSECT_REQ_LIST),
		.cursor = cpu_to_le32(cursor),
	};
	struct vmsect_exchange x = {
		.req = &req,
		.req_bytes = sizeof(req),
		.rsp = ret_page,
		.rsp_bytes = VMSECT_LIST_BYTES,
		.min_bytes = sizeof(*ret_page),
	};
	u32 count;
	int err = vmsect_ctl_exchange(ctl, &x);

	if (err)
		return err;
	count = le32_to_cpu(ret_page->count);
	if (count > VMSECT_LIST_ENTRIES || x.written < struct_size(ret_page, entries, count))
		return -EIO;
	return 0;
}

int vmsect_req_open(struct vmsect_ctl *ctl, const struct vmsect_open *open,
		    struct vmsect_rsp_open *ret_rsp)
{
	struct vmsect_req_open req = {
		.hdr.op = cpu_to_le32(VMSECT_REQ_OPEN),
		.access = cpu_to_le32(open->access),
	};

	BUILD_BUG_ON(sizeof(req.name) != sizeof(open->name));
	memcpy(req.name, open->name, sizeof(req.name));
	return req_ask_detached(ctl, &req, sizeof(req), ret_rsp, sizeof(*ret_rsp));
}

int vmsect_req_create(struct vmsect_ctl *ctl, const struct vmsect_create *create,
		      struct vmsect_rsp_open *ret_rsp, bool *ret_existed)
{
	struct vmsect_req_create req = {
		.hdr.op = cpu_to_le32(VMSECT_REQ_CREATE),
		.size_bytes = cpu_to_le64(create->size_bytes),
		.max_bytes = cpu_to_le64(create->max_bytes),
		.backing = cpu_to_le32(create->backing),
		.protection = cpu_to_le32(create->protection),
		.create_flags = cpu_to_le32(create->flags),
		.access = cpu_to_le32(create->access),
		.mode = cpu_to_le32(create->mode),
		.page_shift = cpu_to_le32(create->page_shift),
	};
	struct vmsect_exchange x = {
		.req = &req,
		.req_bytes = sizeof(req),
		.rsp = ret_rsp,
		.rsp_bytes = sizeof(*ret_rsp),
		.detached = true,
	};
	int err;

	BUILD_BUG_ON(sizeof(req.name) != sizeof(create->name));
	memcpy(req.name, create->name, sizeof(req.name));
	err = req_send(ctl, &x);
	if (!err)
		*ret_existed = x.detail == VMSECT_D_EXISTED;
	return err;
}

int vmsect_req_duplicate(struct vmsect_ctl *ctl, u32 handle, u32 access,
			 struct vmsect_rsp_open *ret_rsp)
{
	struct vmsect_req_duplicate req = {
		.hdr.op = cpu_to_le32(VMSECT_REQ_DUPLICATE),
		.handle = cpu_to_le32(handle),
		.access = cpu_to_le32(access),
	};

	return req_ask_detached(ctl, &req, sizeof(req), ret_rsp, sizeof(*ret_rsp));
}

int vmsect_req_close(struct vmsect_ctl *ctl, u32 handle)
{
	struct vmsect_req_close req = {
		.hdr.op = cpu_to_le32(VMSECT_REQ_CLOSE),
		.handle = cpu_to_le32(handle),
	};
	struct vmsect_rsp_close rsp;

	return req_ask_detached(ctl, &req, sizeof(req), &rsp, sizeof(rsp));
}

int vmsect_req_map(struct vmsect_ctl *ctl, u32 handle, const struct vmsect_view_request *request,
		   struct vmsect_dev_view *ret_view)
{
	struct vmsect_req_map req = {
		.hdr.op = cpu_to_le32(VMSECT_REQ_MAP),
		.handle = cpu_to_le32(handle),
		.protection = cpu_to_le32(request->protection),
		.offset = cpu_to_le64(request->offset),
		.length = cpu_to_le64(request->length),
		.window_offset = cpu_to_le64(VMSECT_WINDOW_ANY),
		.room = cpu_to_le64(request->room),
		.commit = cpu_to_le64(request->commit),
		.map_flags = cpu_to_le32(request->flags),
	};
	struct vmsect_rsp_map rsp;
	int err = req_ask_detached(ctl, &req, sizeof(req), &rsp, sizeof(rsp));

	if (!err)
		*ret_view = rsp.view;
	return err;
}

int vmsect_req_unmap(struct vmsect_ctl *ctl, u32 view)
{
	struct vmsect_req_unmap req = {
		.hdr.op = cpu_to_le32(VMSECT_REQ_UNMAP),
		.view = cpu_to_le32(view),
	};
	struct vmsect_rsp_unmap rsp;

	return req_ask_detached(ctl, &req, sizeof(req), &rsp, sizeof(rsp));
}

int vmsect_req_query_section(struct vmsect_ctl *ctl, u32 handle,
			     struct vmsect_dev_section *ret_section)
{
	struct vmsect_req_query_section req = {
		.hdr.op = cpu_to_le32(VMSECT_REQ_QUERY_SECTION),
		.handle = cpu_to_le32(handle),
	};
	struct vmsect_rsp_query_section rsp;
	int err = req_ask(ctl, &req, sizeof(req), &rsp, sizeof(rsp));

	if (!err)
		*ret_section = rsp.section;
	return err;
}

int vmsect_req_query_view(struct vmsect_ctl *ctl, u32 view, struct vmsect_dev_view *ret_view)
{
	struct vmsect_req_query_view req = {
		.hdr.op = cpu_to_le32(VMSECT_REQ_QUERY_VIEW),
		.view = cpu_to_le32(view),
	};
	struct vmsect_rsp_query_view rsp;
	int err = req_ask(ctl, &req, sizeof(req), &rsp, sizeof(rsp));

	if (!err)
		*ret_view = rsp.view;
	return err;
}

int vmsect_req_extend(struct vmsect_ctl *ctl, u32 handle, u64 size, u64 *ret_size)
{
	struct vmsect_req_extend req = {
		.hdr.op = cpu_to_le32(VMSECT_REQ_EXTEND),
		.handle = cpu_to_le32(handle),
		.size_bytes = cpu_to_le64(size),
	};
	struct vmsect_rsp_value rsp;
	int err = req_ask(ctl, &req, sizeof(req), &rsp, sizeof(rsp));

	if (!err)
		*ret_size = le64_to_cpu(rsp.value);
	return err;
}

int vmsect_req_notify(struct vmsect_ctl *ctl, u32 handle, const struct vmsect_notify *notify)
{
	struct vmsect_req_notify req = {
		.hdr.op = cpu_to_le32(VMSECT_REQ_NOTIFY),
		.handle = cpu_to_le32(handle),
		.peer = cpu_to_le32(notify->peer),
		.value = cpu_to_le64(notify->value),
	};
	struct vmsect_rsp_hdr rsp;

	return req_ask(ctl, &req, sizeof(req), &rsp, sizeof(rsp));
}

int vmsect_req_hold(struct vmsect_ctl *ctl)
{
	struct vmsect_req_hold req = {
		.hdr.op = cpu_to_le32(VMSECT_REQ_HOLD),
	};
	struct vmsect_rsp_hdr rsp;

	return req_ask(ctl, &req, sizeof(req), &rsp, sizeof(rsp));
}

static __le64 pages_offset(const struct vmsect_pages *pages)
{
	return cpu_to_le64((u64)pages->first << PAGE_SHIFT);
}

static __le64 pages_length(const struct vmsect_pages *pages)
{
	return cpu_to_le64((u64)(pages->end - pages->first) << PAGE_SHIFT);
}

int vmsect_req_range(struct vmsect_ctl *ctl, const struct vmsect_req_pages *what, u64 *ret_value)
{
	struct vmsect_req_range req = {
		.hdr.op = cpu_to_le32(what->op),
		.view = cpu_to_le32(what->view),
		.protection = cpu_to_le32(what->protection),
		.offset = pages_offset(&what->pages),
		.length = pages_length(&what->pages),
	};
	struct vmsect_rsp_value rsp;
	struct vmsect_exchange x = {
		.req = &req,
		.req_bytes = sizeof(req),
		.rsp = &rsp,
		.rsp_bytes = sizeof(rsp),
		/* What the pages are must be known in the end. */
		.detached = what->op == VMSECT_REQ_PROTECT,
	};
	int err = req_send(ctl, &x);

	if (!err)
		*ret_value = le64_to_cpu(rsp.value);
	return err;
}

int vmsect_req_query_pages(struct vmsect_ctl *ctl, u32 view, struct vmsect_page_run *run)
{
	struct vmsect_req_range req = {
		.hdr.op = cpu_to_le32(VMSECT_REQ_QUERY_PAGES),
		.view = cpu_to_le32(view),
		.offset = cpu_to_le64(run->offset),
	};
	struct vmsect_rsp_query_pages rsp;
	int err = req_ask(ctl, &req, sizeof(req), &rsp, sizeof(rsp));

	if (err)
		return err;
	run->offset = le64_to_cpu(rsp.offset);
	run->length = le64_to_cpu(rsp.length);
	run->protection = le32_to_cpu(rsp.protection);
	run->flags = le32_to_cpu(rsp.pages);
	return 0;
}

/* @ret_rsp has room for VMSECT_DIFF_BYTES. */
int vmsect_req_diff(struct vmsect_ctl *ctl, u32 view, u64 after, struct vmsect_rsp_diff *ret_rsp)
{
	struct vmsect_req_diff req = {
		.hdr.op = cpu_to_le32(VMSECT_REQ_DIFF),
		.view = cpu_to_le32(view),
		.after = cpu_to_le64(after),
	};
	struct vmsect_exchange x = {
		.req = &req,
		.req_bytes = sizeof(req),
		.rsp = ret_rsp,
		.rsp_bytes = VMSECT_DIFF_BYTES,
		.min_bytes = sizeof(*ret_rsp),
	};
	u32 count;
	int err = vmsect_ctl_exchange(ctl, &x);

	if (err)
		return err;
	count = le32_to_cpu(ret_rsp->count);
	if (count > VMSECT_DIFF_RANGES || x.written < struct_size(ret_rsp, ranges, count))
		return -EIO;
	return 0;
}

int vmsect_req_publish(struct vmsect_ctl *ctl, u32 view, u32 handle)
{
	struct vmsect_req_publish req = {
		.hdr.op = cpu_to_le32(VMSECT_REQ_PUBLISH),
		.view = cpu_to_le32(view),
		.handle = cpu_to_le32(handle),
	};
	struct vmsect_rsp_hdr rsp;

	/* The view stays closed until it is done: nobody must open it before. */
	return req_ask_detached(ctl, &req, sizeof(req), &rsp, sizeof(rsp));
}

int vmsect_req_flush(struct vmsect_ctl *ctl, u32 view, const struct vmsect_pages *pages,
		     bool durable)
{
	struct vmsect_req_flush req = {
		.hdr.op = cpu_to_le32(VMSECT_REQ_FLUSH),
		.view = cpu_to_le32(view),
		.flush_flags = cpu_to_le32(durable ? VMSECT_FLUSH_F_DURABLE : 0),
		.offset = pages_offset(pages),
		.length = pages_length(pages),
	};
	struct vmsect_rsp_hdr rsp;

	return req_ask(ctl, &req, sizeof(req), &rsp, sizeof(rsp));
}
