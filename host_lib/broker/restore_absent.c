/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See restore_absent.h. */
#include "broker/restore_absent.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

struct absent *absent_new(struct absent_list *list)
{
	struct absent *absent = calloc(1, sizeof(*absent));

	if (!absent)
		return NULL;
	absent->party.absent = true;
	STAILQ_INIT(&absent->events);
	LIST_INSERT_HEAD(list, absent, of_list);
	return absent;
}

void absent_free(struct absent *absent)
{
	struct absent_event *event;

	while ((event = STAILQ_FIRST(&absent->events))) {
		STAILQ_REMOVE_HEAD(&absent->events, of_absent);
		free(event);
	}
	LIST_REMOVE(absent, of_list);
	free(absent->party.subject.groups);
	free(absent);
}

struct absent *absent_of(struct party *party)
{
	return (struct absent *)((char *)party - offsetof(struct absent, party));
}

void absent_tell(struct party *party, const struct registry_event *event)
{
	struct absent *absent = absent_of(party);
	struct absent_event *copy;

	if (event->type != VMSECT_WIRE_EVENT_PEER_JOINED &&
	    event->type != VMSECT_WIRE_EVENT_PEER_LEFT)
		return; /* restore_welcome() tells what has come of it */
	if (absent->event_count == ABSENT_EVENTS_MAX)
		return;
	copy = calloc(1, sizeof(*copy));
	if (!copy)
		return;
	copy->event = *event;
	STAILQ_INSERT_TAIL(&absent->events, copy, of_absent);
	absent->event_count++;
}

static int by_id(const struct party *a, const struct party *b)
{
	return a->id < b->id ? -1 : a->id > b->id;
}

int absent_take(struct absent *absent, struct party *home)
{
	struct registry *registry = absent->party.registry;
	struct subject subject = home->subject;
	struct attachment *attachment;

	*home = absent->party;
	home->absent = false;
	home->subject = subject;
	/* Both are listed for a moment, in which no one looks. */
	HASH_ADD(hh, registry->parties, id, sizeof(home->id), home);
	if (!HASH_ADDED(hh, home)) {
		*home = (struct party){ .subject = subject };
		return -ENOMEM;
	}
	HASH_DEL(registry->parties, &absent->party);
	HASH_SRT(hh, registry->parties, by_id); /* as they are listed */
	for (attachment = home->attachments; attachment; attachment = attachment->hh.next)
		attachment->party = home;
	absent->party.id = 0;
	return 0;
}

bool absent_is_dead(const struct absent *absent)
{
	pid_t pid = absent->party.subject.pid;

	/* 0: a process of another pid namespace, of which nothing is known. */
	return pid > 0 && kill(pid, 0) < 0 && errno == ESRCH;
}
