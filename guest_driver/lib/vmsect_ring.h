/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A ring of records in shared memory: one producer, one consumer, each in its
 * thread, process or VM.  Records have any length up to a limit and lie in one
 * piece, so that they can be written and read in place.
 *
 * The other side is not trusted.  All that it can write is loaded once and
 * checked; the own index is kept in private memory.  A side that finds nonsense
 * gets -EPROTO from then on, and never reads or writes outside the ring.  What
 * the bytes of a record mean is the program's business, and bytes that are looked
 * at in place can still change: vmsect_ring_read() copies them first.
 *
 * Death and restart.  A side that died is replaced by attaching again.  What a
 * producer had committed is there, what it had only begun is not.  A consumer's
 * successor starts with the first record that was not released: a record that
 * was peeked at and not released comes again (at least once), every other exactly
 * once.  The living side goes on, and is told by -ECONNRESET, once, before it
 * sees anything of the newcomer.  A side that was replaced while it lived gets
 * -ESTALE; until it notices, both write, so make sure that it is dead.
 *
 * Sleep.  Waiting is first polling, for a bounded number of turns that adapts
 * itself; then the sleeper says at which index it wants to be woken, and a party
 * that passes it rings the bell.  Nobody rings for a side that does not sleep.  A
 * sleeper also looks by itself every recheck_ms: a bell that is lost (the host
 * refused it or its broker was away, the other side died between its store and
 * the bell) costs time and nothing else.
 *
 * A struct vmsect_ring is one side, and one thread's at a time.  It owns neither
 * the memory nor the bell.  docs/memory-model.md says which store is ordered with
 * which load; the models in tests/model prove it.
 */
#ifndef VMSECT_RING_H
#define VMSECT_RING_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vmsect_ring_header;

enum vmsect_ring_side { VMSECT_RING_PRODUCER = 0, VMSECT_RING_CONSUMER = 1 };

enum vmsect_ring_peer {
	VMSECT_RING_PEER_NONE, /* was never there */
	VMSECT_RING_PEER_ATTACHED, /* is there, or has died */
	VMSECT_RING_PEER_LEFT, /* has detached */
};

/*
 * How sides wake each other.  Bells are level-triggered: one that rang before
 * wait() was called makes it return at once, and wait() silences it.
 */
struct vmsect_ring_bell_ops {
	/* Wakes the other side.  0, or -errno if it can never be woken again. */
	int (*notify)(void *ctx);
	/*
	 * Sleeps until the bell rings or timeout_ms (0: does not sleep) have passed;
	 * 0 in both cases and whenever in doubt.  -errno ends vmsect_ring_wait().
	 */
	int (*wait)(void *ctx, int timeout_ms);
};

struct vmsect_ring_bell {
	const struct vmsect_ring_bell_ops *ops; /* NULL: nobody sleeps; sides poll */
	void *ctx;
};

/* What a side has done since it attached. */
struct vmsect_ring_counters {
	uint64_t notified; /* the peer was sleeping and was woken */
	uint64_t suppressed; /* an index was published and nobody had to be woken */
	uint64_t slept; /* calls of the bell's wait() */
	uint64_t restarts; /* of the peer, or that it left */
};

/* One side.  Its fields are the library's, counters excepted. */
struct vmsect_ring {
	struct vmsect_ring_header *shared;
	unsigned char *data;
	uint64_t data_bytes;
	uint32_t record_max;
	enum vmsect_ring_side side;
	struct vmsect_ring_bell bell;
	uint64_t index; /* own; memory's copy is written and never read back */
	uint64_t peer_index; /* as last seen, and found possible */
	uint32_t generation;
	uint32_t peer_generation;
	int error; /* 0, -EPROTO, -ESTALE: the end */
	/* Of a record that is reserved or peeked at; in_hand 0: none. */
	uint64_t pad_bytes;
	uint64_t in_hand;
	/* Patience. */
	uint32_t spin, spin_max;
	int recheck_ms;
	struct vmsect_ring_counters counters;
};

/**
 * vmsect_ring_format - lay out an empty ring
 * @addr: mapped to read and write, aligned to 64 bytes
 * @bytes: at @addr; the data get the largest power of two that fits
 * @record_max: longest record in bytes; 0: as long as possible, half the data
 *
 * Nobody may be attached.  A side that attaches meanwhile sees no ring or all of it.
 *
 * Errors: EINVAL (not aligned, record_max too long), ENOSPC (less than 576 bytes).
 */
int vmsect_ring_format(void *addr, size_t bytes, uint32_t record_max);

/**
 * vmsect_ring_attach - become one side of a ring
 * @ret_ring: the caller's; keeps borrowing @addr and what @bell points to
 * @side: of which there must be no other that lives
 * @addr: as above, from vmsect_ring_format()
 * @bytes: mapped there
 * @bell: NULL: none
 *
 * Goes on where the predecessor was, and wakes the other side.
 *
 * Errors: EINVAL (not aligned, side), ENOENT (no ring, or not yet), EPROTONOSUPPORT
 * (another version), EPROTO (a header that cannot be, or reaches past @bytes).
 */
