/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Grants of a section: set one, take one back, list them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/section.h"
#include "lib/wire.h"

_Static_assert((int)VMSECT_GRANT_UID == (int)VMSECT_GRANTEE_UID &&
		       (int)VMSECT_GRANT_GID == (int)VMSECT_GRANTEE_GID &&
		       (int)VMSECT_GRANT_VM == (int)VMSECT_GRANTEE_VM &&
		       VMSECT_GRANT_REVOKE_LIVE == VMSECT_GRANT_REVOKE,
	       "the numbers of the wire are those of the API");

static int grant_request(struct vmsect_client *client, const struct vmsect_grant *grant,
			 uint32_t flags, struct vmsect_req_grant *request)
{
	if (flags & ~VMSECT_GRANT_REVOKE_LIVE)
		return client_fail(client, -EINVAL, VMSECT_DETAIL_FORMAT,
				   "a flag of the grant is unknown");
	if (strnlen(grant->name, sizeof(grant->name)) == sizeof(grant->name))
		return client_fail(client, -EINVAL, VMSECT_DETAIL_NAME,
				   "the name of the VM has no end");
	request->flags |= flags;
	request->grant.grantee = grant->to;
	request->grant.id = grant->id;
	memcpy(request->grant.name, grant->name, strlen(grant->name));
	return 0;
}

static int grant_call(struct vmsect_section *section, const struct vmsect_grant *grant,
		      uint32_t flags, struct vmsect_req_grant *data, uint32_t *ret_views)
{
	struct client_request request = { VMSECT_OP_GRANT, &data->hdr, sizeof(*data), NULL, 0 };
	struct vmsect_rep_grant revoked = { .views = 0 };
	struct client_reply reply = { .data = &revoked, .size = sizeof(revoked) };
	int r;

	r = grant_request(section->object.client, grant, flags, data);
	if (!r)
		r = client_call_on(&section->object, &request, &reply);
	if (r < 0)
		return r;
	if (ret_views)
		*ret_views = revoked.views;
	return 0;
}

int vmsect_section_grant(struct vmsect_section *section, const struct vmsect_grant *grant,
			 uint32_t flags, uint32_t *ret_views)
{
	struct vmsect_req_grant data = { .handle = (uint32_t)section->object.id };

	data.grant.access = grant->access;
	return grant_call(section, grant, flags, &data, ret_views);
}

int vmsect_section_take_back(struct vmsect_section *section, const struct vmsect_grant *grant,
			     uint32_t flags, uint32_t *ret_views)
{
	struct vmsect_req_grant data = { .handle = (uint32_t)section->object.id,
					 .flags = VMSECT_GRANT_TAKE_BACK };

	return grant_call(section, grant, flags, &data, ret_views);
}

/* The entries of the reply in client->buffer. */
static int grants_take(struct vmsect_client *client, const struct vmsect_rep_list *reply,
		       struct vmsect_grant *list)
{
	const unsigned char *from = client->buffer + sizeof(*reply);
	struct vmsect_wire_grant wire;
	uint32_t i;

	for (i = 0; i < reply->count; i++) {
		memcpy(&wire, from + i * sizeof(wire), sizeof(wire));
		if (wire_to_grant(&wire, &list[i]) < 0)
			return client_break_protocol(client, "a grant that is none");
	}
	return 0;
}

int vmsect_section_grants(struct vmsect_section *section, struct vmsect_grant **ret_list,
			  size_t *ret_count)
{
	struct vmsect_client *client = section->object.client;
	struct vmsect_req_handle ask = { .handle = (uint32_t)section->object.id };
	struct client_request request = { VMSECT_OP_LIST_GRANTS, &ask.hdr, sizeof(ask), NULL, 0 };
	struct vmsect_rep_list data;
	struct client_reply reply = { .data = &data, .size = sizeof(data), .variable = true };
	struct vmsect_grant *list;
	int r;

	r = client_call_on(&section->object, &request, &reply);
	if (r < 0)
		return r;
	if (data.more || data.count > VMSECT_GRANTS_MAX ||
	    client->received != sizeof(data) + data.count * sizeof(struct vmsect_wire_grant))
		return client_break_protocol(client, "a list whose count is not its count");
	list = calloc(data.count + 1, sizeof(*list));
	if (!list)
		return client_fail(client, -ENOMEM, VMSECT_DETAIL_NONE, "no memory");
	r = grants_take(client, &data, list);
	if (r < 0) {
		free(list);
		return r;
	}
	*ret_list = list;
	*ret_count = data.count;
	return 0;
}
