/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which units of the window are taken: ranges of whole units, in order.
 * Pure bookkeeping in unit numbers; a window has some thousand ranges at most,
 * so an ordered array does.
 *
 * Owner: struct window, whose lock protects it.
 */
#ifndef MEM_WINDOW_ROOM_H
#define MEM_WINDOW_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct room_range {
	uint32_t start;
	uint32_t units;
};

struct room {
	uint32_t units; /* of the window */
	struct room_range *ranges; /* owned */
	size_t count;
	size_t space; /* of ranges */
};

void room_init(struct room *room, uint32_t units);
void room_deinit(struct room *room);

/* First fit.  0, -EINVAL (no units), -ENOSPC or -ENOMEM. */
int room_take_any(struct room *room, uint32_t units, uint32_t *ret_start);

/* 0, -EINVAL (no units, past the end), -EEXIST (taken) or -ENOMEM. */
int room_take(struct room *room, uint32_t start, uint32_t units);

/* The units of the range that starts here; 0 if none does. */
uint32_t room_units_at(const struct room *room, uint32_t start);

/* Gives back the range that starts here, if there is one. */
void room_give(struct room *room, uint32_t start);

#endif
