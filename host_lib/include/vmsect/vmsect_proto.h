/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The broker's wire protocol, version 2.  docs/protocol.md tells it as a
 * whole; this header is the one definition.
 *
 * AF_UNIX, SOCK_SEQPACKET: one datagram is one message with its descriptors.
 * The two ends run on one host, so integers are in host byte order.  A client
 * sends requests; the broker answers each with one reply that carries the
 * request's cookie, and may send events in between.  Replies come in the order
 * of the requests, but for operations that may wait for a disk (CREATE, EXTEND,
 * COMMIT, FLUSH, PUBLISH, MAP with `commit`): their replies may come later.  A client's cookies
 * are not 0 and ascend.  The first request is HELLO, or RESUME on the next
 * connection after the broker was replaced.  Reserved fields are zero and are
 * checked.
 *
 * A message that is no message (short, oversized, cut, with descriptors that
 * its operation does not take) ends the connection.  A request that is well
 * formed but wrong gets an error reply and the connection goes on.
 */
#ifndef VMSECT_PROTO_H
#define VMSECT_PROTO_H

#include <stdint.h>

#include <vmsect/vmsect_detail.h>

#define VMSECT_PROTO_VERSION 2u

/* Limits of the protocol. */
#define VMSECT_NAME_MAX 127u /* bytes of a section, VM or process name */
#define VMSECT_PATH_MAX 1023u /* bytes of a backing path that is shown */
#define VMSECT_MSG_MAX 65536u /* bytes of a message */
#define VMSECT_MSG_FDS_MAX 2u /* descriptors of a message */
#define VMSECT_ERROR_TEXT_MAX 255u /* bytes of the sentence in an error reply */
#define VMSECT_TOKEN_BYTES 16u
#define VMSECT_GRANTS_MAX 64u /* of one section */
#define VMSECT_VECTORS_MAX 64u /* of the doorbells of one section */
#define VMSECT_PEER_MAX 65535u /* the highest number of a peer; numbers come round again */

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
	VMSECT_OP_RESUME = 14,
	VMSECT_OP_HAND_BACK = 15, /* + the descriptor of a section */
	VMSECT_OP_DUPLICATE = 16,
	VMSECT_OP_PASS = 17,
	VMSECT_OP_ACCEPT = 18,
	VMSECT_OP_GRANT = 19,
	VMSECT_OP_LIST_GRANTS = 20,
	VMSECT_OP_EXTEND = 21,
	VMSECT_OP_COMMIT = 22,
	VMSECT_OP_PROTECT = 23,
	VMSECT_OP_FLUSH = 24,
	VMSECT_OP_PUBLISH = 25, /* + the patch */
	VMSECT_OP_SEAL = 26,
	VMSECT_OP_REVOKED = 27,
	VMSECT_OP_FILE = 28, /* + the descriptor of a data file */
	VMSECT_OP_NOTIFY = 29,
	VMSECT_OP_DOORBELL = 33,
	VMSECT_OP_EXPORT = 30,
	VMSECT_OP_UNEXPORT = 31,
	VMSECT_OP_LIST_EXPORTS = 32,
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
	VMSECT_PEER_IVSHMEM = 3, /* a client of a section's doorbells; never says HELLO */
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
	uint32_t peer; /* this connection's peer id, 1..VMSECT_PEER_MAX */
	uint64_t broker_generation; /* kept by a broker that takes over */
	unsigned char token[VMSECT_TOKEN_BYTES]; /* secret of this client, for RESUME */
};

/*
 * RESUME: first request of a client whose broker was replaced.  The new broker
 * has read what there was (handles, views, rights) from its journal; the
 * reply lists ids of sections (uint64_t each) whose memory it has not got, and
 * the client hands back what it holds of these.  Then the client repeats, with
 * their cookies, the requests that were not answered: what was done before
 * the end is not done twice, and its answer is given again.
 *
 * ESTALE: this broker knows nothing of that client; it starts anew by HELLO.
 */
struct vmsect_req_resume {
	struct vmsect_msg_hdr hdr;
	uint32_t version;
	uint32_t peer; /* as HELLO's reply said, as are the other two */
	uint64_t broker_generation;
	unsigned char token[VMSECT_TOKEN_BYTES];
};

struct vmsect_rep_resume {
	struct vmsect_msg_hdr hdr;
	uint32_t version;
	uint32_t count;
	/* count uint64_t: sections to hand back */
};

