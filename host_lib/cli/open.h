/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verbs that work on one section: its handle, by name.
 */
#ifndef CLI_OPEN_H
#define CLI_OPEN_H

#include "cli/cli.h"

/* A section that a verb has opened; closed by target_deinit(). */
struct target {
	const char *name; /* borrowed from argv */
	struct vmsect_client *client; /* owned */
	struct vmsect_section *section; /* owned */
};

/*
 * Takes the options that every verb has, checks that `count` arguments follow,
 * and returns 0 or OPTION_STOP.  For verbs without options of their own.
 */
int target_options(struct invocation *invocation, int count);

/* Opens the section that the first argument names.  0, or -errno after a message. */
int target_open(struct target *target, const struct invocation *invocation, uint32_t access);

/* Says what could not be done to it, and why.  Returns CLI_FAILED. */
int target_failed(const struct target *target, const char *what, const char *hint);

/* Cleanup attribute of a target. */
void target_deinit(struct target *target);

#endif
