/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verbs that are programs of their own: vmsect becomes them.
 */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

struct invocation;

/* The path of a file beside this program.  False: it cannot be told where that is. */
bool path_beside_program(const char *name, char *path, size_t room);

/*
 * Becomes the program: the one beside this one, so that a build tree uses its
 * own, else the one in $PATH.  `argv` is its own, argv[0] its name.  Returns only
 * if there is none, CLI_FAILED after a message that ends in `hint`.
 */
int program_run(const struct invocation *invocation, char **argv, const char *hint);

#endif
