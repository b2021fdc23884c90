/* SPDX-License-Identifier: GPL-2.0-or-later WITH Linux-syscall-note */
/*
 * vmsect.ko's interface to guest programs.
 *
 * /dev/vmsect/ctl        VMSECT_IOC_INFO, VMSECT_IOC_LIST
 * /dev/vmsect/NAME       open, mmap, fsync, VMSECT_IOC_QUERY, VMSECT_IOC_RESET;
 *                        one node per section that the VM's configuration
 *                        attaches
 *
 * fsync, fdatasync and msync(MS_SYNC) return when data and metadata are on the
 * host's disk; EIO if a write-back of the section has ever failed.
 *
 * An access is SIGBUS: past the end; to a page whose backing the host has lost
 * (opening the node once more brings it back, if the backing is whole again);
 * after the section's owner has taken the view back, when open and mmap give
 * EACCES; after the device has gone, when they give ENODEV.
 *
 * Fixed width, explicit padding, the same from 32-bit programs.  Reserved
 * fields and flags are zero, else EINVAL; an unknown command is ENOTTY; after
 * the device has gone every command is ENODEV.
 */
#ifndef VMSECT_IOCTL_H
#define VMSECT_IOCTL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define VMSECT_IOC_MAGIC 0xBB

/* Longest section name in bytes, without the terminating NUL. */
#define VMSECT_GUEST_NAME_MAX 127

/* The mode in which the VM has a section. */
#define VMSECT_MODE_NONE 0
#define VMSECT_MODE_RO 1
#define VMSECT_MODE_RW 2
#define VMSECT_MODE_COW 3

/* What is behind a section. */
#define VMSECT_BACKING_FILE 1
#define VMSECT_BACKING_SHMEM 2
#define VMSECT_BACKING_HUGETLB 3
#define VMSECT_BACKING_DIRECTORY 4

/* Effective cache type of a view's mappings. */
#define VMSECT_CACHE_UNKNOWN 0
#define VMSECT_CACHE_WRITE_BACK 1
#define VMSECT_CACHE_OTHER 2

/* VMSECT_IOC_INFO: the device behind the control node. */
struct vmsect_info {
	__u64 window_bytes; /* guest physical addresses reserved for views */
	__u32 sections; /* attached sections */
	__u32 max_views;
	__u32 peer_id; /* this VM's number among the peers, 0 = none */
	__u32 align_shift; /* views occupy units of 1 << align_shift bytes */
	__u64 reserved[2];
};

/* One section and the view through which this VM has it. */
struct vmsect_section {
	__u64 section_id;
	__u64 generation;
	__u64 size_bytes; /* of the section, to the byte */
	__u64 offset; /* of the view in the section */
	__u64 length; /* mappable bytes, a whole number of pages */
	__u64 denied_writes; /* forbidden writes that the host has counted */
	__u32 mode; /* VMSECT_MODE_ */
	__u32 backing; /* VMSECT_BACKING_ */
	__u32 cache; /* VMSECT_CACHE_ */
	__u32 page_shift; /* smallest page of the backing */
	__u32 access; /* rights of the VM's handle, VMSECT_DEV_ACCESS_ */
	__u32 has_pages; /* 1: struct pages, 0: mapped by page frame number */
	__u64 reserved[2];
	char name[VMSECT_GUEST_NAME_MAX + 1];
};

/* VMSECT_IOC_LIST: section number index; ENOENT past the last. */
struct vmsect_list {
	__u32 index; /* in */
	__u32 reserved; /* in: 0 */
	struct vmsect_section section; /* out */
};

/* VMSECT_IOC_RESET: bytes of the view, rounded out to pages; length 0: to its end. */
struct vmsect_range {
	__u64 offset;
	__u64 length;
};

#define VMSECT_IOC_INFO _IOR(VMSECT_IOC_MAGIC, 0x00, struct vmsect_info)
#define VMSECT_IOC_LIST _IOWR(VMSECT_IOC_MAGIC, 0x01, struct vmsect_list)
#define VMSECT_IOC_QUERY _IOR(VMSECT_IOC_MAGIC, 0x10, struct vmsect_section)
/*
 * Drop the private pages of a cow view: the section shows through again, for all
 * programs of this VM.  EBADF for a node that is not open for writing; EINVAL
 * past the view; EOPNOTSUPP without the feature; nothing happens in a view that
 * has none.
 */
#define VMSECT_IOC_RESET _IOW(VMSECT_IOC_MAGIC, 0x11, struct vmsect_range)

#ifdef __cplusplus
#define VMSECT_IOC_ASSERT(c) static_assert(c, #c)
#else
#define VMSECT_IOC_ASSERT(c) _Static_assert(c, #c)
#endif
VMSECT_IOC_ASSERT(sizeof(struct vmsect_info) == 40);
VMSECT_IOC_ASSERT(sizeof(struct vmsect_section) == 216);
VMSECT_IOC_ASSERT(sizeof(struct vmsect_list) == 224);
VMSECT_IOC_ASSERT(sizeof(struct vmsect_range) == 16);

#endif
