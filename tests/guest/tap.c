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

int tap_run(const struct tap_case *cases, size_t count)
{
	size_t failed = 0, i;

	printf("1..%zu\n", count);
	fflush(stdout);
	for (i = 0; i < count; i++) {
		case_failed = false;
		case_skipped = NULL;
		cases[i].run();
		case_print(i + 1, cases[i].name);
		failed += case_failed;
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
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
