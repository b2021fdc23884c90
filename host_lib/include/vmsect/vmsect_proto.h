/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The broker's wire protocol, version 1.  docs/protocol.md tells it as a
 * whole; this header is the one definition.
 *
 * AF_UNIX, SOCK_SEQPACKET: one datagram is one message with its descriptors.
 * The two ends run on one host, so integers are in host byte order.  A client
 * sends requests; the broker answers each with one reply that carries the
 * request's cookie, in order, and may send events in between.  The first
 * request is HELLO.  Reserved fields are zero and are checked.
 *
 * A message that is no message (short, oversized, cut, with descriptors that
 * its operation does not take) ends the connection.  A request that is well
 * formed but wrong gets an error reply and the connection goes on.
 */
#ifndef VMSECT_PROTO_H
#define VMSECT_PROTO_H

#include <stdint.h>

#include <vmsect/vmsect_detail.h>

#define VMSECT_PROTO_VERSION 1u

/* Limits of the protocol. */
#define VMSECT_NAME_MAX 127u /* bytes of a section, VM or process name */
#define VMSECT_PATH_MAX 1023u /* bytes of a backing path that is shown */
#define VMSECT_MSG_MAX 65536u /* bytes of a message */
#define VMSECT_MSG_FDS_MAX 2u /* descriptors of a message */
#define VMSECT_ERROR_TEXT_MAX 255u /* bytes of the sentence in an error reply */

/* Operations: requests and their replies. */
enum vmsect_op {
	VMSECT_OP_HELLO = 1,
	VMSECT_OP_CREATE = 2, /* + fds of the data file: read-only[, read-write] */
	VMSECT_OP_OPEN = 3,
	VMSECT_OP_CLOSE = 4,
	VMSECT_OP_REMOVE = 5,
	VMSECT_OP_QUERY = 6,
	VMSECT_OP_MAP = 7,
	VMSECT_OP_UNMAP = 8,
	VMSECT_OP_VIEW_STATS = 9,
	VMSECT_OP_LIST_SECTIONS = 10,
	VMSECT_OP_LIST_VIEWS = 11,
	VMSECT_OP_LIST_PEERS = 12,
	VMSECT_OP_PEER_STATS = 13,
	/* Events: broker to client, cookie 0, no answer. */
	VMSECT_OP_EVENT = 128,
};

#define VMSECT_MSG_REPLY 0x1u /* flags: this answers a request */

/* Every message starts with this. */
struct vmsect_msg_hdr {
	uint32_t size; /* bytes of the message, this header included */
	uint16_t op; /* enum vmsect_op */
	uint16_t flags; /* VMSECT_MSG_REPLY or 0 */
	uint64_t cookie; /* chosen by the client, given back in the reply */
	int32_t status; /* reply: 0 or -errno; else 0 */
	uint32_t detail; /* reply: enum vmsect_detail; else 0 */
	uint32_t fds; /* descriptors beside the message */
	uint32_t reserved;
};

/*
 * An error reply is the header and then a sentence for people: UTF-8, no NUL,
 * at most VMSECT_ERROR_TEXT_MAX bytes, to the end of the message.
 */

enum vmsect_peer_kind {
	VMSECT_PEER_PROCESS = 1,
	VMSECT_PEER_VM = 2,
};

/* HELLO: who speaks.  uid, gid and pid are the kernel's word, not here. */
struct vmsect_req_hello {
	struct vmsect_msg_hdr hdr;
	uint32_t version; /* VMSECT_PROTO_VERSION */
	uint32_t kind; /* enum vmsect_peer_kind */
	uint64_t memory_bytes; /* VM: its RAM; process: 0 */
	uint32_t cpus; /* VM: its vCPUs; process: 0 */
	uint32_t reserved;
	char name[VMSECT_NAME_MAX + 1]; /* the VM's or the program's */
};

struct vmsect_rep_hello {
	struct vmsect_msg_hdr hdr;
	uint32_t version;
	uint32_t peer; /* this connection's peer id, not 0 */
	uint64_t broker_generation; /* another broker has another */
};

/* A section as every reply shows it. */
struct vmsect_wire_section {
	uint64_t id; /* never reused while the broker lives */
	uint64_t generation; /* counts changes, size included */
	uint64_t size_bytes;
	uint64_t allocated_bytes; /* of the backing, as the host counts */
	uint32_t backing; /* enum vmsect_backing */
	uint32_t protection; /* enum vmsect_protection: the most allowed */
	uint32_t flags; /* VMSECT_SECTION_ */
	uint32_t page_shift; /* 12, 21, 30 */
	uint32_t uid;
	uint32_t gid;
	uint32_t mode; /* 0600 and the like */
	uint32_t handles;
	uint32_t views;
	uint32_t reserved;
	char name[VMSECT_NAME_MAX + 1]; /* empty: anonymous or removed */
	char path[VMSECT_PATH_MAX + 1]; /* data file as the host sees it */
};

/* CREATE: makes a section and opens it with `access`. */
struct vmsect_req_create {
	struct vmsect_msg_hdr hdr;
	uint64_t size_bytes; /* 0: the file's length; page file: not 0 */
	uint32_t backing;
	uint32_t protection;
	uint32_t flags; /* VMSECT_CREATE_ */
	uint32_t access;
	uint32_t mode; /* 0..0777; the owner is the client */
	uint32_t page_shift; /* hugetlb: 21; else 0 */
	char name[VMSECT_NAME_MAX + 1]; /* empty: anonymous */
};

