// SPDX-License-Identifier: GPL-2.0-or-later
/* See words.h. */
#include "conformance/words.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/actor/hex.h"

#define KEY_LETTERS "abcdefghijklmnopqrstuvwxyz_0123456789"

void *must(void *memory)
{
	if (memory)
		return memory;
	(void)fprintf(stderr, "conformance: out of memory\n");
	exit(1);
}

/* One byte of a quoted word; NULL if the escape is none. */
static const char *take_byte(const char *at, char *ret_byte)
{
	unsigned char byte;

	if (*at != '\\') {
		*ret_byte = *at;
		return at + 1;
	}
	switch (at[1]) {
	case 'n':
		*ret_byte = '\n';
		return at + 2;
	case '0':
		*ret_byte = '\0';
		return at + 2;
	case '"':
	case '\\':
		*ret_byte = at[1];
		return at + 2;
	case 'x':
		if (!hex_byte(at + 2, &byte))
			return NULL;
		*ret_byte = (char)byte;
		return at + 4;
	default:
		return NULL;
	}
}

static const char *take_quoted(struct word *word, const char **at)
{
	const char *from = *at + 1;

	word->is_quoted = true;
	word->value = must(calloc(1, strlen(from) + 1));
	while (*from != '"') {
		if (!*from)
			return "the quote does not end";
		from = take_byte(from, &word->value[word->length++]);
		if (!from)
			return "no such escape";
	}
	*at = from + 1;
	return **at && **at != ' ' && **at != '\t' ? "something follows the quote" : NULL;
}

static enum word_relation relation_at(const char *at, size_t *ret_length)
{
	*ret_length = 2;
	if (at[0] == '!' && at[1] == '=')
		return WORD_NOT_EQUAL;
	if (at[0] == '>' && at[1] == '=')
		return WORD_AT_LEAST;
	if (at[0] == '<' && at[1] == '=')
		return WORD_AT_MOST;
	*ret_length = 1;
	return *at == '=' ? WORD_EQUAL : WORD_PLAIN;
}

static void take_key(struct word *word, const char **at)
{
	size_t length = strspn(*at, KEY_LETTERS);
	size_t relation_length;

	word->relation = length ? relation_at(*at + length, &relation_length) : WORD_PLAIN;
	if (word->relation == WORD_PLAIN)
		return;
	word->key = must(strndup(*at, length));
	*at += length + relation_length;
}

static const char *take_word(struct word *word, const char **at)
{
	take_key(word, at);
	if (**at == '"')
		return take_quoted(word, at);
	word->length = strcspn(*at, " \t");
	word->value = must(strndup(*at, word->length));
	*at += word->length;
	if (strchr(word->value, '"'))
		return "a quote inside of a word";
	return NULL;
}

const char *words_split(struct words *words, const char *line)
{
	const char *at = line + strspn(line, " \t");
	const char *error = NULL;

	*words = (struct words){ 0 };
	if (*at == '#')
		return NULL;
	while (!error && *at) {
		if (*at == '#' && (at[1] == ' ' || !at[1]))
			break;
		if (words->count == WORDS_MAX)
			error = "too many words";
		else
			error = take_word(&words->word[words->count++], &at);
		if (!error)
			at += strspn(at, " \t");
	}
	if (error)
		words_deinit(words);
	return error;
}

void word_deinit(struct word *word)
{
	free(word->key);
	free(word->value);
	*word = (struct word){ 0 };
}

void words_deinit(struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		word_deinit(&words->word[i]);
	words->count = 0;
}

void word_copy(struct word *to, const struct word *from)
{
	*to = *from;
	to->key = from->key ? must(strdup(from->key)) : NULL;
	to->value = must(calloc(1, from->length + 1));
	memcpy(to->value, from->value, from->length);
}

bool word_is(const struct word *word, const char *text)
{
	return !word->key && !word->is_quoted && !strcmp(word->value, text);
}

bool word_is_number(const struct word *word)
{
	return !word->is_quoted && isdigit((unsigned char)word->value[0]);
}

bool word_is_name(const struct word *word)
{
	const char *letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789.-";

	return !word->is_quoted && isalpha((unsigned char)word->value[0]) &&
	       !word->value[strspn(word->value, letters)];
}

static bool take_unit(const char **at, uint64_t page, uint64_t *number)
{
	const char *units = "KMGT";
	const char *unit = **at ? strchr(units, **at) : NULL;
	uint64_t factor = 1;

	if (unit)
		factor = UINT64_C(1) << (10 * (unit - units + 1));
	else if (**at == 'p')
		factor = page;
	else
		return true;
	(*at)++;
	return !__builtin_mul_overflow(*number, factor, number);
}

static bool take_number(const char **at, uint64_t page, uint64_t *ret_number)
{
	int base = 10;
	int digit;

	*ret_number = 0;
	if ((*at)[0] == '0' && (*at)[1] == 'x') {
		base = 16;
		*at += 2;
	} else if ((*at)[0] == '0' && isdigit((unsigned char)(*at)[1])) {
		base = 8;
	}
	if (hex_digit(**at) < 0 || hex_digit(**at) >= base)
		return false;
	while ((digit = hex_digit(**at)) >= 0 && digit < base) {
		if (__builtin_mul_overflow(*ret_number, base, ret_number) ||
		    __builtin_add_overflow(*ret_number, digit, ret_number))
			return false;
		(*at)++;
	}
	return take_unit(at, page, ret_number);
}

bool number_parse(const char *text, uint64_t page, uint64_t *ret_number)
{
	uint64_t sum;
	uint64_t next;

	if (!take_number(&text, page, &sum))
		return false;
	while (*text == '+' || *text == '-') {
		char sign = *text++;

		if (!take_number(&text, page, &next))
			return false;
		if (sign == '+' ? __builtin_add_overflow(sum, next, &sum)
				: __builtin_sub_overflow(sum, next, &sum))
			return false;
	}
	if (*text)
		return false;
	*ret_number = sum;
	return true;
}
