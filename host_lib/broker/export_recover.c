/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See export.h: the broker before this one may have ended between a change of a
 * name and the line of its journal about it.  What the journal says holds: a
 * public file is public again, and any other name of it is parked.
 */
#include "broker/export.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/sys.h"
#include "broker/export_listen.h"
#include "broker/export_name.h"
#include "broker/export_place.h"

/* The two names that the file of a section may have. */
struct names {
	char public[VMSECT_PATH_MAX + 1];
	char parked[VMSECT_PATH_MAX + 1];
};

int export_restore(struct section *section, const struct export *export)
{
	struct export *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	*copy = *export;
	free(section->exports[export->kind - 1]);
	section->exports[export->kind - 1] = copy;
	return 0;
}

/* In the folder where it was, or where it would be now. */
static int find_names(const struct registry *registry, const struct section *section,
		      struct names *names)
{
	const struct export *export = section->exports[VMSECT_EXPORT_PATH - 1];
	char dir[PATH_MAX];
	char *slash;
	int r = 0;

	if (export) {
		memcpy(dir, export->path, sizeof(export->path));
		slash = strrchr(dir, '/');
		if (slash)
			*slash = '\0';
	} else {
		r = export_place_find(section->backing_kind, section->backing.dev,
				      registry->export_host->dir, dir, sizeof(dir));
	}
	if (!r)
		r = export_name_public(section, dir, names->public, sizeof(names->public));
	return r ? r : export_name_parked(section, dir, names->parked, sizeof(names->parked));
}

/* The file has the name `to` from now on, and not `from`.  -ENOENT: it has neither. */
static int settle(const struct section *section, const char *from, const char *to)
{
	if (!export_name_is_ours(section, to))
		return export_name_move(section, from, to);
	export_name_remove(section, from);
	return 0;
}

static void give_up(struct section *section, int why)
{
	struct export **slot = &section->exports[VMSECT_EXPORT_PATH - 1];

	if (!*slot)
		return;
	if (!(*slot)->is_parked)
		log_warning("section '%s' is not at %s any more: %s", section->name, (*slot)->path,
			    strerror(-why));
	free(*slot);
	*slot = NULL;
}

/* The broker's alone again, by its name: its memory may still be missing. */
static void take_back(const struct section *section, const char *path)
{
	AUTO_FD int fd = sys_retry(open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC));
	char link[sizeof("/proc/self/fd/") + 12];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_dev != section->backing.dev ||
	    st.st_ino != section->backing.ino)
		return;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (chown(link, geteuid(), getegid()) < 0 || chmod(link, S_IRUSR | S_IWUSR) < 0)
		log_warning("%s stays open to those it was exported to: %s", path, strerror(errno));
}

/* Parked, whether the journal knows of the name or not (an EXPORT that was not answered). */
static void note_parked(struct section *section, const struct names *names)
{
	struct export export = { .kind = VMSECT_EXPORT_PATH, .is_parked = true };

	memcpy(export.path, names->parked, sizeof(export.path));
	take_back(section, export.path);
	if (export_restore(section, &export) < 0)
		export_name_remove(section, export.path);
}

static void recover_memory(const struct registry *registry, struct section *section)
{
	struct export *export = section->exports[VMSECT_EXPORT_PATH - 1];
	bool is_public = export && !export->is_parked;
	struct names names;
	int r = find_names(registry, section, &names);

	if (!r && is_public)
		r = settle(section, names.parked, names.public);
	else if (!r)
		r = settle(section, names.public, names.parked);
	if (r < 0)
		give_up(section, r);
	else if (!is_public)
		note_parked(section, &names);
}

/* As it was, whether its memory is there yet or not. */
static void recover_doorbell(const struct registry *registry, struct section *section)
{
	struct export *export = section->exports[VMSECT_EXPORT_DOORBELL - 1];
	struct refusal refusal;
	struct export_spec spec;

	if (!export)
		return;
	spec = (struct export_spec){
		.kind = export->kind,
		.mode = export->mode,
		.uid = export->uid,
		.gid = export->gid,
		.vectors = export->vectors,
	};
	if (!export_listen_open(registry->export_host, section, &spec, export, &refusal))
		return;
	log_warning("section '%s' has no doorbell any more: %s", section->name, refusal.text);
	free(export);
	section->exports[VMSECT_EXPORT_DOORBELL - 1] = NULL;
}

void export_recover(const struct registry *registry)
{
	struct section *section;

	if (!registry->export_host)
		return;
	for (section = registry->sections; section; section = section->hh.next) {
		if (section->exportable && section->name[0])
			recover_memory(registry, section);
		recover_doorbell(registry, section);
	}
}

int export_open_memory(const struct section *section)
{
	const struct export *export = section->exports[VMSECT_EXPORT_PATH - 1];

	if (section->backing_kind == BACKING_FILE || !export ||
	    !export_name_is_ours(section, export->path))
		return -ENOENT;
	return sys_retry(open(export->path, O_PATH | O_NOFOLLOW | O_CLOEXEC));
}
