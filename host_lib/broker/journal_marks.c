/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See journal_marks.h. */
#include "broker/journal_marks.h"

#include <stdlib.h>

#include "broker/offer.h"

#define ROOM_FIRST 64u

void journal_marks_deinit(struct journal_marks *marks)
{
	free(marks->keys);
	*marks = (struct journal_marks){ 0 };
}

static struct journal_key key_of(enum registry_object kind, const void *object)
{
	const struct handle *handle = object;

	switch (kind) {
	case REGISTRY_PARTY:
		return (struct journal_key){ .type = JOURNAL_PARTY,
					     .id = ((const struct party *)object)->id };
	case REGISTRY_SECTION:
		return (struct journal_key){ .type = JOURNAL_SECTION,
					     .id = ((const struct section *)object)->id };
	case REGISTRY_HANDLE:
		return (struct journal_key){ .type = JOURNAL_HANDLE,
					     .party = handle->attachment->party->id,
					     .id = handle->id };
	case REGISTRY_VIEW:
		return (struct journal_key){ .type = JOURNAL_VIEW,
					     .id = ((const struct view *)object)->id };
	case REGISTRY_OFFER:
	default:
		return (struct journal_key){ .type = JOURNAL_OFFER,
					     .id = ((const struct offer *)object)->id };
	}
}

static int compare(const void *left, const void *right)
{
	const struct journal_key *a = left, *b = right;

	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	if (a->party != b->party)
		return a->party < b->party ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

static bool marks_grow(struct journal_marks *marks)
{
	size_t room = marks->room ? 2 * marks->room : ROOM_FIRST;
	struct journal_key *keys = reallocarray(marks->keys, room, sizeof(*keys));

	if (!keys)
		return false;
	marks->keys = keys;
	marks->room = room;
	return true;
}

static void add(struct journal_marks *marks, struct journal_key key)
{
	/* 0: the registry has not got it, or not yet. */
	if (!key.id || (marks->count && !compare(&marks->keys[marks->count - 1], &key)))
		return;
	if (marks->count == marks->room && !marks_grow(marks)) {
		marks->lost = true;
		return;
	}
	marks->keys[marks->count++] = key;
}

static bool is_kept(enum registry_object kind, const void *object)
{
	switch (kind) {
	case REGISTRY_PARTY:
		return journal_keeps_party(object);
	case REGISTRY_HANDLE:
		return journal_keeps_party(((const struct handle *)object)->attachment->party);
	case REGISTRY_VIEW:
		return journal_keeps_party(((const struct view *)object)->attachment->party);
	case REGISTRY_SECTION:
	case REGISTRY_OFFER:
	default:
		return true;
	}
}

void journal_marks_add(struct journal_marks *marks, enum registry_object kind, const void *object)
{
	const struct handle *handle = object;

	if (!is_kept(kind, object))
		return;
	/* The party has the numbers of its handles that were revoked. */
	if (kind == REGISTRY_HANDLE)
		add(marks, key_of(REGISTRY_PARTY, handle->attachment->party));
	add(marks, key_of(kind, object));
}

void journal_marks_settle(struct journal_marks *marks)
{
	size_t i, kept = 0;

	if (!marks->count)
		return;
	qsort(marks->keys, marks->count, sizeof(*marks->keys), compare);
	for (i = 1; i < marks->count; i++) {
		if (compare(&marks->keys[kept], &marks->keys[i]))
			marks->keys[++kept] = marks->keys[i];
	}
	marks->count = kept + 1;
}

/* One row for each type: find it, put it.  False: it is gone. */
#define PUT_FOUND(type, find)                                                                      \
	do {                                                                                       \
		const struct type *found_ = (find);                                                \
		if (found_)                                                                        \
			journal_put_##type(buffer, found_);                                        \
		return found_ != NULL;                                                             \
	} while (0)

static bool put_found(struct journal_buffer *buffer, const struct registry *registry,
		      const struct journal_key *key)
{
	const struct party *party = registry_find_party(registry, (uint32_t)key->id);

	switch (key->type) {
	case JOURNAL_PARTY:
		PUT_FOUND(party, party);
	case JOURNAL_SECTION:
		PUT_FOUND(section, registry_find_section_id(registry, key->id));
	case JOURNAL_HANDLE:
		party = registry_find_party(registry, key->party);
		PUT_FOUND(handle, party ? party_find_handle(party, (uint32_t)key->id) : NULL);
	case JOURNAL_VIEW:
		PUT_FOUND(view, registry_find_view(registry, key->id));
	default:
		PUT_FOUND(offer, offer_find(registry, key->id));
	}
}

void journal_marks_put(struct journal_buffer *buffer, const struct registry *registry,
		       const struct journal_key *key)
{
	if (!put_found(buffer, registry, key))
		journal_put_drop(buffer, key);
}
