/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registries for tests of the journal: one that is kept, and one that is made
 * from what was kept.  Linked into these tests alone.
 */
#ifndef TESTS_UNIT_BROKER_RESTORE_BED_H
#define TESTS_UNIT_BROKER_RESTORE_BED_H

#include "lib/check.h"

#include <stdlib.h>
#include <string.h>

#include "broker/grant.h"
#include "broker/journal.h"
#include "broker/journal_boot.h"
#include "broker/journal_buffer.h"
#include "broker/offer.h"
#include "broker/restore.h"
#include "broker/restore_grace.h"
#include "broker/rights.h"

#define BED_PAGE 4096u

/* A registry with what was restored into it. */
struct bed_copy {
	struct registry registry;
	struct restore_grace grace;
	struct restore_result result;
	int outcome;
};

static inline void bed_registry(struct registry *registry)
{
	struct limits limits;

	limits_init(&limits, UINT64_C(1) << 40, 1u << 20);
	registry_init(registry, &limits);
}

static inline void bed_restore(struct bed_copy *copy, const void *bytes, size_t size)
{
	memset(copy, 0, sizeof(*copy));
	bed_registry(&copy->registry);
	restore_grace_init(&copy->grace, &copy->registry);
	copy->outcome =
		restore_registry(&copy->registry, &copy->grace.absents, bytes, size, &copy->result);
}

/* Everything is refunded, or account_deinit() stops us. */
static inline void bed_drop(struct bed_copy *copy)
{
	restore_grace_deinit(&copy->grace);
	registry_deinit(&copy->registry);
}

/* What a journal that is written anew would have. */
static inline void bed_image(const struct registry *registry, struct journal_buffer *image)
{
	char boot_id[JOURNAL_BOOT_ID_BYTES];

	journal_boot_id(boot_id);
	journal_buffer_clear(image);
	journal_put_all(image, registry, boot_id);
	assert_false(image->failed);
}

static inline void bed_join(struct registry *registry, struct party *party, uid_t uid)
{
	static gid_t groups[] = { 5, 6, 7 };
	struct refusal refusal;

	*party = (struct party){
		.kind = VMSECT_PEER_PROCESS,
		.name = "client",
		.token = "secret",
		.subject = { .uid = uid, .gid = uid, .pid = 1, .group_count = 3, .groups = groups },
	};
	assert_int_equal(registry_add_party(registry, party, &refusal), 0);
}

/* A RESERVE section of 16 pages whose memory is not looked at. */
static inline struct section *bed_section(struct registry *registry, const char *name)
{
	const struct section_spec spec = {
		.name = name,
		.protection = PROTECTION_READWRITE,
		.reserve = true,
		.max_bytes = 32 * BED_PAGE,
		.ownership = { .uid = 1, .gid = 1, .mode = 0600 },
		.backing = { .kind = BACKING_SHMEM,
			     .page_shift = 12,
			     .writable = true,
			     .size_bytes = 16 * BED_PAGE },
	};
	struct section *section = NULL;
	struct refusal refusal;

	assert_int_equal(registry_new_section(registry, &spec, &section, &refusal), 0);
	section->backing.size_bytes = spec.backing.size_bytes;
	section->backing.dev = 1;
	section->backing.ino = 1000 + section->id;
	section->backing.path = strdup("/somewhere");
	return section;
}

static inline struct handle *bed_open(struct party *party, struct section *section, uint32_t access)
{
	struct handle *handle = NULL;
	struct refusal refusal;

	assert_int_equal(party_open(party, section, access, &handle, &refusal), 0);
	return handle;
}

static inline struct view *bed_map(struct registry *registry, struct handle *handle,
				   uint32_t protection)
{
	const struct view_spec spec = {
		.protection = protection,
		.offset = BED_PAGE,
		.length = 2 * BED_PAGE,
		.place = 0x1000,
	};
	struct view *view = NULL;
	struct refusal refusal;

	assert_int_equal(registry_map(registry, handle, &spec, &view, &refusal), 0);
	return view;
}

static inline void bed_commit(struct registry *registry, struct section *section, uint64_t page)
{
	struct refusal refusal;

	assert_int_equal(registry_charge_bytes(registry, section, BED_PAGE, &refusal), 0);
	assert_int_equal(commit_map_add(&section->committed, page * BED_PAGE, BED_PAGE), 0);
	registry_changed(registry, REGISTRY_SECTION, section);
}

static inline void bed_grant(struct registry *registry, struct section *section, uint32_t uid)
{
	const struct vmsect_wire_grant grant = {
		.grantee = VMSECT_GRANTEE_UID,
		.id = uid,
		.access = ACCESS_READ,
	};
	struct refusal refusal;

	assert_int_equal(grant_set(registry, section, &grant, &refusal), 0);
	registry_changed(registry, REGISTRY_SECTION, section);
}

static inline struct offer *bed_offer(struct registry *registry, struct section *section,
				      const struct party *from, const struct party *to)
{
	const struct offer_spec spec = {
		.access = ACCESS_READ,
		.from = from->id,
		.to = to->id,
		.section = section,
	};
	struct offer *offer = NULL;
	struct refusal refusal;

	assert_int_equal(offer_add(registry, &spec, &offer, &refusal), 0);
	return offer;
}

#endif
