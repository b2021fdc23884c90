/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a section's devices and objects are called in QEMU and libvirt.
 *
 * Names of sections have bytes that an id must not have: all but letters,
 * digits and '-' become _XX.  No two sections share an id, and detach finds by
 * it what attach has made.  Pure.
 */
#ifndef VMSECT_LIBVIRT_ID_H
#define VMSECT_LIBVIRT_ID_H

#include "base/parse.h"

#define ID_ROOM (32u + 3u * NAME_LENGTH_MAX)

enum id_kind {
	ID_ALIAS, /* of libvirt's <shmem>: it wants "ua-" in front */
	ID_DEVICE, /* of the monitor's device */
	ID_MEMORY, /* of its memory */
};

/* `name` is a section's, so it fits. */
void id_make(char id[static ID_ROOM], enum id_kind kind, const char *name);

#endif
