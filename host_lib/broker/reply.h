/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reply that is being made.  One is enough for a broker: it is filled by an
 * operation and sent before the next request is looked at.
 */
#ifndef BROKER_REPLY_H
#define BROKER_REPLY_H

#include <vmsect/vmsect_proto.h>
#include "broker/proto.h"

struct reply {
	int fd; /* goes with it; owned, or -1 */
	union {
		struct vmsect_msg_hdr hdr;
		struct vmsect_rep_hello hello;
		struct vmsect_rep_handle handle;
		struct vmsect_rep_section section;
		struct vmsect_rep_map map;
		struct vmsect_rep_list list;
		struct vmsect_rep_resume resume;
		struct vmsect_rep_pass pass;
		struct vmsect_rep_grant grant;
		struct vmsect_rep_extend extend;
		struct vmsect_rep_file file;
		struct vmsect_rep_export export;
		unsigned char bytes[VMSECT_MSG_MAX];
	};
};

/*
 * Clears `size` bytes of the reply to this request and fills in its header.
 * The descriptor is set by the operation that has one.
 */
void reply_start(struct reply *reply, const struct request *request, size_t size);

/* Room for one more entry of a list, cleared; NULL when the message is full. */
void *reply_list_entry(struct reply *reply, size_t entry_bytes);

#endif
