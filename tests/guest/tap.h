/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TAP for programs inside guests: a table of cases, one line of output each.
 * A case uses EXPECT and the like; they print what differs and mark the case,
 * and it goes on.  SKIP leaves it.  One thread.
 */
#ifndef TESTS_GUEST_TAP_H
#define TESTS_GUEST_TAP_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>

struct tap_case {
	const char *name;
	void (*run)(void);
};

/* Cases about one noun; they number on from one group to the next. */
struct tap_group {
	const char *name;
	const struct tap_case *cases;
	size_t count;
};

#define TAP_GROUP(title, table)                                                                    \
	{                                                                                          \
		.name = (title), .cases = (table), .count = sizeof(table) / sizeof((table)[0])     \
	}

/* Runs the cases and prints the plan; the exit status of the program. */
int tap_run(const struct tap_case *cases, size_t count);
int tap_run_groups(const struct tap_group *const *groups, size_t count);

#define tap_note(format, ...) printf("# " format "\n", ##__VA_ARGS__)

void tap_fail(const char *file, int line, const char *what, long long got, long long expected);
void tap_skip(const char *why);

#define EXPECT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition))                                                                  \
			tap_fail(__FILE__, __LINE__, #condition, 0, 1);                            \
	} while (0)

#define EXPECT_EQ(got, expected)                                                                   \
	do {                                                                                       \
		long long got_ = (long long)(got), expected_ = (long long)(expected);              \
		if (got_ != expected_)                                                             \
			tap_fail(__FILE__, __LINE__, #got, got_, expected_);                       \
	} while (0)

#define SKIP_UNLESS(condition, why)                                                                \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			tap_skip(why);                                                             \
			return;                                                                    \
		}                                                                                  \
	} while (0)

/* For steps without which a case cannot go on. */
#define NEED_EQ(got, expected)                                                                     \
	do {                                                                                       \
		long long need_ = (long long)(got), wanted_ = (long long)(expected);               \
		if (need_ != wanted_) {                                                            \
			tap_fail(__FILE__, __LINE__, #got, need_, wanted_);                        \
			return;                                                                    \
		}                                                                                  \
	} while (0)

/*
 * Reads or writes a byte that may not be there: 0, or the signal that came
 * (SIGBUS or SIGSEGV).
 */
int tap_load(const volatile uint8_t *byte, uint8_t *ret_value);
int tap_store(volatile uint8_t *byte, uint8_t value);

#endif
