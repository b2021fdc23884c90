/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmsect-tool: what its files share.  A command returns the program's exit status. */
#ifndef TESTS_GUEST_TOOL_H
#define TESTS_GUEST_TOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "vmsect_guest.h"

/* A section, mapped whole where the command wants it; the arguments behind its name. */
struct target {
	const char *name;
	struct vmsect_section section;
	struct vmsect_guest_mapping map;
	int fd;
	char **args;
};

/* One line on stderr; EXIT_FAILURE. */
int failed(const char *name, const char *what, int err);
bool parse_number(const char *text, uint64_t *ret_value);
/* Milliseconds that never go back. */
int64_t now_ms(void);
/* Until the end of input, or SIGTERM. */
void hold_until_told(void);

int cmd_pread(struct target *t);
int cmd_notify(struct target *t);
int cmd_ring(struct target *t);
int cmd_events(struct target *t);
int cmd_poll(struct target *t);
int cmd_pin(struct target *t);
int cmd_view_write(struct target *t);
int cmd_views(struct target *t);

#endif
