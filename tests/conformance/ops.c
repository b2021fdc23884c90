// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See ops.h.  Letters: v variable, n number, d data, s section, f file, e event,
 * a actor, A actor by its name, o value, ! flag.
 */
#include "conformance/ops.h"

#include <string.h>

static const struct op ops[] = {
	{ "create", "v",
	  "prot:o size:n max:n backing:o file:f name:s access:o mode:n page_shift:n flags:o "
	  "anonymous:!",
	  OP_NAMED },
	{ "open", "v", "name:s access:o", OP_NAMED },
	{ "dup", "vv", "access:o", 0 },
	{ "close", "v", "", 0 },
	{ "query", "v", "", 0 },
	{ "map", "vv", "prot:o offset:n length:n room:n commit:n at:o by:n flags:o", 0 },
	{ "unmap", "v", "", 0 },
	{ "view", "v", "", 0 },
	{ "pages", "vn", "", 0 },
	{ "protect", "v", "prot:o offset:n length:n", 0 },
	{ "commit", "v", "offset:n length:n prot:o", 0 },
	{ "extend", "vn", "", 0 },
	{ "flush", "v", "offset:n length:n durable:!", 0 },
	{ "reset", "v", "offset:n length:n", 0 },
	{ "diff", "v", "", 0 },
	{ "publish", "vv", "", 0 },
	{ "read", "vnn", "", 0 },
	{ "write", "vnd", "", 0 },
	{ "fill", "vnn", "pattern:n byte:n", 0 },
	{ "compare", "vnn", "pattern:n byte:n", 0 },
	{ "wait", "e", "view:v handle:v", 0 },
	{ "peer", "", "", 0 },
	{ "pass", "v", "to:a access:o expires:n", OP_HOST },
	{ "accept", "v", "offer:n", OP_HOST },
	{ "grant", "v", "uid:n gid:n vm:A access:o revoke:!", OP_HOST },
	{ "ungrant", "v", "uid:n gid:n vm:A revoke:!", OP_HOST },
	{ "grants", "v", "", OP_HOST },
	{ "seal", "v", "", OP_HOST },
	{ "remove", "s", "", OP_HOST },
	{ "list", "s", "", OP_HOST },
	{ "sections", "", "", OP_HOST },
	{ "views", "s", "", OP_HOST },
	{ "peers", "s", "", OP_HOST },
	{ "flush_section", "v", "offset:n length:n durable:!", OP_HOST },
	{ "flushed", "v", "offset:n length:n durable:!", OP_HOST },
	{ "publish_patch", "vnn", "pattern:n", OP_HOST },
	{ "prefetch", "v", "offset:n length:n", OP_HOST },
	{ "file_query", "f", "", OP_HOST },
	{ "file_truncate", "fn", "", OP_HOST },
	{ "file_remove", "f", "", OP_HOST },
	{ "file", "f", "size:n pattern:n mode:n", OP_WORLD },
	{ "truncate", "fn", "", OP_WORLD },
	{ "write_file", "fnd", "", OP_WORLD },
	{ "read_file", "fnn", "", OP_WORLD },
	{ "compare_file", "fnn", "pattern:n byte:n", OP_WORLD },
	{ "stat_file", "f", "", OP_WORLD },
	{ "remove_file", "f", "", OP_WORLD },
	{ "kill", "A", "", OP_WORLD },
	{ "broker", "!", "", OP_WORLD },
};

const struct op *op_find(const char *name, bool is_world)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (!strcmp(ops[i].name, name) && is_world == !!(ops[i].flags & OP_WORLD))
			return &ops[i];
	return NULL;
}

static enum op_kind letter_kind(char letter)
{
	static const char letters[] = "vndsfeaAo!";
	const char *at = letter ? strchr(letters, letter) : NULL;

	return at ? (enum op_kind)(at - letters) : OP_NONE;
}

enum op_kind op_word_kind(const struct op *op, size_t place)
{
	return place < strlen(op->form) ? letter_kind(op->form[place]) : OP_NONE;
}

enum op_kind op_key_kind(const struct op *op, const char *key)
{
	size_t length = strlen(key);

	for (const char *at = op->keys; *at; at += strcspn(at, " "), at += *at == ' ')
		if (!strncmp(at, key, length) && at[length] == ':')
			return letter_kind(at[length + 1]);
	return OP_NONE;
}

size_t op_words(const struct op *op)
{
	return strlen(op->form);
}
