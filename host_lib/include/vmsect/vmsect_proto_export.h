/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exports in the broker's wire protocol: a part of vmsect_proto.h. */
#ifndef VMSECT_PROTO_EXPORT_H
#define VMSECT_PROTO_EXPORT_H

#include <vmsect/vmsect_proto.h>

enum vmsect_export_kind {
	VMSECT_EXPORT_PATH = 1, /* a file that is the section's memory */
	VMSECT_EXPORT_DOORBELL = 2, /* a socket that speaks the ivshmem server protocol */
};

#define VMSECT_EXPORT_SAME UINT32_MAX /* uid, gid: as the section's, where the broker can */

/*
 * EXPORT (the handle has GRANT): gives programs that know nothing of the broker a
 * path to the section, until UNEXPORT or until the section has no name any more.
 * Page file needs to be made EXPORTABLE; a data file has its path already, and
 * keeps its owner and mode.  What is exported may be exported again, to change
 * owner and mode.
 */
struct vmsect_req_export {
	struct vmsect_msg_hdr hdr;
	uint32_t handle;
	uint32_t kind; /* enum vmsect_export_kind */
	uint32_t mode; /* 0..0777; the broker's user keeps 0600 */
	uint32_t uid;
	uint32_t gid;
	uint32_t vectors; /* DOORBELL: 1..64; else 0 */
};

struct vmsect_rep_export {
	struct vmsect_msg_hdr hdr;
	uint32_t kind;
	uint32_t vectors;
	char path[VMSECT_PATH_MAX + 1];
};

/* UNEXPORT (the handle has GRANT).  Who has opened the path keeps what he has. */
struct vmsect_req_unexport {
	struct vmsect_msg_hdr hdr;
	uint32_t handle;
	uint32_t kind;
};

/* LIST_EXPORTS is a vmsect_req_list, filtered by section. */
struct vmsect_wire_export {
	uint64_t id; /* of the section and the kind; ascends */
	uint64_t section;
	uint32_t kind;
	uint32_t mode; /* of the path, as are the next two */
	uint32_t uid;
	uint32_t gid;
	uint32_t vectors;
	uint32_t reserved;
	char section_name[VMSECT_NAME_MAX + 1];
	char path[VMSECT_PATH_MAX + 1];
};

#ifndef __cplusplus
_Static_assert(sizeof(struct vmsect_req_export) == 56, "export");
_Static_assert(sizeof(struct vmsect_rep_export) == 1064, "exported");
_Static_assert(sizeof(struct vmsect_wire_export) == 1192, "listed export");
#endif

#endif
