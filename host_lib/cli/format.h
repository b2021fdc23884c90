/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values as cells.  Each makes a text for free(); 0 or -ENOMEM.
 */
#ifndef CLI_FORMAT_H
#define CLI_FORMAT_H

#include <stdint.h>

#include <vmsect/vmsect.h>

#include "cli/table.h"

int format_text(const char *text, char **ret_text); /* an empty one is no text at all */
int format_number(uint64_t number, char **ret_text);
int format_signed(int64_t number, char **ret_text);
int format_boolean(int value, enum cell_form form, char **ret_text);

/* 16M for people, a number for machines. */
int format_size(uint64_t bytes, enum cell_form form, char **ret_text);

/* 0x7f0000000000 in text, a number in JSON. */
int format_place(uint64_t place, enum cell_form form, char **ret_text);

/* 0640; a string in JSON too. */
int format_mode(uint32_t mode, char **ret_text);

/* The user's or the group's name, or the number if there is none. */
int format_user(uint32_t uid, char **ret_text);
int format_group(uint32_t gid, char **ret_text);

/* Words; never NULL. */
const char *word_of_protection(enum vmsect_protection protection);
const char *word_of_backing(enum vmsect_backing backing);
const char *word_of_mode(enum vmsect_protection protection); /* ro, rw, cow, none */

#endif
