/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The window object, shared by
 *
 *   window.c         life, where the guest sees it, room, counters
 *   window_view.c    views: which are where, how one comes and goes
 *   window_file.c    their files
 *   window_slots.c   their memory slots
 *   window_change.c  what changes in a live view: modes, length, revocation
 *   window_query.c   what is asked of a live view
 *   window_fault.c   the classifier
 *   window_lost.c    lost pages: what is lost, and what goes under it
 *   window_sweep.c   looks for lost pages
 *   window_loss.c    the queue of losses for the owner
 *
 * Private to mem/.  Everything but what is marked constant is protected by
 * window.lock; the functions here are called with it.
 */
#ifndef MEM_WINDOW_IMPL_H
#define MEM_WINDOW_IMPL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "base/mapping.h"
#include "mem/window.h"
#include "mem/window_room.h"

/*
 * One descriptor for each file that has views and each way in which it was
 * opened, however many views there are: the caller's handle may be closed
 * while a view lives, whose size is asked and whose mode changes then.
 */
struct window_file {
	LIST_ENTRY(window_file) link;
	dev_t device;
	ino_t inode;
	bool is_writable;
	int fd; /* owned */
	uint32_t views;
};

/* Part of a view, of one mode, that is or is to be one memory slot. */
struct window_slot {
	uint64_t offset; /* in the view */
	uint64_t bytes;
	enum mapping_mode mode;
	bool is_live; /* KVM has it */
	uint32_t id; /* if it is live */
};

struct window_slots {
	struct window_slot *slots; /* ascending, none meet; owned */
	size_t count;
	bool is_closed; /* a plan in work: no vCPU enters the guest */
};

struct window_view {
	struct window_file *file; /* a reference; NULL without a file */
	struct mapping mapping;
	struct window_slots slots; /* cover each run but those of MAPPING_NONE */
	uint64_t place;
	uint64_t bytes; /* grows */
	uint64_t denied_writes;
	uint32_t id;
	bool is_revoked; /* without mapping and slots */
	bool is_stuck; /* its pages could not be taken away: the room is lost */
};

#define WINDOW_LOSSES_MAX 64u

struct window {
	struct vm *vm; /* borrowed; constant; NULL in tests */
	uint64_t bytes; /* constant */
	uint8_t *hva; /* constant; all of it stays reserved */
	pthread_mutex_t lock;

	uint64_t base_gpa; /* or WINDOW_NOWHERE */
	struct room room;
	struct window_view **views; /* by place */
	size_t count;
	size_t space; /* of views */
	LIST_HEAD(window_file_list, window_file) files;
	struct window_counters counters;
	struct {
		uint32_t count; /* of sweeps that found nothing, one after another */
		uint64_t first_ms, last_ms;
	} vain;

	struct window_loss losses[WINDOW_LOSSES_MAX]; /* ring */
	uint32_t loss_first, loss_count;
	bool loss_missed;
	void (*loss_call)(void *arg);
	void *loss_arg;
};

/* window.c: the whole units that so much at this place owns; false if it cannot be there. */
bool window_units(const struct window *window, uint64_t place, uint64_t bytes, uint32_t *ret_start,
		  uint32_t *ret_units);

/* window_view.c: the view that has the byte at this offset in the window, or NULL. */
struct window_view *window_view_at(const struct window *window, uint64_t offset);
/* The view that starts there, or NULL. */
struct window_view *window_view_placed(const struct window *window, uint64_t place);
/* The same, if it is not revoked. */
struct window_view *window_view_live(const struct window *window, uint64_t place);
void window_view_remove(struct window *window, struct window_view *view);
/* The host mapping of a view has changed. */
void window_view_changed(const struct window *window, const struct window_view *view);
enum mapping_mode window_mode_to_mapping(enum window_mode mode);

static inline uint64_t window_page_bytes(const struct window_view *view)
{
	return view->mapping.spec.page_bytes;
}

/* Whole pages of the view, at least one. */
bool window_range_is_good(const struct window_view *view, const struct window_range *range);

/* window_file.c; 0 or -errno. */
int window_file_take(struct window *window, int fd, struct window_file **ret_file);
void window_file_give(struct window_file *file);

/*
 * window_slots.c: all slots of a view into KVM, where the window is; 0, or
 * -errno and none is.  Out of KVM cannot fail.
 */
int window_slots_install(struct window *window, struct window_view *view);
void window_slots_withdraw(struct window *window, struct window_view *view);
void window_slots_deinit(struct window_slots *slots);

/* The slots that a view is to have once this range of it has this mode; 0 or -ENOMEM. */
int window_slots_plan(const struct window_view *view, const struct window_range *range,
		      enum mapping_mode mode, struct window_slots *ret_plan);

/*
 * From a view's slots to a plan: narrow() takes out of KVM what the plan has
 * not, widen() puts in what KVM has not yet, commit() makes the plan the
 * view's.  retreat() instead of commit() puts things back as they were.  If a
 * slot goes, no vCPU is in the guest from narrow() to the last of them.
 */
void window_slots_narrow(struct window *window, struct window_view *view,
			 struct window_slots *plan);
int window_slots_widen(struct window *window, const struct window_view *view,
		       struct window_slots *plan);
void window_slots_commit(struct window *window, struct window_view *view,
			 struct window_slots *plan);
void window_slots_retreat(struct window *window, struct window_view *view,
			  struct window_slots *plan);

/* window_lost.c: how much of the view its file reaches, in whole pages. */
uint64_t window_reach(const struct window_view *view);

/* A range of a view, in whole pages, that is a hole of the file or has data. */
struct window_extent {
	uint64_t start;
	uint64_t end;
	bool is_hole;
};
/* The extent at `start`, a page of the view. */
struct window_extent window_extent_at(const struct window_view *view, uint64_t start);

/* The first tombstone that ends behind the offset, or NULL. */
const struct mapping_run *window_next_lost(const struct window_view *view, uint64_t offset);

/* The next part of the view from `start` on that can be accessed and is not lost. */
bool window_next_present(const struct window_view *view, uint64_t start,
			 struct window_range *ret_range);

/*
 * Puts zero pages under what is there of a range, and queues one loss.  The
 * pages that went, or -errno.
 */
int64_t window_bury(struct window *window, struct window_view *view, uint64_t start, uint64_t end,
		    int error);

/* The page at `start` is lost, and with it the rest of a hole that it is in. */
int64_t window_bury_page(struct window *window, struct window_view *view, uint64_t start);

/*
 * An access at `offset` failed: all beyond the end of the file goes, else the
 * page.  As window_bury().
 */
int64_t window_bury_at(struct window *window, struct window_view *view, uint64_t offset);

/* window_loss.c */
void window_loss_add(struct window *window, const struct window_loss *loss);
/* Those of a view that goes. */
void window_loss_forget(struct window *window, uint64_t place);

#endif
