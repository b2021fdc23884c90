/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A broker without sockets, for fuzz_session.c: a registry with small limits,
 * three clients of three users, and jobs that run when they are told to.  What
 * replies and events tell is remembered, so that requests can name it.
 *
 * Whatever does not hold ends the program.  One thread but for the jobs'.
 */
#ifndef FUZZ_SESSION_WORLD_H
#define FUZZ_SESSION_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fdmsg.h"
#include "broker/doorbell.h"
#include "broker/export.h"
#include "broker/registry.h"
#include "broker/reply.h"

#define CLIENTS 3u
#define STREAMS 4u /* of doorbells, that are kept */
#define KNOWN 8u /* numbers of a kind that are remembered */

/* The last numbers of one kind that were seen. */
struct known {
	uint64_t numbers[KNOWN];
	unsigned int next;
};

struct client {
	struct party party;
	uint64_t cookie; /* of the last request */
	struct known handles;
};

struct world {
	struct registry registry;
	struct client clients[CLIENTS];
	struct known sections;
	struct known views;
	struct known offers;
	struct reply reply;
	struct doorbells *doorbells; /* owned */
	struct export_host exports;
	struct doorbell_stats doorbell_stats;
	int streams[STREAMS]; /* owned, or -1 */
	unsigned int next_stream;
	struct request request; /* the last that the decoder took */
	unsigned int open_fds; /* of the program, before */
	int file; /* owned: the data file */
};

/* Not assert(): it is there whatever the build. */
#define require(condition) ((condition) ? (void)0 : require_failed(__FILE__, __LINE__))

__attribute__((noreturn)) static inline void require_failed(const char *file, int line)
{
	(void)fprintf(stderr, "%s:%d: this does not hold\n", file, line);
	abort();
}

/* Once for the program: what runs the jobs. */
void world_start(void);

void world_init(struct world *world);

/* All jobs end, all clients go, and nothing is left. */
void world_deinit(struct world *world);

void known_add(struct known *known, uint64_t number);
uint64_t known_get(const struct known *known, unsigned int which);

/* One datagram of a client, as the broker's loop takes it.  Descriptors are taken. */
void world_message(struct world *world, struct client *client, const void *bytes,
		   struct fdmsg *message);

/* Waits until no request waits for a disk. */
void world_finish_jobs(struct world *world);

/* The connection ends. */
void world_leave(struct world *world, struct client *client);

/* A client closes a stream, says a byte on it, or reads; and the loop sees it. */
void world_stream(struct world *world, unsigned int which);

/* What has expired in so many milliseconds from now ends. */
void world_pass_time(struct world *world, uint64_t ms);

/* See session_invariant.c: all lists, counts, charges and rules of the registry. */
void invariant_check(const struct world *world);

#endif
