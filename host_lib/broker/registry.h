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
 * Ids of sections and views are never reused while the broker lives; those of
 * parties come round again, while their serials do not.
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
#include "base/token_bucket.h"
#include "broker/account.h"
#include "broker/backing.h"
#include "broker/commit_map.h"
#include "broker/deadline.h"
#include "broker/hash.h"
#include "broker/party_ids.h"
#include "broker/policy.h"

/* What a VM says that it has counted. */
struct party_counters {
	uint64_t denied_writes;
	uint64_t hole_accesses;
	uint64_t undecodable_stores;
	uint64_t lost_pages;
};

#define EXPORT_KINDS 2u /* enum vmsect_export_kind */

struct party {
	uint32_t id; /* 0: not in the registry; at most VMSECT_PEER_MAX */
	uint64_t serial; /* for who keeps an id beyond the party's end */
	unsigned char token[VMSECT_TOKEN_BYTES]; /* secret, for RESUME */
	/*
	 * The last request that changed something, for RESUME: if the client sends
	 * that cookie again it gets the same answer.
	 */
	uint64_t last_cookie;
	uint64_t last_result; /* the handle, view or offer that it made, or 0 */
	uint16_t last_op;
	bool absent; /* restored from the journal, and not back yet */
	uint32_t kind; /* enum vmsect_peer_kind */
	uint32_t cpus;
	uint64_t memory_bytes;
	struct party_counters counters;
	struct token_bucket notify_bucket; /* limits what it may tell others */
	struct subject subject; /* groups are the owner's */
	char name[VMSECT_NAME_MAX + 1];
	/* below: the registry's */
	struct registry *registry; /* borrowed */
	uint32_t next_handle;
	uint32_t handle_count;
	uint32_t view_count;
	struct handle *handles; /* by id */
	struct revoked_handle *revoked_handles; /* by id */
	struct attachment *attachments; /* by section id */
	UT_hash_handle hh;
};

TAILQ_HEAD(view_list, view);
TAILQ_HEAD(handle_list, handle);
TAILQ_HEAD(attachment_list, attachment);
TAILQ_HEAD(offer_list, offer);

struct section {
	uint64_t id;
	uint64_t generation; /* counts changes */
	uint32_t backing_kind;
	uint32_t protection;
	uint32_t page_shift;
	bool permanent;
	bool reserve; /* page file: pages are charged when committed */
	bool sealable;
	bool sealed;
	bool exportable; /* memory: in a file that can have a name, without seals */
	bool missing; /* restored from the journal, memory not handed back yet */
	uint32_t io_error; /* first errno of a write-back, for ever */
	uint64_t max_bytes; /* page file: of its memory; a data file: 0 */
	struct commit_map committed; /* reserve only */
	struct ownership ownership; /* and the grants */
	struct backing backing;
	char name[VMSECT_NAME_MAX + 1]; /* empty: anonymous or removed */
	struct export *exports[EXPORT_KINDS]; /* by kind - 1, see export.h; owned */
	/* below: the registry's */
	uint64_t charged_bytes;
	uint32_t charged_fds;
	uint32_t pins; /* jobs that work on it: it is not freed meanwhile */
	uint32_t handle_count;
	uint32_t view_count;
	struct view_list views; /* ascending ids */
	struct offer_list offers;
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
	uint64_t expires_ms; /* CLOCK_BOOTTIME; 0: never */
	struct deadline deadline; /* of expires_ms */
	struct attachment *attachment;
	TAILQ_ENTRY(handle) of_attachment;
	UT_hash_handle hh;
};

/* The number of a handle that was revoked and that its client has not closed yet. */
struct revoked_handle {
	uint32_t id;
	UT_hash_handle hh;
};

struct view {
	uint64_t id;
	uint64_t offset;
	uint64_t length;
	uint64_t place;
	uint64_t denied_writes;
	uint64_t private_pages; /* as its client said */
	uint64_t room; /* GROWABLE, else 0 */
	uint64_t expires_ms; /* of its handle */
	uint64_t charged_private; /* bytes: a writecopy view may copy all of itself */
	uint32_t protection; /* with which it was mapped */
	uint32_t protection_now; /* of all of it, or 0 */
	uint32_t flags; /* VMSECT_VIEW_ */
	uint32_t access; /* of the handle it was mapped through */
	struct deadline deadline; /* of expires_ms */
	struct attachment *attachment;
	TAILQ_ENTRY(view) of_section;
	TAILQ_ENTRY(view) of_attachment;
	UT_hash_handle hh; /* by id, ascending */
};

/* A handle that waits for another party to accept it. */
struct offer {
	uint64_t id;
	uint64_t expires_ms;
	uint32_t access;
	uint32_t from; /* party ids */
	uint32_t to;
	struct section *section;
	struct deadline deadline; /* of expires_ms */
	TAILQ_ENTRY(offer) of_section;
	UT_hash_handle hh;
};

/* What a party is told. */
struct registry_event {
	enum vmsect_wire_event_type type;
	uint32_t peer;
	uint64_t section;
	uint64_t view;
	uint64_t value;
	uint64_t offset;
	uint64_t length;
};
typedef void (*registry_tell)(void *arg, struct party *to, const struct registry_event *event);

/*
 * Someone who keeps a copy: told after each change of what must outlive the
 * broker, with the object as it is now (or, gone, just before it is freed).
 * What a request changed is one unit, which broker_request.c ends.  Whoever
 * changes an object's fields calls registry_changed().
 */
