/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gate between a VM's vCPU threads and KVM_RUN.  While it is closed no
 * vCPU is in the guest or on its way there; a vCPU that has left the guest
 * does its work outside and waits only when it wants to enter again.
 *
 * Owner: struct vm.  `lock` is below window.lock and a leaf; vCPU threads take
 * it only when the gate is closed.
 */
#ifndef KVM_VCPU_GATE_H
#define KVM_VCPU_GATE_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>

struct kvm_run;

/* Takes a thread out of KVM_RUN; see vcpu_signal_setup(). */
#define VCPU_SIGNAL SIGUSR1

/* What the gate knows of one vCPU. */
struct vcpu_pass {
	LIST_ENTRY(vcpu_pass) link; /* gate.lock */
	struct kvm_run *run; /* borrowed; constant */
	pthread_t thread; /* valid while inside */
	atomic_bool inside;
};

struct vcpu_gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	LIST_HEAD(vcpu_pass_list, vcpu_pass) passes;
	atomic_uint closed; /* by so many; written with lock */
};

/*
 * With it KVM_RUN comes back at once, with EINTR.  Set by any thread, cleared by
 * the vCPU's; sequentially consistent, as what is to be seen then is.
 */
void vcpu_set_immediate_exit(struct kvm_run *run, bool value);

int vcpu_gate_init(struct vcpu_gate *gate);
void vcpu_gate_deinit(struct vcpu_gate *gate);

void vcpu_gate_add(struct vcpu_gate *gate, struct vcpu_pass *pass, struct kvm_run *run);
void vcpu_gate_remove(struct vcpu_gate *gate, struct vcpu_pass *pass);

/* By the vCPU's thread, right before and after KVM_RUN. */
void vcpu_gate_enter(struct vcpu_gate *gate, struct vcpu_pass *pass);
void vcpu_gate_leave(struct vcpu_gate *gate, struct vcpu_pass *pass);

/* By any thread that is not inside; each close needs its open. */
void vcpu_gate_close(struct vcpu_gate *gate);
void vcpu_gate_open(struct vcpu_gate *gate);

#endif
