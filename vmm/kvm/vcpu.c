/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See vcpu.h. */
#include "kvm/vcpu.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "kvm/kvm_sys.h"
#include "kvm/vcpu_exit.h"
#include "kvm/vcpu_gate.h"
#include "kvm/vm.h"

#define GUEST_LINES_BURST 8u

#define MSR_MISC_ENABLE 0x1A0
#define MISC_ENABLE_FAST_STRING 0x1
#define MSR_MTRR_DEF_TYPE 0x2FF
#define MTRR_ENABLED_WRITE_BACK 0x806

struct vcpu {
	struct vcpu_context context; /* its thread's, once started */
	int fd; /* owned */
	uint32_t run_bytes;
	struct kvm_run *run; /* owned mapping */
	struct vcpu_gate *gate; /* borrowed: the VM's */
	struct vcpu_pass pass;
	/* main thread */
	pthread_t thread;
	bool started;
	/* set by any thread, read by the vCPU's */
	atomic_bool stop;
};

int vcpu_new(struct vm *vm, uint32_t index, const struct vcpu_ops *ops, void *owner,
	     struct vcpu **ret_vcpu)
{
	AUTO_FREE struct vcpu *vcpu = calloc(1, sizeof(*vcpu));
	AUTO_FD int fd = -1;

	if (!vcpu)
		return -ENOMEM;
	fd = kvm_ioctl_value(vm->vm_fd, KVM_CREATE_VCPU, index);
	if (fd < 0)
		return fd;
	vcpu->run_bytes = vm->vcpu_run_bytes;
	vcpu->run = mmap(NULL, vcpu->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (vcpu->run == MAP_FAILED)
		return -errno;
	vcpu->fd = steal_fd(&fd);
	vcpu->context = (struct vcpu_context){
		.fd = vcpu->fd,
		.index = index,
		.run = vcpu->run,
		.ops = ops,
		.owner = owner,
		.limit = { .burst = GUEST_LINES_BURST },
	};
	vcpu->gate = &vm->gate;
	vcpu_gate_add(vcpu->gate, &vcpu->pass, vcpu->run);
	*ret_vcpu = steal_ptr(&vcpu);
	return 0;
}

struct vcpu *vcpu_free(struct vcpu *vcpu)
{
	if (!vcpu)
		return NULL;
	vcpu_gate_remove(vcpu->gate, &vcpu->pass);
	(void)munmap(vcpu->run, vcpu->run_bytes);
	(void)fd_close(vcpu->fd);
	free(vcpu);
	return NULL;
}

int vcpu_set_cpuid(struct vcpu *vcpu, const struct cpuid_table *cpuid)
{
	return kvm_ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid);
}

int vcpu_set_msrs(struct vcpu *vcpu)
{
	/*
	 * Without firmware nobody else makes RAM and window write-back; guest
	 * Linux would map the window uncached without a word.
	 */
	struct {
		uint32_t count, padding; /* as in struct kvm_msrs */
		struct kvm_msr_entry entries[2];
	} msrs = {
		.count = 2,
		.entries = { { .index = MSR_MTRR_DEF_TYPE, .data = MTRR_ENABLED_WRITE_BACK },
			     { .index = MSR_MISC_ENABLE, .data = MISC_ENABLE_FAST_STRING } },
	};
	int result = kvm_ioctl(vcpu->fd, KVM_SET_MSRS, &msrs);

	if (result < 0)
		return result;
	return result < 1 ? -ENOTSUP : 0;
}

int vcpu_get_sregs(struct vcpu *vcpu, struct kvm_sregs *ret_sregs)
{
	return kvm_ioctl(vcpu->fd, KVM_GET_SREGS, ret_sregs);
}

int vcpu_set_registers(struct vcpu *vcpu, const struct kvm_sregs *sregs,
		       const struct kvm_regs *regs)
{
	int result = kvm_ioctl(vcpu->fd, KVM_SET_SREGS, sregs);

	return result < 0 ? result : kvm_ioctl(vcpu->fd, KVM_SET_REGS, regs);
}

int vcpu_stats_open(const struct vcpu *vcpu)
{
	return kvm_ioctl_value(vcpu->fd, KVM_GET_STATS_FD, 0);
}

/* Only its arrival matters: it takes KVM_RUN out of the guest with EINTR. */
static void vcpu_signal(int number)
{
	(void)number;
	atomic_signal_fence(memory_order_acquire);
}

int vcpu_signal_setup(void)
{
	struct sigaction action = { .sa_handler = vcpu_signal };

	(void)sigemptyset(&action.sa_mask);
	return sys_result(sigaction(VCPU_SIGNAL, &action, NULL));
}

/* One entry into the guest and what came of it. */
static enum vcpu_verdict vcpu_enter(struct vcpu *vcpu)
{
	int result;

	vcpu_gate_enter(vcpu->gate, &vcpu->pass);
	result = kvm_ioctl_value(vcpu->fd, KVM_RUN, 0);
	vcpu_gate_leave(vcpu->gate, &vcpu->pass);
	switch (result) {
	case 0:
		return vcpu_handle_exit(&vcpu->context);
	case -EINTR:
		/* Cleared before the wish to stop is read: no kick is lost. */
		vcpu_set_immediate_exit(vcpu->run, false);
		return VCPU_GO_ON;
	case -EAGAIN: /* a CPU that waits for its start-up message was woken */
		return VCPU_GO_ON;
	default:
		return vcpu_handle_error(&vcpu->context, -result);
	}
}

static void *vcpu_thread(void *argument)
{
	struct vcpu *vcpu = argument;
	enum vcpu_verdict verdict = VCPU_GO_ON;

	while (verdict == VCPU_GO_ON && !atomic_load(&vcpu->stop))
		verdict = vcpu_enter(vcpu);
	if (verdict != VCPU_GO_ON)
		vcpu->context.ops->ended(vcpu->context.owner, verdict == VCPU_CRASHED
								      ? VCPU_END_CRASHED
								      : VCPU_END_FAILED);
	return NULL;
}

int vcpu_start(struct vcpu *vcpu)
{
	char name[16];
	int result = -pthread_create(&vcpu->thread, NULL, vcpu_thread, vcpu);

	if (result < 0)
		return result;
	vcpu->started = true;
	(void)snprintf(name, sizeof(name), "vcpu-%u", vcpu->context.index);
	(void)pthread_setname_np(vcpu->thread, name);
	return 0;
}

void vcpu_stop(struct vcpu *vcpu)
{
	atomic_store(&vcpu->stop, true);
}

void vcpu_kick(struct vcpu *vcpu)
{
	vcpu_stop(vcpu);
	if (!vcpu->started)
		return;
	vcpu_set_immediate_exit(vcpu->run, true);
	(void)pthread_kill(vcpu->thread, VCPU_SIGNAL);
}

void vcpu_join(struct vcpu *vcpu)
{
	if (!vcpu->started)
		return;
	(void)pthread_join(vcpu->thread, NULL);
	vcpu->started = false;
}
