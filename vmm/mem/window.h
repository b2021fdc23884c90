/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A window: one reserved host range, mirrored at one guest physical range,
 * in which views are placed.  Each run of pages of one mode is a memory slot;
 * the rest is holes without a slot.
 *
 * Views are placed so that guest address, host address and section offset
 * agree modulo 2 MiB.  A view owns whole 2 MiB units of the window; what it
 * does not fill of them stays a hole.  A view that can grow owns the units of
 * its room.
 *
 * Owner: struct windows.  `lock` protects everything; it is taken by the io
 * thread (map, unmap), by vCPU threads (faults, a BAR that moves), and is
 * above vm.slot_lock and vm.gate.
 */
#ifndef MEM_WINDOW_H
#define MEM_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vm;
struct window;

#define WINDOW_UNIT_SHIFT 21
#define WINDOW_UNIT_BYTES (UINT64_C(1) << WINDOW_UNIT_SHIFT)
#define WINDOW_PAGE_BYTES UINT64_C(4096)
#define WINDOW_ANY UINT64_MAX /* a place: the window chooses */
#define WINDOW_NOWHERE UINT64_MAX /* a base: not decoded */

enum window_mode {
	WINDOW_NOACCESS, /* no slot: reads ones */
	WINDOW_READONLY,
	WINDOW_READWRITE,
	WINDOW_WRITECOPY,
};

struct window_map {
	int fd; /* borrowed, for the call; -1: NOACCESS for ever */
	uint64_t fd_offset; /* a multiple of page_bytes */
	uint64_t bytes; /* > 0, a multiple of page_bytes */
	uint64_t page_bytes; /* 4 KiB, or the huge page */
	uint64_t place; /* offset in the window from window_reserve() */
	uint64_t room; /* window_reserve()'s bytes: it can grow so far; 0: bytes */
	enum window_mode mode;
	bool execute; /* of the host mapping; slots have no such control */
	bool is_reserve; /* of a RESERVE section, see base/mapping.h */
};

/* bytes is a multiple of 4 KiB, not 0.  vm may be NULL in tests.  0 or -errno. */
int window_new(struct vm *vm, uint64_t bytes, struct window **ret_window);
struct window *window_free(struct window *window);
uint64_t window_bytes(const struct window *window);

/*
 * Where the guest sees the window (the BAR), or WINDOW_NOWHERE.  Adds or
 * removes every slot.  0 or -errno, then it is nowhere.
 */
int window_set_base(struct window *window, uint64_t gpa);

/*
 * Takes room for a view of `bytes` at section offset `offset`.  `place` is
 * the wanted offset of its first byte or WINDOW_ANY.  0, -EINVAL (not
 * congruent, past the end), -EEXIST (taken), -ENOSPC (no room).
 */
int window_reserve(struct window *window, uint64_t place, uint64_t offset, uint64_t bytes,
		   uint64_t *ret_place);
/* Gives back what window_reserve() took and window_map() did not use. */
void window_release(struct window *window, uint64_t place);

/*
 * Maps into reserved room; 0 or -errno (nothing is mapped, room stays
 * reserved).  `id` is the caller's, for window_fault().
 */
int window_map(struct window *window, const struct window_map *map, uint32_t id);

/* Pages of a view; offset and bytes are of the view, whole pages. */
struct window_range {
	uint64_t offset;
	uint64_t bytes;
};

/*
 * Changes the mode of pages of a live view, in the host mapping and in the
 * slots: each run of equal mode is one slot (READONLY: read-only, NOACCESS:
 * none).  While a slot changes no vCPU is in the guest; once the call is back
 * none does what the mode forbids.  All or nothing: 0, -EINVAL, -E2BIG (too
 * many runs), -ENOSPC (slots), -EACCES (the descriptor), -ENOMEM.
 */
int window_protect(struct window *window, uint64_t place, const struct window_range *range,
		   enum window_mode mode, bool execute);

/*
 * The view grows in place within its room; what is there stays mapped, the tail
 * has the mode of window_map().  0, -EINVAL, -ENOSPC (slots), -ENOMEM.
 */
int window_grow(struct window *window, uint64_t place, uint64_t bytes);

/* Drops private pages. */
int window_reset(struct window *window, uint64_t place, const struct window_range *range);

