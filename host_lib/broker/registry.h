/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The objects of the broker and their lifetimes.  No sockets, no loop.
 *
 * A section lives while it has a handle or a view, or is permanent.  Its name
 * goes with the last handle of a temporary section, or when it is removed; the
 * views that are left keep the section alive without a name.  A party is one
 * client.  A handle and a view belong to one party and end with it.  An
 * attachment joins a party and a section while handles or views do.
 *
 * Ids of sections, views and parties are never reused while the broker lives.
 * The registry owns sections, attachments, handles and views; a party is
 * embedded in its owner's object.  Everything is charged to the account.  One
 * thread.
 */
#ifndef BROKER_REGISTRY_H
#define BROKER_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <vmsect/vmsect_proto.h>
#include "broker/account.h"
#include "broker/backing.h"
#include "broker/hash.h"
#include "broker/policy.h"

/* What a VM says that it has counted. */
struct party_counters {
	uint64_t denied_writes;
	uint64_t hole_accesses;
	uint64_t undecodable_stores;
	uint64_t lost_pages;
};

struct party {
	uint32_t id; /* 0: not in the registry */
	uint32_t kind; /* enum vmsect_peer_kind */
	uint32_t cpus;
	uint64_t memory_bytes;
	struct party_counters counters;
	struct subject subject; /* groups are the owner's */
	char name[VMSECT_NAME_MAX + 1];
	/* below: the registry's */
	struct registry *registry; /* borrowed */
	uint32_t next_handle;
	uint32_t handle_count;
	uint32_t view_count;
	struct handle *handles; /* by id */
	struct attachment *attachments; /* by section id */
	UT_hash_handle hh;
};

TAILQ_HEAD(view_list, view);
TAILQ_HEAD(handle_list, handle);
TAILQ_HEAD(attachment_list, attachment);

struct section {
	uint64_t id;
	uint64_t generation; /* counts changes */
	uint32_t backing_kind;
	uint32_t protection;
	uint32_t page_shift;
	bool permanent;
	struct ownership ownership;
	struct backing backing;
	char name[VMSECT_NAME_MAX + 1]; /* empty: anonymous or removed */
	/* below: the registry's */
	uint64_t charged_bytes;
	uint32_t charged_fds;
	uint32_t handle_count;
	uint32_t view_count;
	struct view_list views; /* ascending ids */
	struct attachment_list attachments;
	UT_hash_handle hh; /* by id, ascending */
	UT_hash_handle hh_name;
};

struct attachment {
	struct party *party;
	struct section *section;
	uint64_t section_id; /* the key */
	uint32_t handle_count;
	uint32_t view_count;
	struct handle_list handles;
	struct view_list views;
	TAILQ_ENTRY(attachment) of_section;
	UT_hash_handle hh;
};

struct handle {
	uint32_t id; /* of its party alone, not 0 */
	uint32_t access;
	struct attachment *attachment;
	TAILQ_ENTRY(handle) of_attachment;
	UT_hash_handle hh;
};

struct view {
	uint64_t id;
	uint64_t offset;
	uint64_t length;
	uint64_t place;
	uint64_t denied_writes;
	uint32_t protection;
	uint32_t access; /* of the handle it was mapped through */
	struct attachment *attachment;
	TAILQ_ENTRY(view) of_section;
	TAILQ_ENTRY(view) of_attachment;
	UT_hash_handle hh; /* by id, ascending */
};

/* Told of peers that come to and go from a section; `to` has a handle on it. */
typedef void (*registry_tell)(void *arg, struct party *to, enum vmsect_wire_event_type type,
			      const struct party *who, const struct section *section);

struct registry {
	struct account account;
	uint64_t broker_generation;
	registry_tell tell; /* may be NULL */
	void *tell_arg; /* borrowed */
	uint64_t last_section_id;
	uint64_t last_view_id;
	uint32_t last_party_id;
	struct section *sections; /* by id */
	struct section *names; /* by name */
	struct view *views; /* by id */
	struct party *parties; /* by id */
};

/* What a new section is; strings and numbers have been checked. */
struct section_spec {
	const char *name; /* empty: anonymous */
	uint32_t protection;
	bool permanent;
	struct ownership ownership;
	struct backing_spec backing;
};

/* What a new view is; checked as well. */
struct view_spec {
	uint32_t protection;
	uint64_t offset;
	uint64_t length;
	uint64_t place;
};

void registry_init(struct registry *registry, const struct limits *limits);

/* Frees all sections; no party is left by now. */
void registry_deinit(struct registry *registry);

/* Gives the party an id and lists it.  -ENOMEM. */
int registry_add_party(struct registry *registry, struct party *party, struct refusal *refusal);

/* Ends its handles and views, tells the others.  One that was not added is fine. */
void registry_remove_party(struct registry *registry, struct party *party);

/* NULL: there is none. */
struct section *registry_find_section(const struct registry *registry, const char *name);
struct section *registry_find_section_id(const struct registry *registry, uint64_t id);
struct handle *party_find_handle(const struct party *party, uint32_t id);
struct attachment *party_find_attachment(const struct party *party, uint64_t section_id);
struct view *registry_find_view(const struct registry *registry, uint64_t id);

/*
 * Makes a section with an empty backing, which the caller then fills.  Whoever
 * makes it gives it a handle or destroys it.  Page-file bytes and descriptors
 * are charged here.  -EDQUOT, -ENOMEM.
 */
int registry_new_section(struct registry *registry, const struct section_spec *spec,
			 struct section **ret_section, struct refusal *refusal);

/* Destroys a section that has neither handle nor view. */
void registry_free_section(struct registry *registry, struct section *section);

/* Takes the name and the permanence; the section goes if nothing holds it. */
void registry_remove_section(struct registry *registry, struct section *section);

/* -EDQUOT, -ENOMEM. */
int party_open(struct party *party, struct section *section, uint32_t access,
	       struct handle **ret_handle, struct refusal *refusal);

/* The section may go with it. */
void registry_close(struct registry *registry, struct handle *handle);

/* -EDQUOT, -ENOMEM. */
int registry_map(struct registry *registry, const struct handle *handle,
		 const struct view_spec *spec, struct view **ret_view, struct refusal *refusal);

/* The section may go with it. */
void registry_unmap(struct registry *registry, struct view *view);

#endif
