/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See export.h. */
#include "broker/export.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/sys.h"
#include "broker/doorbell.h"
#include "broker/export_listen.h"
#include "broker/export_name.h"
#include "broker/export_owner.h"
#include "broker/export_place.h"
#include "broker/rights.h"

static struct export **slot_of(struct section *section, uint32_t kind)
{
	return &section->exports[kind - 1];
}

static void changed(const struct registry *registry, struct section *section)
{
	section->generation++;
	registry_changed(registry, REGISTRY_SECTION, section);
}

const struct export *export_find(const struct section *section, uint32_t kind)
{
	const struct export *export = section->exports[kind - 1];

	return export && !export->is_parked ? export : NULL;
}

/* The broker's alone, as it was made. */
static void take_file_back(const struct section *section)
{
	char path[EXPORT_FD_PATH_ROOM];
	int r;

	export_fd_path(section->backing.rw_fd, path);
	r = export_owner_take_back(path);
	if (r < 0)
		log_warning("section '%s' stays open to those it was exported to: %s",
			    section->name, strerror(-r));
}

static int refuse_name(const char *path, int status, struct refusal *refusal)
{
	if (status == -EEXIST)
		return refuse(refusal, status, VMSECT_DETAIL_NAME,
			      "%s is there already and is not this section's", path);
	return refuse(refusal, status, VMSECT_DETAIL_FILE, "%s: %s", path, strerror(-status));
}

/* Its first public name, or again one. */
static int publish_name(const struct section *section, const struct export *parked,
			const char *path)
{
	if (export_name_is_ours(section, path))
		return 0;
	if (parked)
		return export_name_move(section, parked->path, path);
	return export_name_link(section, path);
}

static int name_file(const struct registry *registry, const struct section *section,
		     struct export *export, struct refusal *refusal)
{
	const struct export *parked = section->exports[VMSECT_EXPORT_PATH - 1];
	char dir[PATH_MAX];
	int r = export_place_find(section->backing_kind, section->backing.dev,
				  registry->export_host->dir, dir, sizeof(dir));

	if (r < 0)
		return refuse(refusal, -EOPNOTSUPP, VMSECT_DETAIL_FILE,
			      "the section was made in a folder that this broker does not have "
			      "any more");
	r = export_name_public(section, dir, export->path, sizeof(export->path));
	if (!r)
		r = publish_name(section, parked, export->path);
	return r < 0 ? refuse_name(export->path, r, refusal) : 0;
}

static int check_memory(const struct section *section, const struct export_spec *spec,
			struct refusal *refusal)
{
	if (section->backing_kind == BACKING_DIRECTORY)
		return refuse(refusal, -EOPNOTSUPP, VMSECT_DETAIL_ATTR,
			      "sections of the page-file directory have no path for others");
	if (!section->exportable)
		return refuse(refusal, -EOPNOTSUPP, VMSECT_DETAIL_ATTR,
			      "the section was not made EXPORTABLE (vmsect create --exportable)");
	if (spec->mode & (S_IWGRP | S_IWOTH) && !rights_is_writable(section->protection))
		return refuse(refusal, -EACCES, VMSECT_DETAIL_PROTECTION,
			      "the section is not to be written: mode %04o lets others do it",
			      spec->mode);
	if (spec->uid != VMSECT_EXPORT_SAME && spec->uid != geteuid() &&
	    !rights_is_writable(section->protection))
		return refuse(refusal, -EACCES, VMSECT_DETAIL_PROTECTION,
			      "the section is not to be written: uid %u could, as the owner",
			      spec->uid);
	return 0;
}

/* Rights first: whoever finds the name finds them right. */
static int export_memory(struct registry *registry, struct section *section,
			 const struct export_spec *spec, struct export *export,
			 struct refusal *refusal)
{
	bool was_public = export_find(section, VMSECT_EXPORT_PATH);
	char path[EXPORT_FD_PATH_ROOM];
	int r = check_memory(section, spec, refusal);

	export_fd_path(section->backing.rw_fd, path);
	if (!r)
		r = export_owner_give(path, section, spec, export, refusal);
	if (r < 0)
		return r;
	r = name_file(registry, section, export, refusal);
	if (r < 0 && !was_public)
		take_file_back(section);
	return r;
}

/* The path that people see is the one that they can use, if it is the same file. */
static int export_file(const struct section *section, struct export *export,
		       struct refusal *refusal)
{
	const char *path = section->backing.path;
	int r;

	if (!path || !export_name_is_ours(section, path))
		return refuse(refusal, -ESTALE, VMSECT_DETAIL_FILE,
			      "the data file has been renamed or removed, or this broker does not "
			      "see it under its path");
	r = export_owner_read(path, export);
	if (r < 0)
		return refuse(refusal, r, VMSECT_DETAIL_FILE, "the file cannot be looked at");
	memcpy(export->path, path, strnlen(path, sizeof(export->path) - 1));
	return 0;
}

