/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of a section that was restored: found by descriptors that the
 * service manager kept or a client hands back, or by the path of its file.
 *
 * What comes is not trusted: it is the memory if it is the inode that the
 * journal noted.  Where the host allows it the broker then opens it anew, with
 * the mode that it needs and a description of its own: a memfd that belongs to
 * the broker's uid is opened for writing even by a read-only descriptor.
 */
#ifndef BROKER_RESTORE_MEMORY_H
#define BROKER_RESTORE_MEMORY_H

#include "broker/registry.h"

/*
 * Takes what the section still lacks from the descriptor (borrowed); it is not
 * missing any more when that is all.  0, also if something is left to come;
 * -EINVAL, -EPERM (FILE).
 */
int restore_memory_adopt(struct section *section, int fd, struct refusal *refusal);

/* Looks for a data file where it was. */
void restore_memory_find(struct section *section);

#endif
