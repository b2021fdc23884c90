/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The listening socket of a DOORBELL: RUNTIME/doorbell/NAME.  What connects there
 * goes to the doorbells of the section, which look at who it is.
 *
 * The section's doorbells are held at the export's number of vectors while the
 * socket is there.  Owned by the export; the broker's one thread.
 */
#ifndef BROKER_EXPORT_LISTEN_H
#define BROKER_EXPORT_LISTEN_H

#include "broker/export.h"

struct export_listener;

/*
 * Listens for the export of the section, whose path, owner and mode it sets.
 * -EOPNOTSUPP, -ENAMETOOLONG (NAME), -EEXIST (NAME), -EBUSY, -EINVAL, -EPERM, -ENOMEM.
 */
int export_listen_open(const struct export_host *host, struct section *section,
		       const struct export_spec *spec, struct export *export,
		       struct refusal *refusal);

/* Removes the socket.  Who has connected stays.  NULL is fine; returns NULL. */
struct export_listener *export_listen_close(struct export_listener *listener);

#endif
