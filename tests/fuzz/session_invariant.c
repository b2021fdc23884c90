/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What holds between any two requests: lists agree with counts, charges with
 * what is there, views with the rules that they were made by.
 */
#include "doorbell_invariant.h"
#include "session_world.h"

#include <inttypes.h>
#include <string.h>

#include <vmsect/vmsect.h>

#include "broker/rights.h"

/* Counted by hand. */
struct sums {
	uint64_t used[RESOURCE_COUNT];
	unsigned int deadlines;
};

static void check_attachment(const struct attachment *attachment, struct sums *sums)
{
	const struct handle *handle;
	const struct view *view;
	uint32_t handles = 0, views = 0;

	require(attachment->handle_count || attachment->view_count);
	require(attachment->section_id == attachment->section->id);
	TAILQ_FOREACH (handle, &attachment->handles, of_attachment) {
		handles++;
		require(handle->attachment == attachment);
		require(party_find_handle(attachment->party, handle->id) == handle);
		require(!party_is_revoked(attachment->party, handle->id));
		require(!handle->expires_ms == !handle->deadline.place);
		sums->deadlines += handle->deadline.place > 0;
	}
	TAILQ_FOREACH (view, &attachment->views, of_attachment) {
		views++;
		require(view->attachment == attachment);
	}
	require(handles == attachment->handle_count && views == attachment->view_count);
}

static void check_party(const struct party *party, struct sums *sums)
{
	const struct attachment *attachment;
	uint32_t handles = 0, views = 0;

	for (attachment = party->attachments; attachment; attachment = attachment->hh.next) {
		require(attachment->party == party);
		check_attachment(attachment, sums);
		handles += attachment->handle_count;
		views += attachment->view_count;
	}
	require(handles == party->handle_count && handles == HASH_COUNT(party->handles));
	require(views == party->view_count);
	sums->used[RESOURCE_HANDLES] += handles + HASH_COUNT(party->revoked_handles);
	sums->used[RESOURCE_VIEWS] += views;
}

static uint64_t round_up(uint64_t bytes, uint32_t shift)
{
	uint64_t page = UINT64_C(1) << shift;

	return (bytes + page - 1) & ~(page - 1);
}

static void check_view(const struct view *view, const struct section *section, struct sums *sums)
{
	uint64_t bytes = round_up(section->backing.size_bytes, section->page_shift);
	struct refusal refusal;

	require(view->attachment->section == section);
	require(view->length && view->offset <= bytes && view->length <= bytes - view->offset);
	require(!(view->offset % (UINT64_C(1) << section->page_shift)));
	require(!(view->length % (UINT64_C(1) << section->page_shift)));
	require(!(view->flags & VMSECT_VIEW_GROWABLE) == !view->room);
	require(!view->room || view->length <= view->room);
	require(!rights_check_view(view->access, section->protection, view->protection, &refusal) ||
		section->sealed);
	require(!view->protection_now ||
		!rights_check_protect(view->protection, view->protection_now, &refusal));
	require(!rights_is_writecopy(view->protection) || view->charged_private >= view->length);
	require(!view->deadline.place ||
		(view->expires_ms && !(view->flags & VMSECT_VIEW_REVOKED)));
	sums->used[RESOURCE_PRIVATE] += view->charged_private;
	sums->deadlines += view->deadline.place > 0;
}

static void check_views(const struct section *section, struct sums *sums)
{
	const struct view *view;
	uint64_t last = 0;
	uint32_t views = 0;

	TAILQ_FOREACH (view, &section->views, of_section) {
		require(view->id > last);
		last = view->id;
		views++;
		check_view(view, section, sums);
	}
	require(views == section->view_count);
}

static void check_offers(const struct registry *registry, const struct section *section,
			 struct sums *sums)
{
	const struct offer *offer;

	TAILQ_FOREACH (offer, &section->offers, of_section) {
		require(offer->section == section && offer->access);
		require(registry_find_party(registry, offer->from) != NULL);
		require(registry_find_party(registry, offer->to) != NULL);
		require(!(offer->access & ~VMSECT_ACCESS_ALL));
		sums->used[RESOURCE_OFFERS]++;
		sums->deadlines += offer->deadline.place > 0;
	}
}

