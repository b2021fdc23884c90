/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records on their way to the file: bytes that grow.  Without memory the buffer
 * notes that it failed, and what is in it must not be written.  Owned by the
 * journal; one thread.
 */
#ifndef BROKER_JOURNAL_BUFFER_H
#define BROKER_JOURNAL_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/journal_format.h"
#include "broker/registry.h"

struct journal_buffer {
	unsigned char *bytes; /* owned */
	size_t size;
	size_t room;
	uint64_t records; /* since the last COMMIT */
	bool failed;
};

/* Frees it; it is then empty. */
void journal_buffer_deinit(struct journal_buffer *buffer);

/* Empties it, and keeps its room unless that is large. */
void journal_buffer_clear(struct journal_buffer *buffer);

/* Clients of doorbells end with their broker: they, their handles and views are not kept. */
bool journal_keeps_party(const struct party *party);

void journal_put_header(struct journal_buffer *buffer, const struct registry *registry,
			const char *boot_id);
void journal_put_party(struct journal_buffer *buffer, const struct party *party);
void journal_put_section(struct journal_buffer *buffer, const struct section *section);
void journal_put_handle(struct journal_buffer *buffer, const struct handle *handle);
void journal_put_view(struct journal_buffer *buffer, const struct view *view);
void journal_put_offer(struct journal_buffer *buffer, const struct offer *offer);
void journal_put_drop(struct journal_buffer *buffer, const struct journal_key *key);

/* Ends the unit. */
void journal_put_commit(struct journal_buffer *buffer);

/* Everything that the registry has, as one unit behind a header. */
void journal_put_all(struct journal_buffer *buffer, const struct registry *registry,
		     const char *boot_id);

/* The sum in the head of a record. */
uint32_t journal_crc(const struct journal_head *head, const void *payload);

#endif
