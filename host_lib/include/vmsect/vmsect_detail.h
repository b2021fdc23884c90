/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Detail codes: in error replies of the protocol, and as
 * vmsect_client_detail() of the library.  A number keeps its meaning for ever.
 */
#ifndef VMSECT_DETAIL_H
#define VMSECT_DETAIL_H

/* What an errno alone leaves open. */
enum vmsect_detail {
	VMSECT_DETAIL_NONE = 0,
	VMSECT_DETAIL_FORMAT = 1, /* size or reserved field of the request */
	VMSECT_DETAIL_VERSION = 2, /* protocol version */
	VMSECT_DETAIL_NAME = 3,
	VMSECT_DETAIL_ACCESS = 4, /* access mask */
	VMSECT_DETAIL_PROTECTION = 5, /* the protection value itself */
	VMSECT_DETAIL_SIZE = 6,
	VMSECT_DETAIL_ATTR = 7, /* backing kind or flags */
	VMSECT_DETAIL_ALIGNMENT = 8,
	VMSECT_DETAIL_VIEW_SIZE = 9,
	VMSECT_DETAIL_HANDLE = 10,
	VMSECT_DETAIL_FILE = 11, /* the descriptor that was passed */
	VMSECT_DETAIL_HUGEPAGES = 12, /* the pool is too small */
	VMSECT_DETAIL_LIMIT = 13, /* a quota; the text says which */
	VMSECT_DETAIL_CURSOR = 14,
	VMSECT_DETAIL_STATE = 15, /* not now: HELLO missing or repeated; not from a process */
	VMSECT_DETAIL_RANGE = 16, /* pages that the view or section has not, or that are taken */
	VMSECT_DETAIL_COMMIT = 17, /* commit size, or pages that are not committed */
	VMSECT_DETAIL_EXTEND = 18, /* the section does not grow */
	VMSECT_DETAIL_SEAL = 19, /* sealed, or not to be sealed */
	VMSECT_DETAIL_MAPPED = 20, /* the file has a section with a handle or a view */
	VMSECT_DETAIL_WRITERS = 21, /* somebody can still write */
	VMSECT_DETAIL_IO = 22, /* a write-back has failed, now or before */
	VMSECT_DETAIL_RECOVERY = 23, /* the memory is not handed back yet: again a little later */
	VMSECT_DETAIL_REVOKED = 24, /* the handle or the view was revoked, or has expired */
	VMSECT_DETAIL_RATE = 25, /* more at a time than the broker allows: again a little later */
};

#endif
