/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starting a broker on demand.
 *
 * Two clients may do so at once: one of the two brokers gives way, and both
 * clients find the other.
 */
#ifndef LIB_START_H
#define LIB_START_H

#include <stdbool.h>
#include <sys/types.h>

#define START_TIMEOUT_MS 5000

/* A process that is starting a broker and ends when it listens. */
struct starter {
	pid_t pid;
	int pidfd; /* owned; readable when the process has ended; -1: there is none */
};

/*
 * Starts vmsectd for `socket_path`; does not wait.  0, and then starter_wait()
 * or starter_kill() follows; -ENOENT no vmsectd was found; or what starting it
 * said.
 */
int starter_begin(struct starter *starter, const char *socket_path);

/*
 * Waits until it has ended, at most `timeout_ms`, and reaps it.  0 the broker
 * listens; -ECONNREFUSED it ended with an error; -ETIMEDOUT it has not ended,
 * and still is to be waited for or killed.
 */
int starter_wait(struct starter *starter, int timeout_ms);

/* Ends and reaps it if there is one. */
void starter_kill(struct starter *starter);

/* Starts a broker and waits until it listens, at most 5 s: as the two above. */
int broker_start(const char *socket_path);

#endif
