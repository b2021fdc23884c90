/* SPDX-License-Identifier: GPL-2.0-or-later WITH Linux-syscall-note */
/*
 * vmsect.ko's interface to guest programs; vmsect(4) is its manual page.
 *
 * Objects are file descriptors:
 *
 *   control  /dev/vmsect/ctl: INFO, LIST, OPEN, CREATE
 *   section  an open /dev/vmsect/NAME (a section that the VM's configuration
 *            attaches), or what OPEN, CREATE and DUPLICATE return.  Its bytes
 *            are those of its default view: an attachment's, or else the whole
 *            section with all that the handle's rights allow.
 *            QUERY, EXTEND, NOTIFY, EVENTS, DUPLICATE, VIEW, and all of a view
 *   view     what VIEW returns: a range of a section with a protection of its own.
 *            QUERY_VIEW, PROTECT, COMMIT, RESET, QUERY_PAGES, DIFF, PUBLISH, FLUSH
 *   events   what EVENTS returns: read, poll
 *
 * Sections and views are read, written, mapped, polled and fsynced as files are;
 * offset 0 is the view's first byte.  The last reference gives the object back
 * to the host; a mapping is a reference.  All new descriptors are close-on-exec.
 *
 * fsync, fdatasync and msync(MS_SYNC) return when data and metadata are on the
 * host's disk; EIO if a write-back of the section has ever failed.
 *
 * An access is SIGBUS: past the end; to a page whose backing the host has lost
 * or that was never committed (opening the node once more brings it back, if the
 * backing is whole again); after the section's owner has taken the view back,
 * when open and mmap give EACCES; after the device has gone, when they give
 * ENODEV.  It is SIGSEGV where PROTECT forbids it.
 *
 * An ivshmem device (1af4:1110) is a node without a control node,
 * /dev/vmsect/ivshmem-ADDRESS.  The device knows neither names nor sizes nor rights:
 * QUERY tells of all of its memory, readwrite, whatever the host makes of that.  Of the
 * commands there are QUERY, QUERY_VIEW and, with a doorbell, NOTIFY and EVENTS, by
 * vectors: the value of NOTIFY is the vector of the one peer to ring, up to 65535
 * each, and NOTIFIED tells of the vector, of peer 0, since nobody knows who rang.  All
 * other commands, fsync, and NOTIFY to all are EOPNOTSUPP.
 *
 * Errors that any command can give: EFAULT (a bad pointer), EINTR (a fatal signal;
 * what was asked for may have happened), ENOMEM, ENODEV (the device has gone, or
 * was reset and the object with it), EIO (the device is broken), EHOSTDOWN (the host's
 * broker does not answer; views go on working), EOPNOTSUPP (the device has no
 * such request).  EPERM: the handle lacks the right.  EACCES: the section's
 * protection, its seal or its owner forbids it, or the host has taken the object.
 * EBADF: the descriptor is not open for that (to read or to write).
 *
 * Fixed width, explicit padding, the same from 32-bit programs.  Reserved
 * fields and unknown flags are zero, else EINVAL; an unknown command is ENOTTY.
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
#define VMSECT_BACKING_UNKNOWN 0 /* ivshmem */
#define VMSECT_BACKING_FILE 1
#define VMSECT_BACKING_SHMEM 2
#define VMSECT_BACKING_HUGETLB 3
#define VMSECT_BACKING_DIRECTORY 4

/* Effective cache type of a view's mappings. */
#define VMSECT_CACHE_UNKNOWN 0
#define VMSECT_CACHE_WRITE_BACK 1
#define VMSECT_CACHE_OTHER 2

/* Rights of a handle. */
#define VMSECT_GUEST_ACCESS_QUERY 0x01
#define VMSECT_GUEST_ACCESS_READ 0x02
#define VMSECT_GUEST_ACCESS_WRITE 0x04
#define VMSECT_GUEST_ACCESS_EXECUTE 0x08
#define VMSECT_GUEST_ACCESS_EXTEND 0x10
#define VMSECT_GUEST_ACCESS_NOTIFY 0x20
#define VMSECT_GUEST_ACCESS_GRANT 0x40

/* Protection of a section (the most that a view may have), of a view, of a page. */
#define VMSECT_GUEST_PROT_NOACCESS 1
#define VMSECT_GUEST_PROT_READONLY 2
#define VMSECT_GUEST_PROT_READWRITE 3
#define VMSECT_GUEST_PROT_WRITECOPY 4
#define VMSECT_GUEST_PROT_EXECUTE 5
#define VMSECT_GUEST_PROT_EXECUTE_READ 6
#define VMSECT_GUEST_PROT_EXECUTE_READWRITE 7
#define VMSECT_GUEST_PROT_EXECUTE_WRITECOPY 8

