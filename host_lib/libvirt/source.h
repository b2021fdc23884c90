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

#include <stdint.h>

#include <vmsect/vmsect.h>

struct request;

struct source {
	struct vmsect_client *client; /* owned */
	struct vmsect_section *section; /* owned */
	const char *name; /* borrowed from argv */
	uint64_t size;
	const char *access; /* "r" or "rw": how a QEMU opens it */
	char path[1024];
};

/* Opens it.  0, or -errno after a message. */
int source_open(struct source *source, const struct request *request);

/* Cleanup attribute of a source; fine for one that is all zero. */
void source_close(struct source *source);

#endif
