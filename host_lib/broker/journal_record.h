/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between journal_buffer.c and journal_put.c alone. */
#ifndef BROKER_JOURNAL_RECORD_H
#define BROKER_JOURNAL_RECORD_H

#include "broker/journal_buffer.h"

/* The payload of a new record, cleared; NULL without memory. */
void *journal_record_start(struct journal_buffer *buffer, uint32_t type, size_t size);

/* Seals the record that was started. */
void journal_record_end(struct journal_buffer *buffer);

#endif
