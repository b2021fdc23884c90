/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `vmsect export` prints, as words of a command line.  One thread. */
#ifndef TESTS_INTEROP_EXPORT_WORDS_H
#define TESTS_INTEROP_EXPORT_WORDS_H

struct bed;

#define EXPORT_WORDS_MAX 8

struct export_words {
	char *text; /* owned */
	const char *word[EXPORT_WORDS_MAX + 1]; /* in `text`; NULL ends */
};

/* Runs `vmsect export` with these words (NULL ends) and takes what it prints. */
void export_words_get(struct export_words *words, struct bed *bed, const char *const *options);

/* Cleanup attribute. */
void export_words_deinit(struct export_words *words);

#endif
