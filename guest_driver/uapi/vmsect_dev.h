/* SPDX-License-Identifier: GPL-2.0-or-later WITH Linux-syscall-note */
/*
 * The vmsect section device: ids, features, configuration space, requests and
 * events, as docs/device-spec.md describes them.  This header is the one
 * definition; the VMM and the guest driver both include it.
 *
 * Everything is little endian, fixed width and naturally aligned.  Reserved
 * fields are zero and are checked.  Lengths and offsets are bytes.  An offset
 * "in the window" counts from the start of shared-memory region 0.
 */
#ifndef VMSECT_DEV_H
#define VMSECT_DEV_H

#include <linux/types.h>

/* Virtio device id; on PCI the device is 1af4:(1040h + id) = 1af4:107f. */
#define VMSECT_VIRTIO_ID 63

/* The shared-memory region that is the window. */
#define VMSECT_SHM_WINDOW 0

/* Virtqueues. */
#define VMSECT_VQ_CONTROL 0
#define VMSECT_VQ_EVENT 1
#define VMSECT_VQ_COUNT 2

/*
 * Feature bits.  A device without a bit answers the requests behind it with
 * VMSECT_S_EOPNOTSUPP and never sends the events behind it.
 */
#define VMSECT_F_PROTECT 0 /* PROTECT, QUERY_PAGES, DUPLICATE; event REVOKED */
#define VMSECT_F_EXTEND 1 /* EXTEND, COMMIT; events RESIZED, COMMITTED */
#define VMSECT_F_FLUSH 2 /* FLUSH */
#define VMSECT_F_COW 3 /* RESET, DIFF, PUBLISH; event QUOTA */
#define VMSECT_F_NOTIFY 4 /* NOTIFY; event NOTIFIED */
#define VMSECT_F_CREATE 5 /* CREATE */
#define VMSECT_F_IN_PAGE_ERROR 6 /* REMAP; event IN_PAGE_ERROR */
#define VMSECT_F_HOLD 7 /* HOLD */

/* Longest name in bytes; a name field is one longer and padded with NUL. */
#define VMSECT_DEV_NAME_MAX 127

/* window_offset of a MAP request that leaves the place to the device. */
#define VMSECT_WINDOW_ANY (~(__u64)0)

/* Device configuration space; read-only, constant while the device lives. */
struct vmsect_dev_config {
	__le64 window_bytes; /* size of the window */
	__le32 align_shift; /* views occupy whole units of 1 << align_shift */
	__le32 max_views; /* views at one time, attachments included */
	__le32 max_handles; /* handles at one time, attachments included */
	__le32 attachments; /* entries that LIST will return */
	__le32 peer_id; /* this VM's peer id, 0 when it has none */
	__le32 reserved;
};

/*
 * Status of a reply.  The numbers are those of Linux's asm-generic errno.h,
 * fixed here for every guest.  docs/device-spec.md says when each is given.
 */
#define VMSECT_S_OK 0
#define VMSECT_S_EPERM 1 /* the handle lacks the right */
#define VMSECT_S_ENOENT 2 /* no such section */
#define VMSECT_S_EIO 5 /* host I/O error */
#define VMSECT_S_ENXIO 6 /* no such view; NOTIFY: no such peer of the section */
#define VMSECT_S_EBADF 9 /* no such handle */
#define VMSECT_S_EAGAIN 11 /* NOTIFY: faster than the host allows */
#define VMSECT_S_ENOMEM 12 /* the host has no memory for it */
#define VMSECT_S_EACCES 13 /* the section's protection forbids it */
#define VMSECT_S_EFAULT 14 /* IN_PAGE_ERROR: a page that is not committed */
#define VMSECT_S_EBUSY 16 /* in use, or fixed by the configuration */
#define VMSECT_S_EEXIST 17 /* the place in the window is taken */
#define VMSECT_S_EINVAL 22 /* see detail */
#define VMSECT_S_EFBIG 27 /* larger than the section can be */
#define VMSECT_S_ENOSPC 28 /* no room in the window; FLUSH, EXTEND, PUBLISH: on the disk */
#define VMSECT_S_EOPNOTSUPP 95 /* unknown operation, or its feature is absent */
#define VMSECT_S_EHOSTDOWN 112 /* the broker does not answer */
#define VMSECT_S_EDQUOT 122 /* a limit is reached */

