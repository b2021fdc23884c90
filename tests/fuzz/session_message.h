/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes to messages: an operation and small operands, that choose among what
 * the world knows and among numbers that are worth trying; or the datagram as
 * it is.  Bytes that are missing are 0.
 */
#ifndef FUZZ_SESSION_MESSAGE_H
#define FUZZ_SESSION_MESSAGE_H

#include "session_world.h"

#define MESSAGE_ROOM 256u /* bytes of the longest, raw ones too */

struct input {
	const uint8_t *bytes;
	size_t size; /* that are left */
};

static inline uint8_t input_take(struct input *input)
{
	if (!input->size)
		return 0;
	input->size--;
	return *input->bytes++;
}

/* One of the numbers that are worth trying. */
uint64_t input_number(struct input *input);

struct datagram {
	struct fdmsg message; /* its size, and its descriptors */
	unsigned char bytes[MESSAGE_ROOM];
};

/* A request of the client for this operation (0: raw bytes). */
void message_make(const struct world *world, struct client *client, uint8_t op, struct input *input,
		  struct datagram *ret_datagram);

#endif
