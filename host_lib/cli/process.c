/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See process.h. */
#include "cli/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

FILE *process_open(const struct process *process, const char *name)
{
	int fd = openat(process->fd, name, O_RDONLY | O_CLOEXEC);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;

	if (!file)
		(void)fd_close(fd);
	return file;
}

/* The name may have newlines in it: all of the file is taken, but the last one. */
static void read_name(struct process *process)
{
	FILE *file = process_open(process, "comm");
	size_t length;

	process->name[0] = 0;
	if (!file)
		return;
	length = fread(process->name, 1, sizeof(process->name) - 1, file);
	if (length && process->name[length - 1] == '\n')
		length--;
	process->name[length] = 0;
	(void)fclose(file);
}

/* "Uid:	real	effective ...", on a line of its own: the kernel escapes the name. */
static int read_uid(struct process *process)
{
	AUTO_FREE char *line = NULL;
	FILE *file = process_open(process, "status");
	size_t room = 0;
	int r = -ENODATA;

	if (!file)
		return -errno;
	while (r < 0 && getline(&line, &room, file) > 0) {
		if (strncmp(line, "Uid:\t", 5) != 0)
			continue;
		process->uid = (uint32_t)strtoul(line + 5, NULL, 10);
		r = 0;
	}
	(void)fclose(file);
	return r;
}

int process_init(struct process *process, int proc_fd, pid_t pid)
{
	char name[16];
	int r;

	(void)snprintf(name, sizeof(name), "%d", pid);
	process->pid = pid;
	process->fd = openat(proc_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = process->fd < 0 ? -errno : read_uid(process);
	if (!r)
		read_name(process);
	return r;
}

void process_deinit(struct process *process)
{
	process->fd = fd_close(process->fd);
}
