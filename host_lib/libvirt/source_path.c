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

	if (source->needs_write && source->info.backing != VMSECT_BACKING_FILE)
		access |= VMSECT_ACCESS_WRITE;
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

/* 1 if there is an export of the kind, 0, or -errno after a message. */
static int find_export(const struct source *source, enum vmsect_export_as as,
		       struct vmsect_export_info *ret_export)
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
		if (list[i].as == as) {
			*ret_export = list[i];
			return 1;
		}
	}
	return 0;
}

/* What a QEMU needs of a file, as three bits of a mode. */
static uint32_t bits_needed(const struct source *source)
{
	return source->needs_write ? 06 : 04;
}

/* The three bits that count for the QEMU. */
static uint32_t bits_of(const struct vmsect_export_info *export, const struct source *source)
{
	if (export->uid == source->user.uid)
		return export->mode >> 6 & 07;
	return (export->gid == source->user.gid ? export->mode >> 3 : export->mode) & 07;
}

/*
 * Who owns a file can always write it: the QEMU gets it through its group, as an
 * export of ours was made, and then lacks a bit at most.
 */
static int export_now(struct source *source, const struct vmsect_export_info *before)
{
	struct vmsect_export_options options = {
		.size = sizeof(options),
		.as = VMSECT_EXPORT_AS_PATH,
		.mode = 0600 | bits_needed(source) << 3 | (before ? before->mode : 0),
		.uid = before ? before->uid : VMSECT_EXPORT_KEEP,
		.gid = source->user.gid,
	};
	int r = open_handle(source, VMSECT_ACCESS_GRANT);

	if (r < 0)
		return r;
	r = vmsect_section_export(source->section, &options, source->path, sizeof(source->path));
	if (r < 0)
		say_error("cannot export section '%s' to group %u, as which the domain's QEMU "
			  "runs: %s",
			  source->name, source->user.gid, vmsect_client_error(source->client));
	return r;
}

static int find_exported_path(struct source *source)
{
	struct vmsect_export_info export;
	uint32_t bits = bits_needed(source);
	int r = find_export(source, VMSECT_EXPORT_AS_PATH, &export);

	if (r < 0)
		return r;
	/* If it does not suffice, and is not for this QEMU, QEMU is refused, and that is said. */
	if (r && ((bits_of(&export, source) & bits) == bits || export.gid != source->user.gid)) {
		memcpy(source->path, export.path, sizeof(source->path));
		return open_handle(source, 0);
	}
	source->is_exported_by_us = !r;
	return export_now(source, r ? &export : NULL);
}

/*
 * A QEMU whose connection the broker closes reads from it for ever, and the guest
 * stands still.  So only one is plugged that is sure to be let in: the owner's, or
 * one with a grant of its own.
 */
static int check_may_ring(const struct source *source)
{
	const uint32_t needed = VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE | VMSECT_ACCESS_NOTIFY;
	AUTO_FREE struct vmsect_grant *grants = NULL;
	size_t count = 0, i;
	int r = vmsect_section_grants(source->section, &grants, &count);

	for (i = 0; !r && i < count; i++) {
		if (grants[i].to == VMSECT_GRANT_UID && grants[i].id == source->user.uid &&
		    (grants[i].access & needed) == needed)
			return 0;
	}
	if (!r && (!source->user.uid || source->user.uid == source->info.uid))
		return 0;
	say_error("the broker lets a QEMU with a doorbell in only if its user, uid %u here, may "
		  "read, write and notify: 'vmsect grant %s uid:%u qrwn'",
		  source->user.uid, source->name, source->user.uid);
	return -EACCES;
}

/* The broker itself looks who connects; the socket's mode is for the QEMU's group. */
static int find_doorbell(struct source *source)
{
	struct vmsect_export_info export;
	struct vmsect_export_options options = {
		.size = sizeof(options),
		.as = VMSECT_EXPORT_AS_DOORBELL,
		.mode = 0660,
		.uid = VMSECT_EXPORT_KEEP,
		.gid = source->user.gid,
		.vectors = source->vectors,
	};
	int r = find_export(source, VMSECT_EXPORT_AS_DOORBELL, &export);

	if (r < 0)
		return r;
	if (r && export.vectors != source->vectors) {
		say_error("the doorbells of section '%s' have %u vectors already: --vectors %u",
			  source->name, export.vectors, export.vectors);
		return -EINVAL;
	}
	if (r)
		memcpy(source->path, export.path, sizeof(source->path));
	source->is_exported_by_us = !r;
	r = open_handle(source, r ? 0 : VMSECT_ACCESS_GRANT);
	if (!r)
		r = check_may_ring(source);
	if (r < 0 || !source->is_exported_by_us) {
		/* Nothing was exported yet. */
		source->is_exported_by_us = false;
		return r;
	}
	r = vmsect_section_export(source->section, &options, source->path, sizeof(source->path));
	if (r < 0)
		say_error("cannot export a doorbell of section '%s': %s", source->name,
			  vmsect_client_error(source->client));
	return r;
}

int source_find_path(struct source *source)
{
	int r;

	if (source->vectors)
		return find_doorbell(source);

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
