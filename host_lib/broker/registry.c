/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See registry.h: parties and sections.  attachment.c has handles and views. */
#include "broker/registry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "broker/registry_internal.h"

void registry_init(struct registry *registry, const struct limits *limits)
{
	*registry = (struct registry){ 0 };
	account_init(&registry->account, limits);
}

void registry_deinit(struct registry *registry)
{
	struct section *section, *next;

	assert(!registry->parties && !registry->views);
	HASH_ITER (hh, registry->sections, section, next)
		registry_free_section(registry, section);
	account_deinit(&registry->account);
}

/* Ids wrap after 2^32 connections: those still in use and 0 are passed over. */
static uint32_t new_party_id(struct registry *registry)
{
	struct party *taken;

	do {
		registry->last_party_id++;
		HASH_FIND(hh, registry->parties, &registry->last_party_id,
			  sizeof(registry->last_party_id), taken);
	} while (taken || !registry->last_party_id);
	return registry->last_party_id;
}

int registry_add_party(struct registry *registry, struct party *party, struct refusal *refusal)
{
	party->id = new_party_id(registry);
	party->registry = registry;
	HASH_ADD(hh, registry->parties, id, sizeof(party->id), party);
	if (HASH_ADDED(hh, party))
		return 0;
	party->id = 0;
	return refuse_memory(refusal);
}

void registry_remove_party(struct registry *registry, struct party *party)
{
	struct attachment *attachment, *next;

	if (!party->id)
		return;
	HASH_ITER (hh, party->attachments, attachment, next)
		attachment_end(registry, attachment);
	HASH_DEL(registry->parties, party);
	party->id = 0;
}

struct section *registry_find_section(const struct registry *registry, const char *name)
{
	struct section *section;

	HASH_FIND(hh_name, registry->names, name, strlen(name), section);
	return section;
}

struct section *registry_find_section_id(const struct registry *registry, uint64_t id)
{
	struct section *section;

	HASH_FIND(hh, registry->sections, &id, sizeof(id), section);
	return section;
}

static int section_charge(struct registry *registry, struct section *section,
			  const struct backing_spec *spec, struct refusal *refusal)
{
	struct account *account = &registry->account;
	uint64_t bytes = spec->kind == BACKING_FILE ? 0 : spec->size_bytes;
	uint32_t fds = spec->kind == BACKING_FILE && spec->writable ? 2 : 1;
	uid_t uid = section->ownership.uid;
	int r;

	r = account_charge(account, uid, RESOURCE_SECTIONS, 1, refusal);
	if (r < 0)
		return r;
	r = account_charge(account, uid, RESOURCE_BYTES, bytes, refusal);
	if (r < 0)
		goto refund_section;
	r = account_charge(account, uid, RESOURCE_DESCRIPTORS, fds, refusal);
	if (r < 0)
		goto refund_bytes;
	section->charged_bytes = bytes;
	section->charged_fds = fds;
	return 0;

refund_bytes:
	account_refund(account, uid, RESOURCE_BYTES, bytes);
refund_section:
	account_refund(account, uid, RESOURCE_SECTIONS, 1);
	return r;
}

static void section_refund(struct registry *registry, const struct section *section)
{
	uid_t uid = section->ownership.uid;

	account_refund(&registry->account, uid, RESOURCE_DESCRIPTORS, section->charged_fds);
	account_refund(&registry->account, uid, RESOURCE_BYTES, section->charged_bytes);
	account_refund(&registry->account, uid, RESOURCE_SECTIONS, 1);
}

/* Into both tables or into none. */
static int section_list(struct registry *registry, struct section *section)
{
	HASH_ADD(hh, registry->sections, id, sizeof(section->id), section);
	if (!HASH_ADDED(hh, section))
		return 0;
	if (!section->name[0])
		return 1;
	HASH_ADD_KEYPTR(hh_name, registry->names, section->name, strlen(section->name), section);
	if (HASH_ADDED(hh_name, section))
		return 1;
	HASH_DEL(registry->sections, section);
	return 0;
}

int registry_new_section(struct registry *registry, const struct section_spec *spec,
			 struct section **ret_section, struct refusal *refusal)
{
	struct section *section = calloc(1, sizeof(*section));
	int r;

	if (!section)
		return refuse_memory(refusal);
	section->id = ++registry->last_section_id;
	section->generation = 1;
	section->backing_kind = spec->backing.kind;
	section->protection = spec->protection;
	section->page_shift = spec->backing.page_shift;
	section->permanent = spec->permanent;
	section->ownership = spec->ownership;
	memcpy(section->name, spec->name, strnlen(spec->name, VMSECT_NAME_MAX));
	TAILQ_INIT(&section->views);
	TAILQ_INIT(&section->attachments);
	backing_clear(&section->backing);
	r = section_charge(registry, section, &spec->backing, refusal);
	if (r < 0) {
		free(section);
		return r;
	}
	if (!section_list(registry, section)) {
		section_refund(registry, section);
		free(section);
		return refuse_memory(refusal);
	}
	*ret_section = section;
	return 0;
}

void section_drop_name(struct registry *registry, struct section *section)
{
	if (!section->name[0])
		return;
	assert(registry->names);
	HASH_DELETE(hh_name, registry->names, section);
	memset(section->name, 0, sizeof(section->name));
	section->generation++;
}

void registry_free_section(struct registry *registry, struct section *section)
{
	assert(!section->handle_count && !section->view_count);
	section_drop_name(registry, section);
	HASH_DEL(registry->sections, section);
	section_refund(registry, section);
	backing_deinit(&section->backing);
	free(section);
}

void section_collect(struct registry *registry, struct section *section)
{
	if (section->permanent || section->handle_count)
		return;
	section_drop_name(registry, section);
	if (!section->view_count)
		registry_free_section(registry, section);
}

void registry_remove_section(struct registry *registry, struct section *section)
{
	section->permanent = false;
	section_drop_name(registry, section);
	section_collect(registry, section);
}
