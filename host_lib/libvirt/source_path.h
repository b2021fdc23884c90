/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The path of a section's memory: a data file's own, or an export.
 */
#ifndef VMSECT_LIBVIRT_SOURCE_PATH_H
#define VMSECT_LIBVIRT_SOURCE_PATH_H

struct source;

/*
 * Opens the section and finds its path; memory that has none yet is exported to
 * the QEMU's group.  An export that somebody else has made keeps its owner.
 * 0, or -errno after a message.
 */
int source_find_path(struct source *source);

#endif