enum registry_object {
	REGISTRY_PARTY, /* struct party */
	REGISTRY_SECTION, /* struct section, with grants, committed pages and exports */
	REGISTRY_HANDLE, /* struct handle */
	REGISTRY_VIEW, /* struct view */
	REGISTRY_OFFER, /* struct offer */
};
struct registry_watch {
	void (*changed)(void *arg, enum registry_object kind, const void *object);
	void (*gone)(void *arg, enum registry_object kind, const void *object);
	void *arg; /* borrowed */
};

struct registry {
	struct account account;
	uint64_t broker_generation;
	registry_tell tell; /* may be NULL */
	void *tell_arg; /* borrowed */
	struct registry_watch watch; /* calls may be NULL */
	const struct export_host *export_host; /* borrowed; NULL: nothing is exported */
	struct deadlines deadlines; /* of handles, views and offers */
	uint64_t last_offer_id;
	struct offer *offers; /* by id */
	uint64_t last_section_id;
	uint64_t last_view_id;
	uint32_t last_party_id;
	uint64_t last_party_serial;
	struct party_ids party_ids;
	struct section *sections; /* by id */
	struct section *names; /* by name */
	struct view *views; /* by id */
	struct party *parties; /* by id */
};

/* Calls the watch, if there is one. */
void registry_changed(const struct registry *registry, enum registry_object kind,
		      const void *object);
void registry_gone(const struct registry *registry, enum registry_object kind, const void *object);

/* What a new section is; strings and numbers have been checked. */
struct section_spec {
	const char *name; /* empty: anonymous */
	uint32_t protection;
	bool permanent;
	bool reserve;
	bool sealable;
	bool exportable;
	uint64_t max_bytes;
	struct ownership ownership;
	struct backing_spec backing;
};

/* What a new view is; checked as well. */
struct view_spec {
	uint32_t protection;
	uint64_t offset;
	uint64_t length;
	uint64_t place;
	uint64_t room;
	uint32_t flags; /* VMSECT_VIEW_ */
};

void registry_init(struct registry *registry, const struct limits *limits);

/* Frees all sections; no party is left by now. */
void registry_deinit(struct registry *registry);

/* Gives the party an id and lists it.  -EDQUOT (LIMIT): all are in use; -ENOMEM. */
int registry_add_party(struct registry *registry, struct party *party, struct refusal *refusal);

/* Ends its handles and views, tells the others.  One that was not added is fine. */
void registry_remove_party(struct registry *registry, struct party *party);

/* NULL: there is none. */
struct section *registry_find_section(const struct registry *registry, const char *name);
struct section *registry_find_section_id(const struct registry *registry, uint64_t id);
struct party *registry_find_party(const struct registry *registry, uint32_t id);
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

/*
 * The same in two steps, for a section whose memory takes time: first one that
 * is charged for and that nobody can find, which has no id yet, then the rest.
 * One that is not listed is freed by registry_free_section().
 */
int registry_draft_section(struct registry *registry, const struct section_spec *spec,
			   struct section **ret_section, struct refusal *refusal);
/* -EEXIST (NAME), -ENOMEM. */
int registry_list_section(struct registry *registry, struct section *section,
			  struct refusal *refusal);

/* A job that worked on the section has ended; the section may go with it. */
void registry_unpin(struct registry *registry, struct section *section);

/* Tells all parties that have a handle or (if `views`) a view of the section. */
void registry_tell_section(const struct registry *registry, const struct section *section,
			   bool views, const struct registry_event *event);

/*
 * More bytes (or fewer) of page file for a section.  -EDQUOT.  The caller says
 * registry_changed().
 */
int registry_charge_bytes(struct registry *registry, struct section *section, uint64_t bytes,
			  struct refusal *refusal);
void registry_refund_bytes(struct registry *registry, struct section *section, uint64_t bytes);

/*
 * The same for a job: what it may need is held, and at its end the section gets
 * what it has needed (`kept`) and the owner the rest.
 */
int registry_hold_bytes(struct registry *registry, const struct section *section, uint64_t bytes,
			struct refusal *refusal);
void registry_settle_bytes(struct registry *registry, struct section *section, uint64_t held,
			   uint64_t kept);

/* Destroys a section that has neither handle nor view. */
void registry_free_section(struct registry *registry, struct section *section);

/* Takes the name and the permanence; the section goes if nothing holds it. */
void registry_remove_section(struct registry *registry, struct section *section);

/* -EDQUOT, -ENOMEM. */
int party_open(struct party *party, struct section *section, uint32_t access,
	       struct handle **ret_handle, struct refusal *refusal);

/* The section may go with it. */
void registry_close(struct registry *registry, struct handle *handle);

/* The same for one that was revoked: its party remembers the number. */
void registry_close_revoked(struct registry *registry, struct handle *handle);

/* Was that handle revoked, and not closed since? */
bool party_is_revoked(const struct party *party, uint32_t handle_id);

/* Closes the number of a revoked handle; false if it is none. */
bool party_forget_revoked(struct party *party, uint32_t handle_id);

/* From now on the handle ends at that time; 0: never, as before.  -ENOMEM. */
int registry_expire_handle(struct registry *registry, struct handle *handle, uint64_t expires_ms,
			   struct refusal *refusal);

/* Takes in handles, views and offers that were made with a time of expiry alone.  -ENOMEM. */
int registry_adopt_deadlines(struct registry *registry);

/*
 * The view expires with its handle.  A writecopy view is charged for private
 * pages (RESOURCE_PRIVATE).  -EDQUOT, -ENOMEM.
 */
int registry_map(struct registry *registry, const struct handle *handle,
		 const struct view_spec *spec, struct view **ret_view, struct refusal *refusal);

/* Charges a view for private pages, all of its room; once.  -EDQUOT, -ENOMEM. */
int registry_charge_private(struct registry *registry, struct view *view, struct refusal *refusal);

/* The section may go with it. */
void registry_unmap(struct registry *registry, struct view *view);

#endif