/* VMSECT_IOC_INFO: the device behind the control node. */
struct vmsect_info {
	__u64 window_bytes; /* guest physical addresses reserved for views */
	__u32 sections; /* attached sections */
	__u32 max_views;
	__u32 peer_id; /* this VM's number among the peers, 0 = none */
	__u32 align_shift; /* views occupy units of 1 << align_shift bytes */
	__u64 reserved[2];
};

/* Flags of a section. */
#define VMSECT_GUEST_SECTION_F_PERMANENT 0x1
#define VMSECT_GUEST_SECTION_F_RESERVE 0x2 /* pages are there once they are committed */
#define VMSECT_GUEST_SECTION_F_SEALABLE 0x4
#define VMSECT_GUEST_SECTION_F_SEALED 0x8 /* nobody can write it any more */
#define VMSECT_GUEST_SECTION_F_IVSHMEM 0x10 /* the memory of an ivshmem device, see above */

/* One section, the handle it is asked through and the handle's default view. */
struct vmsect_section {
	__u64 section_id; /* the same for every VM that has the section */
	__u64 generation; /* counts changes of the section, its size included */
	__u64 size_bytes; /* of the section, to the byte */
	__u64 max_bytes; /* EXTEND reaches so far; 0: no bound is known (a data file) */
	__u64 committed_bytes;
	__u64 offset; /* of the default view in the section */
	__u64 length; /* mappable bytes, a whole number of pages; 0: not mapped yet */
	__u64 denied_writes; /* forbidden writes to the default view that the host has counted */
	__u64 private_bytes; /* its own pages, of a copy-on-write view; QUERY only, else 0 */
	__u32 mode; /* VMSECT_MODE_ of the default view; NONE: the rights allow no view */
	__u32 backing; /* VMSECT_BACKING_ */
	__u32 cache; /* VMSECT_CACHE_; UNKNOWN before the default view is mapped */
	__u32 page_shift; /* smallest page of the backing: 12, 21 or 30 */
	__u32 access; /* VMSECT_GUEST_ACCESS_ of the handle */
	__u32 protection; /* VMSECT_GUEST_PROT_: the most that a view may have */
	__u32 has_pages; /* 1: struct pages, 0: mapped by page frame number */
	__u32 huge_shift; /* largest page that mappings can get: 21, or 12 */
	__u32 section_flags; /* VMSECT_GUEST_SECTION_F_ */
	__u32 io_error; /* the first write-back that failed, an errno, or 0 */
	__u32 peer_id; /* this VM's number among the peers, 0 = none */
	__u32 vectors; /* ivshmem: values that NOTIFIED can have here, 0 = it never comes */
	__u64 reserved[2];
	char name[VMSECT_GUEST_NAME_MAX + 1];
};

/* VMSECT_IOC_LIST: attached section number index; ENOENT past the last. */
struct vmsect_list {
	__u32 index; /* in */
	__u32 reserved; /* in: 0 */
	struct vmsect_section section; /* out */
};

/*
 * VMSECT_IOC_OPEN: a section by name.  The descriptor is open to read if access
 * has READ or EXECUTE, to write if it has WRITE.
 */
struct vmsect_open {
	__u32 access; /* VMSECT_GUEST_ACCESS_, at least one */
	__u32 reserved;
	char name[VMSECT_GUEST_NAME_MAX + 1]; /* ends in NUL, zero behind it */
};

/* VMSECT_IOC_CREATE: a page-file section, where the VM may; its first handle. */
#define VMSECT_GUEST_CREATE_F_OPEN_IF 0x2 /* the name exists: open that section */
#define VMSECT_GUEST_CREATE_F_COMMIT 0x4 /* all pages are committed: the default */
#define VMSECT_GUEST_CREATE_F_RESERVE 0x8 /* none is */
#define VMSECT_GUEST_CREATE_F_ALLOCATE 0x10 /* take the host's memory now */
#define VMSECT_GUEST_CREATE_F_EXACT 0x40 /* one of COMMIT and RESERVE is given */
struct vmsect_create {
	__u64 size_bytes;
	__u64 max_bytes; /* EXTEND may go so far; 0: not at all */
	__u32 backing; /* SHMEM, HUGETLB or DIRECTORY */
	__u32 protection; /* VMSECT_GUEST_PROT_ */
	__u32 flags; /* VMSECT_GUEST_CREATE_F_ */
	__u32 access; /* of the handle; 0: all that protection allows, but GRANT */
	__u32 mode; /* who else may, on the host; 0: 0600 */
	__u32 page_shift; /* HUGETLB: 0 or 21; else 0 */
	__u32 existed; /* out: 1 if it was there (OPEN_IF) */
	__u32 reserved;
	char name[VMSECT_GUEST_NAME_MAX + 1]; /* empty: without one */
};

