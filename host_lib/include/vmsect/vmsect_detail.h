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
};

#endif
