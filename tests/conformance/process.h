/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An actor as the interpreter has it: a process and a socket to it.
 *
 * One thread.
 */
#ifndef CONFORMANCE_PROCESS_H
#define CONFORMANCE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "conformance/actor/args.h"
#include "conformance/actor/clock.h"
#include "conformance/script.h"

struct actor {
	struct actor *next;
	char name[ACTOR_NAME_BYTES];
	bool is_vm;
	pid_t pid; /* 0: it was killed */
	int fd; /* owned */
	struct reply reply; /* the last one */
};

struct actor_spec {
	const char *program; /* a path */
	const char *name;
	bool is_vm;
	const char *socket_path; /* of the broker */
	const char *folder; /* for its logs */
	const struct script_actor *header; /* NULL: nothing special */
};

/* Starts one; NULL, after a message, if the kernel does not let us. */
struct actor *actor_start(const struct actor_spec *spec);

/*
 * Sends a line and waits for the answer, which is in actor->reply then.
 * 0, -ETIMEDOUT, or -EPIPE: the actor has ended.
 */
int actor_ask(struct actor *actor, const char *line, int64_t until_ms);

/* kill -9, and waits. */
void actor_kill(struct actor *actor);

/* Kills it if it is there; frees. */
void actor_free(struct actor *actor);

#endif
