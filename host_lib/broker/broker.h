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
#include "broker/job.h"
#include "broker/doorbell.h"
#include "broker/expiry.h"
#include "broker/export.h"
#include "broker/fdstore.h"
#include "broker/journal.h"
#include "broker/listener.h"
#include "broker/news.h"
#include "broker/peer.h"
#include "broker/registry.h"
#include "broker/reply.h"
#include "broker/restore_grace.h"
#include "broker/stats.h"

struct broker_options {
	struct limits limits;
	unsigned int idle_exit_s; /* 0: stay */
	unsigned int resume_grace_s; /* for clients of the broker before */
	const char *journal_path; /* NULL: nothing is kept; borrowed */
	const char *page_file_dir; /* NULL: there is none; borrowed */
	const char *export_dir; /* of paths to shmem; borrowed */
	const char *state_dir; /* for what has to outlive the host; borrowed */
	const char *runtime_dir; /* for what has to outlive the broker; borrowed */
	struct fdstore *fdstore; /* what the service manager kept; taken */
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
	struct broker_jobs *jobs; /* owned */
	struct doorbells *doorbells; /* owned */
	struct journal *journal; /* owned, or NULL */
	const char *journal_path; /* borrowed, or NULL */
	struct fdstore fdstore;
	struct news news;
	struct restore_grace grace;
	struct expiry expiry;
	struct export_host exports;
	const char *page_file_dir; /* these three are borrowed, or NULL */
	const char *state_dir;
	const char *runtime_dir;
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

/*
 * What was changed since the last call goes into the journal and to the service
 * manager, and then others are told: to be called at the end of a request, before
 * its answer, of a job, and of a client.
 */
void broker_end_unit(struct broker *broker);

/* To be called when a peer or a section may have been the last one. */
void broker_watch_idleness(struct broker *broker);

/* Serves until a signal or idleness ends it.  0 or -errno. */
int broker_run(struct broker *broker);

#endif
