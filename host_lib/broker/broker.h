/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The broker: loop, listener, registry and the peers, and what joins them.
 * One thread.  Everything that a peer causes is answered to, counted for and,
 * if it fails, paid by that peer alone.
 */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include <sys/queue.h>

#include "base/event.h"
#include "base/log.h"
#include "broker/listener.h"
#include "broker/peer.h"
#include "broker/registry.h"
#include "broker/reply.h"
#include "broker/stats.h"

struct broker_options {
	struct limits limits;
	unsigned int idle_exit_s; /* 0: stay */
};

TAILQ_HEAD(peer_list, peer);

struct broker {
	struct event_base *base; /* owned */
	struct listener listener;
	struct event *acceptable; /* owned */
	struct event *accept_again; /* owned; timer after a failed accept */
	struct event *idle; /* owned; timer, or NULL */
	unsigned int idle_exit_s;
	struct loop_signals signals;
	struct registry registry;
	struct peer_list peers;
	unsigned int over_limit; /* peers that wait to be told so */
	struct peer_owner owner;
	struct stats stats;
	struct log_limit log_limit; /* of lines that peers cause */
	struct reply reply;
	unsigned char buffer[VMSECT_MSG_MAX] __attribute__((aligned(8)));
};

/*
 * A broker on a listener, which it takes in any case.  Free with broker_free().
 * -ENOMEM or what the system says.
 */
int broker_new_take_listener(const struct broker_options *options, struct listener *listener,
			     struct broker **ret_broker);

/* Ends all connections and frees all; NULL is fine; returns NULL. */
struct broker *broker_free(struct broker *broker);

/* Serves until a signal or idleness ends it.  0 or -errno. */
int broker_run(struct broker *broker);

#endif
