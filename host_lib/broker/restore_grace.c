/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See restore_grace.h. */
#include "broker/restore_grace.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <time.h>

#include "base/event.h"
#include "base/log.h"

#define TICK_MS 100u /* between two looks at the processes */

static uint64_t now_ms(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void restore_grace_init(struct restore_grace *grace, struct registry *registry)
{
	*grace = (struct restore_grace){ .registry = registry };
	LIST_INIT(&grace->absents);
}

static void end_absent(struct restore_grace *grace, struct absent *absent, const char *why)
{
	log_info("client '%s' (uid %u, pid %d) %s", absent->party.name, absent->party.subject.uid,
		 absent->party.subject.pid, why);
	registry_remove_party(grace->registry, &absent->party);
	absent_free(absent);
}

/* True if one has ended. */
static bool end_absents(struct restore_grace *grace, bool is_over)
{
	struct absent *absent, *next;
	bool ended = false;

	for (absent = LIST_FIRST(&grace->absents); absent; absent = next) {
		next = LIST_NEXT(absent, of_list);
		if (!absent->party.id)
			continue; /* it is being welcomed */
		if (absent_is_dead(absent))
			end_absent(grace, absent, "ended while there was no broker");
		else if (is_over)
			end_absent(grace, absent, "has not come back");
		else
			continue;
		ended = true;
	}
	return ended;
}

/* Is there an absent party that may hand it back? */
static bool has_hope(const struct section *section)
{
	const struct attachment *attachment;

	TAILQ_FOREACH (attachment, &section->attachments, of_section) {
		if (attachment->party->absent)
			return true;
	}
	return false;
}

/* The attachment may go with its last handle. */
static void revoke_handles(struct registry *registry, struct attachment *attachment)
{
	struct registry_event event = {
		.type = VMSECT_WIRE_EVENT_REVOKE_HANDLE,
		.section = attachment->section_id,
	};
	struct handle *handle, *next;

	for (handle = TAILQ_FIRST(&attachment->handles); handle; handle = next) {
		next = TAILQ_NEXT(handle, of_attachment);
		event.value = handle->id;
		if (registry->tell)
			registry->tell(registry->tell_arg, attachment->party, &event);
		registry_close_revoked(registry, handle);
	}
}

/*
 * Its views are left alone: in their processes the memory is still there, and
 * works.  They keep the section, which has no name, until they go.
 */
static void end_section(struct registry *registry, struct section *section)
{
	struct attachment *attachment, *next;

	log_warning("section %" PRIu64 " '%s': nobody has brought its memory back", section->id,
		    section->name);
	section->pins++; /* not to go before we have done with it */
	for (attachment = TAILQ_FIRST(&section->attachments); attachment; attachment = next) {
		next = TAILQ_NEXT(attachment, of_section);
		revoke_handles(registry, attachment);
	}
	registry_remove_section(registry, section);
	registry_unpin(registry, section);
}

/* True if one has ended. */
static bool end_sections(struct restore_grace *grace, bool is_over)
{
	struct section *section, *next = NULL;
	bool ended = false;

	HASH_ITER (hh, grace->registry->sections, section, next) {
		if (!section->missing || (!section->name[0] && !section->handle_count) ||
		    (!is_over && has_hope(section)))
			continue;
		/* One who is back may be about to hand it back. */
		if (!is_over && section->handle_count)
			continue;
		end_section(grace->registry, section);
		ended = true;
	}
	return ended;
}

static bool end_some(struct restore_grace *grace, bool is_over)
{
	bool ended = end_absents(grace, is_over);

	return end_sections(grace, is_over) || ended;
}

static bool is_waiting(const struct restore_grace *grace)
{
	const struct section *section;

	if (!LIST_EMPTY(&grace->absents))
		return true;
	for (section = grace->registry->sections; section; section = section->hh.next) {
		if (section->missing)
			return true;
	}
	return false;
}

static int tick_again(struct restore_grace *grace)
{
	struct timeval period = loop_ms(TICK_MS);

	return event_add(grace->tick, &period) < 0 ? -ENOMEM : 0;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct restore_grace *grace = arg;
	bool is_over = now_ms() >= grace->end_ms;

	(void)fd;
	(void)what;
	if (!is_over && is_waiting(grace) && tick_again(grace) < 0)
		is_over = true; /* no timer any more: now or never */
	if (end_some(grace, is_over))
		grace->ended(grace->arg);
}

int restore_grace_start(struct restore_grace *grace, struct event_base *base, unsigned int seconds)
{
	(void)end_some(grace, false);
	if (!is_waiting(grace))
		return 0;
	grace->end_ms = now_ms() + (uint64_t)seconds * 1000;
	grace->tick = event_new(base, -1, 0, on_tick, grace);
	return grace->tick ? tick_again(grace) : -ENOMEM;
}

void restore_grace_deinit(struct restore_grace *grace)
{
	struct absent *absent;

	while ((absent = LIST_FIRST(&grace->absents))) {
		registry_remove_party(grace->registry, &absent->party);
		absent_free(absent);
	}
	if (grace->tick)
		event_free(grace->tick);
	grace->tick = NULL;
}
