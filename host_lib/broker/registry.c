/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See registry.h: parties and sections.  attachment.c has handles and views. */
#include "broker/registry.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/export.h"
#include "broker/grant.h"
#include "broker/offer.h"
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
	deadlines_deinit(&registry->deadlines);
	account_deinit(&registry->account);
}

void registry_changed(const struct registry *registry, enum registry_object kind,
		      const void *object)
{
	if (registry->watch.changed)
		registry->watch.changed(registry->watch.arg, kind, object);
}

void registry_gone(const struct registry *registry, enum registry_object kind, const void *object)
{
	if (registry->watch.gone)
		registry->watch.gone(registry->watch.arg, kind, object);
}

int registry_add_party(struct registry *registry, struct party *party, struct refusal *refusal)
{
	party->id = party_ids_take(&registry->party_ids, registry->last_party_id);
	if (!party->id)
		return refuse(refusal, -EDQUOT, VMSECT_DETAIL_LIMIT,
			      "the broker has %u clients, and no number for another",
			      VMSECT_PEER_MAX);
	party->registry = registry;
	token_bucket_init(&party->notify_bucket, registry->account.limits.notify_rate,
			  registry->account.limits.notify_rate);
	HASH_ADD(hh, registry->parties, id, sizeof(party->id), party);
	if (HASH_ADDED(hh, party)) {
		registry->last_party_id = party->id;
		party->serial = ++registry->last_party_serial;
		registry_changed(registry, REGISTRY_PARTY, party);
		return 0;
	}
	party_ids_give_back(&registry->party_ids, party->id);
	party->id = 0;
	return refuse_memory(refusal);
}

void registry_remove_party(struct registry *registry, struct party *party)
{
	struct attachment *attachment, *next;

	if (!party->id)
		return;
	offer_end_of_party(registry, party);
	party_forget_all_revoked(party);
	HASH_ITER (hh, party->attachments, attachment, next)
		attachment_end(registry, attachment);
	registry_gone(registry, REGISTRY_PARTY, party);
	HASH_DEL(registry->parties, party);
	party_ids_give_back(&registry->party_ids, party->id);
	party->id = 0;
}

struct party *registry_find_party(const struct registry *registry, uint32_t id)
{
	struct party *party;

