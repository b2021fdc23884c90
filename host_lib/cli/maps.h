/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line of /proc/PID/maps.  Pure.
 *
 * The path in it is whatever somebody called a file: it is compared and never
 * printed.
 */
#ifndef CLI_MAPS_H
#define CLI_MAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct maps_line {
	uint64_t start;
	uint64_t end;
	uint64_t offset; /* in the file */
	dev_t device; /* of the file's mount inside the kernel; not always what stat() says */
	uint64_t inode; /* 0: no file */
	char access[5]; /* "rw-s" */
	const char *path; /* into the line; the kernel writes \n as \012 */
};

/* Takes a line apart, in place.  False: it is none. */
bool maps_parse(char *line, struct maps_line *ret_line);

#endif
