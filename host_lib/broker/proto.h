/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes to requests.  Pure: works on one datagram, keeps nothing, allocates
 * nothing.  What comes out is a private copy in which sizes, reserved fields
 * and names have been checked; whether the request makes sense is for others.
 */
#ifndef BROKER_PROTO_H
#define BROKER_PROTO_H

#include <stddef.h>
#include <stdint.h>

#include <vmsect/vmsect_proto.h>
#include "broker/refusal.h"

/* Positive outcomes of proto_decode(). */
enum proto_outcome {
	PROTO_E_REFUSED = 1, /* answer with the refusal, go on */
	PROTO_E_END = 2, /* answer with the refusal, then end the connection */
};

struct request {
	uint16_t op;
	uint64_t cookie;
	union {
		unsigned char bytes[sizeof(struct vmsect_req_create)]; /* the largest */
		struct vmsect_msg_hdr hdr;
		struct vmsect_req_hello hello;
		struct vmsect_req_create create;
		struct vmsect_req_open open;
		struct vmsect_req_handle handle; /* CLOSE, QUERY, LIST_GRANTS, SEAL */
		struct vmsect_req_remove remove;
		struct vmsect_req_map map;
		struct vmsect_req_unmap unmap; /* UNMAP, REVOKED */
		struct vmsect_req_view_stats view_stats;
		struct vmsect_req_peer_stats peer_stats;
		struct vmsect_req_list list; /* LIST_SECTIONS, _VIEWS, _PEERS, _EXPORTS */
		struct vmsect_req_resume resume;
		struct vmsect_req_hand_back hand_back;
		struct vmsect_req_duplicate duplicate;
		struct vmsect_req_pass pass;
		struct vmsect_req_accept accept;
		struct vmsect_req_grant grant;
		struct vmsect_req_extend extend;
		struct vmsect_req_commit commit;
		struct vmsect_req_protect protect;
		struct vmsect_req_flush flush;
		struct vmsect_req_publish publish;
		struct vmsect_req_file file;
		struct vmsect_req_notify notify;
		struct vmsect_req_doorbell doorbell;
		struct vmsect_req_export export;
		struct vmsect_req_unexport unexport;
	};
};

_Static_assert(sizeof(struct request) ==
		       offsetof(struct request, bytes) + sizeof(struct vmsect_req_create),
	       "no request is larger than bytes[]");

/*
 * Decodes one datagram of `size` bytes that came with `fds` descriptors.
 * Returns 0 or an outcome.  op and cookie are set in any case, as far as the
 * datagram has them, so that a refusal finds its way back.
 */
int proto_decode(const void *bytes, size_t size, unsigned int fds, struct request *ret_request,
		 struct refusal *refusal);

/* The error reply to a request into `buffer`; returns its bytes. */
#define PROTO_ERROR_MAX (sizeof(struct vmsect_msg_hdr) + VMSECT_ERROR_TEXT_MAX)
size_t proto_encode_error(const struct request *request, const struct refusal *refusal,
			  void *buffer);

#endif
