/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection of a client, which outlives its brokers.  Nothing here waits
 * but the first connection: the rest does what is due now and says when it is
 * to be called again.
 *
 * A lost connection is made again where it was, with attempts 100 ms apart for
 * a minute, then a second.  RESUME asks for what was ours; HELLO starts anew if
 * the broker knows nothing of that.
 *
 * Owner: the client.  One thread at a time; no lock.
 */
#ifndef LIB_LINK_H
#define LIB_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <vmsect/vmsect_proto.h>
#include "base/fdmsg.h"
#include "lib/place.h"
#include "lib/poller.h"
#include "lib/start.h"

struct vmsect_client;
struct vmsect_connect_options;

enum link_phase {
	LINK_LOST,
	LINK_GREETING, /* RESUME or HELLO was sent */
	LINK_CONNECTED,
};

#define LINK_REASON_MAX 256u

struct link {
	enum link_phase phase;
	int fd; /* owned; -1: lost */
	struct poller poller;
	struct place place; /* of the broker */
	uid_t broker_uid; /* the kernel's word */
	bool may_start; /* a broker there, if none listens */
	struct starter starter;
	int64_t start_ms; /* not before that */
	int64_t lost_ms; /* since when there is none */
	int64_t attempt_ms; /* LOST: the next attempt; GREETING: when it has failed */
	int64_t tried_ms; /* the last one */
	bool known; /* a broker has answered HELLO: from now on RESUME is asked first */
	enum vmsect_op greeting; /* what was sent: HELLO or RESUME */
	uint64_t greeting_cookie;
	int failure; /* of the last attempt, with its reason */
	uint32_t failure_detail;
	char reason[LINK_REASON_MAX];
	uint64_t broker_generation;
	unsigned char token[VMSECT_TOKEN_BYTES]; /* secret */
	struct vmsect_req_hello hello; /* who we are */
};

/* A link without a connection; link_deinit() is fine from then on. */
void link_prepare(struct link *link);

/* Connects and says HELLO; waits.  0 or -errno with client->error. */
int link_init(struct vmsect_client *client, const struct vmsect_connect_options *options);
void link_deinit(struct vmsect_client *client);

/*
 * Does what is due: an attempt, its end, starting a broker, sending.  Never
 * waits.
 */
void link_drive(struct vmsect_client *client);

/* Takes one message if there is one; false: there is none. */
bool link_receive(struct vmsect_client *client);

/* When link_drive() is to be called next: milliseconds of poller_now(), or INT64_MAX. */
int64_t link_due(const struct vmsect_client *client);

/* Makes the caller's descriptor say what there is to do; at the end of each call. */
void link_settle(struct vmsect_client *client);

/* The connection has ended, or the broker does not answer. */
void link_lose(struct vmsect_client *client, int failure, const char *reason);

/* Ends it for good: no attempts any more. */
void link_close(struct vmsect_client *client);

/* greet.c: sends RESUME or HELLO.  0 or -errno. */
int greet_send(struct vmsect_client *client, enum vmsect_op op);

/* greet.c: takes the reply in client->buffer, whose header has been checked. */
void greet_take(struct vmsect_client *client, const struct vmsect_msg_hdr *hdr,
		const struct fdmsg *msg);

#endif
