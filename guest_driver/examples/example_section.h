/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What both examples do with a section: map it, say what changed, hear of it. */
#ifndef EXAMPLES_EXAMPLE_SECTION_H
#define EXAMPLES_EXAMPLE_SECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "vmsect_guest.h"

/* Owns the mapping and both descriptors. */
struct example_section {
	struct vmsect_guest_mapping map;
	int fd;
	int events_fd; /* -1: notifications cannot be heard, and waits look often */
};

/* Says on standard error what does not go. */
int example_section_open(struct example_section *ret_section, const char *name, bool writable);
void example_section_close(struct example_section *section);

/* Wakes who waits in other VMs.  Lost ones do no harm: who waits also looks. */
void example_section_notify(const struct example_section *section, uint64_t value);
/* Until something was said, at most timeout_ms.  -ENODEV: the section is gone. */
int example_section_wait(const struct example_section *section, int timeout_ms);

uint64_t example_now_ms(void);
/* A number on the command line, at most max; false: it is none. */
bool example_number(const char *text, uint64_t max, uint64_t *ret_number);

#endif
