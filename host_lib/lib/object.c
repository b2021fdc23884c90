/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See object.h. */
#include "lib/object.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "lib/client.h"

struct section_file *section_file_new(int fd, bool writable)
{
	struct section_file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	file->fd = fd;
	file->writable = writable;
	file->refs = 1;
	return file;
}

struct section_file *section_file_ref(struct section_file *file)
{
	if (file)
		file->refs++;
	return file;
}

struct section_file *section_file_unref(struct section_file *file)
{
	if (!file || --file->refs)
		return NULL;
	fd_close(file->fd);
	free(file);
	return NULL;
}

void object_add(struct client_object *object)
{
	object->state = OBJECT_LIVE;
	TAILQ_INSERT_TAIL(&object->client->objects, object, of_client);
}

void object_remove(struct client_object *object)
{
	TAILQ_REMOVE(&object->client->objects, object, of_client);
	object->file = section_file_unref(object->file);
}

struct client_object *object_find(const struct vmsect_client *client, enum client_object_kind kind,
				  uint64_t id)
{
	struct client_object *object;

	TAILQ_FOREACH (object, &client->objects, of_client) {
		if (object->kind == kind && object->id == id && object->state == OBJECT_LIVE)
			return object;
	}
	return NULL;
}

struct section_file *object_find_file(const struct vmsect_client *client, uint64_t section_id)
{
	struct client_object *object;
	struct section_file *found = NULL;

	TAILQ_FOREACH (object, &client->objects, of_client) {
		if (object->section_id != section_id || object->state == OBJECT_STALE ||
		    !object->file)
			continue;
		if (object->file->writable)
			return object->file;
		found = object->file;
	}
	return found;
}

void objects_make_stale(struct vmsect_client *client)
{
	struct client_object *object;

	TAILQ_FOREACH (object, &client->objects, of_client)
		object->state = OBJECT_STALE;
}

int object_check(const struct client_object *object)
{
	bool is_handle;

	if (!object || object->state == OBJECT_LIVE)
		return 0;
	is_handle = object->kind == OBJECT_HANDLE;
	if (object->state == OBJECT_STALE)
		return client_fail(object->client, -ESTALE, VMSECT_DETAIL_NONE,
				   "the broker was replaced, and the new one does not know this %s",
				   is_handle ? "handle" : "view");
	return client_fail(object->client, is_handle ? -EBADF : -ENXIO, VMSECT_DETAIL_REVOKED,
			   "the %s was revoked, or its time has passed",
			   is_handle ? "handle" : "view");
}