/* Detail beside VMSECT_S_EINVAL and others; 0 where there is nothing to add. */
#define VMSECT_D_NONE 0
#define VMSECT_D_FORMAT 1 /* request or reply buffer has the wrong size */
#define VMSECT_D_RESERVED 2 /* a reserved field or flag is not zero */
#define VMSECT_D_NAME 3 /* not a legal name */
#define VMSECT_D_ACCESS 4 /* not a legal access mask */
#define VMSECT_D_PROTECTION 5 /* not a legal protection */
#define VMSECT_D_ALIGNMENT 6 /* offset or place not aligned */
#define VMSECT_D_VIEW_SIZE 7 /* offset and length reach past the section */
#define VMSECT_D_WINDOW 8 /* place reaches past the window */
#define VMSECT_D_ATTACHMENT 9 /* belongs to the VM's configuration */
#define VMSECT_D_HANDLES 10 /* the limit is max_handles */
#define VMSECT_D_VIEWS 11 /* the limit is max_views */
#define VMSECT_D_CURSOR 12 /* not a cursor that LIST returned */
#define VMSECT_D_QUOTA 13 /* a limit of the host */
#define VMSECT_D_SIZE 14 /* not a size that a section can have */
#define VMSECT_D_ATTR 15 /* backing, flags, or a combination of them */
#define VMSECT_D_RANGE 16 /* pages that the view or the section has not */
#define VMSECT_D_COMMIT 17 /* pages that are not committed, or commit too large */
#define VMSECT_D_EXTEND 18 /* the section does not grow */
#define VMSECT_D_IO 19 /* a write-back has failed, now or before */
#define VMSECT_D_REVOKED 20 /* the handle or the view was revoked */
#define VMSECT_D_PENDING 21 /* too many requests wait for the disk */
#define VMSECT_D_HANDLE 22 /* the handle is of another section */

/* Access mask of a handle. */
#define VMSECT_DEV_ACCESS_QUERY 0x01
#define VMSECT_DEV_ACCESS_READ 0x02
#define VMSECT_DEV_ACCESS_WRITE 0x04
#define VMSECT_DEV_ACCESS_EXECUTE 0x08
#define VMSECT_DEV_ACCESS_EXTEND 0x10
#define VMSECT_DEV_ACCESS_NOTIFY 0x20
#define VMSECT_DEV_ACCESS_GRANT 0x40
#define VMSECT_DEV_ACCESS_ALL 0x7f

/* Protection of a section or a view. */
#define VMSECT_DEV_PROT_NOACCESS 1
#define VMSECT_DEV_PROT_READONLY 2
#define VMSECT_DEV_PROT_READWRITE 3
#define VMSECT_DEV_PROT_WRITECOPY 4
/* 5 to 8 are the executable forms: X, XR, XRW, XWC. */
#define VMSECT_DEV_PROT_EXECUTE 5
#define VMSECT_DEV_PROT_EXECUTE_READ 6
#define VMSECT_DEV_PROT_EXECUTE_READWRITE 7
#define VMSECT_DEV_PROT_EXECUTE_WRITECOPY 8

/* Backing of a section. */
#define VMSECT_DEV_BACKING_FILE 1
#define VMSECT_DEV_BACKING_SHMEM 2
#define VMSECT_DEV_BACKING_HUGETLB 3
#define VMSECT_DEV_BACKING_DIRECTORY 4

/* Cache type of a view; the device promises write-back today. */
#define VMSECT_DEV_CACHE_WRITE_BACK 1

/* Operations of the control queue. */
#define VMSECT_REQ_LIST 1
#define VMSECT_REQ_OPEN 2
#define VMSECT_REQ_CLOSE 3
#define VMSECT_REQ_MAP 4
#define VMSECT_REQ_UNMAP 5
#define VMSECT_REQ_QUERY_SECTION 6
#define VMSECT_REQ_QUERY_VIEW 7
/* 8 and above wait for their feature bits. */
#define VMSECT_REQ_CREATE 8
#define VMSECT_REQ_PROTECT 9
#define VMSECT_REQ_EXTEND 10
#define VMSECT_REQ_COMMIT 11
#define VMSECT_REQ_FLUSH 12
#define VMSECT_REQ_RESET 13
#define VMSECT_REQ_DIFF 14
#define VMSECT_REQ_PUBLISH 15
#define VMSECT_REQ_NOTIFY 16
#define VMSECT_REQ_REMAP 17
#define VMSECT_REQ_DUPLICATE 18
#define VMSECT_REQ_QUERY_PAGES 19
#define VMSECT_REQ_HOLD 20

