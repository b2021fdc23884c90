/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bell of a ring in a section that VMs share: NOTIFY of a section descriptor,
 * and an events descriptor of the same section.
 *
 * A bell is one thread's: an event that it takes is gone for others, so each thread
 * that sleeps has an events descriptor of its own.
 */
#ifndef VMSECT_RING_SECTION_H
#define VMSECT_RING_SECTION_H

#include <stdint.h>

#include "vmsect_ring.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Borrows both descriptors. */
struct vmsect_ring_section_bell {
	int section_fd; /* open to write, with the notify right */
	int events_fd; /* of vmsect_guest_events(), with NOTIFIED in its mask */
	uint32_t peer; /* who is woken; 0: all that have the section open; ivshmem: not 0 */
	/* Peers that have closed the section or died, as far as wait() has heard. */
	uint32_t peers_left;
};

/*
 * Its ctx is a struct vmsect_ring_section_bell.  notify(): that the host refuses
 * (EAGAIN), that its broker is away (EHOSTDOWN) and that nobody is there (ENXIO)
 * are no errors: the sleeper looks by itself.  wait(): ENODEV when the section is
 * gone, EINTR.
 */
extern const struct vmsect_ring_bell_ops vmsect_ring_section_bell_ops;

#ifdef __cplusplus
}
#endif

#endif
