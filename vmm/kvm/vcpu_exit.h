/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a vCPU does with one return of KVM_RUN.  Runs on its thread.
 */
#ifndef KVM_VCPU_EXIT_H
#define KVM_VCPU_EXIT_H

#include "base/log.h"
#include "kvm/vcpu.h"

enum vcpu_verdict {
	VCPU_GO_ON,
	VCPU_CRASHED,
	VCPU_FAILED,
};

/* What the handlers need of a vCPU; fields belong to its thread. */
struct vcpu_context {
	int fd; /* borrowed */
	uint32_t index;
	struct kvm_run *run; /* borrowed */
	const struct vcpu_ops *ops;
	void *owner;
	uint32_t fruitless; /* failed entries since the last one that did something */
	struct log_limit limit; /* lines that the guest causes */
};

/* KVM_RUN returned 0. */
enum vcpu_verdict vcpu_handle_exit(struct vcpu_context *context);

/* KVM_RUN failed with -error, which is not EINTR or EAGAIN. */
enum vcpu_verdict vcpu_handle_error(struct vcpu_context *context, int error);

#endif
