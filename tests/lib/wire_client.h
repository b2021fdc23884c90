/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client that speaks the wire protocol by itself, byte by byte where a test
 * wants that, so that tests of the broker do not trust the library.
 *
 * Calls return the reply's status; the reply stays in the client.  What cannot
 * happen fails the test.
 */
#ifndef TESTS_LIB_WIRE_CLIENT_H
#define TESTS_LIB_WIRE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vmsect/vmsect.h>
#include <vmsect/vmsect_proto.h>

#define WIRE_EVENTS_MAX 2048
#define WIRE_CLOSED 1 /* instead of a status: the broker has ended the connection */

struct wire_client {
	int fd; /* owned, or -1 */
	int reply_fd; /* owned: the descriptor of the last reply, or -1 */
	uint64_t cookie;
	size_t reply_size;
	uint32_t peer;
	unsigned int event_count;
	struct vmsect_msg_event events[WIRE_EVENTS_MAX];
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
		unsigned char bytes[VMSECT_MSG_MAX];
	} reply;
};

/* What a CREATE asks for; names as in vmsect.h. */
struct wire_create {
	const char *name;
	uint32_t backing;
	uint32_t protection;
	uint64_t size_bytes;
	uint32_t access;
	uint32_t flags; /* COMMIT is added unless RESERVE or EXACT is there */
	uint64_t max_bytes;
	uint32_t mode;
	uint32_t page_shift;
	const int *fds;
	unsigned int nfds;
};

/* Connects and says nothing. */
void wire_connect(struct wire_client *client, const char *path);

/* Connects and says HELLO as a process (kind 1) or a VM (kind 2). */
void wire_join(struct wire_client *client, const char *path, const char *name, uint32_t kind);

/* The same as another user and group of that number, which needs root. */
void wire_join_as(struct wire_client *client, const char *path, const char *name, uint32_t kind,
		  uint32_t uid);

void wire_close(struct wire_client *client);

/* Sends bytes as they are. */
void wire_send(struct wire_client *client, const void *bytes, size_t size, const int *fds,
	       unsigned int nfds);

/* The next reply (events are put aside): its status, or WIRE_CLOSED. */
int wire_receive(struct wire_client *client);

/* Fills in the header, sends, receives. */
int wire_call(struct wire_client *client, uint16_t op, void *request, size_t size);

int wire_create(struct wire_client *client, const struct wire_create *create);

/* A section of 64 KiB in shared memory, with these rights and mode 0600. */
int wire_create_shmem(struct wire_client *client, const char *name, uint32_t access);

int wire_open(struct wire_client *client, const char *name, uint32_t access);
int wire_close_handle(struct wire_client *client, uint32_t handle);
int wire_remove(struct wire_client *client, const char *name);
int wire_query(struct wire_client *client, uint32_t handle);
int wire_map(struct wire_client *client, uint32_t handle, uint32_t protection, uint64_t offset,
	     uint64_t length);

/* With room, flags and commit. */
int wire_map_with(struct wire_client *client, const struct vmsect_req_map *map);

int wire_unmap(struct wire_client *client, uint64_t view);
int wire_revoked(struct wire_client *client, uint64_t view);
int wire_protect(struct wire_client *client, uint64_t view, uint64_t offset, uint64_t length,
		 uint32_t protection);
int wire_duplicate(struct wire_client *client, uint32_t handle, uint32_t access);
int wire_pass(struct wire_client *client, uint32_t handle, uint32_t peer, uint32_t access,
	      uint64_t expires_ms);
int wire_accept(struct wire_client *client, uint64_t offer);
int wire_seal(struct wire_client *client, uint32_t handle);
int wire_notify(struct wire_client *client, uint32_t handle, uint32_t peer, uint64_t value);

/* Who (kind, id; of a VM its name), what, and VMSECT_GRANT_ flags. */
struct wire_grant {
	uint32_t grantee;
	uint32_t id;
	const char *name;
	uint32_t access;
	uint32_t flags;
};
int wire_grant(struct wire_client *client, uint32_t handle, const struct wire_grant *grant);
int wire_list_grants(struct wire_client *client, uint32_t handle);

int wire_list(struct wire_client *client, uint16_t op, uint64_t after, uint64_t section);

/* Entry `index` of the last list reply; fails the test if there is none. */
const struct vmsect_wire_section *wire_listed_section(const struct wire_client *client,
						      uint32_t index);
const struct vmsect_wire_view *wire_listed_view(const struct wire_client *client, uint32_t index);
const struct vmsect_wire_peer *wire_listed_peer(const struct wire_client *client, uint32_t index);

const struct vmsect_wire_grant *wire_listed_grant(const struct wire_client *client, uint32_t index);

/* Waits for an event of that type, throwing others away; fails the test after 10 s. */
struct vmsect_msg_event wire_expect_event(struct wire_client *client, uint32_t type);

/* Waits for an event, at most `limit_ms`; false if none came. */
bool wire_next_event(struct wire_client *client, struct vmsect_msg_event *ret_event, int limit_ms);

/* The sentence of the last error reply. */
const char *wire_text(struct wire_client *client);

#endif
