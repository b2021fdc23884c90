/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verbs that are programs of their own: vmsect becomes them.
 */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

struct invocation;

/*
 * Becomes the program: the one beside this one, so that a build tree uses its
 * own, else the one in $PATH.  `argv` is its own, argv[0] its name.  Returns only
 * if there is none, CLI_FAILED after a message that ends in `hint`.
 */
int program_run(const struct invocation *invocation, char **argv, const char *hint);

#endif
