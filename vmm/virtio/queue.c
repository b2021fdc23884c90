/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See queue.h.  Virtual I/O Device (VIRTIO) 1.2, section 2.7: split
 * virtqueues.
 */
#include "virtio/queue.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "mem/guest_mem.h"
#include "virtio/virtio.h"

#define DESC_BYTES 16
#define DESC_NEXT 1
#define DESC_WRITE 2
#define DESC_INDIRECT 4

#define AVAIL_NO_INTERRUPT 1
#define AVAIL_FLAGS 0
#define AVAIL_INDEX 2
#define AVAIL_RING(i) (4 + 2 * (uint32_t)(i))
#define AVAIL_BYTES(size) (6 + 2 * (uint64_t)(size)) /* with used_event */

#define USED_INDEX 2
#define USED_RING(i) (4 + 8 * (uint32_t)(i))
#define USED_BYTES(size) (6 + 8 * (uint64_t)(size)) /* with avail_event */

struct queue_descriptor {
	uint64_t gpa;
	uint32_t bytes;
	uint16_t flags;
	uint16_t next;
};

/* Where the descriptors of a chain are read from. */
struct descriptor_table {
	const uint8_t *entries;
	uint32_t count;
};

static uint16_t ring_load16(const uint8_t *at, int order)
{
	const uint16_t *word = (const uint16_t *)(const void *)at;

	return le16toh(order == __ATOMIC_ACQUIRE ? __atomic_load_n(word, __ATOMIC_ACQUIRE)
						 : __atomic_load_n(word, __ATOMIC_RELAXED));
}

static bool part_is_good(const struct guest_mem *mem, uint64_t gpa, uint64_t bytes,
			 uint64_t alignment)
{
	return gpa % alignment == 0 && guest_mem_has(mem, gpa, bytes);
}

bool queue_setup_is_good(const struct guest_mem *mem, const struct queue_setup *setup)
{
	uint16_t size = setup->size;

	return size > 0 && size <= QUEUE_SIZE_MAX && (size & (size - 1)) == 0 &&
	       part_is_good(mem, setup->descriptor_gpa, (uint64_t)size * DESC_BYTES, 16) &&
	       part_is_good(mem, setup->driver_gpa, AVAIL_BYTES(size), 2) &&
	       part_is_good(mem, setup->device_gpa, USED_BYTES(size), 4);
}

int queue_init(struct queue *queue, const struct guest_mem *mem, const struct queue_setup *setup,
	       uint64_t features)
{
	uint16_t size = setup->size;

	if (!queue_setup_is_good(mem, setup))
		return -EINVAL;
	*queue = (struct queue){
		.mem = mem,
		.setup = *setup,
		.descriptors =
			guest_mem_at(mem, setup->descriptor_gpa, (uint64_t)size * DESC_BYTES),
		.avail = guest_mem_at(mem, setup->driver_gpa, AVAIL_BYTES(size)),
		.used = guest_mem_at(mem, setup->device_gpa, USED_BYTES(size)),
		.event_index = features >> VIRTIO_FEATURE_EVENT_IDX & 1,
		.indirect = features >> VIRTIO_FEATURE_INDIRECT_DESC & 1,
	};
	return 0;
}

void queue_deinit(struct queue *queue)
{
	*queue = (struct queue){ 0 };
}

/* Each half is loaded once: the driver may rewrite it at any time. */
static struct queue_descriptor descriptor_load(const uint8_t *at)
{
	const uint64_t *words = (const uint64_t *)(const void *)at;
	uint64_t second = le64toh(__atomic_load_n(&words[1], __ATOMIC_RELAXED));

	return (struct queue_descriptor){
		.gpa = le64toh(__atomic_load_n(&words[0], __ATOMIC_RELAXED)),
		.bytes = (uint32_t)second,
		.flags = (uint16_t)(second >> 32),
		.next = (uint16_t)(second >> 48),
	};
}

static int chain_add(const struct queue *queue, struct queue_chain *chain,
		     const struct queue_descriptor *descriptor)
{
	uint32_t used = (uint32_t)chain->readable + chain->writable;
	bool is_writable = descriptor->flags & DESC_WRITE;
	uint32_t *sum = is_writable ? &chain->writable_bytes : &chain->readable_bytes;

	if (used >= queue->setup.size || (chain->writable && !is_writable))
		return -EPROTO;
	if (!guest_mem_has(queue->mem, descriptor->gpa, descriptor->bytes))
		return -EPROTO;
	if (descriptor->bytes > QUEUE_CHAIN_BYTES_MAX - *sum)
		return -EPROTO;
	*sum += descriptor->bytes;
	chain->segments[used] =
		(struct queue_segment){ .gpa = descriptor->gpa, .bytes = descriptor->bytes };
	if (is_writable)
		chain->writable++;
	else
		chain->readable++;
	return 0;
}

/*
 * Follows one table until its chain ends (0) or an indirect descriptor comes
 * (1, in *ret_indirect).  A loop ends because every turn uses up a segment, of
 * which a chain has no more than the queue has descriptors.
 */
static int chain_follow(const struct queue *queue, struct queue_chain *chain,
			struct descriptor_table table, uint16_t first,
			struct queue_descriptor *ret_indirect)
{
	uint32_t index = first;

