/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See reply.h. */
#include "broker/reply.h"

#include <string.h>

void reply_start(struct reply *reply, const struct request *request, size_t size)
{
	memset(reply->bytes, 0, size);
	reply->hdr.size = (uint32_t)size;
	reply->hdr.op = request->op;
	reply->hdr.flags = VMSECT_MSG_REPLY;
	reply->hdr.cookie = request->cookie;
	reply->fd = -1;
}

void *reply_list_entry(struct reply *reply, size_t entry_bytes)
{
	unsigned char *entry = reply->bytes + reply->hdr.size;

	if (entry_bytes > sizeof(reply->bytes) - reply->hdr.size)
		return NULL;
	memset(entry, 0, entry_bytes);
	reply->hdr.size += (uint32_t)entry_bytes;
	reply->list.count++;
	return entry;
}
