/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See outside.h. */
#include "cli/outside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/maps.h"
#include "cli/process.h"

#define PID_MAX_EVER 0x7fffffffu

/* One scan. */
struct scan {
	const struct outside_file *files;
	size_t file_count;
	struct outside found;
	size_t room; /* of found.list */
};

/* 1, 0, or -EACCES if it cannot be told. */
static int is_file_by_link(const struct process *process, const struct maps_line *line,
			   const struct outside_file *file)
{
	char link[64];
	struct stat status;

	(void)snprintf(link, sizeof(link), "map_files/%" PRIx64 "-%" PRIx64, line->start,
		       line->end);
	if (fstatat(process->fd, link, &status, 0) < 0)
		return -EACCES;
	return status.st_dev == file->device && status.st_ino == file->inode;
}

static bool is_file(const struct process *process, const struct maps_line *line,
		    const struct outside_file *file)
{
	bool has_path = !strcmp(line->path, file->path);
	int r;

	if (line->inode == file->inode && line->device == file->device)
		return true;
	if (line->inode != file->inode && !has_path)
		return false;
	r = is_file_by_link(process, line, file);
	return r < 0 ? has_path : r;
}

static int scan_add(struct scan *scan, const struct process *process, const struct maps_line *line,
		    size_t file)
{
	struct outside_mapping *mapping;

	if (scan->found.count == scan->room) {
		size_t room = scan->room ? 2 * scan->room : 16;
		struct outside_mapping *list = reallocarray(scan->found.list, room, sizeof(*list));

		if (!list)
			return -ENOMEM;
		scan->found.list = list;
		scan->room = room;
	}
	mapping = &scan->found.list[scan->found.count++];
	*mapping = (struct outside_mapping){
		.file = file,
		.pid = process->pid,
		.uid = process->uid,
		.start = line->start,
		.length = line->end - line->start,
		.offset = line->offset,
	};
	memcpy(mapping->name, process->name, sizeof(mapping->name));
	memcpy(mapping->access, line->access, sizeof(mapping->access));
	return 0;
}

static int scan_line(struct scan *scan, const struct process *process, char *text)
{
	struct maps_line line;
	size_t i;
	int r = 0;

	if (!maps_parse(text, &line) || !line.inode)
		return 0;
	for (i = 0; i < scan->file_count && !r; i++) {
		if (is_file(process, &line, &scan->files[i]))
			r = scan_add(scan, process, &line, i);
	}
	return r;
}

static int scan_process(struct scan *scan, const struct process *process)
{
	AUTO_FREE char *text = NULL;
	FILE *maps = process_open(process, "maps");
	size_t room = 0;
	int r = 0;

	if (!maps) {
		/* One that has ended hides nothing. */
		scan->found.hidden += errno == EACCES || errno == EPERM;
		return 0;
	}
	while (!r && getline(&text, &room, maps) > 0)
		r = scan_line(scan, process, text);
	(void)fclose(maps);
	return r;
}

static int scan_entry(struct scan *scan, int proc_fd, const char *name)
{
	AUTO(process_deinit) struct process process = { .fd = -1 };
	uint32_t pid;

	if (parse_u32(name, PID_MAX_EVER, &pid) < 0 || !pid ||
	    process_init(&process, proc_fd, (pid_t)pid) < 0)
		return 0;
	return scan_process(scan, &process);
}

int outside_scan(int proc_fd, const struct outside_file *files, size_t count,
		 struct outside *ret_outside)
{
	struct scan scan = { .files = files, .file_count = count };
	int fd = openat(proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	int r = 0;

	if (!folder) {
		r = -errno;
		(void)fd_close(fd);
		return r;
	}
	while (!r && (entry = readdir(folder)))
		r = scan_entry(&scan, proc_fd, entry->d_name);
	(void)closedir(folder);
	if (r < 0)
		outside_deinit(&scan.found);
	else
		*ret_outside = scan.found;
	return r;
}

void outside_deinit(struct outside *outside)
{
	free(outside->list);
	*outside = (struct outside){ 0 };
}