/* OPEN: by name. */
struct vmsect_req_open {
	struct vmsect_msg_hdr hdr;
	uint32_t access;
	uint32_t reserved;
	char name[VMSECT_NAME_MAX + 1];
};

/*
 * Reply to CREATE and OPEN, with one descriptor if access has READ, WRITE or
 * EXECUTE, else none.  It is O_RDWR only where access has WRITE.
 */
struct vmsect_rep_handle {
	struct vmsect_msg_hdr hdr;
	uint32_t handle; /* not 0; of this connection alone */
	uint32_t existed; /* CREATE with OPEN_IF found it: 1 */
	struct vmsect_wire_section section;
};

/* CLOSE and QUERY. */
struct vmsect_req_handle {
	struct vmsect_msg_hdr hdr;
	uint32_t handle;
	uint32_t reserved;
};

struct vmsect_rep_section {
	struct vmsect_msg_hdr hdr;
	struct vmsect_wire_section section;
};

/* REMOVE: the name goes, and with it permanence. */
struct vmsect_req_remove {
	struct vmsect_msg_hdr hdr;
	char name[VMSECT_NAME_MAX + 1];
};

/* MAP: may this view be, and a note that it is. */
struct vmsect_req_map {
	struct vmsect_msg_hdr hdr;
	uint32_t handle;
	uint32_t protection;
	uint64_t offset; /* a multiple of the section's page */
	uint64_t length; /* 0: to the end of the section */
	uint64_t place; /* process: address; VM: offset in the window */
};

struct vmsect_rep_map {
	struct vmsect_msg_hdr hdr;
	uint64_t view; /* never reused while the broker lives */
	uint64_t length; /* rounded up to the section's page */
};

struct vmsect_req_unmap {
	struct vmsect_msg_hdr hdr;
	uint64_t view;
};

/* VIEW_STATS: what the client has counted on its view, in all. */
struct vmsect_req_view_stats {
	struct vmsect_msg_hdr hdr;
	uint64_t view;
	uint64_t denied_writes;
	uint64_t reserved[2];
};

/* PEER_STATS: what a VM has counted in its window, in all. */
struct vmsect_req_peer_stats {
	struct vmsect_msg_hdr hdr;
	uint64_t denied_writes;
	uint64_t hole_accesses;
	uint64_t undecodable_stores; /* that KVM could not emulate */
	uint64_t lost_pages; /* whose backing has gone; zeros took their place */
	uint64_t reserved[2];
};

/*
 * LIST_*: entries with an id above `after`, in ascending order, as many as fit
 * one message.  `section` filters views and peers (0: all).  A section whose
 * mode gives the client nothing is not listed, nor are its views.
 */
struct vmsect_req_list {
	struct vmsect_msg_hdr hdr;
	uint64_t after; /* 0 first, then the last id of the reply before */
	uint64_t section;
	char name[VMSECT_NAME_MAX + 1]; /* LIST_SECTIONS: only this one */
};

struct vmsect_rep_list {
	struct vmsect_msg_hdr hdr;
	uint32_t count;
	uint32_t more; /* 1: ask again */
	/* count entries: vmsect_wire_section, _view or _peer */
};

struct vmsect_wire_view {
	uint64_t id;
	uint64_t section;
	uint64_t offset;
	uint64_t length;
	uint64_t place;
	uint64_t denied_writes;
	uint32_t peer;
	uint32_t protection;
	uint32_t access; /* of the handle it was mapped through */
	uint32_t peer_kind;
	int32_t pid;
	uint32_t uid;
	char section_name[VMSECT_NAME_MAX + 1];
	char peer_name[VMSECT_NAME_MAX + 1];
};

struct vmsect_wire_peer {
	uint64_t id;
	uint64_t memory_bytes;
	uint64_t denied_writes; /* from here four as PEER_STATS told them */
	uint64_t hole_accesses;
	uint64_t undecodable_stores;
	uint64_t lost_pages;
	uint32_t kind;
	uint32_t cpus;
	int32_t pid;
	uint32_t uid;
	uint32_t gid;
	uint32_t handles;
	uint32_t views;
	uint32_t reserved;
	char name[VMSECT_NAME_MAX + 1];
};

enum vmsect_wire_event_type {
	VMSECT_WIRE_EVENT_PEER_JOINED = 1,
	VMSECT_WIRE_EVENT_PEER_LEFT = 2,
};

struct vmsect_msg_event {
	struct vmsect_msg_hdr hdr;
	uint32_t type;
	uint32_t peer; /* who came or went */
	uint64_t section;
	uint64_t value;
	uint64_t offset;
	uint64_t length;
};

#ifndef __cplusplus
_Static_assert(sizeof(struct vmsect_msg_hdr) == 32, "header");
_Static_assert(sizeof(struct vmsect_req_hello) == 184, "hello");
_Static_assert(sizeof(struct vmsect_wire_section) == 1224, "section");
_Static_assert(sizeof(struct vmsect_req_create) == 192, "create");
_Static_assert(sizeof(struct vmsect_req_peer_stats) == 80, "peer stats");
_Static_assert(sizeof(struct vmsect_wire_view) == 328, "view");
_Static_assert(sizeof(struct vmsect_wire_peer) == 208, "peer");
_Static_assert(sizeof(struct vmsect_msg_event) == 72, "event");
#endif

#endif
