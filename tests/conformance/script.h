/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scenario file that was read: docs/scenario-language.md says what is in it.
 * What can be wrong with it without running it was found when it was read.
 *
 * One thread; everything is owned by struct script.
 */
#ifndef CONFORMANCE_SCRIPT_H
#define CONFORMANCE_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "conformance/words.h"

#define OUTCOMES_MAX 4
#define BROKER_WORDS_MAX 12
#define ACTOR_NAME_BYTES 16

struct op;

enum outcome_kind {
	OUTCOME_OK,
	OUTCOME_ERROR,
	OUTCOME_DATA,
	OUTCOME_ZEROS,
	OUTCOME_ONES,
	OUTCOME_PATTERN,
	OUTCOME_FAULT,
	OUTCOME_LOST,
	OUTCOME_DIFFERENT,
};

struct outcome {
	enum outcome_kind kind;
	char error[24]; /* ERROR: EINVAL */
	char detail[24]; /* ERROR: SIZE, or empty: any */
	uint64_t seed; /* PATTERN */
};

struct step {
	int line;
	bool is_until;
	char actor[ACTOR_NAME_BYTES]; /* empty: the world */
	const struct op *op;
	struct words words; /* all of the line after `until` */
	size_t first; /* the first argument */
	size_t last; /* behind the last one */
	struct outcome outcome[OUTCOMES_MAX];
	size_t outcomes;
	size_t data; /* the word of an outcome that is bytes */
	size_t fields; /* the first field of the outcome; up to words.count */
	char *text; /* the line as it was written */
};

enum case_only { ONLY_BOTH, ONLY_HOST, ONLY_VM };

struct scenario {
	int line;
	char *ids; /* "CS-001 CS-002" */
	char *sentence;
	char *rule; /* not NULL: a skip */
	char *why_only;
	enum case_only only;
	uint64_t page;
	char **differs;
	size_t differs_count;
	struct step *steps;
	size_t step_count;
};

struct script_actor {
	char name[ACTOR_NAME_BYTES];
	bool has_user;
	uid_t uid;
	gid_t gid;
	char *vmm[BROKER_WORDS_MAX]; /* options of its VMM */
	size_t vmm_count;
};

struct script {
	char *path;
	char *broker[BROKER_WORDS_MAX];
	size_t broker_count;
	bool needs_root;
	long huge_pages;
	uint64_t disk_bytes; /* 0: where the rest is */
	enum case_only only;
	struct script_actor *actors;
	size_t actor_count;
	struct scenario *cases;
	size_t case_count;
};

/* Reads a file; says on stderr what is wrong with it.  NULL if anything is. */
struct script *script_read(const char *path);
void script_free(struct script *script);

/* What the header says of an actor, or NULL. */
const struct script_actor *script_actor(const struct script *script, const char *name);

#endif
