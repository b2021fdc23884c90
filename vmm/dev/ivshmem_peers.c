/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See ivshmem_peers.h. */
#include "dev/ivshmem_peers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/cleanup.h"
#include "bus/pci.h"
#include "kvm/vm.h"

#define REGISTER_BYTES 4

struct ivshmem_peer {
	uint16_t id;
	uint32_t vectors; /* that we know by now */
	struct {
		int fd; /* owned */
		bool is_attached; /* KVM rings it */
	} vector[];
};

void ivshmem_peers_init(struct ivshmem_peers *peers, struct vm *vm, uint32_t vectors)
{
	*peers = (struct ivshmem_peers){
		.vm = vm,
		.vectors = vectors,
		.register_gpa = PCI_NOWHERE,
	};
}

static struct vm_kick kick_of(const struct ivshmem_peers *peers, const struct ivshmem_peer *peer,
			      uint32_t vector)
{
	return (struct vm_kick){
		.gpa = peers->register_gpa,
		.bytes = REGISTER_BYTES,
		.has_value = true,
		.value = (uint32_t)peer->id << 16 | vector,
		.fd = peer->vector[vector].fd,
	};
}

/* One that KVM refuses (it has room for some thousand) still works, by an exit. */
static void attach(const struct ivshmem_peers *peers, struct ivshmem_peer *peer, uint32_t vector)
{
	const struct vm_kick kick = kick_of(peers, peer, vector);

	peer->vector[vector].is_attached = peers->vm && peers->register_gpa != PCI_NOWHERE &&
					   vm_ioeventfd_add(peers->vm, &kick) == 0;
}

static void detach(const struct ivshmem_peers *peers, struct ivshmem_peer *peer, uint32_t vector)
{
	const struct vm_kick kick = kick_of(peers, peer, vector);

	if (peer->vector[vector].is_attached)
		vm_ioeventfd_del(peers->vm, &kick);
	peer->vector[vector].is_attached = false;
}

/* The index of the first peer that is not below this id. */
static size_t search(const struct ivshmem_peers *peers, uint16_t id)
{
	size_t low = 0, high = peers->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (peers->items[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct ivshmem_peer *find(const struct ivshmem_peers *peers, uint16_t id)
{
	size_t at = search(peers, id);

	return at < peers->count && peers->items[at]->id == id ? peers->items[at] : NULL;
}

static struct ivshmem_peer *insert(struct ivshmem_peers *peers, uint16_t id)
{
	struct ivshmem_peer **items, *peer;
	size_t at = search(peers, id);

	items = reallocarray(peers->items, peers->count + 1, sizeof(struct ivshmem_peer *));
	if (!items)
		return NULL;
	peers->items = items;
	peer = calloc(1, sizeof(*peer) + peers->vectors * sizeof(peer->vector[0]));
	if (!peer)
		return NULL;
	peer->id = id;
	memmove(&items[at + 1], &items[at], (peers->count - at) * sizeof(struct ivshmem_peer *));
	items[at] = peer;
	peers->count++;
	return peer;
}

int ivshmem_peers_add(struct ivshmem_peers *peers, uint16_t id, int fd)
{
	struct ivshmem_peer *peer = find(peers, id);

	if (peers->vectors == 0 || (peer && peer->vectors == peers->vectors))
		return -E2BIG;
	if (!peer)
		peer = insert(peers, id);
	if (!peer)
		return -ENOMEM;
	peer->vector[peer->vectors].fd = fd;
	attach(peers, peer, peer->vectors++);
	return 0;
}

static void forget(struct ivshmem_peers *peers, struct ivshmem_peer *peer)
{
	for (uint32_t i = 0; i < peer->vectors; i++) {
		detach(peers, peer, i);
		fd_close(peer->vector[i].fd);
	}
	free(peer);
}

void ivshmem_peers_remove(struct ivshmem_peers *peers, uint16_t id)
{
	size_t at = search(peers, id);

	if (at == peers->count || peers->items[at]->id != id)
		return;
	forget(peers, peers->items[at]);
	peers->count--;
	memmove(&peers->items[at], &peers->items[at + 1],
		(peers->count - at) * sizeof(struct ivshmem_peer *));
}

void ivshmem_peers_clear(struct ivshmem_peers *peers)
{
	while (peers->count > 0)
		forget(peers, peers->items[--peers->count]);
	free(peers->items);
	peers->items = NULL;
}

void ivshmem_peers_moved(struct ivshmem_peers *peers, uint64_t gpa)
{
	for (size_t i = 0; i < peers->count; i++)
		for (uint32_t j = 0; j < peers->items[i]->vectors; j++)
			detach(peers, peers->items[i], j);
	peers->register_gpa = gpa;
	for (size_t i = 0; i < peers->count; i++)
		for (uint32_t j = 0; j < peers->items[i]->vectors; j++)
			attach(peers, peers->items[i], j);
}

int ivshmem_peers_ring(const struct ivshmem_peers *peers, uint16_t id, uint16_t vector)
{
	const struct ivshmem_peer *peer = find(peers, id);

	if (!peer)
		return -ENXIO;
	if (vector >= peer->vectors)
		return -ENOENT;
	/* A full counter has an interrupt pending already. */
	(void)eventfd_write(peer->vector[vector].fd, 1);
	return 0;
}
