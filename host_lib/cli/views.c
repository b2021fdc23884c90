/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See views.h.  A process that has the section open through the broker is not
 * looked at: its mappings are its views.
 */
#include "cli/views.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "cli/broker_program.h"
#include "cli/cli.h"

static int say_failure(int r, const char *why)
{
	cli_error("cannot list views: %s", why);
	return r;
}

static struct view_row *rows_grow(struct view_rows *rows, size_t more)
{
	struct view_row *list = reallocarray(rows->list, rows->count + more, sizeof(*list));

	if (!list) {
		(void)say_failure(-ENOMEM, strerror(ENOMEM));
		return NULL;
	}
	rows->list = list;
	list += rows->count;
	memset(list, 0, more * sizeof(*list));
	rows->count += more;
	return list;
}

static int rows_add_views(struct view_rows *rows, struct vmsect_client *client, uint64_t id)
{
	AUTO_FREE struct vmsect_view_info *views = NULL;
	struct view_row *row;
	size_t count = 0, i;
	int r = vmsect_list_views(client, id, &views, &count);

	if (r < 0)
		return say_failure(r, vmsect_client_error(client));
	if (!count)
		return 0;
	row = rows_grow(rows, count);
	if (!row)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		row[i].view = views[i];
	return 0;
}

/* Files by which sections can be reached, and whose they are. */
struct section_files {
	struct outside_file *list; /* owned */
	size_t *owners; /* owned; whose each is, an index of sections */
	const struct vmsect_section_info *sections; /* borrowed */
	struct vmsect_export_info *exports; /* owned */
	size_t count;
};

static void section_files_deinit(struct section_files *files)
{
	free(files->list);
	free(files->owners);
	free(files->exports);
}

static void section_files_add(struct section_files *files, size_t section, const char *path)
{
	struct stat status;

	if (!*path || stat(path, &status) < 0)
		return;
	files->owners[files->count] = section;
	files->list[files->count++] = (struct outside_file){ .device = status.st_dev,
							     .inode = status.st_ino,
							     .path = path };
}

/* Data files have a path, and what is exported as one. */
static void section_files_add_all(struct section_files *files, size_t at, size_t export_count)
{
	const struct vmsect_section_info *section = &files->sections[at];
	size_t i;

	section_files_add(files, at, section->path);
	for (i = 0; i < export_count; i++) {
		const struct vmsect_export_info *export = &files->exports[i];

		if (section->backing != VMSECT_BACKING_FILE && export->section_id == section->id &&
		    export->as == VMSECT_EXPORT_AS_PATH)
			section_files_add(files, at, export->path);
	}
}

static int section_files_init(struct section_files *files, struct vmsect_client *client,
			      const struct vmsect_section_info *sections, size_t count)
{
	size_t export_count = 0, i;
	int r = vmsect_list_exports(client, 0, &files->exports, &export_count);

	if (r < 0)
		return say_failure(r, vmsect_client_error(client));
	files->list = calloc(count + export_count + 1, sizeof(*files->list));
	files->owners = calloc(count + export_count + 1, sizeof(*files->owners));
	files->sections = sections;
	if (!files->list || !files->owners)
		return say_failure(-ENOMEM, strerror(ENOMEM));
	for (i = 0; i < count; i++)
		section_files_add_all(files, i, export_count);
	return 0;
}

/* Those who have a section open. */
struct insiders {
	struct vmsect_peer_info *list; /* owned */
	size_t count;
};

static void insiders_free(struct insiders *insiders, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		free(insiders[i].list);
	free(insiders);
}

static int insiders_fetch(struct insiders *insiders, struct vmsect_client *client,
			  const struct section_files *files)
{
	size_t i;
	int r = 0;

	for (i = 0; i < files->count && !r; i++) {
		r = vmsect_list_section_peers(client, files->sections[files->owners[i]].id,
					      &insiders[i].list, &insiders[i].count);
		/* It has ended in the meantime: nobody has it. */
		if (r == -ENOENT)
			r = 0;
	}
	return r < 0 ? say_failure(r, vmsect_client_error(client)) : 0;
}

static bool insiders_have(const struct insiders *insiders, pid_t pid)
{
	size_t i;

	for (i = 0; i < insiders->count; i++) {
		if (insiders->list[i].pid == pid)
			return true;
	}
	return false;
}

static int rows_add_outside(struct view_rows *rows, const struct outside *outside,
			    const struct section_files *files, const struct insiders *insiders)
{
	size_t i;

	for (i = 0; i < outside->count; i++) {
		const struct outside_mapping *mapping = &outside->list[i];
		const struct vmsect_section_info *section =
			&files->sections[files->owners[mapping->file]];
		struct view_row *row;

		if (insiders_have(&insiders[mapping->file], mapping->pid) ||
		    is_broker_program(mapping->pid))
			continue;
		row = rows_grow(rows, 1);
		if (!row)
			return -ENOMEM;
		row->is_outside = true;
		row->mapping = *mapping;
		row->view.section_id = section->id;
		memcpy(row->view.section_name, section->name, sizeof(section->name));
	}
	rows->hidden = outside->hidden;
	return 0;
}

static int rows_look_outside(struct view_rows *rows, struct vmsect_client *client,
			     const struct section_files *files)
{
	AUTO(outside_deinit) struct outside outside = { 0 };
	AUTO_FD int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct insiders *insiders;
	int r;

	if (!files->count)
		return 0;
	r = proc_fd < 0 ? -errno : outside_scan(proc_fd, files->list, files->count, &outside);
	if (r < 0)
		return say_failure(r, strerror(-r));
	insiders = calloc(files->count, sizeof(*insiders));
	if (!insiders)
		return say_failure(-ENOMEM, strerror(ENOMEM));
	/* After the scan: who comes in between is a client, not a stranger. */
	r = insiders_fetch(insiders, client, files);
	if (!r)
		r = rows_add_outside(rows, &outside, files, insiders);
	insiders_free(insiders, files->count);
	return r;
}

int view_rows_fetch(struct view_rows *rows, struct vmsect_client *client, uint64_t id,
		    const struct vmsect_section_info *sections, size_t section_count)
{
	AUTO(section_files_deinit) struct section_files files = { 0 };
	int r = rows_add_views(rows, client, id);

	if (!r)
		r = section_files_init(&files, client, sections, section_count);
	return r ? r : rows_look_outside(rows, client, &files);
}

void view_rows_note(const struct view_rows *rows)
{
	if (rows->hidden)
		cli_error("note: %zu processes could not be looked at, and may map a section's "
			  "file without the broker; root may look at those of all users",
			  rows->hidden);
}

void view_rows_deinit(struct view_rows *rows)
{
	free(rows->list);
	*rows = (struct view_rows){ 0 };
}
