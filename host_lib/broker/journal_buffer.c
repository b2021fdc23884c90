/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See journal_buffer.h.  What is written of each object is in journal_put.c. */
#include "broker/journal_buffer.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "broker/journal_record.h"

#define ROOM_FIRST 4096u
#define ROOM_KEPT (1u << 20) /* of a buffer that is empty */

void journal_buffer_deinit(struct journal_buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct journal_buffer){ 0 };
}

void journal_buffer_clear(struct journal_buffer *buffer)
{
	if (buffer->room > ROOM_KEPT)
		journal_buffer_deinit(buffer);
	buffer->size = 0;
	buffer->records = 0;
	buffer->failed = false;
}

static bool buffer_grow(struct journal_buffer *buffer, size_t wanted)
{
	size_t room = buffer->room ? buffer->room : ROOM_FIRST;
	unsigned char *bytes;

	while (room < wanted)
		room *= 2;
	bytes = realloc(buffer->bytes, room);
	if (!bytes)
		return false;
	buffer->bytes = bytes;
	buffer->room = room;
	return true;
}

void *journal_record_start(struct journal_buffer *buffer, uint32_t type, size_t size)
{
	size_t wanted = buffer->size + sizeof(struct journal_head) + size;
	struct journal_head *head;

	if (buffer->failed || size > JOURNAL_PAYLOAD_MAX ||
	    (wanted > buffer->room && !buffer_grow(buffer, wanted))) {
		buffer->failed = true;
		return NULL;
	}
	head = (struct journal_head *)(buffer->bytes + buffer->size);
	memset(head, 0, sizeof(*head) + size);
	head->magic = JOURNAL_MAGIC;
	head->type = type;
	head->length = (uint32_t)size;
	return head + 1;
}

void journal_record_end(struct journal_buffer *buffer)
{
	struct journal_head *head = (struct journal_head *)(buffer->bytes + buffer->size);

	head->crc = journal_crc(head, head + 1);
	buffer->size += sizeof(*head) + head->length;
	buffer->records++;
}

uint32_t journal_crc(const struct journal_head *head, const void *payload)
{
	uint32_t sum = (uint32_t)crc32(0, (const unsigned char *)&head->type, sizeof(head->type));

	sum = (uint32_t)crc32(sum, (const unsigned char *)&head->length, sizeof(head->length));
	return (uint32_t)crc32(sum, payload, head->length);
}

void journal_put_commit(struct journal_buffer *buffer)
{
	struct journal_commit *commit =
		journal_record_start(buffer, JOURNAL_COMMIT, sizeof(*commit));

	if (!commit)
		return;
	commit->records = buffer->records;
	journal_record_end(buffer);
	buffer->records = 0;
}
