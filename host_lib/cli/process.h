/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process as its folder in /proc tells.  The folder is held open: what is read
 * is all of one process, even if its number is given away meanwhile.
 */
#ifndef CLI_PROCESS_H
#define CLI_PROCESS_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct process {
	int fd; /* owned; its folder */
	pid_t pid;
	uint32_t uid; /* real: the folder's owner is root for those that hide their memory */
	char name[64];
};

/* 0, or -errno: it has ended, or must not be seen. */
int process_init(struct process *process, int proc_fd, pid_t pid);

/* A file of its folder, to be read; NULL with errno. */
FILE *process_open(const struct process *process, const char *name);

/* Cleanup attribute of a process. */
void process_deinit(struct process *process);

#endif
