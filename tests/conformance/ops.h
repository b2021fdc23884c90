/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operations of the language: what words each takes.  Whoever carries one
 * out (an actor, or the world) has its own table.
 */
#ifndef CONFORMANCE_OPS_H
#define CONFORMANCE_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct words;

#define OP_WORLD 0x1u /* by the interpreter */
#define OP_HOST 0x2u /* by processes only */
#define OP_NAMED 0x4u /* name=VARIABLE if nothing else is said */

/* What a word is. */
enum op_kind {
	OP_VARIABLE, /* a handle or a view */
	OP_NUMBER,
	OP_DATA, /* quoted bytes */
	OP_SECTION, /* a section's name */
	OP_FILE,
	OP_EVENT,
	OP_ACTOR, /* its peer number is sent */
	OP_ACTOR_NAME, /* its name */
	OP_VALUE, /* a number, or a word that the actor knows */
	OP_FLAG, /* a word that is there or not */
	OP_NONE,
};

struct op {
	const char *name;
	const char *form; /* a letter for each plain word, see ops.c */
	const char *keys; /* "key:letter ..." */
	uint32_t flags;
};

const struct op *op_find(const char *name, bool is_world);

/* What the plain word at this place, or the key, is; OP_NONE: not taken. */
enum op_kind op_word_kind(const struct op *op, size_t place);
enum op_kind op_key_kind(const struct op *op, const char *key);

/* How many plain words it takes. */
size_t op_words(const struct op *op);

#endif
