/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A wire client that exports sections, and a folder of a tmpfs for their paths. */
#ifndef TESTS_LIB_WIRE_EXPORT_H
#define TESTS_LIB_WIRE_EXPORT_H

#include "lib/wire_client.h"

/* What an EXPORT asks for; owner and group 0: as the section's. */
struct wire_export {
	uint32_t kind;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t vectors;
};

int wire_export(struct wire_client *client, uint32_t handle, const struct wire_export *export);
int wire_unexport(struct wire_client *client, uint32_t handle, uint32_t kind);

/* The path of the last EXPORT's reply. */
const char *wire_exported_path(const struct wire_client *client);

/* Entry `index` of the last list reply; fails the test if there is none. */
const struct vmsect_wire_export *wire_listed_export(const struct wire_client *client,
						    uint32_t index);

/* A section that can be exported; all rights, mode 0600. */
int wire_create_exportable(struct wire_client *client, const char *name, uint64_t bytes);

#define EXPORT_FOLDER_ROOM 64

/* Makes a folder of mode 0755 in /dev/shm. */
void export_folder_make(char folder[EXPORT_FOLDER_ROOM]);

/* Removes it; fails the test if there is something in it, and says what. */
void export_folder_remove(const char *folder);

#endif
