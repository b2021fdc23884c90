// SPDX-License-Identifier: GPL-2.0-or-later
/* See define.h. */
#include "conformance/define.h"

#include <stdlib.h>
#include <string.h>

#define FIRST 2 /* words before the parameters, and before the arguments */

struct define *define_begin(struct defines *defines, struct words *head)
{
	struct define *define;

	defines->define =
		must(reallocarray(defines->define, defines->count + 1, sizeof(defines->define[0])));
	define = &defines->define[defines->count++];
	*define = (struct define){ .head = *head };
	head->count = 0;
	return define;
}

void define_add(struct define *define, int line, struct words *words, const char *text)
{
	define->lines =
		must(reallocarray(define->lines, define->count + 1, sizeof(define->lines[0])));
	define->lines[define->count++] = (struct define_line){
		.line = line,
		.words = *words,
		.text = must(strdup(text)),
	};
	words->count = 0;
}

const struct define *define_find(const struct defines *defines, const char *name)
{
	for (size_t i = 0; i < defines->count; i++)
		if (word_is(&defines->define[i].head.word[1], name))
			return &defines->define[i];
	return NULL;
}

size_t define_parameters(const struct define *define)
{
	return define->head.count - FIRST;
}

/* The argument that belongs to a word `$PARAM`, or NULL. */
static const struct word *argument(const struct define *define, const struct word *word,
				   const struct words *use)
{
	if (word->is_quoted || word->value[0] != '$')
		return NULL;
	for (size_t i = FIRST; i < define->head.count; i++)
		if (!strcmp(define->head.word[i].value, word->value + 1))
			return &use->word[i];
	return NULL;
}

void define_fill(struct words *to, const struct define *define, const struct words *line,
		 const struct words *use)
{
	*to = (struct words){ .count = line->count };
	for (size_t i = 0; i < line->count; i++) {
		const struct word *word = &line->word[i];
		const struct word *given = argument(define, word, use);

		word_copy(&to->word[i], given ? given : word);
		if (!given || !word->key)
			continue;
		free(to->word[i].key);
		to->word[i].key = must(strdup(word->key));
		to->word[i].relation = word->relation;
	}
}

void defines_deinit(struct defines *defines)
{
	for (size_t i = 0; i < defines->count; i++) {
		struct define *define = &defines->define[i];

		words_deinit(&define->head);
		for (size_t j = 0; j < define->count; j++) {
			words_deinit(&define->lines[j].words);
			free(define->lines[j].text);
		}
		free(define->lines);
	}
	free(defines->define);
	*defines = (struct defines){ 0 };
}
