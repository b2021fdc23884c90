/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The section that is attached: its size and the path by which a QEMU reaches
 * its memory.
 *
 * The broker is asked for a handle with the rights that the mode stands for, so
 * that who may not have the section cannot give it to a domain either.  The
 * handle is held until the domain has the memory.
 */
#ifndef VMSECT_LIBVIRT_SOURCE_H
#define VMSECT_LIBVIRT_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include <vmsect/vmsect.h>

#include "libvirt/request.h"

struct source {
	const char *name; /* borrowed from argv */
	enum request_mode mode;
	uint32_t uid; /* of the QEMU that is to open it */
	struct vmsect_client *client; /* owned */
	struct vmsect_section *section; /* owned */
	struct vmsect_section_info info;
	uint64_t size;
	bool is_exported_by_us; /* for this attachment */
	char path[1024];
};

/* Opens it.  0, or -errno after a message. */
int source_open(struct source *source, const struct request *request, uint32_t uid);

/* How a QEMU opens the file: "r" or "rw". */
const char *source_access(const struct source *source);

/* The domain has it: an export stays. */
void source_keep(struct source *source);

/* Cleanup attribute of a source; fine for one that is all zero. */
void source_close(struct source *source);

#endif
