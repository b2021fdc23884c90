/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See source.h. */
#include "libvirt/source.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "libvirt/request.h"
#include "libvirt/say.h"

static int source_connect(struct source *source, const struct request *request)
{
	char error[512] = "";
	struct vmsect_connect_options options = {
		.size = sizeof(options),
		.socket_path = request->socket_path,
		.no_start = 1,
		.error = error,
		.error_room = sizeof(error),
	};
	int r = vmsect_connect(&options, &source->client);

	if (r < 0)
		say_error("there is no section '%s': no broker answers: %s", source->name,
			  *error ? error : strerror(-r));
	return r;
}

static int source_open_handle(struct source *source, enum request_mode mode)
{
	uint32_t access = VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ;
	int r;

	if (mode == MODE_RW)
		access |= VMSECT_ACCESS_WRITE;
	r = vmsect_section_open(source->client, source->name, access, &source->section);
	if (r < 0)
		say_error("cannot open section '%s': %s%s", source->name,
			  vmsect_client_error(source->client),
			  r == -ENOENT ? "; 'vmsect ls' lists those that there are" : "");
	return r;
}

/* What the handle cannot say: nobody may write, or not all pages are there. */
static int source_check(const struct source *source, const struct vmsect_section_info *info,
			enum request_mode mode)
{
	bool is_writable = info->protection == VMSECT_PROT_READWRITE ||
			   info->protection == VMSECT_PROT_EXECUTE_READWRITE;

	if (mode == MODE_RW && (!is_writable || (info->flags & VMSECT_SECTION_SEALED))) {
		say_error("section '%s' cannot be written; attach it with --mode ro or cow",
			  source->name);
		return -EACCES;
	}
	if (info->flags & VMSECT_SECTION_RESERVE) {
		say_error("section '%s' has pages that are not committed, which a QEMU would take "
			  "without asking",
			  source->name);
		return -EOPNOTSUPP;
	}
	return 0;
}

/* The path may have been given to another file since. */
static int source_check_path(const struct source *source)
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

static int source_find_path(struct source *source, const struct vmsect_section_info *info)
{
	if (info->backing != VMSECT_BACKING_FILE) {
		say_error("section '%s' is memory without a path, which a QEMU cannot open; make "
			  "it with 'vmsect create %s --file /dev/shm/NAME --size SIZE'",
			  source->name, source->name);
		return -EOPNOTSUPP;
	}
	memcpy(source->path, info->path, sizeof(source->path));
	return source_check_path(source);
}

int source_open(struct source *source, const struct request *request)
{
	struct vmsect_section_info info;
	int r;

	source->name = request->section;
	/* A private mapping needs no more than r, but QEMU before 8.2 opens for it as for a shared
	 * one. */
	source->access = request->mode == MODE_RO ? "r" : "rw";
	r = source_connect(source, request);
	if (!r)
		r = source_open_handle(source, request->mode);
	if (r < 0)
		return r;
	r = vmsect_section_query(source->section, &info);
	if (r < 0) {
		say_error("cannot ask about section '%s': %s", source->name,
			  vmsect_client_error(source->client));
		return r;
	}
	source->size = info.size_bytes;
	r = source_check(source, &info, request->mode);
	return r ? r : source_find_path(source, &info);
}

void source_close(struct source *source)
{
	source->section = vmsect_section_close(source->section);
	source->client = vmsect_client_free(source->client);
}