/* The private ranges from `after` on, at most `room`.  Their number or -errno. */
int window_diff(struct window *window, uint64_t place, uint64_t after, struct window_range *ranges,
		size_t room);

/*
 * Copies bytes of a view out, private ones whatever their mode.  0, or -EIO: not
 * all of them are there.
 */
int window_read(struct window *window, uint64_t place, uint64_t offset, void *buffer, size_t bytes);

/* Maps what is lost again where the backing is whole; the pages that still are lost, or -errno. */
int64_t window_restore(struct window *window, uint64_t place, const struct window_range *range);

/* All of the view becomes a hole, for good; its room stays taken until window_unmap(). */
int window_revoke(struct window *window, uint64_t place);

/* What a page of a view is. */
struct window_pages {
	uint64_t offset; /* of the run of like pages, in the view */
	uint64_t bytes;
	enum window_mode mode;
	bool execute;
	bool is_private;
	bool is_committed;
	bool is_lost;
};
/* Of a RESERVE section a run may be told in parts of 64 MiB. */
int window_query(struct window *window, uint64_t place, uint64_t offset,
		 struct window_pages *ret_pages);

/* Private pages of the view, or -errno. */
int64_t window_private_pages(struct window *window, uint64_t place);

/*
 * The next loss that was not asked for yet, by any thread that found it: 1 and
 * which view lost what, or 0.  `error` is EIO, or ENOSPC (a hole of a sparse
 * file on a full disk), or ENOMEM (huge pages), or ENXIO (past the end of the
 * file), or EFAULT (not committed).  At most 64 wait, then *ret_missed is set;
 * it is never cleared.  The range may have pages without access or private
 * ones in it, which are as they were.
 */
struct window_loss {
	uint64_t place;
	uint32_t id; /* window_map()'s */
	struct window_range range;
	int error;
};
int window_next_loss(struct window *window, struct window_loss *ret_loss, bool *ret_missed);

/* Called, by any thread and with window.lock, when a loss waits; must not call back in. */
void window_set_loss_call(struct window *window, void (*call)(void *arg), void *arg);

/* The view at this place becomes a hole and its room free. */
void window_unmap(struct window *window, uint64_t place);

/*
 * A guest access that did not simply happen, by whichever exit it came:
 * counts it.  For a read `data` gets ones, or the bytes of a view that allows
 * the read (KVM emulated it); for a write `data` is what is written, and it
 * is written if the view allows that.  bytes is 1 to 8.
 */
enum window_fault {
	WINDOW_FAULT_HOLE, /* no view there, or NOACCESS: ones, discard */
	WINDOW_FAULT_DENIED, /* write to a READONLY page: discarded */
	WINDOW_FAULT_LOST, /* its backing is gone: done on zero pages, go on */
	WINDOW_FAULT_RACE, /* the pages allow it now: done here, go on */
};
bool window_has(struct window *window, uint64_t gpa);
enum window_fault window_fault(struct window *window, uint64_t gpa, bool is_write, void *data,
			       uint32_t bytes);

/*
 * Looks for views whose backing has gone (fstat of the file, populate probe)
 * and puts a tombstone (private zero pages) under them, so that a vCPU that
 * failed with EFAULT can go on.  The number of views newly found.  0 says only
 * that this call found none: another thread may just have repaired the view,
 * so the caller enters the guest once more before it gives up.  Uncommitted
 * pages of RESERVE sections are buried when several sweeps have found nothing.
 */
uint32_t window_sweep(struct window *window);

/*
 * The cheap half of a sweep, for a timer: files that were truncated.  KVM does
 * not fail a vCPU that could take an asynchronous page fault on a lost page
 * (in-kernel APIC, guest interrupts on): it tries again for ever, without an
 * exit.  So what is lost is looked for even if no vCPU complains.
 */
uint32_t window_sweep_sizes(struct window *window);

struct window_counters {
	uint64_t denied_writes;
	uint64_t hole_accesses;
	uint64_t lost_accesses;
	uint64_t lost_pages; /* that tombstones were put under, in all */
	uint64_t undecodable; /* added by the vCPU loop */
};
void window_counters(struct window *window, struct window_counters *ret_counters);
void window_count_undecodable(struct window *window);
/* Forbidden writes counted on the view at this place, in all. */
uint64_t window_denied_writes(struct window *window, uint64_t place);

#endif
