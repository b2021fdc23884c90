/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inter-VM shared memory device of QEMU, revision 1, as its specification
 * has it (https://www.qemu.org/docs/master/specs/ivshmem-spec.html): 1af4:1110,
 * registers in BAR 0, MSI-X in BAR 1 if it has a doorbell, and one section in
 * BAR 2.  What the original has not: the section may be read-only or
 * copy-on-write below the guest, and may be taken away.
 *
 * A doorbell is a stream of the broker's that speaks the ivshmem server protocol
 * without the memory (docs/protocol.md).  Each peer's vector is an ioeventfd on
 * the register and each vector of our own an irqfd, so that a ring leaves neither
 * VM for user space.  What KVM has no room for is rung by us.
 *
 * Owner: struct machine; the stream belongs to the io thread, which runs
 * env.events.  vCPU threads read and write registers.  `lock` protects registers
 * and peers.  Lock order: pci_bus, ivshmem, then msix and the kvm/ leaves.
 */
#ifndef DEV_IVSHMEM_H
#define DEV_IVSHMEM_H

#include <stdint.h>

struct event_base;
struct irq_table;
struct ivshmem;
struct pci_bus;
struct vm;
struct window;

#define IVSHMEM_VECTORS_MAX 64u

/* All borrowed; they outlive the device. */
struct ivshmem_env {
	struct vm *vm; /* NULL in tests: every ring is ours to pass on */
	struct irq_table *irq; /* NULL in tests: no MSI-X */
	struct pci_bus *pci;
	struct event_base *events; /* may be NULL without a doorbell */
};

struct ivshmem_info {
	const char *name; /* of the section, for messages; borrowed */
	struct window *window; /* BAR 2: its size is a power of two */
	uint32_t vectors; /* 0: ivshmem-plain */
	uint16_t id; /* of this VM, for IVPosition; with vectors only */
	/* A new stream of the broker's; 0 or -errno.  NULL without vectors. */
	int (*connect)(void *owner, uint32_t vectors, int *ret_fd);
	void *owner;
};

/*
 * Puts the device on the bus.  With a doorbell it waits until the broker has
 * told all that there is; 0 or -errno, with one logged line.
 */
int ivshmem_new(const struct ivshmem_env *env, const struct ivshmem_info *info,
		struct ivshmem **ret_ivshmem);

/* Its slot on the bus. */
uint32_t ivshmem_slot(const struct ivshmem *ivshmem);

/*
 * On the io thread, while the guest runs: takes the function off the bus for good.
 * What is left waits for ivshmem_free(), since a vCPU may be at a register.
 */
void ivshmem_unplug(struct ivshmem *ivshmem);

/* All vCPUs have ended.  NULL is fine; returns NULL. */
struct ivshmem *ivshmem_free(struct ivshmem *ivshmem);

/*
 * On the io thread: the section was taken from this VM.  Nobody rings it, since
 * the broker has told them, and it rings nobody.
 */
void ivshmem_revoked(struct ivshmem *ivshmem);

/* On the io thread: a broker is back, which is asked for a new stream. */
void ivshmem_reconnected(struct ivshmem *ivshmem);

struct ivshmem_counters {
	uint64_t rung; /* by us, not by KVM */
	uint64_t no_peer; /* rings for a peer that is not there */
	uint64_t no_vector; /* rings for a vector that the peer has not */
	uint64_t surplus; /* vectors of a peer beyond those it was to have */
};
void ivshmem_counters(struct ivshmem *ivshmem, struct ivshmem_counters *ret_counters);

#endif
