/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the broker does with a peer's message, and with the registry's news. */
#ifndef BROKER_BROKER_REQUEST_H
#define BROKER_BROKER_REQUEST_H

#include "broker/broker.h"

/* As in struct peer_owner; `arg` is the broker. */
void broker_on_message(struct peer *peer, const void *bytes, struct fdmsg *message, void *arg);
void broker_on_cut(struct peer *peer, void *arg);

/* As jobs_ended; `arg` is the broker. */
void broker_on_job(void *arg, struct job *job);

/* As registry_tell; `arg` is the broker.  It is sent when the unit has been kept. */
void broker_on_tell(void *arg, struct party *to, const struct registry_event *from);

/* The same, now. */
void broker_send_event(void *arg, struct party *to, const struct registry_event *from);

#endif
