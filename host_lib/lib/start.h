/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starting a broker on demand.
 */
#ifndef LIB_START_H
#define LIB_START_H

/*
 * Starts vmsectd for `socket_path` and waits until it listens, at most 5 s.
 * Two clients may do so at once: one of the two brokers gives way, and both
 * clients find the other.  Returns 0; -ENOENT no vmsectd was found; -ETIMEDOUT;
 * -ECONNREFUSED it ended with an error; or what starting it said.
 */
int broker_start(const char *socket_path);

#endif