/* A socket that is there gets another owner and mode, and goes on. */
static int export_doorbell(const struct registry *registry, struct section *section,
			   const struct export_spec *spec, struct export *export,
			   struct refusal *refusal)
{
	struct export *now = section->exports[VMSECT_EXPORT_DOORBELL - 1];
	int r;

	if (!now) {
		r = doorbell_check_section(section, refusal);
		return r ? r
			 : export_listen_open(registry->export_host, section, spec, export,
					      refusal);
	}
	if (now->vectors != spec->vectors)
		return refuse(refusal, -EBUSY, VMSECT_DETAIL_STATE,
			      "the section's doorbells have %u vectors: unexport them first",
			      now->vectors);
	r = export_owner_give(now->path, section, spec, export, refusal);
	if (r < 0)
		return r;
	memcpy(export->path, now->path, sizeof(export->path));
	export->listener = now->listener;
	now->listener = NULL;
	return 0;
}

static int check_export(const struct registry *registry, const struct section *section,
			const struct export_spec *spec, struct refusal *refusal)
{
	if (!registry->export_host)
		return refuse(refusal, -EOPNOTSUPP, VMSECT_DETAIL_ATTR,
			      "this broker exports nothing");
	if (!section->name[0])
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_NAME,
			      "a section without a name is not exported");
	if (spec->mode & ~0777u)
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_ATTR, "the mode is more than 0777");
	return 0;
}

int export_set(struct registry *registry, struct section *section, const struct export_spec *spec,
	       struct refusal *refusal)
{
	struct export **slot = slot_of(section, spec->kind);
	AUTO_FREE struct export *export = NULL;
	int r = check_export(registry, section, spec, refusal);

	if (r < 0)
		return r;
	export = calloc(1, sizeof(*export));
	if (!export)
		return refuse_memory(refusal);
	export->kind = spec->kind;
	export->vectors = spec->vectors;
	if (spec->kind == VMSECT_EXPORT_DOORBELL)
		r = export_doorbell(registry, section, spec, export, refusal);
	else if (section->backing_kind == BACKING_FILE)
		r = export_file(section, export, refusal);
	else
		r = export_memory(registry, section, spec, export, refusal);
	if (r < 0)
		return r;
	free(*slot);
	*slot = steal_ptr(&export);
	changed(registry, section);
	return 0;
}

/* Hidden instead of gone; without a place for that the file is never exported again. */
static void park(struct section *section, struct export *export)
{
	char dir[PATH_MAX], path[sizeof(export->path)];
	char *slash;
	int r;

	take_file_back(section);
	memcpy(dir, export->path, sizeof(export->path));
	slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	r = export_name_parked(section, dir, path, sizeof(path));
	if (!r)
		r = export_name_move(section, export->path, path);
	if (!r) {
		memcpy(export->path, path, sizeof(path));
		export->is_parked = true;
		return;
	}
	log_warning("%s cannot be put aside: %s; it cannot be exported again", export->path,
		    strerror(-r));
	export_name_remove(section, export->path);
}

int export_take_back(struct registry *registry, struct section *section, uint32_t kind,
		     struct refusal *refusal)
{
	struct export **slot = slot_of(section, kind);

	if (!export_find(section, kind))
		return refuse(refusal, -ENOENT, VMSECT_DETAIL_NONE,
			      "the section is not exported so");
	if (kind == VMSECT_EXPORT_PATH && section->backing_kind != BACKING_FILE)
		park(section, *slot);
	(*slot)->listener = export_listen_close((*slot)->listener);
	if (!(*slot)->is_parked) {
		free(*slot);
		*slot = NULL;
	}
	changed(registry, section);
	return 0;
}

void export_end_all(const struct registry *registry, struct section *section)
{
	bool stays = registry->export_host && registry->export_host->stays;
	const struct export *path = section->exports[VMSECT_EXPORT_PATH - 1];
	size_t i;

	if (path && section->backing_kind != BACKING_FILE && !stays)
		export_name_remove(section, path->path);
	for (i = 0; i < EXPORT_KINDS; i++) {
		if (section->exports[i])
			(void)export_listen_close(section->exports[i]->listener);
		free(section->exports[i]);
		section->exports[i] = NULL;
	}
}

void export_stop_listening(const struct registry *registry)
{
	struct section *section;
	struct export *bell;

	for (section = registry->sections; section; section = section->hh.next) {
		bell = section->exports[VMSECT_EXPORT_DOORBELL - 1];
		if (bell)
			bell->listener = export_listen_close(bell->listener);
	}
}
