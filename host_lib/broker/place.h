/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a broker's socket is, and the folder that it is in.  Root: /run/vmsect.
 * A user: $XDG_RUNTIME_DIR/vmsect, else /run/user/UID/vmsect, else
 * /tmp/vmsect-UID.
 */
#ifndef BROKER_PLACE_H
#define BROKER_PLACE_H

#include <stddef.h>

/* The default path of this process's user.  -ENAMETOOLONG. */
int place_default(char *path, size_t room);

/*
 * Makes the folder of a socket path if it is missing (its parent must exist)
 * and refuses one where others could replace the socket.  -errno, said in the
 * log.
 */
int place_prepare(const char *path);

#endif