/*
 * A control chain is one device-readable request and one device-writable
 * reply, each of exactly the size of its structure (LIST: the reply is the
 * header and room for any number of entries).  Every request starts with
 * vmsect_req_hdr and every reply with vmsect_rsp_hdr.
 */
struct vmsect_req_hdr {
	__le32 op;
	__le32 flags; /* 0 */
};

struct vmsect_rsp_hdr {
	__le32 status; /* VMSECT_S_ */
	__le32 detail; /* VMSECT_D_ */
};

/* Flags of a section. */
#define VMSECT_SECTION_F_PERMANENT 0x1
#define VMSECT_SECTION_F_RESERVE 0x2
#define VMSECT_SECTION_F_SEALABLE 0x4
#define VMSECT_SECTION_F_SEALED 0x8

struct vmsect_dev_section {
	__le64 section_id; /* never reused while the host's broker lives */
	__le64 generation; /* counts changes of the section, size included */
	__le64 size_bytes;
	__le32 protection; /* the most that any view may have */
	__le32 backing;
	__le32 page_shift; /* 12, 21 or 30: the smallest unit of a view */
	__le32 access; /* mask of the handle it was asked through */
	__le64 max_bytes; /* EXTEND reaches so far; 0: no bound, or a data file */
	__le64 committed_bytes;
	__le32 section_flags; /* VMSECT_SECTION_F_ */
	__le32 io_error; /* first write-back that failed, a VMSECT_S_, or 0 */
	__u8 name[VMSECT_DEV_NAME_MAX + 1]; /* empty: anonymous or removed */
};

/* Flags of a view; the first two can be asked for by MAP. */
#define VMSECT_VIEW_F_GROWABLE 0x1 /* grows with the section; needs F_EXTEND */
#define VMSECT_VIEW_F_NO_CHANGE 0x2 /* PROTECT is refused */
#define VMSECT_VIEW_F_REVOKED 0x4 /* a hole now; UNMAP frees its number */

struct vmsect_dev_view {
	__le32 view;
	__le32 handle; /* 0 once it is closed */
	__le32 protection; /* with which it was mapped: the bound of PROTECT */
	__le32 cache;
	__le64 window_offset; /* of the view's first byte */
	__le64 offset; /* of the view's first byte in the section */
	__le64 length; /* accessible bytes, a whole number of pages */
	__le64 denied_writes; /* forbidden writes that the host has counted */
	__le64 room; /* GROWABLE: window bytes kept for it; else 0 */
	__le32 view_flags; /* VMSECT_VIEW_F_ */
	__le32 protection_now; /* of the whole view; 0: its pages differ */
};

/* LIST: the attachments, in the order of the VM's configuration. */
struct vmsect_req_list {
	struct vmsect_req_hdr hdr;
	__le32 cursor; /* 0 first, then next of the reply before */
	__le32 reserved;
};

struct vmsect_attachment {
	struct vmsect_dev_section section;
	struct vmsect_dev_view view;
};

struct vmsect_rsp_list {
	struct vmsect_rsp_hdr hdr;
	__le32 count; /* entries that follow */
	__le32 next; /* cursor of the next request; 0 = that was all */
	struct vmsect_attachment entries[];
};

/* OPEN: a handle of a section by name. */
struct vmsect_req_open {
	struct vmsect_req_hdr hdr;
	__le32 access;
	__le32 reserved;
	__u8 name[VMSECT_DEV_NAME_MAX + 1];
};

struct vmsect_rsp_open {
	struct vmsect_rsp_hdr hdr;
	__le32 handle; /* not 0 */
	__le32 reserved;
	struct vmsect_dev_section section;
};

/* CLOSE: gives the handle back; its views stay. */
struct vmsect_req_close {
	struct vmsect_req_hdr hdr;
	__le32 handle;
	__le32 reserved;
};

struct vmsect_rsp_close {
	struct vmsect_rsp_hdr hdr;
};

/*
 * MAP: a view.  window_offset, where it is not ANY, agrees with offset modulo
 * 1 << align_shift; the device's own choice does as well.
 */
struct vmsect_req_map {
	struct vmsect_req_hdr hdr;
	__le32 handle;
	__le32 protection;
	__le64 offset; /* a multiple of the section's page */
	__le64 length; /* 0 = to the end of the section */
	__le64 window_offset;
	__le64 room; /* GROWABLE: window bytes to keep, 0 = for max_bytes; else 0 */
	__le64 commit; /* RESERVE section: bytes to commit from the view's start on */
	__le32 map_flags; /* VMSECT_VIEW_F_ */
	__le32 reserved;
};

