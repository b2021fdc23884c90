/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a client has at its broker: handles (struct vmsect_section) and views
 * (struct vmsect_view), which embed a struct client_object.  The client lists
 * them, so that events find what they are about and a new broker is handed back
 * what it lacks.
 *
 * States: live, then revoked (the broker took it away), or stale (a broker came
 * without it), for good.
 *
 * Owner: the client.  One thread at a time; no lock.
 */
#ifndef LIB_OBJECT_H
#define LIB_OBJECT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct vmsect_client;

/*
 * A descriptor that came with a handle, shared by the handle and the views made
 * through it: a section whose handles are closed can be handed back by a view.
 */
struct section_file {
	int fd; /* owned */
	bool writable;
	unsigned int refs;
};

/* Takes the descriptor; one reference.  NULL: no memory, and the descriptor is still the caller's.
 */
struct section_file *section_file_new(int fd, bool writable);

/* Another reference; NULL is fine; returns its argument. */
struct section_file *section_file_ref(struct section_file *file);

/* Drops one; the last closes the descriptor.  NULL is fine; returns NULL. */
struct section_file *section_file_unref(struct section_file *file);

enum client_object_state {
	OBJECT_LIVE,
	OBJECT_REVOKED,
	OBJECT_STALE,
};

enum client_object_kind {
	OBJECT_HANDLE,
	OBJECT_VIEW,
};

struct client_object;

/* What events do to an object beside changing its state.  A call that is NULL is not made. */
struct client_object_ops {
	/* The section has a new size, in bytes: a growable mapped view grows. */
	void (*resized)(struct client_object *object, uint64_t size_bytes);
	/*
	 * Take the mapped view away, back to PROT_NONE; the library then answers
	 * REVOKED.  NULL: a registered view, which its owner takes away.
	 */
	void (*revoke)(struct client_object *object);
};

struct client_object {
	struct vmsect_client *client; /* borrowed; outlives the object */
	enum client_object_kind kind;
	enum client_object_state state;
	uint64_t id; /* the broker's number of the handle or view */
	uint64_t section_id;
	/*
	 * The object's reference; NULL: none.  A handle that is revoked has lost it.
	 * object_remove() drops it.
	 */
	struct section_file *file;
	const struct client_object_ops *ops; /* NULL: none */
	TAILQ_ENTRY(client_object) of_client; /* the client's */
};

TAILQ_HEAD(client_objects, client_object);

/*
 * Lists the object, which is filled in but for state and list.  To be called at
 * once when the reply that made it has come, before any other call.
 */
void object_add(struct client_object *object);

/* Takes it off the list, and drops its file. */
void object_remove(struct client_object *object);

/* For the library's connection: the live object of that number, or NULL. */
struct client_object *object_find(const struct vmsect_client *client, enum client_object_kind kind,
				  uint64_t id);

/* A file of the section that a live object holds, the writable if there is one; or NULL. */
struct section_file *object_find_file(const struct vmsect_client *client, uint64_t section_id);

/* All that there is is stale from now on. */
void objects_make_stale(struct vmsect_client *client);

/*
 * May the object be used?  0, or the failure with its sentence: -ESTALE; a handle
 * -EBADF, a view -ENXIO (both with detail REVOKED).  NULL is fine.
 */
int object_check(const struct client_object *object);

#endif
