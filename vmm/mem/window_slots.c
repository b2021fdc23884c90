/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See window_impl.h.  The memory slots of a view.
 *
 * KVM can neither shorten a slot nor change its mode, so what changes is taken
 * away and made anew.  What a guest did in between would be emulated: its atomic
 * instructions would not be, and what cannot be emulated would fail, on pages
 * too whose mode does not change.  So all vCPUs stay out meanwhile.
 *
 * Only what must change does: neighbours of one mode may stay two
 * slots.  When a view has SPLITS_MAX such pairs, they are joined at the next
 * change, so that a guest cannot use up the host's slots with one view.
 *
 * The list is kept up to date while KVM has none of it (no VM, or a window
 * that is nowhere).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "kvm/vm.h"
#include "mem/window_impl.h"

#define SPLITS_MAX 64u

static int slot_install(struct window *window, const struct window_view *view,
			struct window_slot *slot)
{
	const struct vm_slot wanted = {
		.gpa = window->base_gpa + view->place + slot->offset,
		.hva = window->hva + view->place + slot->offset,
		.bytes = slot->bytes,
		.read_only = slot->mode == MAPPING_READ,
	};
	int result;

	if (!window->vm || window->base_gpa == WINDOW_NOWHERE || slot->is_live)
		return 0;
	result = vm_slot_add(window->vm, &wanted, &slot->id);
	slot->is_live = result == 0;
	return result;
}

static void slot_withdraw(struct window *window, struct window_slot *slot)
{
	if (slot->is_live)
		vm_slot_del(window->vm, slot->id);
	slot->is_live = false;
}

int window_slots_install(struct window *window, struct window_view *view)
{
	int result = 0;

	for (size_t i = 0; i < view->slots.count && result == 0; i++)
		result = slot_install(window, view, &view->slots.slots[i]);
	if (result < 0)
		window_slots_withdraw(window, view);
	return result;
}

void window_slots_withdraw(struct window *window, struct window_view *view)
{
	for (size_t i = 0; i < view->slots.count; i++)
		slot_withdraw(window, &view->slots.slots[i]);
}

void window_slots_deinit(struct window_slots *slots)
{
	free(slots->slots);
	*slots = (struct window_slots){ 0 };
}

static uint64_t slot_end(const struct window_slot *slot)
{
	return slot->offset + slot->bytes;
}

static void plan_add(struct window_slots *plan, uint64_t start, uint64_t end,
		     enum mapping_mode mode)
{
	if (start < end && mode != MAPPING_NONE)
		plan->slots[plan->count++] =
			(struct window_slot){ .offset = start, .bytes = end - start, .mode = mode };
}

/*
 * Slots of the wrong mode keep what they have outside the range, as new ones;
 * what no slot of the right mode has inside the range is new.
 */
static void plan_fill(const struct window_slots *old, const struct window_slot *change,
		      struct window_slots *plan)
{
	uint64_t start = change->offset, end = slot_end(change), covered = start;

	for (size_t i = 0; i < old->count; i++) {
		const struct window_slot *slot = &old->slots[i];

		if (slot_end(slot) <= start || slot->offset >= end) {
			plan->slots[plan->count++] = *slot;
		} else if (slot->mode == change->mode) {
			plan_add(plan, covered, slot->offset, change->mode);
			plan->slots[plan->count++] = *slot;
			covered = slot_end(slot);
		} else {
			plan_add(plan, slot->offset, start, slot->mode);
			plan_add(plan, end, slot_end(slot), slot->mode);
		}
	}
	plan_add(plan, covered, end, change->mode);
}

static int by_offset(const void *a, const void *b)
{
	const struct window_slot *first = a, *second = b;

	return (first->offset > second->offset) - (first->offset < second->offset);
}

static bool can_join(const struct window_slot *slot, const struct window_slot *next)
{
	return slot_end(slot) == next->offset && slot->mode == next->mode;
}

static size_t plan_splits(const struct window_slots *plan)
{
	size_t splits = 0;

	for (size_t i = 1; i < plan->count; i++)
		splits += can_join(&plan->slots[i - 1], &plan->slots[i]);
	return splits;
}

static void plan_join(struct window_slots *plan)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++) {
		struct window_slot *slot = &plan->slots[i];

		if (count > 0 && can_join(&plan->slots[count - 1], slot)) {
			plan->slots[count - 1].bytes += slot->bytes;
			plan->slots[count - 1].is_live = false;
		} else {
			plan->slots[count++] = *slot;
		}
	}
	plan->count = count;
}

int window_slots_plan(const struct window_view *view, const struct window_range *range,
		      enum mapping_mode mode, struct window_slots *ret_plan)
{
	const struct window_slot change = { .offset = range->offset,
					    .bytes = range->bytes,
					    .mode = mode };
	/* At most: each old one, a gap before it, two halves of one, a gap behind. */
	struct window_slot *slots = calloc(2 * view->slots.count + 3, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	*ret_plan = (struct window_slots){ .slots = slots };
	plan_fill(&view->slots, &change, ret_plan);
	if (ret_plan->count > 1)
		qsort(slots, ret_plan->count, sizeof(*slots), by_offset);
	if (plan_splits(ret_plan) >= SPLITS_MAX)
		plan_join(ret_plan);
	return 0;
}

/* The plan's copy of a slot, if it has one and not a longer one in its place. */
static struct window_slot *plan_find(const struct window_slots *plan,
				     const struct window_slot *slot)
{
	struct window_slot *found =
		plan->count ? bsearch(slot, plan->slots, plan->count, sizeof(*slot), by_offset)
			    : NULL;

	return found && found->bytes == slot->bytes && found->mode == slot->mode ? found : NULL;
}

static void plan_close(struct window *window, struct window_slots *plan)
{
	if (!plan->is_closed)
		vcpu_gate_close(&window->vm->gate);
	plan->is_closed = true;
}

static void plan_open(struct window *window, struct window_slots *plan)
{
	if (plan->is_closed)
		vcpu_gate_open(&window->vm->gate);
	plan->is_closed = false;
}

void window_slots_narrow(struct window *window, struct window_view *view, struct window_slots *plan)
{
	for (size_t i = 0; i < view->slots.count; i++) {
		struct window_slot *slot = &view->slots.slots[i];

		if (!slot->is_live || plan_find(plan, slot))
			continue;
		plan_close(window, plan);
		slot_withdraw(window, slot);
	}
}

int window_slots_widen(struct window *window, const struct window_view *view,
		       struct window_slots *plan)
{
	int result = 0;

	for (size_t i = 0; i < plan->count && result == 0; i++)
		result = slot_install(window, view, &plan->slots[i]);
	return result;
}

void window_slots_commit(struct window *window, struct window_view *view, struct window_slots *plan)
{
	plan_open(window, plan);
	window_slots_deinit(&view->slots);
	view->slots = *plan;
	*plan = (struct window_slots){ 0 };
}

void window_slots_retreat(struct window *window, struct window_view *view,
			  struct window_slots *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (!plan_find(&view->slots, &plan->slots[i]))
			slot_withdraw(window, &plan->slots[i]);
	for (size_t i = 0; i < view->slots.count; i++) {
		int result = slot_install(window, view, &view->slots.slots[i]);

		if (result < 0)
			log_error("cannot put a memory slot back, its range is a hole now: %s",
				  strerror(-result));
	}
	plan_open(window, plan);
	window_slots_deinit(plan);
}
