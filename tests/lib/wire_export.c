/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See wire_export.h. */
#include "lib/wire_export.h"

#include "lib/check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int wire_export(struct wire_client *client, uint32_t handle, const struct wire_export *export)
{
	struct vmsect_req_export request = {
		.handle = handle,
		.kind = export->kind,
		.mode = export->mode,
		.uid = export->uid ? export->uid : VMSECT_EXPORT_SAME,
		.gid = export->gid ? export->gid : VMSECT_EXPORT_SAME,
		.vectors = export->vectors,
	};

	return wire_call(client, VMSECT_OP_EXPORT, &request, sizeof(request));
}

int wire_unexport(struct wire_client *client, uint32_t handle, uint32_t kind)
{
	struct vmsect_req_unexport request = { .handle = handle, .kind = kind };

	return wire_call(client, VMSECT_OP_UNEXPORT, &request, sizeof(request));
}

const char *wire_exported_path(const struct wire_client *client)
{
	struct vmsect_rep_export reply;
	static char path[sizeof(reply.path)];

	assert_int_equal(client->reply_size, sizeof(reply));
	memcpy(&reply, client->reply.bytes, sizeof(reply));
	assert_true(strnlen(reply.path, sizeof(reply.path)) < sizeof(reply.path));
	memcpy(path, reply.path, sizeof(path));
	return path;
}

const struct vmsect_wire_export *wire_listed_export(const struct wire_client *client,
						    uint32_t index)
{
	const struct vmsect_rep_list *list = &client->reply.list;
	static struct vmsect_wire_export entry;

	assert_int_equal(client->reply_size, sizeof(*list) + list->count * sizeof(entry));
	assert_true(index < list->count);
	memcpy(&entry, client->reply.bytes + sizeof(*list) + index * sizeof(entry), sizeof(entry));
	return &entry;
}

int wire_create_exportable(struct wire_client *client, const char *name, uint64_t bytes)
{
	const struct wire_create create = {
		.name = name,
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = bytes,
		.access = VMSECT_ACCESS_ALL & ~VMSECT_ACCESS_EXECUTE,
		.flags = VMSECT_CREATE_EXPORTABLE,
		.mode = 0600,
	};

	return wire_create(client, &create);
}

void export_folder_make(char folder[EXPORT_FOLDER_ROOM])
{
	(void)snprintf(folder, EXPORT_FOLDER_ROOM, "/dev/shm/vmsect-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chmod(folder, 0755), 0);
}

void export_folder_remove(const char *folder)
{
	const struct dirent *entry;
	char left[256] = "";
	char path[512];
	DIR *dir = opendir(folder);

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		(void)snprintf(left, sizeof(left), "%s", entry->d_name);
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		(void)unlink(path);
	}
	(void)closedir(dir);
	assert_int_equal(rmdir(folder), 0);
	if (left[0])
		fail_msg("%s was left in %s", left, folder);
}
