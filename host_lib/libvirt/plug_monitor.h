/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A section as a device that QEMU's monitor plugs: what <shmem> cannot say.
 * libvirt does not know of the device, and marks the domain as tainted.
 */
#ifndef VMSECT_LIBVIRT_PLUG_MONITOR_H
#define VMSECT_LIBVIRT_PLUG_MONITOR_H

#include <stdbool.h>

struct domain;
struct request;
struct source;

/* 0, or -errno after a message. */
int monitor_attach(const struct domain *domain, const struct source *source,
		   const struct request *request);

/* *ret_attached: the domain has it, or remains of it.  0, or -EIO after a message. */
int monitor_is_attached(const struct domain *domain, const char *section, bool *ret_attached);

/* 0, or -errno after a message. */
int monitor_detach(const struct domain *domain, const struct request *request);

#endif
