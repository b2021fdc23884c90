/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The doorbells of sections: the server side of the ivshmem protocol, version 0.
 *
 * A hub belongs to a section and has members, each with an eventfd per vector
 * and a stream of messages that go one way.  An outside member (QEMU and the
 * like) comes by a listening socket; it is a party of its own (kind IVSHMEM)
 * with a handle and a view.  An inside member is a client that asked for a
 * stream on one of its handles; it keeps its party id.  Whoever else has the
 * section open is a native peer, which members ring through the broker.
 *
 * Members ring each other without the broker.  docs/decisions/015-doorbells.md
 * says why it is so, docs/protocol.md what goes over the stream.
 *
 * Owned by the broker; its one thread.  Nothing here blocks.
 */
#ifndef BROKER_DOORBELL_H
#define BROKER_DOORBELL_H

#include <stdint.h>

#include "broker/registry.h"

struct event_base;
struct doorbells;

/* Why a member's stream ended. */
enum doorbell_end {
	DOORBELL_END_CLOSED, /* by the member */
	DOORBELL_END_SPOKE, /* the member sent something */
	DOORBELL_END_SLOW, /* the member does not read */
	DOORBELL_END_REVOKED, /* its handle or view ended */
	DOORBELL_END_REPLACED, /* its client asked for another stream */
	DOORBELL_END_FULL, /* too many descriptors were on their way when it came */
	DOORBELL_END_ENDED, /* the broker ends */
	DOORBELL_END_ERROR, /* of the socket, or no memory */
	DOORBELL_END_COUNT,
};

struct doorbell_stats {
	uint64_t joined;
	uint64_t refused; /* connections and requests that did not become members */
	uint64_t ended[DOORBELL_END_COUNT];
	uint64_t to_members; /* notifications that rang a member */
	uint64_t to_natives; /* rings that native peers were told of */
	uint64_t limited; /* times that a member rang too fast and had to wait */
	uint64_t unbridged; /* native peers that members cannot ring, for want of descriptors */
};

/* All is borrowed. */
struct doorbell_options {
	struct event_base *base;
	struct registry *registry;
	struct doorbell_stats *stats;
	unsigned int stall_ms; /* a member that takes nothing for that long does not read */
	/* A unit of changes is over that no request has caused (as broker_end_unit()). */
	void (*ended)(void *arg);
	void *arg;
};

/* NULL: no memory. */
struct doorbells *doorbells_new(const struct doorbell_options *options);

/* Ends all streams without a word; NULL is fine; returns NULL. */
struct doorbells *doorbells_free(struct doorbells *doorbells);

/*
 * From now on, and until doorbells_release(), the section's doorbells have so many
 * vectors, with and without members.  Calls add up.  -EINVAL: not 1..64; -EBUSY:
 * another number is in use; -ENOMEM.
 */
int doorbells_hold(struct doorbells *doorbells, const struct section *section, uint32_t vectors,
		   struct refusal *refusal);
void doorbells_release(struct doorbells *doorbells, uint64_t section_id);

/*
 * Can ivshmem devices have the section: its memory is there, is as large as the
 * section, a power of two, all of it is committed, and it may be written?
 * -EINVAL (SIZE), -EOPNOTSUPP, -EACCES, -EAGAIN (RECOVERY).
 */
int doorbell_check_section(const struct section *section, struct refusal *refusal);

/*
 * A connection that a socket of the section has just accepted becomes a member.
 * Its peer credentials decide: READ, WRITE and NOTIFY.  The section has to be
 * held.  Takes the descriptor in any case; a refusal is logged and counted here,
 * and the connection closed.  -errno.  To be called from the loop.
 */
int doorbell_accept_take_fd(struct doorbells *doorbells, struct section *section, int fd);

/*
 * Makes the handle's client a member; *ret_fd is the client's end of its stream.
 * One that has a stream by this handle gets another, and that one ends.  -EPERM
 * (the handle has no NOTIFY), -EBUSY, -EINVAL, -EDQUOT, -EMFILE, -ENOMEM.
 */
int doorbell_join(struct doorbells *doorbells, const struct handle *handle, uint32_t vectors,
		  int *ret_fd, struct refusal *refusal);

/*
 * Has changes of handles and views known to members.  doorbells_note() may be
 * called from inside the registry; doorbells_settle(), which may end parties, is
 * called at the end of a unit.  NULL has none.
 */
void doorbells_note(struct doorbells *doorbells, enum registry_object kind, const void *object);
void doorbells_settle(struct doorbells *doorbells);

/*
 * A notification for a party, which rings it if it is a member.  True: that was
 * all; false: the party hears of it by its connection, as it is no member or has
 * the section open besides.
 */
bool doorbells_ring(struct doorbells *doorbells, const struct party *to,
		    const struct registry_event *event);

/* Is the party the registry's and not a connection's? */
bool doorbell_is_outside(const struct party *party);

#endif
