/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Views: ranges of sections with a protection of their own.  Part of
 * vmsect_guest.h, which says what all functions have in common.
 *
 * But for vmsect_guest_view() the descriptor may be a section's, for its default
 * view.  Offsets are in the view; ranges are bytes and are rounded out to pages.
 * Every function asks the host and blocks until it has answered; beside what is
 * listed it can fail with ENODEV (the device has gone, or was reset and the view
 * with it), EIO (the device is broken), EHOSTDOWN (the host's broker does not
 * answer), EOPNOTSUPP (the device has no such request), ENOMEM, ENOTTY (neither a
 * view nor a section) and EINTR (a fatal signal).
 */
#ifndef VMSECT_GUEST_VIEW_H
#define VMSECT_GUEST_VIEW_H

#include <stdint.h>

#include "vmsect_ioctl.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * vmsect_guest_view - make a view
 * @fd: of the section, borrowed; it may be closed before the view
 * @request: where, how long, protection and flags
 * @ret_fd: for vmsect_guest_map(), read(2) and the functions below; the caller's
 *          to close.  A mapping keeps the view.
 *
 * Errors: EINVAL (protection, flags, offset not aligned or past the section), EBADF
 * (READWRITE through a descriptor that is not open to write), EPERM, EACCES,
 * EDQUOT (views of the VM), ENOSPC (no room in the window), ENOMEM (also for the
 * view's struct pages).
 */
int vmsect_guest_view(int fd, const struct vmsect_view_request *request, int *ret_fd);

/**
 * vmsect_guest_query_view - a view as the host knows it now
 * @fd: borrowed
 * @ret_info: filled
 */
int vmsect_guest_query_view(int fd, struct vmsect_view_info *ret_info);

/**
 * vmsect_guest_protect - other protections for pages of a view
 * @fd: open to write, borrowed
 * @offset: in the view
 * @length: in bytes; 0: to the end of the view
 * @protection: VMSECT_GUEST_PROT_, within the bound of the view's own
 * @ret_old: what the first page had; NULL is fine
 *
 * All or nothing, for all programs that map the view.
 *
 * Errors: EBADF (not open to write), EINVAL (protection, range, a page that is not
 * committed, a view that must not change), EACCES, EDQUOT.
 */
int vmsect_guest_protect(int fd, uint64_t offset, uint64_t length, uint32_t protection,
			 uint32_t *ret_old);

/**
 * vmsect_guest_commit - bring pages of a RESERVE section into being
 * @fd: open to write, borrowed
 * @offset: in the view
 * @length: in bytes, not 0
 * @protection: VMSECT_GUEST_PROT_, or 0: as they are
 *
 * May wait for a disk.
 *
 * Errors: EBADF (not open to write), EINVAL, EEXIST (past the view), EPERM (a data
 * file), EACCES, EDQUOT.
 */
int vmsect_guest_commit(int fd, uint64_t offset, uint64_t length, uint32_t protection);

/**
 * vmsect_guest_reset - drop private pages of a copy-on-write view
 * @fd: open to write, borrowed
 * @offset: in the view
 * @length: in bytes; 0: to the end of the view
 *
 * The section shows through again, for all programs that map the view.  Nothing
 * happens in a view that has none.
 *
 * Errors: EBADF (not open to write), EINVAL (past the view).
 */
int vmsect_guest_reset(int fd, uint64_t offset, uint64_t length);

/**
 * vmsect_guest_query_pages - the run of like pages around a byte
 * @fd: borrowed
 * @offset: in the view
 * @ret_run: from the page that has the byte on
 *
 * Errors: EINVAL (past the view).
 */
int vmsect_guest_query_pages(int fd, uint64_t offset, struct vmsect_page_run *ret_run);

/**
 * vmsect_guest_diff - private pages of a copy-on-write view
 * @fd: borrowed
 * @after: where to start; afterwards where to go on; as it was if the call fails
 * @ranges: written, ascending
 * @room: how many there is room for, not 0
 * @ret_count: how many were written
 *
 * Returns 1 if there are others: call again.  0: these were all.
 *
 * Errors: EINVAL (no room, past the view).
 */
int vmsect_guest_diff(int fd, uint64_t *after, struct vmsect_range *ranges, uint32_t room,
		      uint32_t *ret_count);

/**
 * vmsect_guest_publish - the view's private pages into its section
 * @fd: of the view, borrowed
 * @section_fd: a handle of the same section, open to write, borrowed
 *
 * All or nothing; then they are private no longer.  May wait for a disk, and
 * stores of other programs to the view wait meanwhile.
 *
 * Errors: EBADF (section_fd is no section that is open to write), EINVAL (of
 * another section or device), EPERM, EACCES (sealed), EIO, ENOSPC, EDQUOT, EBUSY
 * (a page is pinned by a transfer).
 */
int vmsect_guest_publish(int fd, int section_fd);

/**
 * vmsect_guest_flush - write a range back to the section's file
 * @fd: borrowed
 * @offset: in the view
 * @length: in bytes; 0: to the end of the view
 * @flags: 0: start it; VMSECT_GUEST_FLUSH_F_DURABLE: wait until it is on the disk
 *
 * Errors: EINVAL, EPERM (a handle that neither reads nor writes), EIO, ENOSPC (a
 * write-back has failed, now or ever before), EDQUOT (too many wait).
 */
int vmsect_guest_flush(int fd, uint64_t offset, uint64_t length, uint32_t flags);

#ifdef __cplusplus
}
#endif

#endif
