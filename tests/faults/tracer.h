/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs under strace(1): which system calls one makes, and one of them made
 * to fail or to be its last.
 */
#ifndef TESTS_FAULTS_TRACER_H
#define TESTS_FAULTS_TRACER_H

#include <stddef.h>

#define CALL_NAMES_MAX 128
#define CALL_NAME_BYTES 32

/* How often a thread of a program makes a call at most, and how often the loader did so before. */
struct call_count {
	char name[CALL_NAME_BYTES];
	unsigned int loader;
	unsigned int count; /* the loader's included */
};

struct call_profile {
	struct call_count calls[CALL_NAMES_MAX];
	size_t count;
};

/* Reads strace's log.  Calls that no program has a say in are left out. */
void profile_read(struct call_profile *profile, const char *log_path);

/* What happens at the `when`th call of that name, of each thread. */
struct injection {
	const char *name; /* NULL: nothing, the log is written */
	unsigned int when;
	const char *error; /* an errno's name; NULL: SIGKILL */
};

/*
 * Replaces this process by the program under strace.  The program keeps this
 * process's pid.
 */
_Noreturn void tracer_exec(const struct injection *injection, const char *log_path,
			   char *const *argv);

#endif
