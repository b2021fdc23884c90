/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The form of a journal.  Records, each a head and a payload of `length` bytes,
 * a multiple of 8; the first one is a header.  A COMMIT ends a unit: records
 * that none follows do not count.  The last word about an object holds.
 *
 * Written and read by one program on one host in one boot: integers are in host
 * byte order.  The version changes with every change of this file.
 */
#ifndef BROKER_JOURNAL_FORMAT_H
#define BROKER_JOURNAL_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include <vmsect/vmsect_proto.h>

#define JOURNAL_MAGIC 0x314a5356u /* "VSJ1" */
#define JOURNAL_VERSION 2u
#define JOURNAL_PAYLOAD_MAX (64u << 20)
#define JOURNAL_BOOT_ID_BYTES 40u

/* Bytes behind a journal_party with so many numbers. */
#define JOURNAL_NUMBERS_BYTES(count) (((size_t)(count) * sizeof(uint32_t) + 7) & ~(size_t)7)

enum journal_type {
	JOURNAL_HEADER = 1,
	JOURNAL_PARTY = 2,
	JOURNAL_SECTION = 3,
	JOURNAL_HANDLE = 4,
	JOURNAL_VIEW = 5,
	JOURNAL_OFFER = 6,
	JOURNAL_DROP = 7, /* of any of the five */
	JOURNAL_COMMIT = 8,
};

struct journal_head {
	uint32_t magic;
	uint32_t type; /* enum journal_type */
	uint32_t length; /* of the payload */
	uint32_t crc; /* of type, length and the payload */
};

/* All that is known of one broker, and of its ids, which are never used again. */
struct journal_header {
	uint32_t version; /* JOURNAL_VERSION; stays the first field for ever */
	uint32_t last_party_id;
	uint64_t broker_generation;
	uint64_t last_section_id;
	uint64_t last_view_id;
	uint64_t last_offer_id;
	char boot_id[JOURNAL_BOOT_ID_BYTES];
};

/* Which object. */
struct journal_key {
	uint32_t type;
	uint32_t party; /* handle: whose */
	uint64_t id;
};

/* Then `revoked` and `groups` uint32_t, and zeros up to a multiple of 8. */
struct journal_party {
	struct journal_key key;
	unsigned char token[VMSECT_TOKEN_BYTES];
	uint64_t last_cookie;
	uint64_t last_result;
	uint64_t memory_bytes;
	uint64_t denied_writes;
	uint64_t hole_accesses;
	uint64_t undecodable_stores;
	uint64_t lost_pages;
	uint32_t kind;
	uint32_t cpus;
	uint32_t uid;
	uint32_t gid;
	int32_t pid;
	uint32_t next_handle;
	uint32_t last_op;
	uint32_t revoked; /* numbers of handles that were revoked and not closed since */
	uint32_t groups; /* supplementary ones */
	uint32_t reserved;
	char name[VMSECT_NAME_MAX + 1];
};

#define JOURNAL_SECTION_PERMANENT 0x1u
#define JOURNAL_SECTION_RESERVE 0x2u
#define JOURNAL_SECTION_SEALABLE 0x4u
#define JOURNAL_SECTION_SEALED 0x8u
#define JOURNAL_SECTION_EXPORTABLE 0x10u

/* Then `grants` vmsect_wire_grant, `ranges` vmsect_wire_range, `exports` journal_export. */
struct journal_section {
	struct journal_key key;
	uint64_t generation;
	uint64_t size_bytes;
	uint64_t max_bytes;
	uint64_t dev; /* of the memory */
	uint64_t ino; /* 0: it never had any */
	uint64_t ranges;
	uint32_t grants;
	uint32_t charged_fds;
	uint32_t backing_kind;
	uint32_t protection;
	uint32_t page_shift;
	uint32_t flags; /* JOURNAL_SECTION_ */
	uint32_t io_error;
	uint32_t uid;
	uint32_t gid;
	uint32_t mode;
	uint32_t exports;
	uint32_t reserved;
	char name[VMSECT_NAME_MAX + 1];
	char path[VMSECT_PATH_MAX + 1];
};

struct journal_export {
	uint32_t kind; /* enum vmsect_export_kind */
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t vectors;
	uint32_t is_parked;
	char path[VMSECT_PATH_MAX + 1];
};

struct journal_handle {
	struct journal_key key;
	uint64_t section;
	uint64_t expires_ms;
	uint32_t access;
	uint32_t reserved;
};

struct journal_view {
	struct journal_key key;
	uint64_t section;
	uint64_t offset;
	uint64_t length;
	uint64_t place;
	uint64_t denied_writes;
	uint64_t private_pages;
	uint64_t room;
	uint64_t expires_ms;
	uint64_t charged_private;
	uint32_t protection;
	uint32_t protection_now;
	uint32_t flags; /* VMSECT_VIEW_ */
	uint32_t access;
	uint32_t party;
	uint32_t reserved;
};

struct journal_offer {
	struct journal_key key;
	uint64_t section;
	uint64_t expires_ms;
	uint32_t access;
	uint32_t from;
	uint32_t to;
	uint32_t reserved;
};

struct journal_drop {
	struct journal_key key;
};

struct journal_commit {
	uint64_t records; /* of this unit */
};

_Static_assert(sizeof(struct journal_head) == 16, "head");
_Static_assert(sizeof(struct journal_header) % 8 == 0, "header");
_Static_assert(sizeof(struct journal_party) % 8 == 0, "party");
_Static_assert(sizeof(struct journal_section) % 8 == 0, "section");
_Static_assert(sizeof(struct journal_export) % 8 == 0, "export");
_Static_assert(sizeof(struct journal_view) % 8 == 0, "view");
_Static_assert(sizeof(struct vmsect_wire_grant) % 8 == 0, "grant");

#endif
