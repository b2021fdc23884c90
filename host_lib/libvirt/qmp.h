/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands for the monitor of a domain's QEMU, through libvirt.
 *
 * libvirt marks the domain as tainted at the first one.  Answers are QEMU's:
 * a guest cannot write them, but they are checked where they are used.
 */
#ifndef VMSECT_LIBVIRT_QMP_H
#define VMSECT_LIBVIRT_QMP_H

#include <stdbool.h>

#include <jansson.h>

struct domain;

/* How a command failed. */
struct qmp_error {
	bool is_from_qemu; /* or else libvirt had it not carried out */
	char text[512];
};

/*
 * Carries a command out.  `arguments` is taken, NULL: none.  Returns 0; -EIO
 * with *error filled in; or -ENOMEM.  *ret_answer, unless NULL, is the caller's.
 */
int qmp_run(const struct domain *domain, const char *command, json_t *arguments,
	    struct qmp_error *error, json_t **ret_answer);

/* The names of an object's properties and children, as qom-list has them; as above. */
int qmp_list(const struct domain *domain, const char *path, struct qmp_error *error,
	     json_t **ret_list);

/* True if a qom-list has that name. */
bool qmp_list_has(const json_t *list, const char *name);

/* Cleanup attribute of a json_t. */
void json_cleanup(json_t **json);

#endif
