/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One virtual CPU and its thread.
 *
 * States: empty -> made (vcpu_new) -> running (vcpu_start) -> ended
 * (vcpu_join).  The thread enters the guest again and again; each entry ends
 * in an exit that vcpu_exit.c handles through the owner's operations, so that
 * this layer knows no device.
 *
 * Kick: vcpu_kick() stores the wish to stop, then sets immediate_exit in the
 * run area, then sends VCPU_SIGNAL.  Whatever the vCPU is doing, it either
 * sees the wish before it enters the guest, or the signal takes it out, or
 * KVM refuses to enter.  The handler does nothing.  The gate (vcpu_gate.h) uses
 * the same signal to keep vCPUs out for a moment, while memory slots change.
 *
 * Owner: struct machine.  new, start, kick, join and free belong to the main
 * thread.
 */
#ifndef KVM_VCPU_H
#define KVM_VCPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/kvm.h>

struct cpuid_table;
struct vm;
struct vcpu;

/* Why a vCPU ended by itself. */
enum vcpu_end {
	VCPU_END_CRASHED, /* triple fault */
	VCPU_END_FAILED, /* the host cannot go on; it was logged */
};

/*
 * Called on the vCPU's thread, by all vCPUs in parallel.  data holds what a
 * write wrote, and takes what a read reads; bytes is 1 to 8.
 */
struct vcpu_ops {
	void (*port)(void *owner, uint16_t port, void *data, uint32_t bytes, bool is_write);
	void (*memory)(void *owner, uint64_t gpa, void *data, uint32_t bytes, bool is_write);
	/* An access failed because of its backing: true if one was mended. */
	bool (*mend)(void *owner);
	/* A store that KVM cannot emulate; the vCPU is given #GP. */
	void (*undecodable)(void *owner);
	/* The last call: this vCPU will not run again. */
	void (*ended)(void *owner, enum vcpu_end end);
};

/* ops and owner are borrowed and outlive the vCPU. */
int vcpu_new(struct vm *vm, uint32_t index, const struct vcpu_ops *ops, void *owner,
	     struct vcpu **ret_vcpu);
struct vcpu *vcpu_free(struct vcpu *vcpu);

/* Before vcpu_start(). */
int vcpu_set_cpuid(struct vcpu *vcpu, const struct cpuid_table *cpuid);
int vcpu_set_msrs(struct vcpu *vcpu);

/* The state of the boot CPU; what KVM sets at reset and these do not name stays. */
int vcpu_get_sregs(struct vcpu *vcpu, struct kvm_sregs *ret_sregs);
int vcpu_set_registers(struct vcpu *vcpu, const struct kvm_sregs *sregs,
		       const struct kvm_regs *regs);

/* A new descriptor of the vCPU's binary statistics, or -errno. */
int vcpu_stats_open(const struct vcpu *vcpu);

/* Gives VCPU_SIGNAL its handler, for the process; once, before a start. */
int vcpu_signal_setup(void);

int vcpu_start(struct vcpu *vcpu);
/* The vCPU is not to enter the guest again; any thread, its own too. */
void vcpu_stop(struct vcpu *vcpu);
/* The same, and takes it out of the guest. */
void vcpu_kick(struct vcpu *vcpu);
void vcpu_join(struct vcpu *vcpu);

#endif
