/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See source.h. */
#include "libvirt/source.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "libvirt/say.h"
#include "libvirt/source_path.h"

static int source_connect(struct source *source, const char *socket_path)
{
	char error[512] = "";
	struct vmsect_connect_options options = {
		.size = sizeof(options),
		.socket_path = socket_path,
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

static int source_look_up(struct source *source)
{
	AUTO_FREE struct vmsect_section_info *list = NULL;
	size_t count = 0;
	int r = vmsect_list_sections(source->client, source->name, &list, &count);

	if (r < 0) {
		say_error("cannot find section '%s': %s%s", source->name,
			  vmsect_client_error(source->client),
			  r == -ENOENT ? "; 'vmsect ls' lists those that there are" : "");
		return r;
	}
	source->info = list[0];
	source->size = list[0].size_bytes;
	return 0;
}

/* What a handle does not tell: nobody may write, or not all pages are there. */
static int source_check(const struct source *source)
{
	bool is_writable = source->info.protection == VMSECT_PROT_READWRITE ||
			   source->info.protection == VMSECT_PROT_EXECUTE_READWRITE;

	if (source->mode == MODE_RW &&
	    (!is_writable || (source->info.flags & VMSECT_SECTION_SEALED))) {
		say_error("section '%s' cannot be written; attach it with --mode ro or cow",
			  source->name);
		return -EACCES;
	}
	if (source->needs_write && !is_writable && source->info.backing != VMSECT_BACKING_FILE) {
		say_error("section '%s' cannot be written, and this QEMU opens what it copies from "
			  "for writing (from 8.2 on it does not)",
			  source->name);
		return -EACCES;
	}
	if (source->info.flags & VMSECT_SECTION_RESERVE) {
		say_error("section '%s' has pages that are not committed, which a QEMU would take "
			  "without asking",
			  source->name);
		return -EOPNOTSUPP;
	}
	return 0;
}

int source_open(struct source *source, const struct request *request, const struct domain *domain)
{
	int r;

	source->name = request->section;
	source->mode = request->mode;
	source->vectors = request->vectors;
	source->user = domain_user(domain);
	source->needs_write = source->mode == MODE_RW ||
			      (source->mode == MODE_COW && !domain_copies_readonly(domain));
	r = source_connect(source, request->socket_path);
	if (!r)
		r = source_look_up(source);
	if (!r)
		r = source_check(source);
	return r ? r : source_find_path(source);
}

const char *source_access(const struct source *source)
{
	return source->needs_write ? "rw" : "r";
}

void source_keep(struct source *source)
{
	if (source->is_exported_by_us)
		say_note("section '%s' is exported as %s to group %u; 'vmsect unexport %s' takes "
			 "that back, but not what the domain has",
			 source->name, source->path, source->user.gid, source->name);
	source->is_exported_by_us = false;
}

void source_close(struct source *source)
{
	if (source->is_exported_by_us && source->section)
		(void)vmsect_section_unexport(source->section, source->vectors
								       ? VMSECT_EXPORT_AS_DOORBELL
								       : VMSECT_EXPORT_AS_PATH);
	source->section = vmsect_section_close(source->section);
	source->client = vmsect_client_free(source->client);
}
