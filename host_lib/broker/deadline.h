/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When handles, views and offers end: a heap with the next one first.  A
 * deadline is embedded in its object, which is in the heap once at most.  Times
 * are milliseconds of CLOCK_BOOTTIME, which outlive a broker.  Knows no loop:
 * someone who has one hears when the first time changes.  One thread.
 */
#ifndef BROKER_DEADLINE_H
#define BROKER_DEADLINE_H

#include <stddef.h>
#include <stdint.h>

/* What it is embedded in. */
enum deadline_kind {
	DEADLINE_HANDLE,
	DEADLINE_VIEW,
	DEADLINE_OFFER,
};

struct deadline {
	uint64_t at_ms;
	size_t place; /* in the heap, from 1 on; 0: not there */
	enum deadline_kind kind;
};

/* The time is here as well: to compare two does not touch their objects. */
struct deadline_entry {
	uint64_t at_ms;
	struct deadline *deadline; /* borrowed */
};

struct deadlines {
	struct deadline_entry *heap; /* owned */
	size_t count;
	size_t room;
	void (*first_changed)(void *arg, uint64_t at_ms); /* 0: there is none; may be NULL */
	void *arg; /* borrowed */
};

/* The time now. */
uint64_t deadline_now(void);

/* Milliseconds from now as a time; 0 (never) stays 0. */
uint64_t deadline_in(uint64_t ms);

/* The earlier of two times, of which 0 is never. */
uint64_t deadline_earlier(uint64_t a, uint64_t b);

/* Frees; nothing is in it by now. */
void deadlines_deinit(struct deadlines *deadlines);

/* Room for one more, so that the next deadlines_add() cannot fail.  -ENOMEM. */
int deadlines_reserve(struct deadlines *deadlines);

/* Adds one; deadlines_reserve() has been called since the last. */
void deadlines_add(struct deadlines *deadlines, struct deadline *deadline, enum deadline_kind kind,
		   uint64_t at_ms);

/* One that is not in it is fine. */
void deadlines_remove(struct deadlines *deadlines, struct deadline *deadline);

/* The next one, or NULL. */
struct deadline *deadlines_first(const struct deadlines *deadlines);

#endif
