/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver's self-test on an ivshmem device: what its files share.  A file is a
 * group of cases about one device, which the command line names, with what is known
 * of it from outside.
 */
#ifndef TESTS_GUEST_IVSHMEM_TEST_H
#define TESTS_GUEST_IVSHMEM_TEST_H

#include "guest/selftest.h"

/* Of the bed's server, which rings everybody on the vector that it is rung on. */
#define SERVER_PEER 4000

extern struct ivshmem_subject {
	const char *name; /* of the node */
	const char *address; /* of the device on its bus */
	size_t bytes;
	uint32_t vectors; /* 0: ivshmem-plain */
	uint32_t peer;
} subject;

/* A descriptor of the node, or -errno. */
int ivshmem_open(int flags);
/* EVENTS: a descriptor, or -errno. */
int ivshmem_events(int section, uint32_t mask);
int ivshmem_ring(int section, uint32_t peer, uint64_t vector);

extern const struct tap_group group_ivshmem_described, group_ivshmem_refused, group_ivshmem_memory,
	group_ivshmem_bell, group_ivshmem_gone;

#endif