/* VMSECT_IOC_VIEW. */
#define VMSECT_GUEST_VIEW_F_GROWABLE 0x1 /* grows with the section, up to its room */
#define VMSECT_GUEST_VIEW_F_NO_CHANGE 0x2 /* PROTECT is refused */
#define VMSECT_GUEST_VIEW_F_REVOKED 0x4 /* QUERY_VIEW: the host has taken it */
struct vmsect_view_request {
	__u64 offset; /* in the section, a multiple of its page */
	__u64 length; /* bytes; 0: to the section's end */
	__u64 room; /* GROWABLE: bytes of the window kept for it, 0: for max_bytes; else 0 */
	__u64 commit; /* RESERVE section: bytes to commit from the view's start on */
	__u32 protection; /* VMSECT_GUEST_PROT_ */
	__u32 flags; /* VMSECT_GUEST_VIEW_F_ */
	__u64 reserved[2];
};

/* VMSECT_IOC_QUERY_VIEW. */
struct vmsect_view_info {
	__u64 offset; /* in the section */
	__u64 length; /* mappable bytes */
	__u64 room; /* GROWABLE: it may become so long; else 0 */
	__u64 denied_writes;
	__u64 private_bytes;
	__u32 protection; /* with which it was mapped: the bound of PROTECT */
	__u32 protection_now; /* of all its pages; 0: they differ */
	__u32 flags; /* VMSECT_GUEST_VIEW_F_ */
	__u32 cache; /* VMSECT_CACHE_ */
	__u32 has_pages;
	__u32 huge_shift;
	__u64 reserved[3];
};

/* A range of a view: bytes, rounded out to pages; length 0: to its end. */
struct vmsect_range {
	__u64 offset;
	__u64 length;
};

/* VMSECT_IOC_PROTECT, VMSECT_IOC_COMMIT (length is not 0; protection 0: as they are). */
struct vmsect_protect {
	__u64 offset;
	__u64 length;
	__u32 protection; /* VMSECT_GUEST_PROT_ */
	__u32 old; /* in: 0; out: PROTECT: what the first page had */
};

/* VMSECT_IOC_QUERY_PAGES: the run of like pages that the byte at offset is in. */
#define VMSECT_GUEST_PAGES_F_COMMITTED 0x1
#define VMSECT_GUEST_PAGES_F_PRIVATE 0x2
#define VMSECT_GUEST_PAGES_F_LOST 0x4
struct vmsect_page_run {
	__u64 offset; /* in; out: of the page that has this byte */
	__u64 length; /* in: 0; out */
	__u32 protection; /* out: now; a private page of a writecopy view is READWRITE */
	__u32 flags; /* out: VMSECT_GUEST_PAGES_F_ */
};

/* VMSECT_IOC_DIFF: private pages, ascending; what is found from `after` on. */
struct vmsect_diff {
	__u64 after; /* in: offset in the view; out: where to go on */
	__u64 ranges; /* in: address of an array of struct vmsect_range */
	__u32 count; /* in: room in it, not 0; out: ranges written */
	__u32 more; /* in: 0; out: 1: there are others */
};

/* VMSECT_IOC_PUBLISH: through a section descriptor of the same section, open to write. */
struct vmsect_publish {
	__s32 section_fd;
	__u32 reserved;
};

/* VMSECT_IOC_FLUSH. */
#define VMSECT_GUEST_FLUSH_F_DURABLE 0x1 /* wait until it is on the disk, as fsync does */
struct vmsect_flush {
	__u64 offset;
	__u64 length; /* 0: to the view's end */
	__u32 flags; /* VMSECT_GUEST_FLUSH_F_; 0: start write-back */
	__u32 reserved;
};

/* VMSECT_IOC_EXTEND. */
struct vmsect_extend {
	__u64 size_bytes; /* in: wanted; out: in effect */
};

/* VMSECT_IOC_NOTIFY: programs of the other VM hear VMSECT_EVENT_NOTIFIED. */
struct vmsect_notify {
	__u64 value;
	__u32 peer; /* 0: all others that have the section open */
	__u32 reserved;
};

/* VMSECT_IOC_DUPLICATE: a section descriptor with no more rights; 0 is legal. */
struct vmsect_duplicate {
	__u32 access;
	__u32 reserved;
};

