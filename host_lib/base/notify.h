/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The two sides of a service manager's protocol that a daemon needs: the
 * sockets that it was started with, and the word that it is ready.  As in
 * sd_listen_fds(3) and sd_notify(3), without their library.
 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#define NOTIFY_FIRST_FD 3 /* passed descriptors start here */

/*
 * How many descriptors were passed to this very process: 0 or more, -EINVAL for
 * variables that make no sense.  Takes LISTEN_* out of the environment and makes
 * the descriptors close-on-exec; they are the caller's.
 */
int notify_take_fds(void);

/*
 * Tells the manager a state such as "READY=1".  0 also if there is no manager;
 * -errno if it cannot be told.
 */
int notify_send(const char *state);

#endif
