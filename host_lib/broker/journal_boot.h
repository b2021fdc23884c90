/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which boot of the host this is: processes, memory and times are of one boot alone. */
#ifndef BROKER_JOURNAL_BOOT_H
#define BROKER_JOURNAL_BOOT_H

#include "broker/journal_format.h"

/* A text that no other boot has; empty if the host does not say. */
void journal_boot_id(char ret_id[JOURNAL_BOOT_ID_BYTES]);

#endif
