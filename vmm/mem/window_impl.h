/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The window object, shared by window.c (views and slots), window_map.c (their
 * files and mappings), window_fault.c (the classifier) and window_lost.c (lost
 * pages).
 *
 * Private to mem/.  Everything but what is marked constant is protected by
 * window.lock.
 */
#ifndef MEM_WINDOW_IMPL_H
#define MEM_WINDOW_IMPL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "mem/window.h"
#include "mem/window_room.h"

/*
 * One descriptor for each file that has views, however many: the caller's
 * handle may be closed while a view lives, and its size must be asked then.
 */
struct window_file {
	LIST_ENTRY(window_file) link;
	dev_t device;
	ino_t inode;
	int fd; /* owned */
	uint32_t views;
};

/*
 * A view.  [0, live_bytes) is mapped to the file (but for single lost pages),
 * the rest is a tombstone.
 */
struct window_view {
	TAILQ_ENTRY(window_view) change; /* newest change first */
	struct window_file *file; /* a reference; NULL for NOACCESS */
	uint64_t place;
	uint64_t bytes;
	uint64_t page_bytes;
	uint64_t fd_offset;
	uint64_t live_bytes;
	uint64_t denied_writes;
	uint32_t id;
	uint32_t slot;
	bool has_slot;
	enum window_mode mode;
};

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
	TAILQ_HEAD(window_change_list, window_view) changes;
	LIST_HEAD(window_file_list, window_file) files;
	struct window_counters counters;
};

/* Host protection of a view's pages. */
int window_view_prot(const struct window_view *view);

/* The view that has the byte at this offset in the window, or NULL. */
struct window_view *window_view_at(const struct window *window, uint64_t offset);

/* Maps the view's file in its place; on failure unmap_file() is still due. */
int window_view_map_file(struct window *window, struct window_view *view, int fd);

/*
 * Back to the reservation, without a file; false if the kernel has no memory
 * even for that, and the file's pages are still there.
 */
bool window_view_unmap_file(const struct window *window, struct window_view *view);

/*
 * Puts zero pages under what is lost around `offset` of the view: all beyond
 * the end of the file, else the page.  0 or -errno.
 */
int window_view_bury(struct window *window, struct window_view *view, uint64_t offset);

#endif
