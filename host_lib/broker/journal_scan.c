/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See journal_scan.h. */
#include "broker/journal_scan.h"

#include <string.h>

#include "broker/journal_buffer.h"

/* Shortest payload of each type; the only one of all but parties and sections. */
static const size_t payload_bytes[] = {
	[JOURNAL_HEADER] = sizeof(struct journal_header),
	[JOURNAL_PARTY] = sizeof(struct journal_party),
	[JOURNAL_SECTION] = sizeof(struct journal_section),
	[JOURNAL_HANDLE] = sizeof(struct journal_handle),
	[JOURNAL_VIEW] = sizeof(struct journal_view),
	[JOURNAL_OFFER] = sizeof(struct journal_offer),
	[JOURNAL_DROP] = sizeof(struct journal_drop),
	[JOURNAL_COMMIT] = sizeof(struct journal_commit),
};
#define TYPE_COUNT (sizeof(payload_bytes) / sizeof(payload_bytes[0]))

/* One record; `next` is behind it.  NULL: there is none that is whole. */
struct record {
	uint32_t type;
	const unsigned char *payload;
	size_t size;
	size_t next;
};

static bool is_size(uint32_t type, uint32_t length)
{
	if (type == JOURNAL_SECTION || type == JOURNAL_PARTY)
		return length >= payload_bytes[type] && length % 8 == 0;
	return length == payload_bytes[type];
}

static bool record_at(const unsigned char *bytes, size_t size, size_t at, struct record *ret)
{
	struct journal_head head;

	if (size - at < sizeof(head))
		return false;
	memcpy(&head, bytes + at, sizeof(head));
	at += sizeof(head);
	if (head.magic != JOURNAL_MAGIC || !head.type || head.type >= TYPE_COUNT ||
	    head.length > size - at || !is_size(head.type, head.length) ||
	    journal_crc(&head, bytes + at) != head.crc)
		return false;
	*ret = (struct record){
		.type = head.type,
		.payload = bytes + at,
		.size = head.length,
		.next = at + head.length,
	};
	return true;
}

/* The version stands at its place in any version's header. */
static int header_of_another(const unsigned char *bytes, size_t size,
			     struct journal_header *ret_header)
{
	struct journal_head head;
	uint32_t version;

	if (size < sizeof(head) + sizeof(version))
		return JOURNAL_E_DAMAGED;
	memcpy(&head, bytes, sizeof(head));
	memcpy(&version, bytes + sizeof(head), sizeof(version));
	if (head.magic != JOURNAL_MAGIC || head.type != JOURNAL_HEADER ||
	    version == JOURNAL_VERSION || head.length > size - sizeof(head) ||
	    journal_crc(&head, bytes + sizeof(head)) != head.crc)
		return JOURNAL_E_DAMAGED;
	*ret_header = (struct journal_header){ .version = version };
	return JOURNAL_E_VERSION;
}

int journal_scan_header(const void *bytes, size_t size, struct journal_header *ret_header)
{
	struct journal_header header;
	struct record record;

	if (!size)
		return JOURNAL_E_EMPTY;
	if (!record_at(bytes, size, 0, &record) || record.type != JOURNAL_HEADER)
		return header_of_another(bytes, size, ret_header);
	memcpy(&header, record.payload, sizeof(header));
	if (header.version != JOURNAL_VERSION)
		return header_of_another(bytes, size, ret_header);
	header.boot_id[sizeof(header.boot_id) - 1] = '\0';
	*ret_header = header;
	return 0;
}

/* The end of the unit that begins at `at`; 0 if it is not whole. */
static size_t unit_end(const unsigned char *bytes, size_t size, size_t at)
{
	struct journal_commit commit;
	struct record record;
	uint64_t records = 0;

	while (record_at(bytes, size, at, &record) && record.type != JOURNAL_HEADER) {
		at = record.next;
		if (record.type != JOURNAL_COMMIT) {
			records++;
			continue;
		}
		memcpy(&commit, record.payload, sizeof(commit));
		return commit.records == records ? at : 0;
	}
	return 0;
}

static int give_unit(const unsigned char *bytes, size_t end, size_t at, journal_scan_fn give,
		     void *arg)
{
	struct record record;
	int r = 0;

	/* Looked at before: only the COMMIT is not given. */
	while (!r && at < end && record_at(bytes, end, at, &record)) {
		at = record.next;
		if (record.type != JOURNAL_COMMIT)
			r = give(arg, record.type, record.payload, record.size);
	}
	return r;
}

int journal_scan(const void *bytes, size_t size, journal_scan_fn record, void *arg,
		 size_t *ret_good)
{
	size_t at = sizeof(struct journal_head) + sizeof(struct journal_header), end;
	struct journal_header header;
	int r = 0;

	*ret_good = 0;
	if (journal_scan_header(bytes, size, &header))
		return 0;
	while (!r && (end = unit_end(bytes, size, at))) {
		r = give_unit(bytes, end, at, record, arg);
		at = end;
	}
	*ret_good = at;
	return r;
}
