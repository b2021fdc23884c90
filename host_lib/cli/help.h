/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Help, made from the verb table and the column tables.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

struct verb;

void help_program(FILE *stream);

void help_verb(FILE *stream, const struct verb *verb);

#endif
