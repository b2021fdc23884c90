/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See reply.h. */
#include "lib/reply.h"

#include <string.h>

#include "base/cleanup.h"
#include "lib/client.h"

#define ERRNO_MAX 4095

const char *reply_fault(const struct vmsect_client *client, const struct fdmsg *msg)
{
	struct vmsect_msg_hdr hdr;

	if (msg->size < sizeof(hdr))
		return "a message without a header";
	memcpy(&hdr, client->buffer, sizeof(hdr));
	if (hdr.size != msg->size)
		return "a reply whose size is not its size";
	if (hdr.flags != VMSECT_MSG_REPLY || hdr.reserved)
		return "a message that is no reply";
	if (hdr.fds != msg->nfds)
		return "a reply with fewer or more descriptors than it says";
	if (hdr.status > 0 || hdr.status < -ERRNO_MAX)
		return "a reply with an impossible status";
	if (hdr.status && (msg->nfds || msg->size > sizeof(hdr) + VMSECT_ERROR_TEXT_MAX))
		return "an error reply with more than a sentence";
	return NULL;
}

int reply_fail(struct vmsect_client *client)
{
	char text[VMSECT_ERROR_TEXT_MAX + 1] = "";
	struct vmsect_msg_hdr hdr;
	size_t length, i;

	memcpy(&hdr, client->buffer, sizeof(hdr));
	length = client->received - sizeof(hdr);
	memcpy(text, client->buffer + sizeof(hdr), length);
	for (i = 0; i < length; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			text[i] = '?';
	}
	return client_fail(client, hdr.status, hdr.detail, "%s",
			   length ? text : error_words(hdr.status));
}

int reply_take(struct vmsect_client *client, struct client_reply *reply, struct fdmsg *msg)
{
	struct vmsect_msg_hdr hdr;

	memcpy(&hdr, client->buffer, sizeof(hdr));
	if (hdr.status)
		return reply_fail(client);
	if (msg->size < reply->size || (msg->size > reply->size && !reply->variable))
		return client_break_protocol(client, "a reply of the wrong size");
	if (msg->nfds > (reply->wants_fd ? 1u : 0u))
		return client_break_protocol(client, "descriptors that were not asked for");
	if (reply->data)
		memcpy(reply->data, client->buffer, reply->size);
	reply->fd = steal_fd(&msg->fds[0]);
	return 0;
}
