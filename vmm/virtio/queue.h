/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device's side of one split virtqueue.
 *
 * Everything in the rings is the driver's and may change at any time.  A
 * chain is copied, descriptor by descriptor, into a queue_chain of our own and
 * checked there; nothing is read twice.  What breaks a rule is -EPROTO, and
 * the queue is then not to be used until it is set up anew.
 *
 * States: off (queue_deinit, zeroed), set up (queue_init).  Owner: the
 * transport; used by the io thread only.  No lock.
 */
#ifndef VIRTIO_QUEUE_H
#define VIRTIO_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guest_mem;

#define QUEUE_SIZE_MAX 256
/* No chain describes more than this in all. */
#define QUEUE_CHAIN_BYTES_MAX (UINT32_C(1) << 24)

struct queue_setup {
	uint64_t descriptor_gpa;
	uint64_t driver_gpa; /* available ring */
	uint64_t device_gpa; /* used ring */
	uint16_t size;
};

struct queue {
	const struct guest_mem *mem; /* borrowed; NULL: off */
	struct queue_setup setup;
	const uint8_t *descriptors; /* in guest RAM, as are the next two */
	const uint8_t *avail;
	uint8_t *used;
	bool event_index; /* VIRTIO_F_EVENT_IDX */
	bool indirect; /* VIRTIO_F_INDIRECT_DESC */
	uint16_t next_avail;
	uint16_t next_used;
	uint16_t signalled_used; /* next_used when last asked for an interrupt */
};

struct queue_segment {
	uint64_t gpa;
	uint32_t bytes;
};

struct queue_chain {
	uint16_t head;
	uint16_t readable; /* segments [0, readable) */
	uint16_t writable; /* segments [readable, readable + writable) */
	uint32_t readable_bytes;
	uint32_t writable_bytes;
	struct queue_segment segments[QUEUE_SIZE_MAX];
};

/* True for a legal size, alignment, and rings that are all in RAM. */
bool queue_setup_is_good(const struct guest_mem *mem, const struct queue_setup *setup);

/* 0, or -EINVAL for a set-up that is not good. */
int queue_init(struct queue *queue, const struct guest_mem *mem, const struct queue_setup *setup,
	       uint64_t features);
void queue_deinit(struct queue *queue);

/* 1 with a chain, 0 if there is none, -EPROTO for a broken ring. */
int queue_pop(struct queue *queue, struct queue_chain *ret_chain);

/* Gives a chain back, with `written` bytes in its writable segments. */
void queue_push(struct queue *queue, const struct queue_chain *chain, uint32_t written);

/*
 * Asks the driver to kick when it adds a chain; true if one is there already
 * (it may have been added before the driver could see that it is asked to).
 */
bool queue_enable_kick(struct queue *queue);

/* True if the driver wants an interrupt for what was pushed since last time. */
bool queue_wants_interrupt(struct queue *queue);

/*
 * Copies the first `bytes` readable bytes of a chain; `from` is copied to its
 * first writable bytes.  False if the chain has fewer (or RAM refuses).
 */
bool queue_chain_read(const struct queue *queue, const struct queue_chain *chain, void *to,
		      size_t bytes);
bool queue_chain_write(const struct queue *queue, const struct queue_chain *chain, const void *from,
		       size_t bytes);

#endif
