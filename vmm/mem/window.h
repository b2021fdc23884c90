/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The window: one reserved host range, mirrored at one guest physical range,
 * in which views are placed.  Each view is one mapping and one memory slot;
 * the rest is holes without a slot.
 *
 * Views are placed so that guest address, host address and section offset
 * agree modulo 2 MiB.  A view owns whole 2 MiB units of the window; what it
 * does not fill of them stays a hole.
 *
 * Owner: struct machine.  `lock` protects everything; it is taken by the io
 * thread (map, unmap), by vCPU threads (faults, a BAR that moves), and is
 * above vm.slot_lock.
 */
#ifndef MEM_WINDOW_H
#define MEM_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

struct vm;
struct window;

#define WINDOW_UNIT_SHIFT 21
#define WINDOW_UNIT_BYTES (UINT64_C(1) << WINDOW_UNIT_SHIFT)
#define WINDOW_ANY UINT64_MAX /* a place: the window chooses */
#define WINDOW_NOWHERE UINT64_MAX /* a base: not decoded */

enum window_mode {
	WINDOW_NOACCESS, /* no mapping, no slot: reads ones */
	WINDOW_READONLY,
	WINDOW_READWRITE,
	WINDOW_WRITECOPY,
};

struct window_map {
	int fd; /* borrowed, for the call */
	uint64_t fd_offset; /* a multiple of page_bytes */
	uint64_t bytes; /* > 0, a multiple of page_bytes */
	uint64_t page_bytes; /* 4 KiB, or the huge page */
	uint64_t place; /* offset in the window from window_reserve() */
	enum window_mode mode;
};

/* bytes is a power of two of at least 2 MiB.  vm may be NULL in tests. */
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
	WINDOW_FAULT_DENIED, /* write to a READONLY view: discarded */
	WINDOW_FAULT_LOST, /* its backing is gone: done on zero pages, go on */
	WINDOW_FAULT_RACE, /* the view allows it now: done here, go on */
};
bool window_has(struct window *window, uint64_t gpa);
enum window_fault window_fault(struct window *window, uint64_t gpa, bool is_write, void *data,
			       uint32_t bytes);

/*
 * Looks for views whose backing has gone (fstat of the file, populate probe)
 * and puts a tombstone (private zero pages) under them, so that a vCPU that
 * failed with EFAULT can go on.  The number of views newly found.  0 says only
 * that this call found none: another thread may just have repaired the view,
 * so the caller enters the guest once more before it gives up.
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
	uint64_t lost_pages; /* under tombstones; twice if a larger one follows */
	uint64_t undecodable; /* added by the vCPU loop */
};
void window_counters(struct window *window, struct window_counters *ret_counters);
void window_count_undecodable(struct window *window);
/* Forbidden writes counted on the view at this place, in all. */
uint64_t window_denied_writes(struct window *window, uint64_t place);

#endif
