/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of an exported file: DIR/vmsect-NAME in public, DIR/.vmsect-INODE
 * parked.  Nothing that is there is ever replaced, and no name is taken away that
 * is not of the right inode.  For export.c and export_recover.c.
 */
#ifndef BROKER_EXPORT_NAME_H
#define BROKER_EXPORT_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/registry.h"

/* In the folder `dir`.  -ENAMETOOLONG. */
int export_name_public(const struct section *section, const char *dir, char *path, size_t room);
int export_name_parked(const struct section *section, const char *dir, char *path, size_t room);

/* Is that name one of the section's memory?  No link is followed. */
bool export_name_is_ours(const struct section *section, const char *path);

/* The first name of a file that never had one.  -EEXIST and the like. */
int export_name_link(const struct section *section, const char *path);

/* Another name instead of this one, if this one is ours.  -EEXIST, -ENOENT and the like. */
int export_name_move(const struct section *section, const char *from, const char *to);

/* Takes the name away if it is ours. */
void export_name_remove(const struct section *section, const char *path);

#endif
