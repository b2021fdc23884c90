// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest/tap.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static bool case_failed;
static const char *case_skipped;

void tap_fail(const char *file, int line, const char *what, long long got, long long expected)
{
	tap_note("%s:%d: %s is %lld, expected %lld", file, line, what, got, expected);
	case_failed = true;
}

void tap_skip(const char *why)
{
	case_skipped = why;
}

static void case_print(size_t number, const char *name)
{
	if (case_failed)
		printf("not ok %zu - %s\n", number, name);
	else if (case_skipped)
		printf("ok %zu - %s # SKIP %s\n", number, name, case_skipped);
	else
		printf("ok %zu - %s\n", number, name);
	fflush(stdout);
}

/* How many of a group's cases failed; *number is that of the last case. */
static size_t group_run(const struct tap_group *group, size_t *number)
{
	size_t failed = 0, i;

	for (i = 0; i < group->count; i++) {
		case_failed = false;
		case_skipped = NULL;
		group->cases[i].run();
		case_print(++*number, group->cases[i].name);
		failed += case_failed;
	}
	return failed;
}

int tap_run_groups(const struct tap_group *const *groups, size_t count)
{
	size_t planned = 0, failed = 0, number = 0, i;

	for (i = 0; i < count; i++)
		planned += groups[i]->count;
	printf("1..%zu\n", planned);
	fflush(stdout);
	for (i = 0; i < count; i++)
		failed += group_run(groups[i], &number);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int tap_run(const struct tap_case *cases, size_t count)
{
	const struct tap_group group = { .name = "all", .cases = cases, .count = count };
	const struct tap_group *const groups[] = { &group };

	return tap_run_groups(groups, 1);
}

static sigjmp_buf caught;

static void catch (int signal)
{
	siglongjmp(caught, signal);
}

/* Signals whose default comes back after each access, so that a stray one kills. */
static void catch_set(void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
}

int tap_load(const volatile uint8_t *byte, uint8_t *ret_value)
{
	int signal = sigsetjmp(caught, 1);

	if (!signal) {
		catch_set(catch);
		*ret_value = *byte;
	}
	catch_set(SIG_DFL);
	return signal;
}

int tap_store(volatile uint8_t *byte, uint8_t value)
{
	int signal = sigsetjmp(caught, 1);

	if (!signal) {
		catch_set(catch);
		*byte = value;
	}
	catch_set(SIG_DFL);
	return signal;
}