	for (;;) {
		struct queue_descriptor descriptor;
		int result;

		if (index >= table.count)
			return -EPROTO;
		descriptor = descriptor_load(table.entries + (uint64_t)index * DESC_BYTES);
		if (descriptor.flags & DESC_INDIRECT) {
			*ret_indirect = descriptor;
			return 1;
		}
		result = chain_add(queue, chain, &descriptor);
		if (result < 0)
			return result;
		if (!(descriptor.flags & DESC_NEXT))
			return 0;
		index = descriptor.next;
	}
}

static int chain_follow_indirect(const struct queue *queue, struct queue_chain *chain,
				 const struct queue_descriptor *indirect)
{
	struct queue_descriptor nested;
	struct descriptor_table table;
	int result;

	if (!queue->indirect || indirect->flags & DESC_NEXT || indirect->gpa % 8 ||
	    indirect->bytes % DESC_BYTES ||
	    indirect->bytes > (uint32_t)queue->setup.size * DESC_BYTES)
		return -EPROTO;
	table.count = indirect->bytes / DESC_BYTES;
	table.entries = guest_mem_at(queue->mem, indirect->gpa, indirect->bytes);
	if (!table.entries)
		return -EPROTO;
	result = chain_follow(queue, chain, table, 0, &nested);
	return result == 1 ? -EPROTO : result;
}

static int chain_load(const struct queue *queue, uint16_t head, struct queue_chain *chain)
{
	struct descriptor_table table = { queue->descriptors, queue->setup.size };
	struct queue_descriptor indirect;
	int result;

	chain->head = head;
	chain->readable = chain->writable = 0;
	chain->readable_bytes = chain->writable_bytes = 0;
	result = chain_follow(queue, chain, table, head, &indirect);
	if (result == 1)
		result = chain_follow_indirect(queue, chain, &indirect);
	return result;
}

int queue_pop(struct queue *queue, struct queue_chain *ret_chain)
{
	uint16_t size = queue->setup.size, index, head;
	int result;

	/* Acquire: pairs with the driver's release of avail->idx after it wrote the ring. */
	index = ring_load16(queue->avail + AVAIL_INDEX, __ATOMIC_ACQUIRE);
	if (index == queue->next_avail)
		return 0;
	if ((uint16_t)(index - queue->next_avail) > size)
		return -EPROTO;
	head = ring_load16(queue->avail + AVAIL_RING(queue->next_avail & (size - 1)),
			   __ATOMIC_RELAXED);
	result = chain_load(queue, head, ret_chain);
	if (result < 0)
		return result;
	queue->next_avail++;
	return 1;
}

void queue_push(struct queue *queue, const struct queue_chain *chain, uint32_t written)
{
	uint16_t size = queue->setup.size;
	uint8_t *element = queue->used + USED_RING(queue->next_used & (size - 1));
	uint32_t *words = (uint32_t *)(void *)element;
	uint16_t *index = (uint16_t *)(void *)(queue->used + USED_INDEX);

	__atomic_store_n(&words[0], htole32(chain->head), __ATOMIC_RELAXED);
	__atomic_store_n(&words[1], htole32(written), __ATOMIC_RELAXED);
	queue->next_used++;
	/* Release: pairs with the driver's acquire of used->idx before it reads the element. */
	__atomic_store_n(index, htole16(queue->next_used), __ATOMIC_RELEASE);
}

bool queue_enable_kick(struct queue *queue)
{
	uint16_t *event = (uint16_t *)(void *)(queue->used + USED_RING(queue->setup.size));

	if (queue->event_index)
		__atomic_store_n(event, htole16(queue->next_avail), __ATOMIC_RELAXED);
	/*
	 * Pairs with the driver's full barrier between its store of avail->idx
	 * and its load of avail_event: one of us sees the other's store.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return ring_load16(queue->avail + AVAIL_INDEX, __ATOMIC_RELAXED) != queue->next_avail;
}

bool queue_wants_interrupt(struct queue *queue)
{
	uint16_t before = queue->signalled_used, now = queue->next_used, event;

	if (before == now)
		return false;
	queue->signalled_used = now;
	/*
	 * Pairs with the driver's full barrier between its store of used_event
	 * (or flags) and its load of used->idx.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!queue->event_index)
		return !(ring_load16(queue->avail + AVAIL_FLAGS, __ATOMIC_RELAXED) &
			 AVAIL_NO_INTERRUPT);
	event = ring_load16(queue->avail + AVAIL_RING(queue->setup.size), __ATOMIC_RELAXED);
	return (uint16_t)(now - event - 1) < (uint16_t)(now - before);
}

bool queue_chain_read(const struct queue *queue, const struct queue_chain *chain, void *to,
		      size_t bytes)
{
	uint8_t *next = to;

	if (bytes > chain->readable_bytes)
		return false;
	for (uint32_t i = 0; bytes > 0; i++) {
		const struct queue_segment *segment = &chain->segments[i];
		size_t part = bytes < segment->bytes ? bytes : segment->bytes;

		if (!guest_mem_read(queue->mem, segment->gpa, next, part))
			return false;
		next += part;
		bytes -= part;
	}
	return true;
}

bool queue_chain_write(const struct queue *queue, const struct queue_chain *chain, const void *from,
		       size_t bytes)
{
	const uint8_t *next = from;

	if (bytes > chain->writable_bytes)
		return false;
	for (uint32_t i = chain->readable; bytes > 0; i++) {
		const struct queue_segment *segment = &chain->segments[i];
		size_t part = bytes < segment->bytes ? bytes : segment->bytes;

		if (!guest_mem_write(queue->mem, segment->gpa, next, part))
			return false;
		next += part;
		bytes -= part;
	}
	return true;
}
