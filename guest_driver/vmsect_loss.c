// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages of a view whose backing the host has lost: a fault on them is SIGBUS.
 *
 * A short list of ranges.  When it is full, the new range and the nearest
 * become one that covers both and what is between: more pages than are lost
 * then give SIGBUS, never fewer.  Repair asks the device range by range.
 *
 * Owned by its view.  losses.lock guards all of it; faults take it briefly.
 */
#include <linux/minmax.h>

#include "vmsect_view.h"

void vmsect_losses_init(struct vmsect_losses *losses)
{
	spin_lock_init(&losses->lock);
	losses->count = 0;
	losses->added = 0;
}

static bool ranges_join(const struct vmsect_pages *a, const struct vmsect_pages *b)
{
	return a->first <= b->end && b->first <= a->end;
}

/* Pages between two ranges that do not touch. */
static unsigned long losses_gap(const struct vmsect_pages *a, const struct vmsect_pages *b)
{
	return a->first > b->end ? a->first - b->end : b->first - a->end;
}

/* The range to join with: one that touches, or, of a full list, the nearest; or count. */
static unsigned int losses_partner(const struct vmsect_losses *losses,
				   const struct vmsect_pages *pages)
{
	unsigned int i, nearest = 0;

	for (i = 0; i < losses->count; i++) {
		if (ranges_join(&losses->ranges[i], pages))
			return i;
		if (losses_gap(&losses->ranges[i], pages) <
		    losses_gap(&losses->ranges[nearest], pages))
			nearest = i;
	}
	return losses->count < VMSECT_LOSSES_MAX ? losses->count : nearest;
}

/**
 * vmsect_losses_add - note that pages are lost
 * @losses: the view's
 * @pages: within the view, not empty
 */
void vmsect_losses_add(struct vmsect_losses *losses, const struct vmsect_pages *pages)
{
	struct vmsect_pages joined = *pages;
	unsigned int at;

	spin_lock(&losses->lock);
	at = losses_partner(losses, &joined);
	if (at < losses->count) {
		joined.first = min(joined.first, losses->ranges[at].first);
		joined.end = max(joined.end, losses->ranges[at].end);
	} else {
		losses->count++;
	}
	losses->ranges[at] = joined;
	losses->added++;
	spin_unlock(&losses->lock);
}

/* Whether one of these pages is lost. */
bool vmsect_losses_touch(struct vmsect_losses *losses, const struct vmsect_pages *pages)
{
	bool has = false;
	unsigned int i;

	if (likely(!READ_ONCE(losses->count)))
		return false;
	spin_lock(&losses->lock);
	for (i = 0; i < losses->count && !has; i++)
		has = pages->end > losses->ranges[i].first && pages->first < losses->ranges[i].end;
	spin_unlock(&losses->lock);
	return has;
}

/**
 * vmsect_losses_get - a range by its number
 * @losses: the view's
 * @index: from 0 on
 * @ret_pages: the range
 * @ret_added: for vmsect_losses_repaired()
 *
 * Return: whether there is one of that number.
 */
bool vmsect_losses_get(struct vmsect_losses *losses, unsigned int index,
		       struct vmsect_pages *ret_pages, unsigned int *ret_added)
{
	bool found;

	spin_lock(&losses->lock);
	found = index < losses->count;
	if (found)
		*ret_pages = losses->ranges[index];
	*ret_added = losses->added;
	spin_unlock(&losses->lock);
	return found;
}

/* What of a range is left without some pages in it; the second part needs a place. */
static void range_cut(struct vmsect_losses *losses, unsigned int at,
		      const struct vmsect_pages *pages)
{
	struct vmsect_pages before = losses->ranges[at], after = before;

	before.end = min(before.end, pages->first);
	after.first = max(after.first, pages->end);
	if (before.first < before.end && after.first < after.end) {
		/* A full list keeps them: lost pages that are not are found by the next repair. */
		if (losses->count == VMSECT_LOSSES_MAX)
			return;
		losses->ranges[losses->count++] = after;
		losses->ranges[at] = before;
	} else if (before.first < before.end) {
		losses->ranges[at] = before;
	} else if (after.first < after.end) {
		losses->ranges[at] = after;
	} else {
		losses->ranges[at] = losses->ranges[--losses->count];
	}
}

/**
 * vmsect_losses_cut - forget pages that are whole again, in ranges that are not
 * @losses: the view's
 * @pages: not empty
 * @added: as vmsect_losses_repaired()
 */
void vmsect_losses_cut(struct vmsect_losses *losses, const struct vmsect_pages *pages,
		       unsigned int added)
{
	unsigned int i;

	spin_lock(&losses->lock);
	for (i = losses->count; losses->added == added && i-- > 0;)
		if (pages->end > losses->ranges[i].first && pages->first < losses->ranges[i].end)
			range_cut(losses, i, pages);
	spin_unlock(&losses->lock);
}

/**
 * vmsect_losses_repaired - forget a range that is whole again
 * @losses: the view's
 * @pages: as vmsect_losses_get() gave it
 * @added: with this; if there was a loss since, the range stays, as it may be its
 *
 * Return: whether it was forgotten; the numbers of others have then changed.
 */
bool vmsect_losses_repaired(struct vmsect_losses *losses, const struct vmsect_pages *pages,
			    unsigned int added)
{
	bool found = false;
	unsigned int i;

	spin_lock(&losses->lock);
	for (i = 0; losses->added == added && i < losses->count && !found; i++) {
		found = losses->ranges[i].first == pages->first &&
			losses->ranges[i].end == pages->end;
		if (found)
			losses->ranges[i] = losses->ranges[--losses->count];
	}
	spin_unlock(&losses->lock);
	return found;
}
