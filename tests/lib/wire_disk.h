/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations of the wire that change what is behind a section; see wire_client.h. */
#ifndef TESTS_LIB_WIRE_DISK_H
#define TESTS_LIB_WIRE_DISK_H

#include "lib/wire_client.h"

int wire_extend(struct wire_client *client, uint32_t handle, uint64_t size_bytes);
int wire_commit(struct wire_client *client, uint64_t view, uint64_t offset, uint64_t length);

/* Of a handle or, where that is 0, of a view. */
int wire_flush(struct wire_client *client, uint32_t handle, uint64_t view,
	       const struct vmsect_wire_range *range, uint32_t flags);

/* A descriptor of -1 is not sent. */
int wire_publish(struct wire_client *client, uint32_t handle, uint32_t count, int patch);
int wire_file(struct wire_client *client, uint32_t action, uint64_t size_bytes, int fd);

/* MAP with all of its fields; the header is filled in. */
int wire_map_as(struct wire_client *client, const struct vmsect_req_map *map);

/* A section of a data file by its path: read-only, or with both descriptors. */
int wire_create_file(struct wire_client *client, const struct wire_create *create,
		     const char *path);

#endif
