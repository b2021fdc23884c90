/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A message of the ivshmem server protocol, version 0: 8 bytes, a signed
 * little-endian number, with one descriptor or none, over a stream.
 */
#ifndef BROKER_DOORBELL_WIRE_H
#define BROKER_DOORBELL_WIRE_H

#include <stdint.h>

#define DOORBELL_WIRE_VERSION 0 /* the first message */
#define DOORBELL_WIRE_MEMORY (-1) /* the section, with its descriptor */

/*
 * Sends all of it or nothing, and never waits.  @fd: borrowed, or -1.  -EAGAIN;
 * -ETOOMANYREFS: too many descriptors are on their way to readers; -EPROTO: a
 * part of it has gone out, and the stream is of no use any more; what the
 * system says.
 */
int doorbell_wire_send(int socket, int64_t value, int fd);

#endif
