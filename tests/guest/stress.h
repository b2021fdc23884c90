/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect-stress: what its files share.
 *
 *   stress_page     a page that tells who wrote it, when, and if it is torn
 *   stress_section  a section under stress: its descriptor, a mapping of all of
 *                   it that stays, and whether the host has taken it
 *   stress_thread   a thread: its generator, and the pages that it writes
 *
 * Page p of a section is written by thread p % threads and by nobody else, so
 * that this thread knows what is in it; all others check that it is whole and
 * never older than what they have seen.  Anything may be done with it through
 * any mapping, at any time.
 */
#ifndef TESTS_GUEST_STRESS_H
#define TESTS_GUEST_STRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/chance.h"

#define PAGE 4096
#define PAGE_WORDS (PAGE / sizeof(uint64_t))
#define STRESS_SECTIONS_MAX 8
#define STRESS_THREADS_MAX 16
/* Few enough for threads to meet, enough for page tables of several pages. */
#define STRESS_PAGES_MAX 1024

/* stress_page.c: a page's words, and accesses that may fail. */
struct stress_stamp {
	uint64_t section; /* its id, the same in every VM */
	uint64_t page;
	uint64_t sequence; /* 0: never written, all zeros */
};

void stress_page_make(const struct stress_stamp *stamp, uint64_t *words);
/* True if the words are those of this stamp. */
bool stress_page_is(const struct stress_stamp *stamp, const uint64_t *words);
/* Copies a page in or out, in the order that a reader at the same time needs: 0 or the signal. */
int stress_page_load(const volatile uint64_t *from, uint64_t *words);
int stress_page_store(volatile uint64_t *to, const uint64_t *words);

/* stress_section.c */
struct stress_section {
	const char *name;
	unsigned int number;
	uint64_t id;
	int fd;
	bool writable;
	bool may_go; /* the host may take it during the run */
	atomic_bool gone; /* it has */
	volatile uint64_t *base; /* a mapping of all its pages */
	uint32_t pages;
};

int stress_section_open(struct stress_section *section);
/* An operation has failed: true if that is because the host has taken the section. */
bool stress_section_has_gone(struct stress_section *section);
/* What is true of a section for ever after: no open, and SIGBUS. */
bool stress_section_stays_gone(const struct stress_section *section);

/* stress_thread.c: threads, and what the operations share. */
struct stress_thread {
	struct stress_section *sections;
	uint32_t section_count;
	uint32_t threads; /* in all */
	uint32_t number;
	struct chance chance;
	/* Of the thread's own pages: last written.  Of others: last seen. */
	uint64_t sequence[STRESS_SECTIONS_MAX][STRESS_PAGES_MAX];
};

/* A page of a section. */
struct stress_place {
	struct stress_section *section;
	uint32_t page;
};

/* A mapping of some pages of a section, made by one operation. */
struct stress_map {
	struct stress_section *section;
	uint32_t first; /* page */
	uint32_t pages;
	uint8_t *addr;
};

enum stress_result {
	STRESS_DONE,
	STRESS_GONE, /* the host has taken the section meanwhile */
	STRESS_FAILED, /* was told by stress_fail() */
	STRESS_UNSUPPORTED, /* the driver has no such operation */
};

/* Says what is wrong; the run ends soon.  Returns STRESS_FAILED. */
enum stress_result stress_fail(const struct stress_section *section, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* An access or call has failed with this signal or errno: STRESS_GONE or STRESS_FAILED. */
enum stress_result stress_lost(struct stress_section *section, const char *what, int cause);
/* A section that has not gone; NULL if there is none. */
struct stress_section *stress_any_section(struct stress_thread *thread);
/* One of the thread's own pages in any of these; false: it has none. */
bool stress_own_place(struct stress_thread *thread, struct stress_place *ret_place);
/* Writes the next stamp to a page through an address / checks the last one. */
enum stress_result stress_write(struct stress_thread *thread, const struct stress_place *place,
				void *addr);
enum stress_result stress_verify(struct stress_thread *thread, const struct stress_place *place,
				 const void *addr);
/* A mapping that has the place in it. */
enum stress_result stress_map_around(struct stress_thread *thread, const struct stress_place *place,
				     struct stress_map *ret_map);
void *stress_map_at(const struct stress_map *map, uint32_t page);
void stress_map_end(const struct stress_map *map);

/* stress_ops.c: what is done to a mapping that has the place in it. */
struct stress_op {
	const char *name;
	enum stress_result (*step)(struct stress_thread *thread, const struct stress_place *place,
				   struct stress_map *map);
};

extern const struct stress_op stress_ops[];
extern const size_t stress_op_count;
/* The operation, once, at a random place. */
enum stress_result stress_op_run(const struct stress_op *op, struct stress_thread *thread);

/* stress_check.c: looks at any page. */
enum stress_result stress_check(struct stress_thread *thread);

#endif
