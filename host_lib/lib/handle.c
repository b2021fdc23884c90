/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What gives a handle: the request, and what must be true of its reply.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "lib/section.h"
#include "lib/wire.h"

#define DATA_ACCESS (VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE | VMSECT_ACCESS_EXECUTE)

int name_copy(struct vmsect_client *client, char field[static VMSECT_NAME_MAX + 1],
	      const char *name)
{
	if (!name || !name_is_legal(name, strnlen(name, VMSECT_NAME_MAX + 1)))
		return client_fail(client, -EINVAL, VMSECT_DETAIL_NAME,
				   "that is no section name: it has 1 to %u letters, digits or "
				   "._+@:- and does not begin with . or -",
				   VMSECT_NAME_MAX);
	memcpy(field, name, strlen(name) + 1);
	return 0;
}

/*
 * The descriptor that came must fit, no more and no less: it writes where both
 * the access and the section allow it.
 */
static bool handle_fd_is_right(int fd, uint32_t access, enum vmsect_protection protection)
{
	bool writes = access & VMSECT_ACCESS_WRITE && protection_writes(protection);
	int wanted = writes ? O_RDWR : O_RDONLY;
	int flags;

	if (!(access & DATA_ACCESS))
		return fd < 0;
	if (fd < 0)
		return false;
	flags = fcntl(fd, F_GETFL);
	return flags >= 0 && (flags & O_ACCMODE) == wanted;
}

/* The section has another size; what it was at open stays. */
static void handle_resized(struct client_object *object, uint64_t size_bytes)
{
	((struct vmsect_section *)object)->size_bytes = size_bytes;
}

static const struct client_object_ops handle_ops = { .resized = handle_resized };

/* Turns the reply into a handle; takes its descriptor. */
static int handle_from_reply(struct vmsect_section *section, const struct vmsect_rep_handle *reply,
			     int fd)
{
	struct vmsect_client *client = section->object.client;
	AUTO_FD int owned = fd;

	if (!section->access)
		section->access = reply->access;
	if (!reply->handle || reply->existed > 1 || section->access & ~VMSECT_ACCESS_ALL ||
	    wire_to_section(&reply->section, &section->info) < 0 ||
	    !handle_fd_is_right(fd, section->access, section->info.protection))
		return client_break_protocol(client, "a handle that is none");
	section->size_bytes = section->info.size_bytes;
	section->object.id = reply->handle;
	section->object.section_id = section->info.id;
	if (fd >= 0) {
		section->object.file =
			section_file_new(fd, section->access & VMSECT_ACCESS_WRITE &&
						     protection_writes(section->info.protection));
		if (!section->object.file)
			return client_fail(client, -ENOMEM, VMSECT_DETAIL_NONE, "no memory");
		(void)steal_fd(&owned);
	}
	object_add(&section->object);
	return (int)reply->existed;
}

static struct vmsect_section *section_new(struct vmsect_client *client, uint32_t access)
{
	struct vmsect_section *section = calloc(1, sizeof(*section));

	if (!section) {
		client_fail(client, -ENOMEM, VMSECT_DETAIL_NONE, "no memory");
		return NULL;
	}
	section->object.client = client;
	section->object.kind = OBJECT_HANDLE;
	section->object.ops = &handle_ops;
	section->access = access;
	return section;
}

int handle_call(struct vmsect_client *client, struct client_object *object,
		const struct client_request *request, uint32_t access,
		struct vmsect_section **ret_section)
{
	struct vmsect_rep_handle data = { .handle = 0 };
	struct client_reply reply = {
		.data = &data, .size = sizeof(data), .wants_fd = true, .fd = -1
	};
	struct vmsect_section *section = section_new(client, access);
	int r;

	if (!section)
		return -ENOMEM;
	r = object ? client_call_on(object, request, &reply) : client_call(client, request, &reply);
	if (!r)
		r = handle_from_reply(section, &data, reply.fd);
	if (r < 0) {
		free(section);
		return r;
	}
	*ret_section = section;
	return r;
}
