/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The peers of a doorbell and the descriptors that interrupt them: for each
 * vector of a peer an ioeventfd on the doorbell register, with the value that
 * names both.
 *
 * Owner: struct ivshmem, whose lock protects it.
 */
#ifndef DEV_IVSHMEM_PEERS_H
#define DEV_IVSHMEM_PEERS_H

#include <stddef.h>
#include <stdint.h>

struct vm;
struct ivshmem_peer;

struct ivshmem_peers {
	struct vm *vm; /* borrowed; NULL: no ioeventfds */
	uint32_t vectors; /* that a peer has at most */
	uint64_t register_gpa; /* of the doorbell, or PCI_NOWHERE */
	struct ivshmem_peer **items; /* ascending ids; owned */
	size_t count;
};

void ivshmem_peers_init(struct ivshmem_peers *peers, struct vm *vm, uint32_t vectors);
/* Forgets all of them; may be used again. */
void ivshmem_peers_clear(struct ivshmem_peers *peers);

/* The next vector of this peer.  Takes fd on success; -E2BIG (surplus) or -ENOMEM. */
int ivshmem_peers_add(struct ivshmem_peers *peers, uint16_t id, int fd);
void ivshmem_peers_remove(struct ivshmem_peers *peers, uint16_t id);

/* The register is elsewhere now, or PCI_NOWHERE. */
void ivshmem_peers_moved(struct ivshmem_peers *peers, uint64_t gpa);

/* 0, -ENXIO (no such peer) or -ENOENT (it has no such vector). */
int ivshmem_peers_ring(const struct ivshmem_peers *peers, uint16_t id, uint16_t vector);

#endif
