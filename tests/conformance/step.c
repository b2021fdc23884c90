// SPDX-License-Identifier: GPL-2.0-or-later
/* See step.h. */
#include "conformance/step.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/actor/names.h"
#include "conformance/ops.h"

#define SOME_PAGE 4096

bool actor_is_always_host(const char *name)
{
	return name[0] == 'H';
}

static bool is_actor(const struct word *word)
{
	return !word->is_quoted && isupper((unsigned char)word->value[0]) &&
	       word->length < ACTOR_NAME_BYTES && word_is_name(word);
}

/* ERRNO or ERRNO/DETAIL. */
static const char *parse_error(struct outcome *outcome, const char *text, size_t length)
{
	const char *slash = memchr(text, '/', length);
	size_t error = slash ? (size_t)(slash - text) : length;
	size_t detail = slash ? length - error - 1 : 0;

	outcome->kind = OUTCOME_ERROR;
	if (error >= sizeof(outcome->error) || detail >= sizeof(outcome->detail))
		return "no such outcome";
	memcpy(outcome->error, text, error);
	memcpy(outcome->detail, slash ? slash + 1 : "", detail);
	if (!errno_of_name(outcome->error))
		return "no such outcome";
	if (slash && !detail_is_name(outcome->detail))
		return "no such detail";
	return NULL;
}

static const char *parse_outcome(struct outcome *outcome, const char *text, size_t length)
{
	static const struct {
		const char *text;
		enum outcome_kind kind;
	} kinds[] = {
		{ "ok", OUTCOME_OK },	  { "zeros", OUTCOME_ZEROS },
		{ "ones", OUTCOME_ONES }, { "fault", OUTCOME_FAULT },
		{ "lost", OUTCOME_LOST }, { "different", OUTCOME_DIFFERENT },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strlen(kinds[i].text) == length && !memcmp(kinds[i].text, text, length)) {
			outcome->kind = kinds[i].kind;
			return NULL;
		}
	}
	return parse_error(outcome, text, length);
}

/* The word behind the arrow. */
static const char *parse_outcomes(struct step *step, const struct word *word)
{
	const char *text = word->value;
	const char *error = NULL;

	step->outcomes = 1;
	if (word->is_quoted && !word->key) {
		step->outcome[0].kind = OUTCOME_DATA;
		step->data = (size_t)(word - step->words.word);
		return NULL;
	}
	if (word->key) {
		step->outcome[0].kind = OUTCOME_PATTERN;
		if (strcmp(word->key, "pattern") != 0 ||
		    !number_parse(text, SOME_PAGE, &step->outcome[0].seed))
			return "no such outcome";
		return NULL;
	}
	for (step->outcomes = 0; !error; text += *text == '|') {
		size_t length = strcspn(text, "|");

		if (step->outcomes == OUTCOMES_MAX)
			return "too many outcomes";
		error = parse_outcome(&step->outcome[step->outcomes++], text, length);
		text += length;
		if (!*text)
			break;
	}
	return error;
}

static const char *check_kind(enum op_kind kind, const struct word *word)
{
	uint64_t number;

	if (!word->is_quoted && word->value[0] == '$')
		return NULL;
	switch (kind) {
	case OP_NUMBER:
		return number_parse(word->value, SOME_PAGE, &number) ? NULL : "no number";
	case OP_DATA:
		return word->is_quoted ? NULL : "bytes are in quotes";
	case OP_SECTION:
		return word->is_quoted || word_is_name(word) ? NULL : "no name";
	case OP_FILE:
		return word_is_name(word) ? NULL : "no file name";
	case OP_ACTOR:
	case OP_ACTOR_NAME:
		return is_actor(word) ? NULL : "no actor";
	case OP_VARIABLE:
		return word_is_name(word) || word->value[0] == '#' ? NULL : "no variable";
	case OP_EVENT:
	case OP_VALUE:
	case OP_FLAG:
		return word->is_quoted ? "no quotes here" : NULL;
	case OP_NONE:
		break;
	}
	return "the operation does not take it";
}

static const char *check_argument(const struct op *op, const struct word *word, size_t *place)
{
	enum op_kind kind;

	if (word->key) {
		kind = op_key_kind(op, word->key);
		if (word->relation != WORD_EQUAL || kind == OP_FLAG)
			return "key=value is meant";
		return check_kind(kind, word);
	}
	if (*place < op_words(op))
		return check_kind(op_word_kind(op, (*place)++), word);
	return op_key_kind(op, word->value) == OP_FLAG ? NULL : "the operation does not take it";
}

static const char *check_arguments(const struct step *step)
{
	static char text[160];
	const char *error = NULL;
	size_t place = 0;

	for (size_t i = step->first; i < step->last; i++) {
		const struct word *word = &step->words.word[i];

		error = check_argument(step->op, word, &place);
		if (!error)
			continue;
		(void)snprintf(text, sizeof(text), "%s%s%.80s: %s", word->key ? word->key : "",
			       word->key ? "=" : "", word->value, error);
		return text;
	}
	return place < op_words(step->op) ? "words are missing" : NULL;
}

static const char *check_fields(const struct step *step)
{
	for (size_t i = step->fields; i < step->words.count; i++)
		if (!step->words.word[i].key)
			return "after the outcome there are fields only";
	if (step->fields < step->words.count &&
	    (step->outcomes != 1 ||
	     (step->outcome[0].kind != OUTCOME_OK && step->outcome[0].kind != OUTCOME_DIFFERENT)))
		return "this outcome has no fields";
	return NULL;
}

static const char *find_op(struct step *step)
{
	size_t at = step->is_until;
	const struct word *word = step->words.word;

	if (at < step->words.count && !word[at].key && is_actor(&word[at]))
		memcpy(step->actor, word[at++].value, word[step->is_until].length);
	if (at >= step->words.count || word[at].key || word[at].is_quoted)
		return "no operation";
	step->op = op_find(word[at].value, !step->actor[0]);
	if (!step->op)
		return "no such operation";
	if (step->op->flags & OP_HOST && !actor_is_always_host(step->actor))
		return "a guest cannot do that: use an actor whose name begins with H";
	step->first = at + 1;
	return NULL;
}

const char *step_init(struct step *step, struct words *words)
{
	const char *error;

	*step = (struct step){ .words = *words };
	words->count = 0;
	step->is_until = step->words.count && word_is(&step->words.word[0], "until");
	error = find_op(step);
	if (error)
		return error;
	for (step->last = step->first; step->last < step->words.count; step->last++)
		if (word_is(&step->words.word[step->last], "=>"))
			break;
	step->fields = step->words.count;
	step->outcomes = 1;
	if (step->last + 1 == step->words.count)
		return "no outcome";
	if (step->last < step->words.count) {
		step->fields = step->last + 2;
		error = parse_outcomes(step, &step->words.word[step->last + 1]);
	}
	if (!error)
		error = check_arguments(step);
	return error ? error : check_fields(step);
}

void step_deinit(struct step *step)
{
	words_deinit(&step->words);
	free(step->text);
}