/* A job has charged what the section does not show yet. */
static void check_bytes(const struct section *section)
{
	uint64_t bytes = section->backing.size_bytes;

	if (section->backing_kind == BACKING_FILE)
		bytes = 0;
	else if (section->reserve)
		bytes = commit_map_bytes(&section->committed);
	require(section->charged_bytes >= bytes);
	require(section->pins || section->charged_bytes == bytes);
	require(section->backing_kind == BACKING_FILE ||
		section->max_bytes >= section->backing.size_bytes);
}

static void check_sealed(const struct section *section)
{
	const struct attachment *attachment;
	const struct handle *handle;
	const struct view *view;

	require(section->sealable && !rights_is_writable(section->protection));
	TAILQ_FOREACH (view, &section->views, of_section)
		require(!rights_is_writable(view->protection));
	TAILQ_FOREACH (attachment, &section->attachments, of_section) {
		TAILQ_FOREACH (handle, &attachment->handles, of_attachment)
			require(!(handle->access & ACCESS_WRITE));
	}
}

static void check_section(const struct registry *registry, const struct section *section,
			  struct sums *sums)
{
	const struct attachment *attachment;
	uint32_t handles = 0, views = 0;

	TAILQ_FOREACH (attachment, &section->attachments, of_section) {
		require(attachment->section == section);
		require(party_find_attachment(attachment->party, section->id) == attachment);
		handles += attachment->handle_count;
		views += attachment->view_count;
	}
	require(handles == section->handle_count && views == section->view_count);
	require(handles || views || section->permanent || section->pins);
	require(!section->name[0] || handles || section->permanent);
	require(!section->name[0] || registry_find_section(registry, section->name) == section);
	require(section->ownership.grant_count <= VMSECT_GRANTS_MAX);
	check_views(section, sums);
	check_offers(registry, section, sums);
	check_bytes(section);
	if (section->sealed)
		check_sealed(section);
	sums->used[RESOURCE_SECTIONS]++;
	sums->used[RESOURCE_BYTES] += section->charged_bytes;
	sums->used[RESOURCE_DESCRIPTORS] += section->charged_fds;
	sums->used[RESOURCE_GRANTS] += section->ownership.grant_count;
}

/* Sections that are being made are charged, and in no list. */
static bool may_have_drafts(const struct account *account, int resource)
{
	return account->used[RESOURCE_JOBS] &&
	       (resource == RESOURCE_SECTIONS || resource == RESOURCE_BYTES ||
		resource == RESOURCE_DESCRIPTORS);
}

static void check_account(const struct account *account, const struct sums *sums)
{
	uint64_t of_users, used;
	unsigned int i;
	int resource;

	for (resource = 0; resource < RESOURCE_COUNT; resource++) {
		of_users = 0;
		for (i = 0; i < CLIENTS; i++) {
			used = account_used(account, 1000 + i, (enum resource)resource);
			require(used <= account->limits.user[resource]);
			of_users += used;
		}
		used = account->used[resource];
		require(used == of_users && used <= account->limits.all[resource]);
		if (resource == RESOURCE_JOBS)
			continue;
		require(used >= sums->used[resource]);
		require(used == sums->used[resource] || may_have_drafts(account, resource));
	}
}

void invariant_check(const struct world *world)
{
	const struct registry *registry = &world->registry;
	const struct section *section;
	const struct party *party;
	struct sums sums = { 0 };

	for (party = registry->parties; party; party = party->hh.next)
		check_party(party, &sums);
	for (section = registry->sections; section; section = section->hh.next)
		check_section(registry, section, &sums);
	require(sums.used[RESOURCE_VIEWS] == HASH_COUNT(registry->views));
	require(sums.used[RESOURCE_OFFERS] == HASH_COUNT(registry->offers));
	require(sums.deadlines == registry->deadlines.count);
	doorbell_invariant_check(world->doorbells, sums.used);
	check_account(&registry->account, &sums);
}
