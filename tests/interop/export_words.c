/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See export_words.h. */
#include "interop/export_words.h"

#include "lib/check.h"

#include <stdlib.h>
#include <string.h>

#include "kvm/bed.h"

#define OPTIONS_MAX 11

void export_words_get(struct export_words *words, struct bed *bed, const char *const *options)
{
	const char *all[OPTIONS_MAX + 2] = { "export" };
	size_t count = 1, found = 0;
	char *at, *rest;

	while (*options && count <= OPTIONS_MAX)
		all[count++] = *options++;
	assert_null(*options);
	*words = (struct export_words){ .text = bed_run_cli(bed, all) };
	assert_non_null(words->text);
	/* Paths of these tests need no quotes. */
	assert_null(strchr(words->text, '\''));
	for (at = strtok_r(words->text, "\n", &rest); at; at = strtok_r(NULL, "\n", &rest)) {
		assert_true(found < EXPORT_WORDS_MAX);
		words->word[found++] = at;
	}
	assert_true(found > 0);
}

void export_words_deinit(struct export_words *words)
{
	free(words->text);
}
