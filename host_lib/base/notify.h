/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The two sides of a service manager's protocol that a daemon needs: the
 * sockets that it was started with, and the word that it is ready.  As in
 * sd_listen_fds(3) and sd_notify(3), without their library.
 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#include <stdbool.h>

#define NOTIFY_FIRST_FD 3 /* passed descriptors start here */

/*
 * How many descriptors were passed to this very process: 0 or more, -EINVAL for
 * variables that make no sense.  Takes LISTEN_* out of the environment and makes
 * the descriptors close-on-exec; they are the caller's.
 */
int notify_take_fds(void);

/*
 * The same, with the names that the manager gave them, in their order and with
 * colons between (LISTEN_FDNAMES): free it.  NULL: they have no names.  -ENOMEM.
 */
int notify_take_named_fds(char **ret_names);

/*
 * Tells the manager a state such as "READY=1".  0 also if there is no manager;
 * -errno if it cannot be told.
 */
int notify_send(const char *state);

/* The same with a descriptor (borrowed), for "FDSTORE=1".  Does not wait: -EAGAIN. */
int notify_send_fd(const char *state, int fd);

/* Is there a manager that can be told? */
bool notify_is_there(void);

#endif
