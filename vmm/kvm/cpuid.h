/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CPUID leaves of a VM: what the host's KVM supports, with the topology
 * of this VM: one package, one thread per core, APIC id = vCPU number.
 *
 * cpuid_for() is pure; a table belongs to its caller.
 */
#ifndef KVM_CPUID_H
#define KVM_CPUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/kvm.h>

struct vm;

#define CPUID_LEAVES_MAX 256

/* A struct kvm_cpuid2 with room. */
struct cpuid_table {
	uint32_t count;
	uint32_t padding;
	struct kvm_cpuid_entry2 entries[CPUID_LEAVES_MAX];
};
_Static_assert(offsetof(struct cpuid_table, entries) == sizeof(struct kvm_cpuid2), "kvm_cpuid2");

/* What this host supports; 0 or -errno. */
int cpuid_supported(const struct vm *vm, struct cpuid_table *ret_table, bool *ret_tsc_deadline);

/* Bits of a physical address, for host and guest alike; 0: it does not say. */
uint32_t cpuid_address_bits(const struct cpuid_table *table);

struct cpuid_place {
	uint32_t cpus; /* 1 to 16 */
	uint32_t index; /* of this vCPU */
	bool tsc_deadline; /* KVM has the timer */
};

/* Turns a supported table into that of one vCPU. */
void cpuid_for(struct cpuid_table *table, const struct cpuid_place *place);

#endif
