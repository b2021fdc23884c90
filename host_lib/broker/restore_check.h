/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does a record of a journal make sense by itself?  Pure.  Whether what it names
 * is there, is for restore.c.
 */
#ifndef BROKER_RESTORE_CHECK_H
#define BROKER_RESTORE_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/journal_format.h"

/* `size`: of the payload, with all that follows. */
bool restore_check_party(const struct journal_party *record, size_t size);
bool restore_check_section(const struct journal_section *record, size_t size);
bool restore_check_grant(const struct vmsect_wire_grant *grant);
bool restore_check_range(const struct journal_section *record,
			 const struct vmsect_wire_range *range);
bool restore_check_export(const struct journal_section *section,
			  const struct journal_export *record);
bool restore_check_handle(const struct journal_handle *record);
bool restore_check_view(const struct journal_view *record);
bool restore_check_offer(const struct journal_offer *record);

#endif