/*
 * HAND_BACK: the memory of a section, by any descriptor of it.  The broker
 * compares device and inode with what it noted; EINVAL (FILE) if they differ.
 * A section that the broker has by now is fine.
 */
struct vmsect_req_hand_back {
	struct vmsect_msg_hdr hdr;
	uint64_t section;
};

/* A section as every reply shows it. */
struct vmsect_wire_section {
	uint64_t id; /* never reused while the broker lives */
	uint64_t generation; /* counts changes, size included */
	uint64_t size_bytes;
	uint64_t allocated_bytes; /* of the backing, as the host counts */
	uint64_t max_bytes; /* EXTEND reaches so far; a data file: 0, as far as the disk */
	uint64_t committed_bytes; /* page file: charged; a data file: size_bytes */
	uint32_t backing; /* enum vmsect_backing */
	uint32_t protection; /* enum vmsect_protection: the most allowed */
	uint32_t flags; /* VMSECT_SECTION_ */
	uint32_t page_shift; /* 12, 21, 30 */
	uint32_t uid;
	uint32_t gid;
	uint32_t mode; /* 0600 and the like */
	uint32_t handles;
	uint32_t views;
	uint32_t io_error; /* errno of the first write-back that failed, for ever; or 0 */
	uint32_t grants;
	uint32_t reserved;
	char name[VMSECT_NAME_MAX + 1]; /* empty: anonymous or removed */
	char path[VMSECT_PATH_MAX + 1]; /* data file as the host sees it */
};

/* CREATE: makes a section and opens it with `access`. */
struct vmsect_req_create {
	struct vmsect_msg_hdr hdr;
	uint64_t size_bytes; /* 0: the file's length; page file: not 0 */
	uint64_t max_bytes; /* page file: EXTEND may go so far; 0: size_bytes.  File: 0 */
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
	uint32_t access; /* of the handle: news where it was offered (ACCEPT) */
	uint32_t reserved;
	struct vmsect_wire_section section;
};

/* CLOSE, QUERY, LIST_GRANTS and SEAL. */
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
	uint64_t room; /* GROWABLE: bytes of addresses kept for it, else 0 */
	uint64_t commit; /* RESERVE section: bytes to commit from its start on */
	uint32_t flags; /* VMSECT_MAP_ */
	uint32_t reserved;
};

struct vmsect_rep_map {
	struct vmsect_msg_hdr hdr;
	uint64_t view; /* never reused while the broker lives */
	uint64_t length; /* rounded up to the section's page */
};

/* UNMAP and REVOKED. */
struct vmsect_req_unmap {
	struct vmsect_msg_hdr hdr;
	uint64_t view;
};

/* VIEW_STATS: what the client has counted on its view, in all. */
struct vmsect_req_view_stats {
	struct vmsect_msg_hdr hdr;
	uint64_t view;
	uint64_t denied_writes;
	uint64_t private_pages; /* of the overlay, now */
	uint64_t reserved;
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
	/* count entries: vmsect_wire_section, _view, _peer, _export or _grant */
};

