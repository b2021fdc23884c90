/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Glue for libevent_core: a loop that one thread owns, and signals as one more
 * descriptor.  No locks, no environment variables, no signal handlers.
 */
#ifndef BASE_EVENT_H
#define BASE_EVENT_H

#include <stddef.h>
#include <sys/time.h>

struct event_base;
struct event;

/* Called in the loop for each signal that came. */
typedef void (*loop_signal_fn)(int signal, void *arg);

/* `call` and `arg` are set before loop_signals_init(), the rest by it. */
struct loop_signals {
	loop_signal_fn call;
	void *arg; /* borrowed */
	int fd; /* owned signalfd */
	struct event *event; /* owned; NULL: not delivering */
};

/* A loop of its own for the calling thread; free with event_base_free().  NULL: no memory. */
struct event_base *loop_new(void);

/*
 * Blocks the `count` signals in this thread and delivers them to `call` from
 * the loop.  To be called before other threads start, so that they inherit the
 * mask.  Returns 0 or -errno.
 */
int loop_signals_init(struct loop_signals *signals, struct event_base *base, const int *numbers,
		      size_t count);

/* Stops the delivery; the signals stay blocked.  A zeroed struct is fine. */
void loop_signals_deinit(struct loop_signals *signals);

/* A one-shot timer's period from milliseconds. */
struct timeval loop_ms(unsigned int ms);

#endif