int vmsect_ring_attach(struct vmsect_ring *ret_ring, enum vmsect_ring_side side, void *addr,
		       size_t bytes, const struct vmsect_ring_bell *bell);

/**
 * vmsect_ring_detach - leave
 * @ring: NULL or all zero is fine; all zero afterwards
 *
 * What was committed stays for the other side, which is told, and woken.
 */
void vmsect_ring_detach(struct vmsect_ring *ring);

/**
 * vmsect_ring_patience - how to wait
 * @ring: attached
 * @spin_max: most turns of polling before a sleep; 0 where a poll would only take
 *            the processor from the other side.  After attach: 2000
 * @recheck_ms: longest sleep without a look.  After attach: 100
 *
 * Errors: EINVAL (recheck_ms is not positive).
 */
int vmsect_ring_patience(struct vmsect_ring *ring, uint32_t spin_max, int recheck_ms);

/**
 * vmsect_ring_peer - is the other side there
 * @ring: attached
 *
 * A side that was killed has not left: PEER_LEFT of vmsect_guest_read_event() tells.
 */
enum vmsect_ring_peer vmsect_ring_peer(const struct vmsect_ring *ring);

/*
 * All functions below can fail with EPROTO (the memory has what no honest peer
 * writes), ESTALE (another has attached as this side): both for ever; and
 * ECONNRESET: the peer has left or was replaced.  That is said once and nothing
 * has been done; call again.
 */

/**
 * vmsect_ring_reserve - room for a record, in place
 * @ring: the producer
 * @bytes: at most; 0 is a record too
 * @ret_record: aligned to 8; to be filled before vmsect_ring_commit().  Shared
 *              memory: the peer can read and write it
 *
 * Does not block.  A second call replaces the first, and one without a commit
 * is forgotten.
 *
 * Errors: EINVAL (not the producer), EMSGSIZE, EAGAIN (no room now).
 */
int vmsect_ring_reserve(struct vmsect_ring *ring, uint32_t bytes, void **ret_record);

/**
 * vmsect_ring_commit - hand a reserved record over
 * @ring: the producer
 * @bytes: no more than reserved
 *
 * Wakes the consumer if it sleeps.
 *
 * Errors: EINVAL (nothing or less is reserved; nothing was done).  Another error is
 * the bell's: the record is committed, the consumer finds it by looking.
 */
int vmsect_ring_commit(struct vmsect_ring *ring, uint32_t bytes);

/**
 * vmsect_ring_peek - the oldest record, in place
 * @ring: the consumer
 * @ret_record: aligned to 8, valid until vmsect_ring_release().  Shared memory: a
 *              hostile peer can change it while it is looked at
 * @ret_bytes: of the record
 *
 * Does not block.  The same record until it is released.
 *
 * Errors: EINVAL (not the consumer), EAGAIN (there is none).
 */
int vmsect_ring_peek(struct vmsect_ring *ring, const void **ret_record, uint32_t *ret_bytes);

/**
 * vmsect_ring_release - done with the record that was peeked at
 * @ring: the consumer
 *
 * Wakes the producer if it sleeps and there is room enough.
 *
 * Errors: EINVAL (nothing was peeked at).  Another error is the bell's: the record is
 * released.
 */
int vmsect_ring_release(struct vmsect_ring *ring);

/**
 * vmsect_ring_arm - before a sleep on something else than the bell's wait()
 * @ring: either side
 * @bytes: the producer: room for a record so long; the consumer: 0
 *
 * With -EAGAIN the peer will ring when there is something: sleep.  With 0 there is
 * something already.  For programs that poll(2) several descriptors.
 *
 * Errors: EAGAIN, EMSGSIZE.
 */
int vmsect_ring_arm(struct vmsect_ring *ring, uint32_t bytes);

/**
 * vmsect_ring_wait - until there is a record, or room for one
 * @ring: either side
 * @bytes: the producer: room for a record so long; the consumer: 0
 * @timeout_ms: 0: do not wait; negative: without end
 *
 * Errors: ETIMEDOUT, EMSGSIZE, and what the bell's wait() says.
 */
int vmsect_ring_wait(struct vmsect_ring *ring, uint32_t bytes, int timeout_ms);

/**
 * vmsect_ring_write - reserve, copy, commit
 * @ring: the producer
 * @record: copied
 * @bytes: of it
 * @timeout_ms: for vmsect_ring_wait()
 *
 * Errors: those of the three and of vmsect_ring_wait().
 */
int vmsect_ring_write(struct vmsect_ring *ring, const void *record, uint32_t bytes, int timeout_ms);

/**
 * vmsect_ring_read - peek, copy, release
 * @ring: the consumer
 * @buffer: gets the record
 * @room: in it
 * @timeout_ms: for vmsect_ring_wait()
 * @ret_bytes: of the record
 *
 * Errors: EMSGSIZE (more than room; the record stays), and those of the three and
 * of vmsect_ring_wait().
 */
int vmsect_ring_read(struct vmsect_ring *ring, void *buffer, uint32_t room, int timeout_ms,
		     uint32_t *ret_bytes);

#ifdef __cplusplus
}
#endif

#endif
