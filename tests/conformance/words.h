/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words of a line of a scenario: plain ones, quoted ones, and key=value.
 *
 * One thread.
 */
#ifndef CONFORMANCE_WORDS_H
#define CONFORMANCE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORDS_MAX 32

enum word_relation {
	WORD_PLAIN,
	WORD_EQUAL,
	WORD_NOT_EQUAL,
	WORD_AT_LEAST,
	WORD_AT_MOST,
};

struct word {
	enum word_relation relation;
	bool is_quoted; /* the value */
	char *key; /* owned; NULL: plain */
	char *value; /* owned; ends with NUL, may have others */
	size_t length; /* of the value */
};

struct words {
	struct word word[WORDS_MAX];
	size_t count;
};

/* Splits a line.  NULL, or what is wrong with it; then `words` is empty. */
const char *words_split(struct words *words, const char *line);

void words_deinit(struct words *words);

/* A copy of a word. */
void word_copy(struct word *to, const struct word *from);
void word_deinit(struct word *word);

/* A plain word of this text that is not quoted. */
bool word_is(const struct word *word, const char *text);

/* A value that begins with a digit is a number. */
bool word_is_number(const struct word *word);

/* N[KMGTp][+N...][-N...], N decimal, 0x or (as C has it) octal; false if it is none or does not
 * fit. */
bool number_parse(const char *text, uint64_t page, uint64_t *ret_number);

/* A name of a variable or of a section: letters, digits, '_', '.', '-'. */
bool word_is_name(const struct word *word);

/* What no scenario can go on without. */
void *must(void *memory);

#endif
