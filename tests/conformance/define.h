/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Definitions of a scenario file: lines that `use` puts into a case, with its
 * arguments in the place of parameters.
 */
#ifndef CONFORMANCE_DEFINE_H
#define CONFORMANCE_DEFINE_H

#include <stddef.h>

#include "conformance/words.h"

struct define_line {
	int line;
	struct words words; /* owned */
	char *text; /* owned */
};

struct define {
	struct words head; /* `define NAME PARAM...`; owned */
	struct define_line *lines; /* owned */
	size_t count;
};

struct defines {
	struct define *define; /* owned */
	size_t count;
};

/* Begins one; takes the words. */
struct define *define_begin(struct defines *defines, struct words *head);
/* One more line of it; takes the words. */
void define_add(struct define *define, int line, struct words *words, const char *text);

const struct define *define_find(const struct defines *defines, const char *name);

/* The parameters that it takes. */
size_t define_parameters(const struct define *define);

/* A line of it with the arguments of `use`, which are the words from 2 on. */
void define_fill(struct words *to, const struct define *define, const struct words *line,
		 const struct words *use);

void defines_deinit(struct defines *defines);

#endif
