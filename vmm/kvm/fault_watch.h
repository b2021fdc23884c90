/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds a vCPU that goes round inside KVM on a page whose backing is lost.
 *
 * A guest that takes interrupts gets no EFAULT for such a page: KVM believes
 * that the page needs I/O, halts the vCPU, starts a worker, which fails, and
 * lets the vCPU try again (virt/kvm/async_pf.c), for ever and without an exit.
 * What can be seen is that KVM takes many page faults of the vCPU and resolves
 * none, in the binary statistics of its descriptor (Linux 5.19 or later).
 *
 * Owner: struct machine.  All calls on the main thread.
 */
#ifndef KVM_FAULT_WATCH_H
#define KVM_FAULT_WATCH_H

#include <stdbool.h>

struct fault_watch;
struct vcpu;

/* 0, -ENOTSUP if this KVM does not count faults, or another -errno. */
int fault_watch_new(const struct vcpu *vcpu, struct fault_watch **ret_watch);
struct fault_watch *fault_watch_free(struct fault_watch *watch);

/* True if most faults of late led to nothing. */
bool fault_watch_is_stuck(struct fault_watch *watch);

#endif
