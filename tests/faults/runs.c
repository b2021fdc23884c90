/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See runs.h. */
#include "runs.h"

#include "lib/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOBS 2
#define RUN_SECONDS 120

enum run_end {
	RUN_OK = 0,
	RUN_REFUSED = 1,
};

static const char *const errors[] = { "ENOMEM", "EMFILE", "ENOSPC", "EIO", "EINTR" };

/*
 * Does it make sense that it fails?  close() says what it likes and has closed,
 * but strace cannot do that: the descriptor would stay.
 */
static bool can_fail(const char *name)
{
	return strcmp(name, "close") != 0;
}

struct runs {
	run_one one;
	const void *arg;
	unsigned int next_error;
	unsigned int under_way;
	unsigned int done;
	unsigned int refused;
	unsigned int failed;
};

/* The end of one, whichever it is. */
static void reap(struct runs *runs)
{
	int status = -1;

	assert_true(waitpid(-1, &status, 0) > 0);
	runs->under_way--;
	runs->done++;
	if (!WIFEXITED(status) || WEXITSTATUS(status) > RUN_REFUSED)
		runs->failed++;
	else
		runs->refused += WEXITSTATUS(status) == RUN_REFUSED;
}

static void start(struct runs *runs, const struct injection *injection)
{
	pid_t pid;

	if (runs->under_way == JOBS)
		reap(runs);
	(void)fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	runs->under_way++;
	if (pid)
		return;
	(void)setenv("CMOCKA_TEST_ABORT", "1", 1); /* an assertion ends this process */
	alarm(RUN_SECONDS);
	_exit(runs->one(runs->arg, injection) ? RUN_REFUSED : RUN_OK);
}

/* What FAULTS_ONLY asks for; false: nothing. */
static bool start_only(struct runs *runs)
{
	const char *text = getenv("FAULTS_ONLY");
	char words[64] = "", *rest = words;
	struct injection injection;

	if (!text)
		return false;
	(void)snprintf(words, sizeof(words), "%s", text);
	injection.name = strsep(&rest, ":");
	assert_non_null(rest);
	injection.when = (unsigned int)strtoul(strsep(&rest, ":"), NULL, 10);
	injection.error = rest;
	start(runs, &injection);
	return true;
}

static unsigned int first_error(void)
{
	const char *text = getenv("VMSECT_SEED");
	unsigned int seed = text ? (unsigned int)strtoul(text, NULL, 0) : (unsigned int)time(NULL);

	print_message("# VMSECT_SEED=%u\n", seed);
	return seed % ARRAY_SIZE(errors);
}

/* With each errno, or the next of them, or a kill. */
static void start_each(struct runs *runs, struct injection *injection, bool fails)
{
	size_t tries = fails && getenv("FAULTS_ALL") ? ARRAY_SIZE(errors) : 1;

	while (tries--) {
		injection->error = fails ? errors[runs->next_error++ % ARRAY_SIZE(errors)] : NULL;
		start(runs, injection);
	}
}

static void start_all(struct runs *runs, const struct call_profile *profile, bool fails)
{
	const struct call_count *call;
	struct injection injection;

	runs->next_error = fails ? first_error() : 0;
	for (call = profile->calls; call < profile->calls + profile->count; call++) {
		injection.name = call->name;
		injection.when = fails && !can_fail(call->name) ? call->count : call->loader;
		while (++injection.when <= call->count)
			start_each(runs, &injection, fails);
	}
}

void runs_do(const struct call_profile *profile, bool fails, run_one one, const void *arg)
{
	struct runs runs = { .one = one, .arg = arg };

	if (!start_only(&runs))
		start_all(&runs, profile, fails);
	while (runs.under_way)
		reap(&runs);
	print_message("# %u runs, in %u something was refused\n", runs.done, runs.refused);
	if (runs.failed)
		fail_msg("%u of %u runs failed", runs.failed, runs.done);
}
