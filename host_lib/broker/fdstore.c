/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See fdstore.h. */
#include "broker/fdstore.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/notify.h"
#include "broker/hash.h"
#include "broker/restore_memory.h"

#define MARKS_FIRST 16u
#define MESSAGE_MAX 96u

struct fdstore_kept {
	uint64_t id;
	UT_hash_handle hh;
};

/* section-ID-ro or section-ID-rw: ID, else 0. */
static uint64_t section_of(const char *name, size_t length)
{
	char copy[40], tail;
	uint64_t id = 0;
	int end = 0;

	if (length >= sizeof(copy))
		return 0;
	memcpy(copy, name, length);
	copy[length] = '\0';
	/* NOLINTNEXTLINE(cert-err34-c): a number that does not fit names no section */
	if (sscanf(copy, "section-%20" SCNu64 "-r%c%n", &id, &tail, &end) != 2 ||
	    (tail != 'o' && tail != 'w') || (size_t)end != length)
		return 0;
	return id;
}

/* Takes one descriptor; -EINVAL: it is no section's and there is a socket already. */
static int take_one(struct fdstore *store, int fd, uint64_t section, int *socket)
{
	if (section) {
		store->given[store->given_count++] = (struct fdstore_fd){ fd, section };
		return 0;
	}
	if (*socket >= 0)
		return -EINVAL;
	*socket = fd;
	return 0;
}

int fdstore_take(struct fdstore *store, int count, const char *names, int *ret_socket)
{
	int i, r = 0, socket = -1;
	size_t length;

	store->given = calloc((size_t)count + 1, sizeof(*store->given));
	if (!store->given)
		return -ENOMEM;
	for (i = 0; !r && i < count; i++) {
		length = names ? strcspn(names, ":") : 0;
		r = take_one(store, NOTIFY_FIRST_FD + i, names ? section_of(names, length) : 0,
			     &socket);
		if (names)
			names = names[length] ? names + length + 1 : NULL;
	}
	if (!r)
		*ret_socket = socket;
	return r;
}

static struct fdstore_kept *kept_find(const struct fdstore *store, uint64_t id)
{
	struct fdstore_kept *kept;

	HASH_FIND(hh, store->kept, &id, sizeof(id), kept);
	return kept;
}

static bool kept_add(struct fdstore *store, uint64_t id)
{
	struct fdstore_kept *kept = calloc(1, sizeof(*kept));

	if (!kept)
		return false;
	kept->id = id;
	HASH_ADD(hh, store->kept, id, sizeof(kept->id), kept);
	if (HASH_ADDED(hh, kept))
		return true;
	free(kept);
	return false;
}

static void complain(struct fdstore *store, int error)
{
	if (error < 0 && !store->complained)
		log_warning("the service manager cannot be given descriptors: %s",
			    strerror(-error));
	store->complained = error < 0;
}

static int keep_one(uint64_t id, const char *mode, int fd)
{
	char message[MESSAGE_MAX];

	if (fd < 0)
		return 0;
	(void)snprintf(message, sizeof(message),
		       "FDSTORE=1\nFDNAME=section-%" PRIu64 "-%s\nFDPOLL=0", id, mode);
	return notify_send_fd(message, fd);
}

static void keep(struct fdstore *store, const struct section *section)
{
	int r;

	r = keep_one(section->id, "ro", section->backing.ro_fd);
	if (!r)
		r = keep_one(section->id, "rw", section->backing.rw_fd);
	complain(store, r);
	if (!r)
		(void)kept_add(store, section->id);
}

static void forget(struct fdstore *store, uint64_t id)
{
	struct fdstore_kept *kept = kept_find(store, id);
	static const char *const modes[] = { "ro", "rw" };
	char message[MESSAGE_MAX];
	int i, r;

	for (i = 0; i < 2; i++) {
		(void)snprintf(message, sizeof(message),
			       "FDSTOREREMOVE=1\nFDNAME=section-%" PRIu64 "-%s", id, modes[i]);
		r = notify_send(message);
		complain(store, r);
	}
	if (!kept)
		return;
	HASH_DEL(store->kept, kept);
	free(kept);
}

void fdstore_give_back(struct fdstore *store, struct registry *registry)
{
	struct section *section;
	struct refusal refusal;
	size_t i;

	for (i = 0; i < store->given_count; i++) {
		struct fdstore_fd *given = &store->given[i];

		section = registry_find_section_id(registry, given->section);
		if (section && restore_memory_adopt(section, given->fd, &refusal) < 0) {
			log_warning("descriptor from the service manager: %s", refusal.text);
			section = NULL;
		}
		given->fd = fd_close(given->fd);
		if (!section)
			forget(store, given->section);
		else if (!section->missing && !kept_find(store, section->id))
			(void)kept_add(store, section->id);
	}
	store->given_count = 0;
}

void fdstore_mark(struct fdstore *store, const struct section *section)
{
	size_t room = store->mark_room ? 2 * store->mark_room : MARKS_FIRST;
	uint64_t *marks;

	if (!store->is_on || !section->id ||
	    (store->mark_count && store->marks[store->mark_count - 1] == section->id))
		return;
	if (store->mark_count == store->mark_room) {
		marks = reallocarray(store->marks, room, sizeof(*marks));
		if (!marks)
			return; /* it is handed back by clients then */
		store->marks = marks;
		store->mark_room = room;
	}
	store->marks[store->mark_count++] = section->id;
}

void fdstore_end_unit(struct fdstore *store, const struct registry *registry)
{
	const struct section *section;
	size_t i;

	for (i = 0; i < store->mark_count; i++) {
		section = registry_find_section_id(registry, store->marks[i]);
		if (!section && kept_find(store, store->marks[i]))
			forget(store, store->marks[i]);
		else if (section && !section->missing && !kept_find(store, section->id))
			keep(store, section);
	}
	store->mark_count = 0;
}

void fdstore_deinit(struct fdstore *store)
{
	struct fdstore_kept *kept, *next;
	size_t i;

	for (i = 0; i < store->given_count; i++)
		fd_close(store->given[i].fd);
	kept = store->kept;
	HASH_CLEAR(hh, store->kept);
	for (; kept; kept = next) {
		next = kept->hh.next;
		free(kept);
	}
	free(store->given);
	free(store->marks);
	*store = (struct fdstore){ 0 };
}
