/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handles: sections as descriptors, what they can do, and their events.  Part of
 * vmsect_guest.h, which says what all functions have in common.
 *
 * Every function can also fail with ENODEV (the device has gone, or was reset and
 * the object with it), EIO (the device is broken), EHOSTDOWN (the host's broker
 * does not answer), EOPNOTSUPP (the device has no such request), ENOMEM, ENOTTY
 * (not a descriptor of that kind) and EINTR (a fatal signal).  Those that ask the
 * host block until it has answered.
 */
#ifndef VMSECT_GUEST_SECTION_H
#define VMSECT_GUEST_SECTION_H

#include <stdint.h>

#include "vmsect_ioctl.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * vmsect_guest_open_access - open a section of the host by name
 * @ctl_fd: of the control node, open to write, borrowed
 * @name: its name
 * @access: VMSECT_GUEST_ACCESS_ bits, at least one
 * @ret_fd: the caller's to close; to read with READ or EXECUTE, to write with WRITE
 *
 * Asks the host.
 *
 * Errors: EINVAL (name, access), ENOENT, EACCES (the section's mode or protection),
 * EPERM (the VM may not have that right), EDQUOT (handles of the VM), EBADF
 * (ctl_fd is not open to write).
 */
int vmsect_guest_open_access(int ctl_fd, const char *name, uint32_t access, int *ret_fd);

/**
 * vmsect_guest_create - make a page-file section
 * @ctl_fd: of the control node, open to write, borrowed
 * @name: NULL or empty: without one
 * @options: all fields but name, existed and reserved
 * @ret_existed: 1 if it was there (VMSECT_GUEST_CREATE_F_OPEN_IF); NULL is fine
 * @ret_fd: its first handle, the caller's to close
 *
 * Asks the host.
 *
 * Errors: EINVAL (name, sizes, flags), EEXIST, EPERM (the VM may not create), EACCES,
 * EFBIG, ENOSPC, EDQUOT (handles of the VM, quotas of the host), EBADF as above.
 */
int vmsect_guest_create(int ctl_fd, const char *name, const struct vmsect_create *options,
			uint32_t *ret_existed, int *ret_fd);

/**
 * vmsect_guest_duplicate - another handle of the same section
 * @fd: of the section, borrowed
 * @access: VMSECT_GUEST_ACCESS_ bits, none that @fd has not; 0 is legal
 * @ret_fd: the caller's to close
 *
 * Asks the host.
 *
 * Errors: EINVAL (unknown rights), EPERM (one that @fd has not), EDQUOT.
 */
int vmsect_guest_duplicate(int fd, uint32_t access, int *ret_fd);

/**
 * vmsect_guest_query - a section as the host knows it now
 * @fd: of the section, borrowed
 * @ret_section: filled
 *
 * Asks the host.
 *
 * Errors: EPERM (without the query right).
 */
int vmsect_guest_query(int fd, struct vmsect_section *ret_section);

/**
 * vmsect_guest_extend - make a section larger
 * @fd: of the section, open to write, borrowed
 * @size_bytes: wanted; one that is not larger changes nothing
 * @ret_bytes: in effect; NULL is fine
 *
 * Asks the host; may wait for a disk.
 *
 * Errors: EBADF (not open to write), EPERM, EOPNOTSUPP (not made to grow), EFBIG,
 * EACCES (sealed), ENOSPC, EDQUOT.
 */
int vmsect_guest_extend(int fd, uint64_t size_bytes, uint64_t *ret_bytes);

/**
 * vmsect_guest_notify - wake programs of other VMs
 * @fd: of the section, open to write, borrowed
 * @peer: its number; 0: all others that have the section open
 * @value: what they are told; notifications that were not read yet become one,
 *         with the newest value
 *
 * On an ivshmem device the value is the vector of the one peer to ring, both at most
 * 65535.
 *
 * Asks the host.  What was stored in the section before is seen by who was woken.
 *
 * Errors: EBADF (not open to write), EPERM (without the notify right), ENXIO (no
 * such peer), EAGAIN (faster than the host allows: nothing was sent).  Ivshmem:
 * EOPNOTSUPP (without a doorbell; peer 0), EINVAL (peer or vector too large).
 */
int vmsect_guest_notify(int fd, uint32_t peer, uint64_t value);

/**
 * vmsect_guest_events - hear what happens to a section
 * @fd: of the section, borrowed
 * @mask: of 1 << VMSECT_EVENT_; 0: all
 * @ret_fd: for vmsect_guest_wait(), vmsect_guest_read_event() and poll(2); the
 *          caller's to close
 *
 * Only what comes after the call is heard.  Does not ask the host.
 *
 * Errors: EINVAL (unknown bits), EOPNOTSUPP (an ivshmem device without interrupts).
 */
int vmsect_guest_events(int fd, uint32_t mask, int *ret_fd);

/**
 * vmsect_guest_wait - until there is an event
 * @events_fd: of vmsect_guest_events(), borrowed
 * @timeout_ms: 0: do not wait; negative: without end
 *
 * Returns 0 when vmsect_guest_read_event() has something to say, also that the
 * section is gone.  Two threads that wait on one descriptor may both return.
 *
 * Errors: ETIMEDOUT, EINTR (any signal with a handler), EBADF.
 */
int vmsect_guest_wait(int events_fd, int timeout_ms);

/**
 * vmsect_guest_read_event - take one event
 * @events_fd: of vmsect_guest_events(), borrowed
 * @ret_event: filled
 *
 * Blocks until there is one, unless the descriptor has O_NONBLOCK.
 *
 * Errors: EAGAIN (O_NONBLOCK and none), ENODEV (the section is gone and all was
 * read), EINTR (any signal with a handler), EIO (no whole event was read).
 */
int vmsect_guest_read_event(int events_fd, struct vmsect_event *ret_event);

#ifdef __cplusplus
}
#endif

#endif