/*
 * Events of a section, for the descriptor that VMSECT_IOC_EVENTS returns.  A read
 * takes as many whole structs as its buffer has room for and there are; EINVAL
 * for a buffer without room for one, EAGAIN with O_NONBLOCK when there is none, 0
 * once the section is gone and all was read.  Only what comes after EVENTS is
 * heard.  Notifications of one peer that were not read become one; those of nobody
 * knows whom, one for each value; RESIZED likewise.  What there is no room for is
 * dropped and F_LOST says so.
 */
#define VMSECT_EVENT_NONE 0 /* carries F_LOST and nothing else */
#define VMSECT_EVENT_PEER_JOINED 1 /* peer has opened the section */
#define VMSECT_EVENT_PEER_LEFT 2 /* peer has closed it, or died */
#define VMSECT_EVENT_NOTIFIED 3 /* value: the newest; count: how many it stands for */
/* The host has taken a view; offset, length: in the section.  Length 0: all, then GONE comes. */
#define VMSECT_EVENT_REVOKED 4
#define VMSECT_EVENT_RESIZED 5 /* value: the section's size */
#define VMSECT_EVENT_IN_PAGE_ERROR 6 /* value: an errno; offset, length: in the section */
#define VMSECT_EVENT_QUOTA 7 /* value: private pages of 4 KiB */
#define VMSECT_EVENT_COMMITTED 8 /* offset, length: of the section */
#define VMSECT_EVENT_GONE 9 /* the device has gone, or was reset and the section with it */

#define VMSECT_EVENT_F_LOST 0x1 /* events before this one were dropped: look at the state */

struct vmsect_event {
	__u32 type; /* VMSECT_EVENT_ */
	__u32 flags; /* VMSECT_EVENT_F_ */
	__u32 peer; /* who caused it, or 0; NOTIFIED with 0: several, or nobody knows who */
	__u32 reserved;
	__u64 section_id;
	__u64 value;
	__u64 count;
	__u64 offset;
	__u64 length;
	__u64 reserved2;
};

/* VMSECT_IOC_EVENTS. */
struct vmsect_events_request {
	__u32 mask; /* of 1 << VMSECT_EVENT_; 0: all.  GONE comes in any case */
	__u32 reserved;
};

/* Of the control node. */
#define VMSECT_IOC_INFO _IOR(VMSECT_IOC_MAGIC, 0x00, struct vmsect_info)
#define VMSECT_IOC_LIST _IOWR(VMSECT_IOC_MAGIC, 0x01, struct vmsect_list)
/*
 * OPEN, CREATE: return a section descriptor.  EBADF for a control node that is not
 * open to write.  EINVAL (name, access, size, flags), ENOENT, EACCES, EPERM (CREATE:
 * the VM may not), EEXIST, EFBIG, ENOSPC, EDQUOT (handles of the VM, quotas of the host).
 */
#define VMSECT_IOC_OPEN _IOW(VMSECT_IOC_MAGIC, 0x02, struct vmsect_open)
#define VMSECT_IOC_CREATE _IOWR(VMSECT_IOC_MAGIC, 0x03, struct vmsect_create)

/* Of sections.  QUERY: EPERM without the query right. */
#define VMSECT_IOC_QUERY _IOR(VMSECT_IOC_MAGIC, 0x10, struct vmsect_section)
/*
 * VIEW: returns a view descriptor.  READWRITE and its executable form want a section
 * descriptor that is open to write, else EBADF.  EINVAL (protection, flags, offset
 * not aligned, past the section), EPERM, EACCES, EDQUOT (views of the VM), ENOSPC
 * (no room in the window), ENOMEM (also for the view's struct pages).
 */
#define VMSECT_IOC_VIEW _IOW(VMSECT_IOC_MAGIC, 0x12, struct vmsect_view_request)
/* EXTEND: a size that is not larger changes nothing.  EBADF (not open to write), EPERM,
 * EOPNOTSUPP (not made to grow), EFBIG, EACCES, ENOSPC, EDQUOT. */
#define VMSECT_IOC_EXTEND _IOWR(VMSECT_IOC_MAGIC, 0x13, struct vmsect_extend)
/* NOTIFY: EBADF (not open to write), EPERM, ENXIO (no such peer), EAGAIN (faster than the
 * host allows: what is in the section counts, say it again later). */
