// SPDX-License-Identifier: GPL-2.0-or-later
/* See expect.h. */
#include "conformance/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "conformance/actor/hex.h"
#include "conformance/line.h"
#include "kvm/guests/pattern.h"

/* One number, or several with ':' and ',' between them. */
static bool numbers_match(const char *expected, const char *got, uint64_t page, int *ret_order)
{
	char part[64];
	uint64_t number;
	uint64_t other;
	char *end;

	for (;; expected++, got = end + 1) {
		size_t length = strcspn(expected, ":,");

		(void)snprintf(part, sizeof(part), "%.*s", (int)length, expected);
		if (!number_parse(part, page, &number))
			return false;
		other = strtoull(got, &end, 0);
		expected += length;
		*ret_order = (other > number) - (other < number);
		if (end == got || *end != *expected)
			return false;
		if (!*expected)
			return true;
		if (*ret_order)
			return false;
	}
}

static bool has_part(const char *text, const char *part, size_t length)
{
	for (;; text++) {
		size_t here = strcspn(text, "+");

		if (here == length && !memcmp(text, part, length))
			return true;
		text += here;
		if (!*text)
			return false;
	}
}

/* Words joined by '+', in any order. */
static bool sets_match(const char *expected, const char *got)
{
	if (strlen(expected) != strlen(got))
		return false;
	for (;; expected++) {
		size_t length = strcspn(expected, "+");

		if (!has_part(got, expected, length))
			return false;
		expected += length;
		if (!*expected)
			return true;
	}
}

static bool value_matches(const struct run *run, const struct word *field, const char *expected,
			  const char *got)
{
	int order;

	if (numbers_match(expected, got, run->scenario->page, &order)) {
		if (field->relation == WORD_AT_LEAST)
			return order >= 0;
		if (field->relation == WORD_AT_MOST)
			return order <= 0;
		return (order == 0) == (field->relation == WORD_EQUAL);
	}
	return sets_match(expected, got) == (field->relation == WORD_EQUAL);
}

static bool field_matches(struct run *run, const struct word *field, const char *got)
{
	char expected[LINE_WORD_BYTES];

	if (!got)
		return false;
	if (!field->is_quoted && field->value[0] == '?') {
		run_keep(run, field->value + 1, got);
		return true;
	}
	return line_field(run, field, expected, sizeof(expected)) &&
	       value_matches(run, field, expected, got);
}

static bool fields_match(struct run *run, const struct step *step, const char *fields)
{
	AUTO_FREE char *copy = must(strdup(fields));
	struct args args;

	if (!args_parse(&args, copy))
		return false;
	for (size_t i = step->fields; i < step->words.count; i++) {
		const struct word *field = &step->words.word[i];

		if (!field_matches(run, field, args_text(&args, field->key)))
			return false;
	}
	return true;
}

static bool word_begins(const char *reply, const char *word)
{
	size_t length = strlen(word);

	return !strncmp(reply, word, length) && (!reply[length] || reply[length] == ' ');
}

/* What a read must have given at this place. */
static int expected_byte(const struct step *step, const struct outcome *outcome, uint64_t at,
			 size_t i)
{
	const struct word *data = &step->words.word[step->data];

	switch (outcome->kind) {
	case OUTCOME_DATA:
		return i < data->length ? (unsigned char)data->value[i] : -1;
	case OUTCOME_ONES:
		return 0xff;
	case OUTCOME_PATTERN:
		return pattern_byte(outcome->seed, at + i);
	default:
		return 0;
	}
}

static bool data_matches(const struct step *step, const struct outcome *outcome, const char *reply)
{
	unsigned char byte;
	uint64_t at;
	char *hex;
	size_t i;

	if (!word_begins(reply, "data"))
		return false;
	at = strtoull(reply + 4, &hex, 10);
	hex += *hex == ' ';
	for (i = 0; hex_byte(hex + 2 * i, &byte); i++)
		if (byte != expected_byte(step, outcome, at, i))
			return false;
	return outcome->kind != OUTCOME_DATA || i == step->words.word[step->data].length;
}

static bool error_matches(const struct outcome *outcome, const char *reply)
{
	char error[24];
	char detail[24];

	if (sscanf(reply, "err %23s %23s", error, detail) != 2)
		return false;
	return !strcmp(error, outcome->error) &&
	       (!outcome->detail[0] || !strcmp(detail, outcome->detail));
}

static bool one_matches(struct run *run, const struct step *step, const struct outcome *outcome,
			const char *reply)
{
	switch (outcome->kind) {
	case OUTCOME_OK:
		return (word_begins(reply, "ok") && fields_match(run, step, reply)) ||
		       (word_begins(reply, "data") && step->fields == step->words.count);
	case OUTCOME_DIFFERENT:
		return word_begins(reply, "different") && fields_match(run, step, reply);
	case OUTCOME_ERROR:
		return error_matches(outcome, reply);
	case OUTCOME_FAULT:
		return word_begins(reply, "fault");
	case OUTCOME_LOST:
		return word_begins(reply, "lost");
	case OUTCOME_DATA:
	case OUTCOME_ZEROS:
	case OUTCOME_ONES:
	case OUTCOME_PATTERN:
		return data_matches(step, outcome, reply);
	}
	return false;
}

bool expect_matches(struct run *run, const struct step *step, const char *reply)
{
	for (size_t i = 0; i < step->outcomes; i++)
		if (one_matches(run, step, &step->outcome[i], reply))
			return true;
	return false;
}
