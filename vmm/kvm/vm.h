/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One KVM virtual machine: its descriptors and its memory slots.
 *
 * Owner: struct machine.  Slot calls may come from any thread; slot_lock
 * protects the slot ids and is a leaf.
 */
#ifndef KVM_VM_H
#define KVM_VM_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "kvm/vcpu_gate.h"

/* KVM's own pages on Intel: task state segment (3 pages) and identity map. */
#define VM_IDENTITY_GPA 0xFFFBC000
#define VM_TSS_GPA 0xFFFBD000

struct vm {
	int kvm_fd; /* owned */
	int vm_fd; /* owned; -1 in the empty state */
	uint32_t vcpu_run_bytes; /* size of the mmap of a vCPU fd */
	uint32_t max_slots;
	bool slot_zap_all_off; /* the quirk could be turned off */

	pthread_mutex_t slot_lock;
	uint64_t *slot_used; /* bitmap of max_slots; slot_lock */

	struct vcpu_gate gate; /* closed while slots change under a running guest */
};

#define VM_EMPTY                                                                                   \
	{                                                                                          \
		.kvm_fd = -1, .vm_fd = -1                                                          \
	}

/*
 * Opens /dev/kvm, makes a VM with in-kernel irqchip, turns
 * KVM_X86_QUIRK_SLOT_ZAP_ALL off where the host can.  0 or -errno, with one
 * logged line that says what is missing.
 */
int vm_init(struct vm *vm);
void vm_deinit(struct vm *vm);

/* A memory slot; gpa, hva and bytes are multiples of 4 KiB. */
struct vm_slot {
	uint64_t gpa;
	void *hva; /* borrowed; stays mapped until vm_slot_del() */
	uint64_t bytes;
	bool read_only;
};

/* 0, -EEXIST (overlap), -ENOSPC (no slot left) or another -errno. */
int vm_slot_add(struct vm *vm, const struct vm_slot *slot, uint32_t *ret_id);

/* After it the range is a hole for every vCPU. */
void vm_slot_del(struct vm *vm, uint32_t id);

/*
 * A kick: a guest store to gpa signals fd without an exit to user space.  fd is
 * borrowed until the matching del.
 */
struct vm_kick {
	uint64_t gpa;
	uint32_t bytes; /* of the store: 2, 4; 0: of any width */
	bool has_value; /* only a store of `value`; bytes is not 0 then */
	uint32_t value;
	int fd;
};

/* 0, -EEXIST (the same is there), -ENOSPC (KVM has no room) or another -errno. */
int vm_ioeventfd_add(struct vm *vm, const struct vm_kick *kick);
void vm_ioeventfd_del(struct vm *vm, const struct vm_kick *kick);

#endif
