/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a broker's socket is, and the folder that it is in.  Root: /run/vmsect.
 * A user: $XDG_RUNTIME_DIR/vmsect, else /run/user/UID/vmsect, else
 * /tmp/vmsect-UID.
 */
#ifndef BROKER_PLACE_H
#define BROKER_PLACE_H

#include <stdbool.h>
#include <stddef.h>

/* The default path of this process's user.  -ENAMETOOLONG. */
int place_default(char *path, size_t room);

/* The folder that a path is in; `room` is enough for the path itself. */
void place_folder(const char *path, char *folder, size_t room);

/*
 * The default folder of what must outlive the host: $STATE_DIRECTORY; root:
 * /var/lib/vmsect; a user: $XDG_STATE_HOME/vmsect, else ~/.local/state/vmsect.
 * It need not be there.  -ENAMETOOLONG, -ENOENT: none can be named.
 */
int place_state_dir(char *path, size_t room);

/*
 * Makes the folder of a socket path if it is missing (its parent must exist)
 * and refuses one where others could replace the socket.  -errno, said in the
 * log.
 */
int place_prepare(const char *path);

/*
 * The folder for what outlives the broker, but not the host: of the socket at
 * `socket_path`, or what the service manager gives ($RUNTIME_DIRECTORY) if
 * `is_passed`.  -EPERM and the like if others can change it.
 */
int place_runtime(const char *socket_path, bool is_passed, char *dir, size_t room);

/*
 * The folder for what outlives the host: what the service manager gives
 * ($STATE_DIRECTORY), /var/lib/vmsect for root, $XDG_STATE_HOME/vmsect or
 * ~/.local/state/vmsect for a user.  It may be missing.  -ENOENT: there is no
 * such place; -ENAMETOOLONG; -errno: what the manager gives cannot be found.
 */
int place_state(char *dir, size_t room);

#endif
