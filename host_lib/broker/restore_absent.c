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

	HASH_CLEAR(hh, absent->notified);
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

static struct absent_key key_of(const struct registry_event *event)
{
	return (struct absent_key){ .section = event->section, .peer = event->peer };
}

static struct absent_event *find_notified(const struct absent *absent,
					  const struct registry_event *event)
{
	struct absent_key key = key_of(event);
	struct absent_event *notified;

	HASH_FIND(hh, absent->notified, &key, sizeof(key), notified);
	return notified;
}

/* A copy behind all others, or NULL. */
static struct absent_event *keep(struct absent *absent, const struct registry_event *event)
{
	struct absent_event *copy;

	if (absent->event_count == ABSENT_EVENTS_MAX)
		return NULL;
	copy = calloc(1, sizeof(*copy));
	if (!copy)
		return NULL;
	copy->event = *event;
	copy->key = key_of(event);
	STAILQ_INSERT_TAIL(&absent->events, copy, of_absent);
	absent->event_count++;
	return copy;
}

static void keep_notified(struct absent *absent, const struct registry_event *event)
{
	struct absent_event *notified = find_notified(absent, event);
	uint64_t count;

	if (notified) {
		notified->event.value = event->value;
		if (__builtin_add_overflow(notified->event.length, event->length, &count))
			count = UINT64_MAX;
		notified->event.length = count;
		return;
	}
	notified = keep(absent, event);
	if (!notified) {
		absent->lost++;
		return;
	}
	/* Without memory the next one does not join it. */
	HASH_ADD(hh, absent->notified, key, sizeof(notified->key), notified);
}

/* What this peer notifies of when it is back is not for the time before it went. */
static void keep_peer(struct absent *absent, const struct registry_event *event)
{
	struct absent_event *notified = find_notified(absent, event);

	if (notified)
		HASH_DEL(absent->notified, notified);
	if (!keep(absent, event))
		absent->lost++;
}

void absent_tell(struct party *party, const struct registry_event *event)
{
	struct absent *absent = absent_of(party);

	switch (event->type) {
	case VMSECT_WIRE_EVENT_PEER_JOINED:
	case VMSECT_WIRE_EVENT_PEER_LEFT:
		keep_peer(absent, event);
		break;
	case VMSECT_WIRE_EVENT_NOTIFIED:
		keep_notified(absent, event);
		break;
	default: /* restore_welcome() tells what has come of it */
		break;
	}
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
