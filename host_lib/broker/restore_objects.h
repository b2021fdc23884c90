/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between restore.c, restore_party.c and restore_section.c alone. */
#ifndef BROKER_RESTORE_OBJECTS_H
#define BROKER_RESTORE_OBJECTS_H

#include "broker/restore.h"
#include "broker/restore_table.h"

struct restore {
	struct registry *registry;
	struct absent_list *absents;
	struct restore_result *result;
	struct refusal refusal;
};

/* An object from its record: 0, -EINVAL (it makes no sense) or -ENOMEM. */
int restore_party(struct restore *restore, const struct restore_entry *entry);
int restore_section(struct restore *restore, const struct restore_entry *entry);

#endif
