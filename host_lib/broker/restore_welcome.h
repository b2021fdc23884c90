/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client that has come back is told: what happened while it was away,
 * and once more what the broker before may not have got through to it.
 */
#ifndef BROKER_RESTORE_WELCOME_H
#define BROKER_RESTORE_WELCOME_H

#include "broker/restore_grace.h"

/* Tells the party that has just been taken, after the answer to its RESUME. */
void restore_welcome(struct restore_grace *grace, struct party *party);

#endif
