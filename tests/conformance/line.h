/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a step to the line that an actor is told: numbers in bytes, names of the
 * case, paths of files, values that were kept.
 */
#ifndef CONFORMANCE_LINE_H
#define CONFORMANCE_LINE_H

#include "conformance/run.h"

#define LINE_WORD_BYTES 1024

/* False: run->why says what is wrong. */
bool line_of_step(struct run *run, const struct step *step, char *line, size_t room);

/* The value that a field of an outcome means. */
bool line_field(struct run *run, const struct word *field, char *text, size_t room);

#endif
