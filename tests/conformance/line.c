// SPDX-License-Identifier: GPL-2.0-or-later
/* See line.h. */
#include "conformance/line.h"

#include <stdio.h>
#include <string.h>

#include "conformance/actor/hex.h"
#include "conformance/ops.h"

static bool put_hex(const struct word *word, char *text, size_t room)
{
	if (2 * word->length + 3 > room)
		return false;
	(void)snprintf(text, room, "x:");
	(void)hex_put(text + 2, word->value, word->length);
	return true;
}

static bool put(char *text, size_t room, const char *value)
{
	return snprintf(text, room, "%s", value) < (int)room;
}

static bool put_number(const struct run *run, const char *value, char *text, size_t room)
{
	uint64_t number;

	if (!number_parse(value, run->scenario->page, &number))
		return false;
	return snprintf(text, room, "%llu", (unsigned long long)number) < (int)room;
}

/* The number by which others know the actor. */
static bool put_peer(struct run *run, const char *name, char *text, size_t room)
{
	struct actor *actor = run_actor(run, name);
	static const char answer[] = "ok peer=";

	if (!actor || actor_ask(actor, "peer", run->until_ms) < 0 ||
	    strncmp(actor->reply.text, answer, strlen(answer)) != 0)
		return false;
	return put(text, room, actor->reply.text + strlen(answer));
}

static bool put_value(struct run *run, enum op_kind kind, const struct word *word, char *text,
		      size_t room)
{
	const char *kept;

	if (word->is_quoted)
		return put_hex(word, text, room);
	if (word->value[0] == '$') {
		kept = run_value(run, word->value + 1);
		return kept && put(text, room, kept);
	}
	switch (kind) {
	case OP_NUMBER:
		return put_number(run, word->value, text, room);
	case OP_SECTION:
		return snprintf(text, room, "c%u.%s", run->number, word->value) < (int)room;
	case OP_FILE:
		return snprintf(text, room, "%s/c%u-%s", run->files, run->number, word->value) <
		       (int)room;
	case OP_ACTOR:
		return put_peer(run, word->value, text, room);
	default:
		return word_is_number(word) ? put_number(run, word->value, text, room)
					    : put(text, room, word->value);
	}
}

static bool add_word(struct run *run, enum op_kind kind, const struct word *word, char **at,
		     char *end)
{
	char value[LINE_WORD_BYTES];

	if (!put_value(run, kind, word, value, sizeof(value)))
		return run_fail(run, "'%s' has no value", word->value);
	*at += snprintf(*at, (size_t)(end - *at), " %s%s%s", word->key ? word->key : "",
			word->key ? "=" : "", value);
	return *at < end || run_fail(run, "the line is too long");
}

static bool has_word(const struct step *step, const char *key, const char *flag)
{
	for (size_t i = step->first; i < step->last; i++)
		if ((step->words.word[i].key && !strcmp(step->words.word[i].key, key)) ||
		    word_is(&step->words.word[i], flag))
			return true;
	return false;
}

/* The variable's name is the section's, if nothing else is said. */
static bool add_name(struct run *run, const struct step *step, char **at, char *end)
{
	if (!(step->op->flags & OP_NAMED) || has_word(step, "name", "anonymous"))
		return true;
	*at += snprintf(*at, (size_t)(end - *at), " name=c%u.%s", run->number,
			step->words.word[step->first].value);
	return *at < end;
}

bool line_of_step(struct run *run, const struct step *step, char *line, size_t room)
{
	char *at = line + snprintf(line, room, "%s", step->op->name);
	size_t place = 0;

	for (size_t i = step->first; i < step->last; i++) {
		const struct word *word = &step->words.word[i];
		enum op_kind kind = word->key ? op_key_kind(step->op, word->key)
					      : op_word_kind(step->op, place++);

		if (!add_word(run, kind, word, &at, line + room))
			return false;
	}
	return add_name(run, step, &at, line + room);
}

bool line_field(struct run *run, const struct word *field, char *text, size_t room)
{
	bool is_name = !strcmp(field->key, "name") && !field->is_quoted && field->value[0] != '$' &&
		       strcmp(field->value, "none") != 0;
	const char *kept = field->value;

	if (is_name)
		return put_value(run, OP_SECTION, field, text, room);
	if (!field->is_quoted && field->value[0] == '$')
		kept = run_value(run, field->value + 1);
	return kept && put(text, room, kept);
}
