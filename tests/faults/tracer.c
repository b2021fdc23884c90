/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See tracer.h. */
#include "tracer.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/check.h"

#define TRACER_ARGS 10
#define PROGRAM_ARGS_MAX 24
#define THREADS_MAX 16

/* The loader's last call: it gives its cache back. */
#define LOADER_END "munmap"

/* Calls that libc makes by itself, or that cannot fail. */
static const char *const left_out[] = {
	"execve",	"exit_group",	   "exit",	     "brk",
	"arch_prctl",	"set_tid_address", "rseq",	     "set_robust_list",
	"rt_sigreturn", "restart_syscall", "getpid",	     "gettid",
	"getuid",	"geteuid",	   "getgid",	     "getegid",
	"sched_yield",	"futex",	   "rt_sigprocmask",
};

static int is_left_out(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(left_out); i++) {
		if (!strcmp(left_out[i], name))
			return 1;
	}
	return 0;
}

/* Which call of that name. */
static struct call_count *profile_find(struct call_profile *profile, const char *name)
{
	size_t i = 0;

	while (i < profile->count && strcmp(profile->calls[i].name, name) != 0)
		i++;
	assert_true(i < CALL_NAMES_MAX);
	if (i == profile->count)
		(void)snprintf(profile->calls[profile->count++].name, CALL_NAME_BYTES, "%s", name);
	return &profile->calls[i];
}

/* strace counts the calls of each thread, and so do we. */
struct thread_counts {
	int tid; /* 0: not used yet */
	unsigned int counts[CALL_NAMES_MAX];
};

static unsigned int *count_of(struct thread_counts *threads, int tid, size_t call)
{
	size_t i = 0;

	while (i < THREADS_MAX && threads[i].tid && threads[i].tid != tid)
		i++;
	assert_true(i < THREADS_MAX);
	threads[i].tid = tid;
	return &threads[i].counts[call];
}

/* "123 name(..." is a call; "<... name resumed>" and "+++" and "---" are none. */
void profile_read(struct call_profile *profile, const char *log_path)
{
	struct thread_counts threads[THREADS_MAX] = { { 0 } };
	FILE *log = fopen(log_path, "re");
	char line[4096], name[CALL_NAME_BYTES], *text;
	bool is_loader = true;
	int tid;

	assert_non_null(log);
	memset(profile, 0, sizeof(*profile));
	while (fgets(line, sizeof(line), log)) {
		struct call_count *call;
		unsigned int *count;

		tid = (int)strtol(line, &text, 10);
		if (sscanf(text, " %31[a-z0-9_](", name) != 1 || is_left_out(name))
			continue;
		call = profile_find(profile, name);
		count = count_of(threads, tid, (size_t)(call - profile->calls));
		if (++*count > call->count)
			call->count = *count;
		call->loader += is_loader;
		is_loader = is_loader && strcmp(name, LOADER_END) != 0;
	}
	(void)fclose(log);
	assert_true(profile->count > 0);
}

_Noreturn void tracer_exec(const struct injection *injection, const char *log_path,
			   char *const *argv)
{
	char *words[TRACER_ARGS + PROGRAM_ARGS_MAX] = { "strace", "-D", "-f", "-qq", "-o" };
	char inject[128];
	size_t count = 5, i;

	words[count++] = strdup(injection->name ? "/dev/null" : log_path);
	if (injection->name) {
		(void)snprintf(inject, sizeof(inject), "inject=%s:%s%s:when=%u", injection->name,
			       injection->error ? "error=" : "signal=",
			       injection->error ? injection->error : "KILL", injection->when);
		words[count++] = "-e";
		words[count++] = inject;
	}
	for (i = 0; i < PROGRAM_ARGS_MAX && argv[i]; i++)
		words[count++] = argv[i];
	words[count] = NULL;
	(void)execvp("strace", words);
	_exit(127);
}
