/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a view is: its numbers, its protections, its pages; and what a VMM says
 * of one that it maps itself.
 */
#include <errno.h>

#include "lib/view.h"

enum mapping_mode protection_mode(enum vmsect_protection protection)
{
	switch (protection) {
	case VMSECT_PROT_READONLY:
	case VMSECT_PROT_EXECUTE: /* the processor has no pages that execute and do not read */
	case VMSECT_PROT_EXECUTE_READ:
		return MAPPING_READ;
	case VMSECT_PROT_READWRITE:
	case VMSECT_PROT_EXECUTE_READWRITE:
		return MAPPING_WRITE;
	case VMSECT_PROT_WRITECOPY:
	case VMSECT_PROT_EXECUTE_WRITECOPY:
		return MAPPING_COPY;
	default:
		return MAPPING_NONE;
	}
}

bool protection_is_legal(enum vmsect_protection protection)
{
	return protection >= VMSECT_PROT_NOACCESS && protection <= VMSECT_PROT_EXECUTE_WRITECOPY;
}

bool protection_executes(enum vmsect_protection protection)
{
	return protection >= VMSECT_PROT_EXECUTE;
}

int view_check(struct vmsect_view *view)
{
	int r = object_check(&view->object);

	if (r < 0)
		return r;
	if (!view->is_mapped)
		return client_fail(view->object.client, -EINVAL, VMSECT_DETAIL_STATE,
				   "the view is registered: who maps it looks after its pages");
	return 0;
}

int view_round(struct vmsect_view *view, uint64_t *offset, uint64_t *length)
{
	uint64_t end;

	if (*offset >= view->length || *length > view->length - *offset)
		return client_fail(view->object.client, -EINVAL, VMSECT_DETAIL_RANGE,
				   "the range is not within the view's %llu bytes",
				   (unsigned long long)view->length);
	/* The view's length is whole pages: rounding stays within it. */
	end = *length ? (*offset + *length + view->page - 1) & ~(view->page - 1) : view->length;
	*offset &= ~(view->page - 1);
	*length = end - *offset;
	return 0;
}

enum vmsect_protection view_protection(const struct mapping_run *run, bool is_private)
{
	if (is_private && run->tag == VMSECT_PROT_WRITECOPY)
		return VMSECT_PROT_READWRITE;
	if (is_private && run->tag == VMSECT_PROT_EXECUTE_WRITECOPY)
		return VMSECT_PROT_EXECUTE_READWRITE;
	return (enum vmsect_protection)run->tag;
}

int view_private_run(const struct vmsect_view *view, uint64_t offset, uint64_t length,
		     bool *ret_private, uint64_t *ret_length)
{
	uint64_t found = 0, found_length = 0;
	int r = mapping_next_private(&view->mapping, offset, &found, &found_length);

	if (r < 0)
		return r;
	*ret_private = r && found <= offset;
	if (*ret_private)
		found = offset + found_length;
	*ret_length = r && found - offset < length ? found - offset : length;
	return 0;
}

int view_fail(struct vmsect_view *view, int r, const char *what)
{
	if (r == -E2BIG)
		return client_fail(view->object.client, -EDQUOT, VMSECT_DETAIL_LIMIT,
				   "cannot %s: it would have more than %u ranges that differ", what,
				   MAPPING_RUNS_MAX);
	return client_fail(view->object.client, r, VMSECT_DETAIL_NONE, "cannot %s: %s", what,
			   error_words(r));
}

void *vmsect_view_address(const struct vmsect_view *view)
{
	return view->address;
}

uint64_t vmsect_view_length(const struct vmsect_view *view)
{
	return view->length;
}

uint64_t vmsect_view_id(const struct vmsect_view *view)
{
	return view->object.id;
}

int vmsect_view_report(struct vmsect_view *view, uint64_t denied_writes, uint64_t private_pages)
{
	struct vmsect_req_view_stats stats = {
		.view = view->object.id,
		.denied_writes = denied_writes,
		.private_pages = private_pages,
	};
	struct client_request request = { VMSECT_OP_VIEW_STATS, &stats.hdr, sizeof(stats), NULL,
					  0 };

	return client_call_simple_on(&view->object, &request);
}

int vmsect_view_revoked(struct vmsect_view *view)
{
	struct vmsect_req_unmap revoked = { .view = view->object.id };
	struct client_request request = { VMSECT_OP_REVOKED, &revoked.hdr, sizeof(revoked), NULL,
					  0 };
	int r;

	if (view->address)
		return client_fail(view->object.client, -EINVAL, VMSECT_DETAIL_STATE,
				   "the view is mapped here: the library takes it away itself");
	r = client_call_simple_on(&view->object, &request);
	/* Only then is there nothing to tell the broker of it any more. */
	if (!r)
		view->object.state = OBJECT_REVOKED;
	return r;
}

/* Narrows the run of like pages to those that are lost, or not, as its first is. */
static void query_lost(const struct vmsect_view *view, struct vmsect_view_pages *pages)
{
	const struct mapping *mapping = &view->mapping;
	size_t i;

	for (i = 0; i < mapping->lost_count; i++) {
		const struct mapping_run *lost = &mapping->lost[i];
		uint64_t end = lost->offset + lost->length;

		if (end <= pages->offset)
			continue;
		pages->is_lost = lost->offset <= pages->offset;
		if (!pages->is_lost)
			end = lost->offset;
		if (end - pages->offset < pages->length)
			pages->length = end - pages->offset;
		return;
	}
}

int vmsect_view_query(struct vmsect_view *view, uint64_t offset,
		      struct vmsect_view_pages *ret_pages)
{
	struct vmsect_view_pages pages = { .map_protection = view->protection };
	struct mapping_run run;
	uint64_t length = 0;
	bool flag;
	int r;

	r = view_check(view);
	if (!r)
		r = view_round(view, &offset, &length);
	if (r < 0)
		return r;
	run = mapping_run_at(&view->mapping, offset);
	pages.offset = offset;
	pages.length = run.offset + run.length - offset;
	query_lost(view, &pages);
	r = view_private_run(view, offset, pages.length, &flag, &pages.length);
	if (r < 0)
		return view_fail(view, r, "look at the view's pages");
	pages.is_private = flag;
	pages.protection = view_protection(&run, flag);
	pages.length = mapping_commit_run(&view->mapping, offset, pages.length, &flag);
	pages.is_committed = flag;
	*ret_pages = pages;
	return 0;
}
