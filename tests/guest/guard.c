// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest/guard.h"

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

/* Where a thread goes when the access that it is at fails; NULL: at none. */
static __thread sigjmp_buf *guard;

static void caught(int signal)
{
	static const char text[] = "Bail out! SIGBUS or SIGSEGV outside of a guarded access\n";

	if (guard)
		siglongjmp(*guard, signal);
	_exit(write(STDOUT_FILENO, text, sizeof(text) - 1) < 0 ? 126 : 125);
}

void guard_init(void)
{
	/* With NODEFER the mask need not be saved before each access. */
	struct sigaction action = { .sa_handler = caught, .sa_flags = SA_NODEFER };

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
}

int guard_run(void (*access)(void *data), void *data)
{
	sigjmp_buf here;
	int signal = sigsetjmp(here, 0);

	if (!signal) {
		guard = &here;
		access(data);
	}
	guard = NULL;
	return signal;
}
