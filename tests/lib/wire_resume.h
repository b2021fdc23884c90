/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A wire client whose broker is replaced: RESUME, HAND_BACK, and the same request again. */
#ifndef TESTS_LIB_WIRE_RESUME_H
#define TESTS_LIB_WIRE_RESUME_H

#include "lib/wire_client.h"

/* Who a client was, as HELLO's reply said. */
struct wire_identity {
	uint32_t peer;
	uint64_t generation;
	unsigned char token[VMSECT_TOKEN_BYTES];
};

/* wire_join(), and who it is. */
void wire_join_noted(struct wire_client *client, const char *path, const char *name,
		     struct wire_identity *ret_identity);

/* Says RESUME on this connection: the status. */
int wire_say_resume(struct wire_client *client, const struct wire_identity *identity);

/* Closes what is left of the old connection and resumes on a new one; its cookies go on. */
int wire_resume(struct wire_client *client, const char *path, const struct wire_identity *identity);

/* How many sections the last RESUME's reply wants, and which. */
uint32_t wire_wanted_count(const struct wire_client *client);
uint64_t wire_wanted(const struct wire_client *client, uint32_t index);

int wire_hand_back(struct wire_client *client, uint64_t section, int fd);

/* The last call is made again with its cookie. */
#define WIRE_AGAIN(client, call) ((client)->cookie--, (call))

#endif