struct vmsect_rsp_map {
	struct vmsect_rsp_hdr hdr;
	struct vmsect_dev_view view;
};

/* UNMAP: after an OK reply the view's range is a hole. */
struct vmsect_req_unmap {
	struct vmsect_req_hdr hdr;
	__le32 view;
	__le32 reserved;
};

struct vmsect_rsp_unmap {
	struct vmsect_rsp_hdr hdr;
};

struct vmsect_req_query_section {
	struct vmsect_req_hdr hdr;
	__le32 handle;
	__le32 reserved;
};

struct vmsect_rsp_query_section {
	struct vmsect_rsp_hdr hdr;
	struct vmsect_dev_section section;
};

struct vmsect_req_query_view {
	struct vmsect_req_hdr hdr;
	__le32 view;
	__le32 reserved;
};

struct vmsect_rsp_query_view {
	struct vmsect_rsp_hdr hdr;
	struct vmsect_dev_view view;
};

/*
 * CREATE: a page-file section and a handle of it, where the VM may.  Flags,
 * sizes and errors are those of vmsect_section_create(); no data file.
 */
#define VMSECT_CREATE_F_OPEN_IF 0x2
#define VMSECT_CREATE_F_COMMIT 0x4
#define VMSECT_CREATE_F_RESERVE 0x8
#define VMSECT_CREATE_F_ALLOCATE 0x10
#define VMSECT_CREATE_F_EXACT 0x40
struct vmsect_req_create {
	struct vmsect_req_hdr hdr;
	__le64 size_bytes;
	__le64 max_bytes;
	__le32 backing;
	__le32 protection;
	__le32 create_flags;
	__le32 access;
	__le32 mode;
	__le32 page_shift;
	__u8 name[VMSECT_DEV_NAME_MAX + 1]; /* empty: anonymous */
};
/* Its reply is vmsect_rsp_open; detail 0, or VMSECT_D_EXISTED in a good reply. */
#define VMSECT_D_EXISTED 0x100

/* DUPLICATE: another handle with no more access.  Its reply is vmsect_rsp_open. */
struct vmsect_req_duplicate {
	struct vmsect_req_hdr hdr;
	__le32 handle;
	__le32 access;
};

/*
 * A range of a view: PROTECT, COMMIT, RESET, REMAP, QUERY_PAGES.  offset counts
 * from the view's first byte; the range is rounded out to pages; length 0
 * reaches to the view's end (COMMIT: is refused).
 *
 * PROTECT: bounded by the protection with which the view was mapped; all or
 * nothing.  protection is not 0.  The reply's value is the first page's old one.
 * COMMIT: for all views of the section; protection: of these pages in this
 * view, 0: as mapped.
 * RESET: drops private pages.
 * REMAP: where the backing is whole again, puts it in the place of the zero
 * pages that a lost page was given; what was written to these is dropped.
 * The reply's value is the number of pages that still are lost.
 */
struct vmsect_req_range {
	struct vmsect_req_hdr hdr;
	__le32 view;
	__le32 protection; /* PROTECT, COMMIT; else 0 */
	__le64 offset;
	__le64 length;
};

/* Of PROTECT, COMMIT, RESET, REMAP and EXTEND; FLUSH and PUBLISH: a vmsect_rsp_hdr. */
struct vmsect_rsp_value {
	struct vmsect_rsp_hdr hdr;
	__le64 value;
};

/* QUERY_PAGES: the run of like pages at offset (length 0). */
struct vmsect_rsp_query_pages {
	struct vmsect_rsp_hdr hdr;
	__le64 offset; /* of the run, in the view */
	__le64 length;
	__le32 protection; /* now; READWRITE for a copied page of a writecopy view */
	__le32 pages; /* VMSECT_PAGES_F_ */
};
#define VMSECT_PAGES_F_COMMITTED 0x1
#define VMSECT_PAGES_F_PRIVATE 0x2
#define VMSECT_PAGES_F_LOST 0x4

/* EXTEND: a section by handle.  The reply's value is the size in effect. */
struct vmsect_req_extend {
	struct vmsect_req_hdr hdr;
	__le32 handle;
	__le32 reserved;
	__le64 size_bytes;
};

/*
 * FLUSH: a range of a view, answered once write-back was started or, with
 * DURABLE, once data and metadata are on the disk; other requests are answered
 * meanwhile.  At most VMSECT_PENDING_MAX wait, else EDQUOT.
 */