struct vmsect_wire_view {
	uint64_t id;
	uint64_t section;
	uint64_t offset;
	uint64_t length;
	uint64_t place;
	uint64_t denied_writes;
	uint32_t peer;
	uint32_t protection; /* with which it was mapped: the bound of PROTECT */
	uint64_t room; /* GROWABLE, else 0 */
	uint64_t private_pages; /* as VIEW_STATS told */
	uint32_t protection_now; /* of the whole view; 0: its pages differ */
	uint32_t flags; /* VMSECT_VIEW_ */
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

/* DUPLICATE: another handle of this client, with no more access.  Reply: vmsect_rep_handle. */
struct vmsect_req_duplicate {
	struct vmsect_msg_hdr hdr;
	uint32_t handle;
	uint32_t access; /* part of the handle's */
};

/*
 * PASS: offers a handle with `access`, part of this handle's, to another peer,
 * which hears OFFERED and may ACCEPT once.  An offer dies with its section,
 * with either peer, and after `expires_ms`; an accepted handle then is revoked.
 */
struct vmsect_req_pass {
	struct vmsect_msg_hdr hdr;
	uint32_t handle;
	uint32_t access;
	uint32_t peer;
	uint32_t reserved;
	uint64_t expires_ms; /* from now; 0: never */
};

struct vmsect_rep_pass {
	struct vmsect_msg_hdr hdr;
	uint64_t offer; /* never reused while the broker lives */
};

/* ACCEPT: the reply is vmsect_rep_handle. */
struct vmsect_req_accept {
	struct vmsect_msg_hdr hdr;
	uint64_t offer;
};

/*
 * Whom a grant is for.  The first that fits decides alone: a VM with an entry
 * of its name and its VMM's uid; root has all; the owner by mode; a uid by its
 * entry; then the owning group by mode and the entries of all groups that the
 * subject is in, together; then the others by mode.
 */
enum vmsect_grantee {
	VMSECT_GRANTEE_UID = 1,
	VMSECT_GRANTEE_GID = 2,
	VMSECT_GRANTEE_VM = 3, /* by name, run by `id` */
};

struct vmsect_wire_grant {
	uint32_t grantee; /* enum vmsect_grantee */
	uint32_t id; /* uid or gid */
	uint32_t access; /* 0: nothing, not even what the mode would give */
	uint32_t reserved;
	char name[VMSECT_NAME_MAX + 1]; /* VM: its name; else empty */
};

#define VMSECT_GRANT_TAKE_BACK 0x1u /* the entry goes; grant.access is 0 */
#define VMSECT_GRANT_REVOKE 0x2u /* handles that it no longer allows, and their views, too */

/* GRANT: sets an entry of the section (the handle has GRANT). */
struct vmsect_req_grant {
	struct vmsect_msg_hdr hdr;
	uint32_t handle;
	uint32_t flags; /* VMSECT_GRANT_ */
	struct vmsect_wire_grant grant;
};

struct vmsect_rep_grant {
	struct vmsect_msg_hdr hdr;
	uint32_t handles; /* revoked */
	uint32_t views; /* ordered to go; LIST_VIEWS shows those that still are there */
};

/* LIST_GRANTS: by a handle with QUERY.  The reply is a vmsect_rep_list of all. */

/*
 * EXTEND (the handle has EXTEND).  A size that is not larger does nothing.
 * Peers hear RESIZED.
 */
struct vmsect_req_extend {
	struct vmsect_msg_hdr hdr;
	uint32_t handle;
	uint32_t reserved;
	uint64_t size_bytes;
};

struct vmsect_rep_extend {
	struct vmsect_msg_hdr hdr;
	uint64_t size_bytes; /* in effect */
};

/* COMMIT: pages of a view of a RESERVE section, for all its views.  Peers hear COMMITTED. */
struct vmsect_req_commit {
	struct vmsect_msg_hdr hdr;
	uint64_t view;
	uint64_t offset; /* in the view; rounded down to a page */
	uint64_t length; /* the end is rounded up to a page; not 0 */
};

/* PROTECT: may these pages of the view have this protection; the client then does it. */
struct vmsect_req_protect {
	struct vmsect_msg_hdr hdr;
	uint64_t view;
	uint64_t offset; /* in the view, as COMMIT's */
	uint64_t length; /* 0: to the end of the view */
	uint32_t protection;
	uint32_t reserved;
};

#define VMSECT_FLUSH_DURABLE 0x1u /* answered when data and metadata are on the disk */

/* FLUSH: a range of a section; `handle` or, where that is 0, `view`. */
struct vmsect_req_flush {
	struct vmsect_msg_hdr hdr;
	uint32_t handle;
	uint32_t flags;
	uint64_t view;
	uint64_t offset; /* in the section, or in the view */
	uint64_t length; /* 0: to the end */
};

/*
 * PUBLISH (the handle has WRITE): writes a patch into the section, all of it or
 * nothing.  The descriptor is a memfd with F_SEAL_WRITE, GROW and SHRINK:
 * `count` ranges (vmsect_wire_range, ascending, apart, whole pages, the last
 * may end with the section), then from the next multiple of 4096 on their
 * bytes, one after another.
 */
struct vmsect_req_publish {
	struct vmsect_msg_hdr hdr;
	uint32_t handle;
	uint32_t count;
};

struct vmsect_wire_range {
	uint64_t offset;
	uint64_t length;
};

/*
 * SEAL (the handle has WRITE and GRANT): nobody can write the section any more.
 * EBUSY while another handle has WRITE or a writable view lives; the handle
 * loses WRITE and EXTEND.  Only for sections made SEALABLE.
 */

/* REVOKED: the client has taken the view away as it was told to. */

enum vmsect_file_action {
	VMSECT_FILE_QUERY = 1,
	VMSECT_FILE_TRUNCATE = 2, /* sets the length; the descriptor is read-write */
	VMSECT_FILE_REMOVE = 3, /* may it be removed; the client then does it */
};

/* FILE: what sections there are of a data file, and changes that respect them. */
struct vmsect_req_file {
	struct vmsect_msg_hdr hdr;
	uint32_t action;
	uint32_t reserved;
	uint64_t size_bytes; /* TRUNCATE, else 0 */
};

struct vmsect_rep_file {
	struct vmsect_msg_hdr hdr;
	uint64_t size_bytes; /* of the file now */
	uint32_t sections; /* on this file */
	uint32_t handles; /* of these */
	uint32_t views;
	uint32_t writers; /* handles with WRITE, and writable views */
};

/*
 * NOTIFY (the handle has NOTIFY): a value for one peer that has a handle of the
 * section, or for all others.  They hear NOTIFIED, once for all values of a
 * sender and section that wait.  ENXIO: no such peer; EAGAIN (RATE): too fast.
 */
struct vmsect_req_notify {
	struct vmsect_msg_hdr hdr;
	uint32_t handle;
	uint32_t peer; /* 0: all others; one's own is fine */
	uint64_t value;
};

/*
 * DOORBELL (the handle has NOTIFY): the client becomes a member of the section's
 * doorbells.  The reply is the header and one end of a stream, on which the broker
 * speaks version 0 of the ivshmem server protocol, without the message that has
 * the memory; the client's ID is its peer id.  It ends with the handle; asking
 * again gives another and ends the first.  EBUSY: the doorbells have another
 * number of vectors, or the client has them by another handle.
 */
struct vmsect_req_doorbell {
	struct vmsect_msg_hdr hdr;
	uint32_t handle;
	uint32_t vectors; /* 1..VMSECT_VECTORS_MAX */
};

enum vmsect_wire_event_type {
	VMSECT_WIRE_EVENT_PEER_JOINED = 1,
	VMSECT_WIRE_EVENT_PEER_LEFT = 2,
	VMSECT_WIRE_EVENT_RESIZED = 3, /* value: the section's size */
	VMSECT_WIRE_EVENT_COMMITTED = 4, /* offset, length: in the section */
	VMSECT_WIRE_EVENT_REVOKE_VIEW = 5, /* view: take it away now, then answer REVOKED */
	VMSECT_WIRE_EVENT_REVOKE_HANDLE = 6, /* value: the handle; it is no more */
	VMSECT_WIRE_EVENT_OFFERED = 7, /* value: the offer; peer: from whom; length: access */
	VMSECT_WIRE_EVENT_IO_ERROR = 8, /* value: errno; a write-back of the section failed */
	VMSECT_WIRE_EVENT_NOTIFIED = 9, /* peer: the sender; value: its newest; length: how many */
	VMSECT_WIRE_EVENT_LOST = 10, /* value: how many events there was no room to keep */
};

struct vmsect_msg_event {
	struct vmsect_msg_hdr hdr;
	uint32_t type;
	uint32_t peer; /* who caused it */
	uint64_t section;
	uint64_t view; /* of the receiver, or 0 */
	uint64_t value;
	uint64_t offset;
	uint64_t length;
};

#ifndef __cplusplus
_Static_assert(sizeof(struct vmsect_msg_hdr) == 32, "header");
_Static_assert(sizeof(struct vmsect_req_hello) == 184, "hello");
_Static_assert(sizeof(struct vmsect_req_resume) == 64, "resume");
_Static_assert(sizeof(struct vmsect_wire_section) == 1248, "section");
_Static_assert(sizeof(struct vmsect_req_create) == 200, "create");
_Static_assert(sizeof(struct vmsect_req_map) == 88, "map");
_Static_assert(sizeof(struct vmsect_req_peer_stats) == 80, "peer stats");
_Static_assert(sizeof(struct vmsect_wire_view) == 352, "view");
_Static_assert(sizeof(struct vmsect_wire_peer) == 208, "peer");
_Static_assert(sizeof(struct vmsect_req_grant) == 184, "grant");
_Static_assert(sizeof(struct vmsect_req_notify) == 48, "notify");
_Static_assert(sizeof(struct vmsect_req_doorbell) == 40, "doorbell");
_Static_assert(sizeof(struct vmsect_msg_event) == 80, "event");
#endif

#include <vmsect/vmsect_proto_export.h>

#endif
