/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See source_path.h. */
#include "libvirt/source_path.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "libvirt/say.h"
#include "libvirt/source.h"

static int open_handle(struct source *source, uint32_t more)
{
	uint32_t access = VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ | more;
	int r;

	if (source->mode == MODE_RW)
		access |= VMSECT_ACCESS_WRITE;
	r = vmsect_section_open(source->client, source->name, access, &source->section);
	if (r < 0)
		say_error("cannot open section '%s': %s", source->name,
			  vmsect_client_error(source->client));
	return r;
}

/* The path may have been given to another file since. */
static int check_path(const struct source *source)
{
	struct stat by_path, by_handle;

	if (fstat(vmsect_section_fd(source->section), &by_handle) < 0 ||
	    stat(source->path, &by_path) < 0) {
		int r = -errno;

		say_error("cannot find the file of section '%s', %s: %s", source->name,
			  source->path, strerror(-r));
		return r;
	}
	if (by_path.st_dev == by_handle.st_dev && by_path.st_ino == by_handle.st_ino)
		return 0;
	say_error("%s is no longer the file of section '%s'", source->path, source->name);
	return -ESTALE;
}

/* 1 if there is an export by path, 0, or -errno after a message. */
static int find_export(const struct source *source, struct vmsect_export_info *ret_export)
{
	AUTO_FREE struct vmsect_export_info *list = NULL;
	size_t count = 0, i;
	int r = vmsect_list_exports(source->client, source->info.id, &list, &count);

	if (r < 0) {
		say_error("cannot list the exports of section '%s': %s", source->name,
			  vmsect_client_error(source->client));
		return r;
	}
	for (i = 0; i < count; i++) {
		if (list[i].as == VMSECT_EXPORT_AS_PATH) {
			*ret_export = list[i];
			return 1;
		}
	}
	return 0;
}

static uint32_t mode_needed(const struct source *source)
{
	return source->mode == MODE_RO ? 0400 : 0600;
}

static int export_now(struct source *source, uint32_t mode)
{
	struct vmsect_export_options options = {
		.size = sizeof(options),
		.as = VMSECT_EXPORT_AS_PATH,
		.mode = mode,
		.uid = source->uid,
		.gid = VMSECT_EXPORT_KEEP,
	};
	int r = open_handle(source, VMSECT_ACCESS_GRANT);

	if (!r) {
		r = vmsect_section_export(source->section, &options, source->path,
					  sizeof(source->path));
		if (r < 0)
			say_error("cannot export section '%s' to uid %u, as whom the domain's QEMU "
				  "runs: %s",
				  source->name, source->uid, vmsect_client_error(source->client));
	}
	return r;
}

static int find_exported_path(struct source *source)
{
	struct vmsect_export_info export;
	uint32_t mode = mode_needed(source);
	int r = find_export(source, &export);

	if (r < 0)
		return r;
	if (r && (export.uid != source->uid || (export.mode & mode) == mode)) {
		memcpy(source->path, export.path, sizeof(source->path));
		return open_handle(source, 0);
	}
	/* One for the same user gets what is missing, and stays if the domain does not take it. */
	source->is_exported_by_us = !r;
	return export_now(source, r ? export.mode | mode : mode);
}

int source_find_path(struct source *source)
{
	int r;

	if (source->info.backing == VMSECT_BACKING_FILE) {
		memcpy(source->path, source->info.path, sizeof(source->path));
		r = open_handle(source, 0);
		return r ? r : check_path(source);
	}
	if (!(source->info.flags & VMSECT_SECTION_EXPORTABLE)) {
		say_error("section '%s' is memory that no path can lead to; make it with 'vmsect "
			  "create %s --exportable', or with --file",
			  source->name, source->name);
		return -EOPNOTSUPP;
	}
	r = find_exported_path(source);
	return r ? r : check_path(source);
}
