/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where memory that can be exported is: a file without a name in a folder of a
 * tmpfs, or in the top folder of a hugetlbfs mount with pages of 2 MiB.  A folder
 * in which others could move files is none.  Pure but for the file system; any
 * thread.
 */
#ifndef BROKER_EXPORT_PLACE_H
#define BROKER_EXPORT_PLACE_H

#include <stddef.h>

#include "broker/backing.h"

#define EXPORT_DIR_DEFAULT "/dev/shm"

/*
 * A new file without a name and without bytes, for spec->kind (shmem: in
 * spec->export_dir).  A descriptor; -EOPNOTSUPP (ATTR) there is no such folder,
 * -ENOMEM it has no room, or what the system says.
 */
int export_place_new_file(const struct backing_spec *spec, struct refusal *refusal);

/* The folder that such a file may have a name in, by its device.  -ENOENT. */
int export_place_find(uint32_t kind, uint64_t dev, const char *dir, char *path, size_t room);

#endif
