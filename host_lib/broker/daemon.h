/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Into the background, with a parent that waits for the word.  The parent's
 * exit status says whether the daemon listens, so that whoever started it may
 * connect at once.
 */
#ifndef BROKER_DAEMON_H
#define BROKER_DAEMON_H

/*
 * Forks.  Returns in the child alone, with a descriptor for daemon_ready();
 * the parent waits for it and exits with the status that it carries, or with 1
 * if the child ends before.  -errno if there can be no child.
 */
int daemon_start(void);

/*
 * Tells the parent to exit with `status`, and lets the terminal and the
 * inherited standard streams go.  Takes the descriptor.
 */
void daemon_ready(int fd, unsigned char status);

#endif
