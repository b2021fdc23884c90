/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What programs that know nothing of the broker reach a section by: a PATH, which
 * is its memory, or a DOORBELL, which is a socket (export_listen.h).
 *
 * A path of page file is a second life of the memory: it has owner and mode like
 * any file, and who has opened it is not ours to revoke.  It comes with the first
 * EXPORT.  UNEXPORT cannot take the file's last name away, since a file that had
 * one and lost it cannot get another: it is parked under a hidden name that only
 * the broker's user can use.  States: none, public, parked; all end with the name
 * of the section.  A data file has a path of its own, which is only told.
 *
 * Owned by the section; the broker's one thread.
 */
#ifndef BROKER_EXPORT_H
#define BROKER_EXPORT_H

#include <stdbool.h>

#include "broker/registry.h"

struct doorbells;
struct event_base;
struct export_listener;

#define EXPORT_PREFIX "vmsect-"

/* What exports need of the broker; owned by it. */
struct export_host {
	const char *dir; /* for paths to shmem; borrowed, or NULL */
	const char *runtime_dir; /* for sockets; borrowed, or NULL */
	struct event_base *base; /* borrowed, as is the next */
	struct doorbells *doorbells;
	bool stays; /* the broker after this one will have them: no path is removed */
};

struct export
{
	uint32_t kind; /* enum vmsect_export_kind */
	uint32_t mode; /* of the path, as are uid and gid */
	uint32_t uid;
	uint32_t gid;
	uint32_t vectors;
	bool is_parked;
	struct export_listener *listener; /* DOORBELL; owned */
	char path[VMSECT_PATH_MAX + 1];
};

struct export_spec {
	uint32_t kind;
	uint32_t mode;
	uint32_t uid; /* or VMSECT_EXPORT_SAME, as gid */
	uint32_t gid;
	uint32_t vectors;
};

/*
 * Exports the section, or changes what is exported.  -EOPNOTSUPP, -EINVAL (NAME),
 * -EEXIST, -EPERM, -EACCES, -EBUSY, -ESTALE, -ENOMEM.
 */
int export_set(struct registry *registry, struct section *section, const struct export_spec *spec,
	       struct refusal *refusal);

/* -ENOENT. */
int export_take_back(struct registry *registry, struct section *section, uint32_t kind,
		     struct refusal *refusal);

/* NULL: it is not exported so, or parked. */
const struct export *export_find(const struct section *section, uint32_t kind);

/* No connections any more: the broker ends.  The exports are still there. */
void export_stop_listening(const struct registry *registry);

/* Ends all of them: the section has no name any more. */
void export_end_all(const struct registry *registry, struct section *section);

/*
 * For a broker that takes over: what the journal told is put in; then names and
 * objects are made to agree, and what cannot be is given up with a line in the
 * log.  Memory is looked for afterwards.  -ENOMEM.
 */
int export_restore(struct section *section, const struct export *export);
void export_recover(const struct registry *registry);

/* The memory of a section that is missing, by its path.  A descriptor (O_PATH) or -errno. */
int export_open_memory(const struct section *section);

#endif
