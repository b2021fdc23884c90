/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the doorbells share; see doorbell.h.
 *
 * Objects name each other by number where one may go without the other's help:
 * a hub outlives its section for a moment, and a member its handle, until
 * doorbells_settle().  A member never ends inside a call of another's: it is
 * doomed, and the loop ends it.
 */
#ifndef BROKER_DOORBELL_INTERNAL_H
#define BROKER_DOORBELL_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/log.h"
#include "broker/bells.h"
#include "broker/doorbell.h"
#include "broker/hash.h"

struct event;

TAILQ_HEAD(doorbell_link_list, doorbell_link);
TAILQ_HEAD(doorbell_bell_list, doorbell_bell);
TAILQ_HEAD(doorbell_member_list, doorbell_member);
TAILQ_HEAD(doorbell_hub_list, doorbell_hub);

struct doorbells {
	struct doorbell_options options;
	struct doorbell_hub *hubs; /* by section */
	struct doorbell_hub_list stale; /* to be settled */
	struct ringer ringer;
	struct log_limit log_limit; /* of lines that members cause */
};

/* Someone who has the section open and is no member. */
struct doorbell_native {
	uint32_t id;
	uint64_t round; /* of the hub, in which it was there */
	UT_hash_handle hh;
};

struct doorbell_hub {
	uint64_t section_id;
	uint32_t vectors;
	uint32_t holds; /* it goes without these and members */
	uint64_t round; /* of settling */
	bool is_stale;
	struct doorbells *doorbells; /* borrowed */
	struct doorbell_member_list members; /* in the order in which they came */
	struct doorbell_member *by_id;
	struct doorbell_native *natives; /* by id */
	TAILQ_ENTRY(doorbell_hub) of_stale;
	UT_hash_handle hh;
};

/* One vector of a bridge. */
struct doorbell_bell {
	struct doorbell_bridge *bridge;
	struct event *event; /* owned */
	bool is_resting; /* rang too fast */
	TAILQ_ENTRY(doorbell_bell) of_resting;
};

/* What a member rings for one native peer: the broker listens. */
struct doorbell_bridge {
	struct doorbell_member *member;
	uint32_t native;
	struct bells bells;
	struct doorbell_bell bell[]; /* as many */
};

/*
 * What a member is told of one peer, or of itself.  In the table until that one
 * leaves; waiting while there is something to tell.
 */
struct doorbell_link {
	uint32_t peer;
	uint32_t told; /* vectors, of `bells` */
	bool is_waiting;
	bool has_left; /* and that is to be told */
	const struct bells *bells; /* the peer's, or the bridge's */
	struct doorbell_bridge *bridge; /* owned; NULL: a member */
	TAILQ_ENTRY(doorbell_link) of_waiting;
	UT_hash_handle hh; /* by peer */
};

/* Messages before those about peers. */
enum doorbell_head {
	DOORBELL_HEAD_VERSION,
	DOORBELL_HEAD_ID,
	DOORBELL_HEAD_MEMORY, /* outside members alone */
	DOORBELL_HEAD_DONE,
};

struct doorbell_member {
	uint32_t id; /* of its party; 0: it is none yet */
	uint64_t serial;
	uint32_t handle;
	uint64_t view; /* outside: its view; inside: 0 */
	uid_t uid;
	bool is_outside;
	bool is_client; /* charged as one */
	bool is_doomed;
	bool is_greeted; /* all that there was to tell at first has been told */
	enum doorbell_end end;
	enum doorbell_head head; /* the next */
	int fd; /* owned */
	int memory_fd; /* owned, or -1 */
	uint32_t charged_fds;
	uint64_t sent; /* messages */
	struct party party; /* outside */
	struct doorbell_hub *hub; /* borrowed */
	struct bells bells; /* that others ring */
	struct doorbell_link *links; /* by peer */
	struct doorbell_link_list waiting;
	struct doorbell_bell_list resting;
	struct event *readable;
	struct event *writable;
	struct event *stalled; /* timer: it has taken nothing for too long */
	struct event *again; /* timer: bells that rest, and what could not be sent */
	TAILQ_ENTRY(doorbell_member) of_hub;
	UT_hash_handle hh; /* by id */
};

/* doorbell.c */

struct doorbell_hub *doorbell_hub_find(const struct doorbells *doorbells, uint64_t section_id);
/* Made if need be.  -EINVAL, -EBUSY, -ENOMEM. */
int doorbell_hub_get(struct doorbells *doorbells, uint64_t section_id, uint32_t vectors,
		     struct doorbell_hub **ret_hub, struct refusal *refusal);
/* Frees a hub that nothing needs any more. */
void doorbell_hub_put(struct doorbell_hub *hub);
void doorbell_hub_note(struct doorbell_hub *hub);
struct doorbell_member *doorbell_hub_member(const struct doorbell_hub *hub, uint32_t id);

/* doorbell_member.c */

/* Takes the descriptor in any case.  -ENOMEM, -EMFILE, -EDQUOT. */
int doorbell_member_new_take_fd(struct doorbell_hub *hub, int fd,
				struct doorbell_member **ret_member);
/* It has its id: bells, and what it is to be told.  Nobody else knows yet. */
int doorbell_member_prepare(struct doorbell_member *member, struct refusal *refusal);
/* The others are told, and it is the hub's.  -ENOMEM. */
int doorbell_member_enter(struct doorbell_member *member, struct refusal *refusal);
/* Frees one that has not entered. */
void doorbell_member_free(struct doorbell_member *member);
/* Ends it now: from the loop, and not from inside the registry. */
void doorbell_member_drop(struct doorbell_member *member, enum doorbell_end why);
/* Ends it from the loop; the first reason stays. */
void doorbell_member_doom(struct doorbell_member *member, enum doorbell_end why);

/* doorbell_link.c */

/* What is not told yet goes out as the stream takes it. */
void doorbell_member_write(struct doorbell_member *member);
/* Its time begins anew. */
void doorbell_member_has_read(struct doorbell_member *member);
/* A peer that the member is to know.  Takes the bridge on success.  -EDQUOT, -ENOMEM. */
int doorbell_link_add(struct doorbell_member *member, uint32_t peer, const struct bells *bells,
		      struct doorbell_bridge *bridge, struct refusal *refusal);
void doorbell_link_leave(struct doorbell_member *member, uint32_t peer);
void doorbell_links_free(struct doorbell_member *member);
/* Sends what can be sent.  0: all; -EAGAIN; -errno. */
int doorbell_links_send(struct doorbell_member *member);

/* doorbell_bridge.c */

/* -EDQUOT, -EMFILE, -ENOMEM. */
int doorbell_bridge_new(struct doorbell_member *member, uint32_t native,
			struct doorbell_bridge **ret_bridge, struct refusal *refusal);
void doorbell_bridge_free(struct doorbell_bridge *bridge);
/* What the member has rung before it ends is told before that it has left. */
void doorbell_bridge_flush(struct doorbell_bridge *bridge);
/* Listens again to what has rested. */
void doorbell_bridge_wake(struct doorbell_member *member);

/* doorbell_native.c */

/* Bridges from a new member to all of them. */
int doorbell_native_bridge(struct doorbell_member *member, struct refusal *refusal);
/* Compares who is there with who the members know. */
void doorbell_natives_settle(struct doorbell_hub *hub);
/* One that becomes a member, or is none any more: members hear that it has left. */
void doorbell_native_forget(struct doorbell_hub *hub, uint32_t id);
void doorbell_natives_free(struct doorbell_hub *hub);

#endif
