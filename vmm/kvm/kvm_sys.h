/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The edge to KVM: an ioctl that answers >= 0 or -errno.
 */
#ifndef KVM_KVM_SYS_H
#define KVM_KVM_SYS_H

#include <sys/ioctl.h>

#include "base/sys.h"

static inline int kvm_ioctl(int fd, unsigned long request, const void *argument)
{
	return sys_result(ioctl(fd, request, argument));
}

/* For requests whose argument is a number. */
static inline int kvm_ioctl_value(int fd, unsigned long request, unsigned long value)
{
	return sys_result(ioctl(fd, request, value));
}

#endif