	HASH_FIND(hh, registry->parties, &id, sizeof(id), party);
	return party;
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

/* The page file that a new section is charged for. */
static uint64_t bytes_of(const struct section_spec *spec)
{
	if (spec->backing.kind == BACKING_FILE || spec->reserve)
		return 0;
	return spec->backing.size_bytes;
}

static int section_charge(struct registry *registry, struct section *section,
			  const struct section_spec *spec, struct refusal *refusal)
{
	struct account *account = &registry->account;
	uint64_t bytes = bytes_of(spec);
	uint32_t fds = spec->backing.kind == BACKING_FILE && spec->backing.writable ? 2 : 1;
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

int registry_charge_bytes(struct registry *registry, struct section *section, uint64_t bytes,
			  struct refusal *refusal)
{
	int r = account_charge(&registry->account, section->ownership.uid, RESOURCE_BYTES, bytes,
			       refusal);

	if (!r)
		section->charged_bytes += bytes;
	return r;
}

void registry_refund_bytes(struct registry *registry, struct section *section, uint64_t bytes)
{
	account_refund(&registry->account, section->ownership.uid, RESOURCE_BYTES, bytes);
	section->charged_bytes -= bytes;
}

int registry_hold_bytes(struct registry *registry, const struct section *section, uint64_t bytes,
			struct refusal *refusal)
{
	return account_charge(&registry->account, section->ownership.uid, RESOURCE_BYTES, bytes,
			      refusal);
}

void registry_settle_bytes(struct registry *registry, struct section *section, uint64_t held,
			   uint64_t kept)
{
	account_refund(&registry->account, section->ownership.uid, RESOURCE_BYTES, held - kept);
	section->charged_bytes += kept;
}

int registry_draft_section(struct registry *registry, const struct section_spec *spec,
			   struct section **ret_section, struct refusal *refusal)
{
	struct section *section = calloc(1, sizeof(*section));
	int r;

	if (!section) {
		(void)refuse_memory(refusal);
		return -ENOMEM;
	}
	section->generation = 1;
	section->backing_kind = spec->backing.kind;
	section->protection = spec->protection;
	section->page_shift = spec->backing.page_shift;
	section->permanent = spec->permanent;
	section->reserve = spec->reserve;
	section->sealable = spec->sealable;
	section->exportable = spec->exportable;
	section->max_bytes = spec->max_bytes;
	section->ownership = spec->ownership;
	memcpy(section->name, spec->name, strnlen(spec->name, VMSECT_NAME_MAX));
	TAILQ_INIT(&section->views);
	TAILQ_INIT(&section->offers);
	TAILQ_INIT(&section->attachments);
	backing_clear(&section->backing);
	r = section_charge(registry, section, spec, refusal);
	if (r < 0) {
		free(section);
		return r;
	}
	*ret_section = section;
	return 0;
}

/* Into both tables or into none. */
static bool section_enter(struct registry *registry, struct section *section)
{
	section->id = ++registry->last_section_id;
	HASH_ADD(hh, registry->sections, id, sizeof(section->id), section);
	if (!HASH_ADDED(hh, section))
		goto out;
	if (!section->name[0])
		return true;
	HASH_ADD_KEYPTR(hh_name, registry->names, section->name, strlen(section->name), section);
	if (HASH_ADDED(hh_name, section))
		return true;
	HASH_DEL(registry->sections, section);
out:
	section->id = 0;
	return false;
}

int registry_list_section(struct registry *registry, struct section *section,
			  struct refusal *refusal)
{
	if (section->name[0] && registry_find_section(registry, section->name))
		return refuse(refusal, -EEXIST, VMSECT_DETAIL_NAME,
			      "there is a section '%s' already", section->name);
	if (!section_enter(registry, section))
		return refuse_memory(refusal);
	registry_changed(registry, REGISTRY_SECTION, section);
	return 0;
}

int registry_new_section(struct registry *registry, const struct section_spec *spec,
			 struct section **ret_section, struct refusal *refusal)
{
	struct section *section = NULL;
	int r;

	r = registry_draft_section(registry, spec, &section, refusal);
	if (r < 0)
		return r;
	r = registry_list_section(registry, section, refusal);
	if (r < 0) {
		registry_free_section(registry, section);
		return r;
	}
	*ret_section = section;
	return 0;
}

void section_drop_name(struct registry *registry, struct section *section)
{
	if (!section->name[0])
		return;
	assert(registry->names);
	export_end_all(registry, section);
	HASH_DELETE(hh_name, registry->names, section);
	memset(section->name, 0, sizeof(section->name));
	section->generation++;
	registry_changed(registry, REGISTRY_SECTION, section);
}

void registry_free_section(struct registry *registry, struct section *section)
{
	assert(!section->handle_count && !section->view_count && !section->pins);
	offer_end_of_section(registry, section);
	grant_end_all(registry, section);
	if (section->id) {
		section_drop_name(registry, section);
		registry_gone(registry, REGISTRY_SECTION, section);
		HASH_DEL(registry->sections, section);
	}
	section_refund(registry, section);
	commit_map_deinit(&section->committed);
	backing_deinit(&section->backing);
	free(section);
}

void section_collect(struct registry *registry, struct section *section)
{
	if (section->permanent || section->handle_count)
		return;
	section_drop_name(registry, section);
	if (!section->view_count && !section->pins)
		registry_free_section(registry, section);
}

void registry_unpin(struct registry *registry, struct section *section)
{
	assert(section->pins);
	section->pins--;
	section_collect(registry, section);
}

void registry_remove_section(struct registry *registry, struct section *section)
{
	section->permanent = false;
	registry_changed(registry, REGISTRY_SECTION, section);
	section_drop_name(registry, section);
	section_collect(registry, section);
}

void registry_tell_section(const struct registry *registry, const struct section *section,
			   bool views, const struct registry_event *event)
{
	struct attachment *attachment;

	if (!registry->tell)
		return;
	TAILQ_FOREACH (attachment, &section->attachments, of_section) {
		if (attachment->handle_count || views)
			registry->tell(registry->tell_arg, attachment->party, event);
	}
}
