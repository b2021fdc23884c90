/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tracepoints (events/vmsect): what a developer would otherwise print.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vmsect

#if !defined(VMSECT_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VMSECT_TRACE_H

#include <linux/mm.h>
#include <linux/tracepoint.h>

#include "vmsect_core.h"

/* The form of every tracepoint in the kernel. */
/* clang-format off */

/* A request of the control queue has ended. */
TRACE_EVENT(vmsect_request,
	TP_PROTO(const struct vmsect_req_hdr *req, int err),
	TP_ARGS(req, err),
	TP_STRUCT__entry(
		__field(u32, op)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->op = le32_to_cpu(req->op);
		__entry->err = err;
	),
	TP_printk("op=%u err=%d", __entry->op, __entry->err)
);

/* An event of the device, as it came. */
TRACE_EVENT(vmsect_event,
	TP_PROTO(const struct vmsect_dev_event *ev),
	TP_ARGS(ev),
	TP_STRUCT__entry(
		__field(u32, type)
		__field(u32, flags)
		__field(u32, peer)
		__field(u32, view)
		__field(u64, section_id)
		__field(u64, value)
	),
	TP_fast_assign(
		__entry->type = le32_to_cpu(ev->type);
		__entry->flags = le32_to_cpu(ev->flags);
		__entry->peer = le32_to_cpu(ev->peer);
		__entry->view = le32_to_cpu(ev->view);
		__entry->section_id = le64_to_cpu(ev->section_id);
		__entry->value = le64_to_cpu(ev->value);
	),
	TP_printk("type=%u flags=%#x section=%llu peer=%u view=%u value=%llu", __entry->type,
		  __entry->flags, __entry->section_id, __entry->peer, __entry->view,
		  __entry->value)
);

/* A view enters a state: live, taken, gone, given back. */
TRACE_EVENT(vmsect_view,
	TP_PROTO(const struct vmsect_view *view, const char *state),
	TP_ARGS(view, state),
	TP_STRUCT__entry(
		__field(u32, view)
		__field(u64, section_id)
		__field(u64, start)
		__field(unsigned long, pages)
		__field(const char *, state)
	),
	TP_fast_assign(
		__entry->view = view->id;
		__entry->section_id = view->handle->section_id;
		__entry->start = view->start;
		__entry->pages = view->pages;
		__entry->state = state;
	),
	TP_printk("view=%u section=%llu start=%#llx pages=%lu %s", __entry->view,
		  __entry->section_id, __entry->start, __entry->pages, __entry->state)
);

/* Pages of a view were lost. */
TRACE_EVENT(vmsect_lost,
	TP_PROTO(const struct vmsect_view *view, unsigned long first, unsigned long end),
	TP_ARGS(view, first, end),
	TP_STRUCT__entry(
		__field(u32, view)
		__field(unsigned long, first)
		__field(unsigned long, end)
	),
	TP_fast_assign(
		__entry->view = view->id;
		__entry->first = first;
		__entry->end = end;
	),
	TP_printk("view=%u pages=[%lu, %lu)", __entry->view, __entry->first, __entry->end)
);

/* A fault on a view was answered. */
TRACE_EVENT(vmsect_fault,
	TP_PROTO(const struct vmsect_view *view, const struct vm_fault *vmf, unsigned int shift,
		 vm_fault_t ret),
	TP_ARGS(view, vmf, shift, ret),
	TP_STRUCT__entry(
		__field(u32, view)
		__field(unsigned long, address)
		__field(unsigned long, pgoff)
		__field(unsigned int, flags)
		__field(unsigned int, shift)
		__field(unsigned int, ret)
	),
	TP_fast_assign(
		__entry->view = view->id;
		__entry->address = vmf->address;
		__entry->pgoff = vmf->pgoff;
		__entry->flags = vmf->flags;
		__entry->shift = shift;
		__entry->ret = (__force unsigned int)ret;
	),
	TP_printk("view=%u address=%#lx page=%lu flags=%#x shift=%u ret=%#x", __entry->view,
		  __entry->address, __entry->pgoff, __entry->flags, __entry->shift, __entry->ret)
);

/* clang-format on */

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE vmsect_trace
#include <trace/define_trace.h>
