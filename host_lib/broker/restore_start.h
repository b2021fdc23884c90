/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The start of a broker that takes over: journal, memory, and patches that were
 * being published.  What it cannot read it moves aside, and begins anew.
 */
#ifndef BROKER_RESTORE_START_H
#define BROKER_RESTORE_START_H

#include "broker/broker.h"

/*
 * Opens the journal at `path` (NULL: there is none) and fills the broker's
 * registry with what was kept; draws a generation if nothing was.  A broker
 * without a journal works, and says so.  -EBUSY: another broker has it; -ENOMEM.
 */
int restore_start(struct broker *broker, const char *path);

/*
 * Ends the patches that were being published, as far as the memory of their
 * sections is there.
 */
void restore_finish_patches(struct broker *broker);

#endif
