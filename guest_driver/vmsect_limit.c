// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Protections of the pages of a view, as PROTECT has made them: what a fault may
 * hand out.  The host enforces them below the guest; this is for the signal.
 *
 * A page without an entry has the base protection, so that a view whose pages
 * are all alike, as nearly every one, costs nothing.  Entries are single pages:
 * a tree of ranges would have to be split and joined by hand on old kernels, and
 * eight bytes are little beside the struct page of the same page.
 *
 * Owned by its view.  Changed only inside a change (view.change_lock, the pages
 * closed); read by faults and copies, in vmsect_srcu.
 */
#include <linux/sched.h>

#include "vmsect_view.h"

void vmsect_limits_init(struct vmsect_limits *limits, u32 protection)
{
	limits->base = protection;
	xa_init(&limits->pages);
}

void vmsect_limits_free(struct vmsect_limits *limits)
{
	xa_destroy(&limits->pages);
}

u32 vmsect_limits_get(struct vmsect_limits *limits, unsigned long page)
{
	void *entry;

	if (likely(xa_empty(&limits->pages)))
		return READ_ONCE(limits->base);
	entry = xa_load(&limits->pages, page);
	return entry ? xa_to_value(entry) : READ_ONCE(limits->base);
}

/* Whether no page of a range has a protection of its own. */
bool vmsect_limits_uniform(struct vmsect_limits *limits, const struct vmsect_pages *pages)
{
	unsigned long index = pages->first;

	if (likely(xa_empty(&limits->pages)))
		return true;
	return !xa_find(&limits->pages, &index, pages->end - 1, XA_PRESENT);
}

/**
 * vmsect_limits_reserve - memory for a change, so that it cannot fail half-way
 * @limits: the view's
 * @pages: not empty
 *
 * Return: 0, or -ENOMEM with nothing changed.
 */
int vmsect_limits_reserve(struct vmsect_limits *limits, const struct vmsect_pages *pages)
{
	struct vmsect_pages done = *pages;
	int err;

	for (done.end = pages->first; done.end < pages->end; done.end++) {
		err = xa_reserve(&limits->pages, done.end, GFP_KERNEL_ACCOUNT);
		if (err) {
			vmsect_limits_unreserve(limits, &done);
			return err;
		}
		cond_resched();
	}
	return 0;
}

void vmsect_limits_unreserve(struct vmsect_limits *limits, const struct vmsect_pages *pages)
{
	unsigned long page;

	for (page = pages->first; page < pages->end; page++) {
		xa_release(&limits->pages, page);
		cond_resched();
	}
}

/**
 * vmsect_limits_set - note a new protection
 * @limits: the view's, reserved for these pages unless they are all
 * @pages: the range
 * @protection: VMSECT_DEV_PROT_
 * @view_pages: how many the view has
 */
void vmsect_limits_set(struct vmsect_limits *limits, const struct vmsect_pages *pages,
		       u32 protection, unsigned long view_pages)
{
	unsigned long page;

	if (!pages->first && pages->end >= view_pages) {
		WRITE_ONCE(limits->base, protection);
		xa_destroy(&limits->pages);
		return;
	}
	for (page = pages->first; page < pages->end; page++) {
		if (protection == limits->base)
			xa_erase(&limits->pages, page);
		else
			xa_store(&limits->pages, page, xa_mk_value(protection), GFP_KERNEL);
		cond_resched();
	}
}

/* Execute alone cannot be told from reading by second-level page tables. */
bool vmsect_protection_reads(u32 protection)
{
	return protection != VMSECT_DEV_PROT_NOACCESS;
}

bool vmsect_protection_writes(u32 protection)
{
	switch (protection) {
	case VMSECT_DEV_PROT_READWRITE:
	case VMSECT_DEV_PROT_WRITECOPY:
	case VMSECT_DEV_PROT_EXECUTE_READWRITE:
	case VMSECT_DEV_PROT_EXECUTE_WRITECOPY:
		return true;
	default:
		return false;
	}
}