#define VMSECT_IOC_NOTIFY _IOW(VMSECT_IOC_MAGIC, 0x14, struct vmsect_notify)
#define VMSECT_IOC_EVENTS _IOW(VMSECT_IOC_MAGIC, 0x15, struct vmsect_events_request)
/* DUPLICATE: EINVAL (unknown rights), EPERM (one that this handle has not), EDQUOT. */
#define VMSECT_IOC_DUPLICATE _IOW(VMSECT_IOC_MAGIC, 0x16, struct vmsect_duplicate)

/* Of views, and of sections for their default view. */
/*
 * RESET: drop the private pages of a copy-on-write view: the section shows through
 * again, for all programs that map it.  EBADF (not open to write); EINVAL past the
 * view; nothing happens in a view that has none.
 */
#define VMSECT_IOC_RESET _IOW(VMSECT_IOC_MAGIC, 0x11, struct vmsect_range)
/*
 * PROTECT: other protections for pages, all or nothing, within the bound of the
 * view's own, for all programs that map it.  EBADF (not open to write); EINVAL
 * (protection, range, a page that is not committed, a NO_CHANGE view), EACCES,
 * EDQUOT.  Memory that a device transfer has pinned meanwhile is not stopped.
 */
#define VMSECT_IOC_PROTECT _IOWR(VMSECT_IOC_MAGIC, 0x20, struct vmsect_protect)
/* COMMIT: EBADF (not open to write), EINVAL, EEXIST (past the view), EPERM (a data file),
 * EACCES, EDQUOT. */
#define VMSECT_IOC_COMMIT _IOWR(VMSECT_IOC_MAGIC, 0x21, struct vmsect_protect)
#define VMSECT_IOC_QUERY_PAGES _IOWR(VMSECT_IOC_MAGIC, 0x22, struct vmsect_page_run)
#define VMSECT_IOC_DIFF _IOWR(VMSECT_IOC_MAGIC, 0x23, struct vmsect_diff)
/*
 * PUBLISH: the view's private pages into the section, all or nothing; then they are
 * private no longer.  Stores of other programs wait meanwhile.  EBADF (section_fd is
 * no section descriptor that is open to write), EINVAL (of another section or
 * device), EPERM, EACCES (sealed), EIO, ENOSPC, EDQUOT, EBUSY (a page is pinned).
 */
#define VMSECT_IOC_PUBLISH _IOW(VMSECT_IOC_MAGIC, 0x24, struct vmsect_publish)
#define VMSECT_IOC_QUERY_VIEW _IOR(VMSECT_IOC_MAGIC, 0x25, struct vmsect_view_info)
/* FLUSH: EINVAL, EPERM (a handle that neither reads nor writes), EIO, ENOSPC (a write-back has
 * failed, now or ever before), EDQUOT (too many wait). */
#define VMSECT_IOC_FLUSH _IOW(VMSECT_IOC_MAGIC, 0x26, struct vmsect_flush)

#ifdef __cplusplus
#define VMSECT_IOC_ASSERT(c) static_assert(c, #c)
#else
#define VMSECT_IOC_ASSERT(c) _Static_assert(c, #c)
#endif
VMSECT_IOC_ASSERT(sizeof(struct vmsect_info) == 40);
VMSECT_IOC_ASSERT(sizeof(struct vmsect_section) == 264);
VMSECT_IOC_ASSERT(sizeof(struct vmsect_list) == 272);
VMSECT_IOC_ASSERT(sizeof(struct vmsect_open) == 136);
VMSECT_IOC_ASSERT(sizeof(struct vmsect_create) == 176);
VMSECT_IOC_ASSERT(sizeof(struct vmsect_view_request) == 56);
VMSECT_IOC_ASSERT(sizeof(struct vmsect_view_info) == 88);
VMSECT_IOC_ASSERT(sizeof(struct vmsect_range) == 16);
VMSECT_IOC_ASSERT(sizeof(struct vmsect_protect) == 24);
VMSECT_IOC_ASSERT(sizeof(struct vmsect_page_run) == 24);
VMSECT_IOC_ASSERT(sizeof(struct vmsect_diff) == 24);
VMSECT_IOC_ASSERT(sizeof(struct vmsect_publish) == 8);
VMSECT_IOC_ASSERT(sizeof(struct vmsect_flush) == 24);
VMSECT_IOC_ASSERT(sizeof(struct vmsect_extend) == 8);
VMSECT_IOC_ASSERT(sizeof(struct vmsect_notify) == 16);
VMSECT_IOC_ASSERT(sizeof(struct vmsect_duplicate) == 8);
VMSECT_IOC_ASSERT(sizeof(struct vmsect_event) == 64);
VMSECT_IOC_ASSERT(sizeof(struct vmsect_events_request) == 8);

#endif
