/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lists: asked for page by page, in ascending order of ids, until the broker
 * says that there is no more.  The order is checked, which also makes sure
 * that the asking ends; so does a limit on what one list may hold.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "lib/client.h"
#include "lib/wire.h"

#define LIST_MAX (UINT32_C(1) << 20)

/* What a list is made of. */
struct list_kind {
	enum vmsect_op op;
	size_t wire_size; /* of an entry in the message; begins with its u64 id */
	size_t info_size; /* of an entry in the result */
	int (*convert)(const void *wire, void *info);
};

struct list {
	const struct list_kind *kind;
	unsigned char *entries; /* owned */
	size_t count;
	size_t room;
	uint64_t last_id;
};

/* Entries may stand at any address in the message: copy, then convert. */
#define CONVERT(noun)                                                                              \
	static int convert_##noun(const void *from, void *to)                                      \
	{                                                                                          \
		struct vmsect_wire_##noun wire;                                                    \
                                                                                                   \
		memcpy(&wire, from, sizeof(wire));                                                 \
		return wire_to_##noun(&wire, to);                                                  \
	}

CONVERT(section)
CONVERT(view)
CONVERT(peer)
CONVERT(export)

static const struct list_kind sections_kind = {
	VMSECT_OP_LIST_SECTIONS,
	sizeof(struct vmsect_wire_section),
	sizeof(struct vmsect_section_info),
	convert_section,
};

static const struct list_kind views_kind = {
	VMSECT_OP_LIST_VIEWS,
	sizeof(struct vmsect_wire_view),
	sizeof(struct vmsect_view_info),
	convert_view,
};

static const struct list_kind peers_kind = {
	VMSECT_OP_LIST_PEERS,
	sizeof(struct vmsect_wire_peer),
	sizeof(struct vmsect_peer_info),
	convert_peer,
};

static const struct list_kind exports_kind = {
	VMSECT_OP_LIST_EXPORTS,
	sizeof(struct vmsect_wire_export),
	sizeof(struct vmsect_export_info),
	convert_export,
};

static int list_reserve(struct list *list, size_t more)
{
	size_t room = list->room ? list->room : 16;
	unsigned char *entries;

	if (more > LIST_MAX - list->count)
		return -E2BIG;
	while (room < list->count + more)
		room *= 2;
	if (room == list->room)
		return 0;
	entries = reallocarray(list->entries, room, list->kind->info_size);
	if (!entries)
		return -ENOMEM;
	list->entries = entries;
	list->room = room;
	return 0;
}

/* Takes one entry of a reply; -EPROTO if it is none or out of order. */
static int list_take(struct list *list, const unsigned char *wire)
{
	uint64_t id;
	int r;

	memcpy(&id, wire, sizeof(id));
	if (id <= list->last_id)
		return -EPROTO;
	r = list->kind->convert(wire, list->entries + list->count * list->kind->info_size);
	if (r < 0)
		return r;
	list->last_id = id;
	list->count++;
	return 0;
}

/* Takes the reply in client->buffer.  Returns 1 if there is more to ask for. */
static int list_take_reply(struct vmsect_client *client, struct list *list,
			   const struct vmsect_rep_list *reply)
{
	const unsigned char *wire = client->buffer + sizeof(*reply);
	size_t wire_size = list->kind->wire_size;
	uint32_t i;
	int r;

	if (reply->more > 1 || (reply->more && !reply->count) ||
	    client->received != sizeof(*reply) + reply->count * wire_size)
		return client_break_protocol(client, "a list whose count is not its count");
	r = list_reserve(list, reply->count);
	if (r < 0)
		return client_fail(client, r, VMSECT_DETAIL_NONE, "the list is too long: %s",
				   error_words(r));
	for (i = 0; i < reply->count; i++) {
		if (list_take(list, wire + i * wire_size) < 0)
			return client_break_protocol(client, "a list with an entry that is none");
	}
	return (int)reply->more;
}

/* Asks until there is no more.  On failure the list is empty. */
static int list_fill(struct vmsect_client *client, struct vmsect_req_list *ask, struct list *list)
{
	struct client_request request = { list->kind->op, &ask->hdr, sizeof(*ask), NULL, 0 };
	struct vmsect_rep_list data;
	struct client_reply reply = { .data = &data, .size = sizeof(data), .variable = true };
	int r;

	do {
		ask->after = list->last_id;
		r = client_call(client, &request, &reply);
		if (!r)
			r = list_take_reply(client, list, &data);
	} while (r > 0);
	if (r < 0) {
		free(list->entries);
		list->entries = NULL;
	}
	return r;
}

/* An array that can be freed even if it has no entry. */
static int list_finish(struct vmsect_client *client, struct list *list)
{
	if (list->entries)
		return 0;
	list->entries = malloc(1);
	return list->entries ? 0 : client_fail(client, -ENOMEM, VMSECT_DETAIL_NONE, "no memory");
}

static int list_ask(struct vmsect_client *client, struct vmsect_req_list *ask, struct list *list)
{
	int r = list_fill(client, ask, list);

	return r < 0 ? r : list_finish(client, list);
}

int vmsect_list_sections(struct vmsect_client *client, const char *name,
			 struct vmsect_section_info **ret_list, size_t *ret_count)
{
	struct vmsect_req_list ask = { 0 };
	struct list list = { .kind = &sections_kind };
	int r;

	if (name) {
		if (!name_is_legal(name, strnlen(name, VMSECT_NAME_MAX + 1)))
			return client_fail(client, -ENOENT, VMSECT_DETAIL_NAME,
					   "no section can have that name");
		memcpy(ask.name, name, strlen(name));
	}
	r = list_ask(client, &ask, &list);
	if (r < 0)
		return r;
	if (name && !list.count) {
		free(list.entries);
		return client_fail(client, -ENOENT, VMSECT_DETAIL_NONE, "there is no section '%s'",
				   name);
	}
	*ret_list = (void *)list.entries;
	*ret_count = list.count;
	return 0;
}

int vmsect_list_views(struct vmsect_client *client, uint64_t section_id,
		      struct vmsect_view_info **ret_list, size_t *ret_count)
{
	struct vmsect_req_list ask = { .section = section_id };
	struct list list = { .kind = &views_kind };
	int r;

	r = list_ask(client, &ask, &list);
	if (r < 0)
		return r;
	*ret_list = (void *)list.entries;
	*ret_count = list.count;
	return 0;
}

int vmsect_list_exports(struct vmsect_client *client, uint64_t section_id,
			struct vmsect_export_info **ret_list, size_t *ret_count)
{
	struct vmsect_req_list ask = { .section = section_id };
	struct list list = { .kind = &exports_kind };
	int r;

	r = list_ask(client, &ask, &list);
	if (r < 0)
		return r;
	*ret_list = (void *)list.entries;
	*ret_count = list.count;
	return 0;
}

int vmsect_list_section_peers(struct vmsect_client *client, uint64_t section_id,
			      struct vmsect_peer_info **ret_list, size_t *ret_count)
{
	struct vmsect_req_list ask = { .section = section_id };
	struct list list = { .kind = &peers_kind };
	int r;

	r = list_ask(client, &ask, &list);
	if (r < 0)
		return r;
	*ret_list = (void *)list.entries;
	*ret_count = list.count;
	return 0;
}

int vmsect_list_peers(struct vmsect_client *client, struct vmsect_peer_info **ret_list,
		      size_t *ret_count)
{
	return vmsect_list_section_peers(client, 0, ret_list, ret_count);
}
