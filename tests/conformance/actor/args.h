/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an actor is told, and what it answers: a message each way is one line.
 *
 *     OPERATION WORD... KEY=VALUE...      numbers are decimal, bytes are x:HEX
 *
 *     ok KEY=VALUE...                     it succeeded
 *     err ERRNO DETAIL SENTENCE           it was refused
 *     data OFFSET HEX                     bytes, and where in the section they are
 *     fault, lost, different at=N         as the language has them
 *     bad SENTENCE                        nothing that a scenario may expect
 *
 * One thread.
 */
#ifndef CONFORMANCE_ARGS_H
#define CONFORMANCE_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARGS_MAX 24
#define ARGS_READ_MAX 65536u /* bytes of one read */
#define LINE_BYTES (2 * ARGS_READ_MAX + 4096)

struct args {
	const char *op;
	char *word[ARGS_MAX];
	size_t count;
	struct {
		const char *key;
		char *value;
	} pair[ARGS_MAX];
	size_t pairs;
};

struct reply {
	char text[LINE_BYTES];
};

/* Splits the line in place; it is borrowed from then on. */
bool args_parse(struct args *args, char *line);

/* Word number `place`, or "". */
const char *args_word(const struct args *args, size_t place);
uint64_t args_word_number(const struct args *args, size_t place);
bool args_flag(const struct args *args, const char *flag);

/* The value of a key, or NULL; or as a number. */
const char *args_text(const struct args *args, const char *key);
bool args_has(const struct args *args, const char *key);
uint64_t args_number(const struct args *args, const char *key, uint64_t otherwise);

/* Decodes x:HEX in place, other text stays; NUL is put behind.  Its length. */
size_t args_bytes(char *text);

void reply_ok(struct reply *reply, const char *format, ...) __attribute__((format(printf, 2, 3)));
void reply_bad(struct reply *reply, const char *format, ...) __attribute__((format(printf, 2, 3)));
void reply_error(struct reply *reply, int error, const char *detail, const char *sentence);
/* A word alone: fault, lost. */
void reply_word(struct reply *reply, const char *word);
void reply_different(struct reply *reply, uint64_t at);
void reply_data(struct reply *reply, uint64_t at, const unsigned char *bytes, size_t count);

#endif
