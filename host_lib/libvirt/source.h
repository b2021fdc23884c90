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

#include "libvirt/domain.h"
#include "libvirt/request.h"

struct source {
	const char *name; /* borrowed from argv */
	enum request_mode mode;
	struct domain_user user; /* as whom the QEMU opens it */
	bool needs_write; /* the QEMU opens it for writing */
	struct vmsect_client *client; /* owned */
	struct vmsect_section *section; /* owned */
	struct vmsect_section_info info;
	uint64_t size;
	uint32_t vectors; /* not 0: the path is a socket, of a doorbell */
	bool is_exported_by_us; /* for this attachment */
	char path[1024];
};

/* Opens it for that domain.  0, or -errno after a message. */
int source_open(struct source *source, const struct request *request, const struct domain *domain);

/* How a QEMU opens the file: "r" or "rw". */
const char *source_access(const struct source *source);

/* The domain has it: an export stays. */
void source_keep(struct source *source);

/* Cleanup attribute of a source; fine for one that is all zero. */
void source_close(struct source *source);

#endif