#define VMSECT_PENDING_MAX 16
#define VMSECT_FLUSH_F_DURABLE 0x1
struct vmsect_req_flush {
	struct vmsect_req_hdr hdr;
	__le32 view;
	__le32 flush_flags; /* VMSECT_FLUSH_F_ */
	__le64 offset;
	__le64 length; /* 0: to the view's end */
};

/*
 * PUBLISH: the view's private pages into the section, all or nothing, through a
 * handle with WRITE; then they are dropped.  The driver sees to it that nobody
 * writes to the view meanwhile.  Waits like FLUSH.
 */
struct vmsect_req_publish {
	struct vmsect_req_hdr hdr;
	__le32 view;
	__le32 handle;
};

/*
 * DIFF: the private pages as ranges of the view, ascending, from `after` on; as
 * many as the reply buffer has room for.
 */
struct vmsect_req_diff {
	struct vmsect_req_hdr hdr;
	__le32 view;
	__le32 reserved;
	__le64 after; /* offset in the view: 0 first, then the end of the last range */
};

struct vmsect_dev_range {
	__le64 offset;
	__le64 length;
};

struct vmsect_rsp_diff {
	struct vmsect_rsp_hdr hdr;
	__le32 count;
	__le32 more; /* 1: ask again */
	struct vmsect_dev_range ranges[];
};

/*
 * NOTIFY: a value for one peer that has the section open, or (peer 0) for all
 * others, through a handle with the notify right.  They hear NOTIFIED.  Values
 * of one sender that the receiver has not taken yet become one event, with the
 * newest value.  Its reply is a vmsect_rsp_hdr.
 */
struct vmsect_req_notify {
	struct vmsect_req_hdr hdr;
	__le32 handle;
	__le32 peer; /* 0: all others */
	__le64 value;
};

/*
 * HOLD: the next reset of the device keeps the driver's handles and views, and
 * events that come until the driver is back; once.  For a guest that suspends.
 */
struct vmsect_req_hold {
	struct vmsect_req_hdr hdr;
};

/* Events. */
#define VMSECT_EV_PEER_JOINED 1 /* peer opened the section */
#define VMSECT_EV_PEER_LEFT 2 /* peer closed its last handle, or died */
#define VMSECT_EV_NOTIFIED 3
#define VMSECT_EV_REVOKED 4
#define VMSECT_EV_RESIZED 5
#define VMSECT_EV_IN_PAGE_ERROR 6
#define VMSECT_EV_QUOTA 7
#define VMSECT_EV_COMMITTED 8

/* Events before this one were dropped for want of buffers: read state anew. */
#define VMSECT_EV_FLAG_LOST 0x1

struct vmsect_dev_event {
	__le32 type;
	__le32 flags;
	__le32 handle; /* lowest handle of this VM on the section, or 0 */
	__le32 peer; /* who caused it, or 0 */
	__le32 view; /* the view concerned, or 0 */
	__le32 reserved;
	__le64 section_id;
	__le64 value; /* NOTIFIED: the value; RESIZED: the size; IN_PAGE_ERROR: a VMSECT_S_;
			QUOTA: private pages */
	__le64 offset; /* IN_PAGE_ERROR, REVOKED: range of the view; COMMITTED: of the section */
	__le64 length; /* of that range; NOTIFIED: how many notifications this one stands for */
};

#ifdef __cplusplus
#define VMSECT_DEV_ASSERT(c) static_assert(c, #c)
#else
#define VMSECT_DEV_ASSERT(c) _Static_assert(c, #c)
#endif
VMSECT_DEV_ASSERT(sizeof(struct vmsect_dev_config) == 32);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_req_hdr) == 8);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_rsp_hdr) == 8);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_dev_section) == 192);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_dev_view) == 64);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_req_list) == 16);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_attachment) == 256);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_rsp_list) == 16);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_req_open) == 144);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_rsp_open) == 208);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_req_close) == 16);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_rsp_close) == 8);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_req_map) == 64);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_rsp_map) == 72);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_req_unmap) == 16);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_rsp_unmap) == 8);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_req_query_section) == 16);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_rsp_query_section) == 200);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_req_query_view) == 16);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_rsp_query_view) == 72);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_req_create) == 176);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_req_duplicate) == 16);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_req_range) == 32);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_rsp_value) == 16);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_rsp_query_pages) == 32);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_req_extend) == 24);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_req_flush) == 32);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_req_publish) == 16);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_req_notify) == 24);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_req_hold) == 8);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_req_diff) == 24);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_dev_range) == 16);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_rsp_diff) == 16);
VMSECT_DEV_ASSERT(sizeof(struct vmsect_dev_event) == 56);

#endif
