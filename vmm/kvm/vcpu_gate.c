/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See vcpu_gate.h.  Who enters stores `inside` and then reads `closed`; who
 * closes stores `closed` and then reads `inside`: one of them sees the other.
 * A vCPU that is inside but not yet in KVM_RUN finds immediate_exit set; one
 * that has left clears it and asks at the gate before it enters again.
 */
#include "kvm/vcpu_gate.h"

#include <linux/kvm.h>

void vcpu_set_immediate_exit(struct kvm_run *run, bool value)
{
	__atomic_store_n(&run->immediate_exit, value, __ATOMIC_SEQ_CST);
}

int vcpu_gate_init(struct vcpu_gate *gate)
{
	int result = -pthread_mutex_init(&gate->lock, NULL);

	if (result < 0)
		return result;
	result = -pthread_cond_init(&gate->changed, NULL);
	if (result < 0)
		(void)pthread_mutex_destroy(&gate->lock);
	LIST_INIT(&gate->passes);
	atomic_init(&gate->closed, 0);
	return result;
}

void vcpu_gate_deinit(struct vcpu_gate *gate)
{
	(void)pthread_cond_destroy(&gate->changed);
	(void)pthread_mutex_destroy(&gate->lock);
}

void vcpu_gate_add(struct vcpu_gate *gate, struct vcpu_pass *pass, struct kvm_run *run)
{
	pass->run = run;
	atomic_init(&pass->inside, false);
	(void)pthread_mutex_lock(&gate->lock);
	LIST_INSERT_HEAD(&gate->passes, pass, link);
	(void)pthread_mutex_unlock(&gate->lock);
}

void vcpu_gate_remove(struct vcpu_gate *gate, struct vcpu_pass *pass)
{
	(void)pthread_mutex_lock(&gate->lock);
	LIST_REMOVE(pass, link);
	(void)pthread_mutex_unlock(&gate->lock);
}

static void wait_until_open(struct vcpu_gate *gate)
{
	(void)pthread_mutex_lock(&gate->lock);
	while (atomic_load(&gate->closed))
		(void)pthread_cond_wait(&gate->changed, &gate->lock);
	(void)pthread_mutex_unlock(&gate->lock);
}

void vcpu_gate_enter(struct vcpu_gate *gate, struct vcpu_pass *pass)
{
	pass->thread = pthread_self();
	atomic_store(&pass->inside, true);
	while (atomic_load(&gate->closed)) {
		vcpu_gate_leave(gate, pass);
		wait_until_open(gate);
		atomic_store(&pass->inside, true);
	}
}

void vcpu_gate_leave(struct vcpu_gate *gate, struct vcpu_pass *pass)
{
	atomic_store(&pass->inside, false);
	if (!atomic_load(&gate->closed))
		return;
	(void)pthread_mutex_lock(&gate->lock);
	(void)pthread_cond_broadcast(&gate->changed);
	(void)pthread_mutex_unlock(&gate->lock);
}

static void take_out(struct vcpu_pass *pass)
{
	if (!atomic_load(&pass->inside))
		return;
	vcpu_set_immediate_exit(pass->run, true);
	(void)pthread_kill(pass->thread, VCPU_SIGNAL);
}

void vcpu_gate_close(struct vcpu_gate *gate)
{
	struct vcpu_pass *pass;

	(void)pthread_mutex_lock(&gate->lock);
	atomic_fetch_add(&gate->closed, 1);
	LIST_FOREACH (pass, &gate->passes, link)
		take_out(pass);
	LIST_FOREACH (pass, &gate->passes, link)
		while (atomic_load(&pass->inside))
			(void)pthread_cond_wait(&gate->changed, &gate->lock);
	(void)pthread_mutex_unlock(&gate->lock);
}

void vcpu_gate_open(struct vcpu_gate *gate)
{
	(void)pthread_mutex_lock(&gate->lock);
	atomic_fetch_sub(&gate->closed, 1);
	(void)pthread_cond_broadcast(&gate->changed);
	(void)pthread_mutex_unlock(&gate->lock);
}
