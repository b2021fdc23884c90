/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A section as libvirt's own <shmem>: the domain stays one that libvirt knows
 * whole.  It can say one thing only: read and write a file of /dev/shm, of a
 * size that is a power of two and at least 1 MiB, by ivshmem.
 */
#ifndef VMSECT_LIBVIRT_PLUG_SHMEM_H
#define VMSECT_LIBVIRT_PLUG_SHMEM_H

#include <stdbool.h>

struct domain;
struct request;
struct source;

/* NULL if <shmem> can say it, else what it cannot. */
const char *shmem_cannot(const struct source *source, const struct request *request);

/* 0, or -errno after a message. */
int shmem_attach(const struct domain *domain, const struct source *source);

/* True if the domain has it. */
bool shmem_is_attached(const struct domain *domain, const char *section);

/* 0, or -errno after a message. */
int shmem_detach(const struct domain *domain, const struct request *request);

#endif
