/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vmsect sections for programs in a guest; the one header that they include.
 * Here: the control node, nodes and mappings.  What handles and views can do is
 * in the two headers that this one includes; vmsect_ring.h is a header of its
 * own.
 *
 * Thin and stateless: every object is a file descriptor or an address, every
 * function may be called from any thread, nothing is printed and no memory is
 * kept.  Functions return 0 or a negative errno; ret_ parameters are written
 * only on success.  Plain open(2), mmap(2) and ioctl(2) do the same; vmsect(4)
 * lists the errors.
 */
#ifndef VMSECT_GUEST_H
#define VMSECT_GUEST_H

#include <stddef.h>
#include <stdint.h>

#include "vmsect_ioctl.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The name of the control node for vmsect_guest_open(). */
#define VMSECT_GUEST_CTL "ctl"

/* How to map. */
#define VMSECT_GUEST_READ 0x1
#define VMSECT_GUEST_WRITE 0x2
#define VMSECT_GUEST_PRIVATE 0x4 /* the process's own copy on write; else shared */
#define VMSECT_GUEST_EXEC 0x8

/* A mapping; all zero is none. */
struct vmsect_guest_mapping {
	void *addr;
	size_t length;
};

/**
 * vmsect_guest_open - open a section that the VM has
 * @name: its name, or VMSECT_GUEST_CTL
 * @flags: O_RDONLY or O_RDWR, and further flags of open(2); O_CLOEXEC is added
 * @ret_fd: the caller's to close
 *
 * Does not block.
 *
 * Errors: EINVAL (not a legal name), ENOENT (the VM has no such section),
 * EACCES (the node's mode bits, or O_RDWR of a read-only section), ENODEV (the
 * device has gone), and what else open(2) gives.
 */
int vmsect_guest_open(const char *name, int flags, int *ret_fd);

/**
 * vmsect_guest_info - what the device is
 * @ctl_fd: of the control node, borrowed
 * @ret_info: filled
 *
 * Errors: ENODEV (the device has gone), ENOTTY (not a control node).
 */
int vmsect_guest_info(int ctl_fd, struct vmsect_info *ret_info);

/**
 * vmsect_guest_list - one section of the list
 * @ctl_fd: of the control node, borrowed
 * @index: from 0
 * @ret_section: filled; denied_writes is what the host last said
 *
 * Errors: ENOENT (past the last), ENODEV, ENOTTY as above.
 */
int vmsect_guest_list(int ctl_fd, uint32_t index, struct vmsect_section *ret_section);

/**
 * vmsect_guest_map - map a part of a section
 * @fd: of the section, borrowed; the mapping stays when it is closed
 * @how: VMSECT_GUEST_ bits
 * @offset: in the view, a multiple of the page size
 * @length: in bytes; 0 = to the end of the view
 * @ret_map: vmsect_guest_unmap() ends it
 *
 * Errors: EINVAL (unknown bits, neither READ nor WRITE nor EXEC, offset not
 * aligned), ENXIO (offset at or past the end), EACCES (a shared writable mapping
 * of a read-only section or of an fd opened O_RDONLY, or EXEC of a section that
 * is not executable), EOVERFLOW (offset and length wrap), ENODEV (the device has
 * gone), ENOMEM.
 *
 * A part past the end of the view can be mapped, as with files; access there is
 * SIGBUS, and so is any access after the device has gone.
 */
int vmsect_guest_map(int fd, int how, uint64_t offset, size_t length,
		     struct vmsect_guest_mapping *ret_map);

/**
 * vmsect_guest_unmap - end a mapping
 * @map: NULL or none is fine; none afterwards
 */
void vmsect_guest_unmap(struct vmsect_guest_mapping *map);

#ifdef __cplusplus
}
#endif

#include "vmsect_guest_section.h"
#include "vmsect_guest_view.h"

#endif
