/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replies of a broker that is not trusted to keep the protocol: every field of
 * the header is compared with what it must be.
 */
#ifndef LIB_REPLY_H
#define LIB_REPLY_H

#include "base/fdmsg.h"

struct vmsect_client;
struct client_reply;

/* What is wrong with the header of the message in client->buffer as a reply, or NULL. */
const char *reply_fault(const struct vmsect_client *client, const struct fdmsg *msg);

/* Notes the broker's sentence, with bytes that a terminal would obey made harmless. */
int reply_fail(struct vmsect_client *client);

/* Checks the reply in client->buffer against what was wanted, and copies it. */
int reply_take(struct vmsect_client *client, struct client_reply *reply, struct fdmsg *msg);

#endif
