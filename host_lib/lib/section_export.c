/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exports of a section: give it a path or a doorbell for programs that do not
 * know the broker, and take that back.
 */
#include <errno.h>
#include <string.h>

#include "lib/options.h"
#include "lib/section.h"
#include "lib/wire.h"

#define DEFAULT_MODE 0600u

_Static_assert((int)VMSECT_EXPORT_AS_PATH == (int)VMSECT_EXPORT_PATH &&
		       (int)VMSECT_EXPORT_AS_DOORBELL == (int)VMSECT_EXPORT_DOORBELL &&
		       VMSECT_EXPORT_KEEP == VMSECT_EXPORT_SAME,
	       "the numbers of the wire are those of the API");

static struct vmsect_req_export request_of(const struct vmsect_section *section,
					   const struct vmsect_export_options *options)
{
	bool rings = options->as == VMSECT_EXPORT_AS_DOORBELL;

	return (struct vmsect_req_export){
		.handle = (uint32_t)section->object.id,
		.kind = options->as,
		.mode = options->mode ? options->mode : DEFAULT_MODE,
		.uid = options->uid,
		.gid = options->gid,
		.vectors = rings && !options->vectors ? 1 : options->vectors,
	};
}

/* The path that the broker tells, which ends. */
static int take_path(struct vmsect_client *client, const struct vmsect_req_export *asked,
		     const struct vmsect_rep_export *reply, char *path, size_t room)
{
	size_t length = strnlen(reply->path, sizeof(reply->path));

	if (length == sizeof(reply->path) || reply->path[0] != '/' || reply->kind != asked->kind ||
	    reply->vectors != asked->vectors)
		return client_break_protocol(client, "an export that is none");
	if (!path)
		return 0;
	if (length >= room)
		return client_fail(client, -ERANGE, VMSECT_DETAIL_SIZE,
				   "the path has %zu bytes: there is no room for it", length);
	memcpy(path, reply->path, length + 1);
	return 0;
}

int vmsect_section_export(struct vmsect_section *section,
			  const struct vmsect_export_options *user_options, char *path, size_t room)
{
	struct vmsect_client *client = section->object.client;
	struct vmsect_export_options options;
	struct vmsect_req_export data;
	struct client_request request = { VMSECT_OP_EXPORT, &data.hdr, sizeof(data), NULL, 0 };
	struct vmsect_rep_export exported = { .kind = 0 };
	struct client_reply reply = { .data = &exported, .size = sizeof(exported) };
	int r;

	if (options_copy(&options, sizeof(options), user_options) < 0)
		return client_fail(client, -EINVAL, VMSECT_DETAIL_FORMAT,
				   "the options have a size that is not theirs");
	data = request_of(section, &options);
	r = client_call_on(&section->object, &request, &reply);
	return r < 0 ? r : take_path(client, &data, &exported, path, room);
}

int vmsect_section_unexport(struct vmsect_section *section, enum vmsect_export_as as)
{
	struct vmsect_req_unexport data = {
		.handle = (uint32_t)section->object.id,
		.kind = as,
	};
	struct client_request request = { VMSECT_OP_UNEXPORT, &data.hdr, sizeof(data), NULL, 0 };

	return client_call_simple_on(&section->object, &request);
}
