// SPDX-License-Identifier: GPL-2.0-or-later
/* See header.h. */
#include "conformance/header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/step.h"

#define PAGE_BYTES 4096u

/* A word as it was written, key and all. */
static char *whole(const struct word *word)
{
	char *text = NULL;

	if (asprintf(&text, "%s%s%s", word->key ? word->key : "", word->key ? "=" : "",
		     word->value) < 0)
		text = NULL;
	return must(text);
}

static const char *take_broker(struct script *script, const struct words *words)
{
	for (size_t i = 1; i < words->count; i++) {
		if (script->broker_count == BROKER_WORDS_MAX)
			return "too many options";
		script->broker[script->broker_count++] = whole(&words->word[i]);
	}
	return NULL;
}

static const char *take_needs(struct script *script, const struct words *words)
{
	uint64_t number = 0;
	bool has_number = words->count == 3 &&
			  number_parse(words->word[2].value, PAGE_BYTES, &number);

	if (words->count < 2 || (words->count == 3) != has_number)
		return "needs WHAT [N] is meant";
	if (word_is(&words->word[1], "uid0"))
		script->needs_root = true;
	else if (word_is(&words->word[1], "vm"))
		script->only = ONLY_VM;
	else if (word_is(&words->word[1], "host"))
		script->only = ONLY_HOST;
	else if (word_is(&words->word[1], "hugepages") && has_number && number < 1024)
		script->huge_pages = (long)number;
	else if (word_is(&words->word[1], "disk") && has_number)
		script->disk_bytes = number;
	else
		return "no such need";
	return NULL;
}

static bool take_id(const struct word *word, const char *key, uint32_t *id)
{
	uint64_t number;

	if (strcmp(word->key, key) != 0 || !number_parse(word->value, PAGE_BYTES, &number) ||
	    number >= UINT32_MAX)
		return false;
	*id = (uint32_t)number;
	return true;
}

/* Words between commas. */
static bool take_vmm(struct script_actor *actor, const struct word *word)
{
	const char *at = word->value;

	if (strcmp(word->key, "vmm") != 0)
		return false;
	while (*at && actor->vmm_count < BROKER_WORDS_MAX) {
		size_t length = strcspn(at, ",");

		actor->vmm[actor->vmm_count++] = must(strndup(at, length));
		at += length + (at[length] == ',');
	}
	return !*at;
}

static const char *take_option(struct script_actor *actor, const struct word *word)
{
	if (word->relation != WORD_EQUAL)
		return "key=value is meant";
	if (take_id(word, "uid", &actor->uid)) {
		actor->has_user = true;
		return actor_is_always_host(actor->name) ? NULL : "a VM has no user";
	}
	if (take_id(word, "gid", &actor->gid))
		return NULL;
	if (take_vmm(actor, word))
		return NULL;
	return "no such option of an actor";
}

static const char *take_actor(struct script *script, const struct words *words)
{
	struct script_actor *actor;
	const char *error = NULL;

	if (words->count < 3 || words->word[1].length >= ACTOR_NAME_BYTES)
		return "actor NAME OPTION... is meant";
	script->actors = must(
		reallocarray(script->actors, script->actor_count + 1, sizeof(script->actors[0])));
	actor = &script->actors[script->actor_count++];
	*actor = (struct script_actor){ 0 };
	memcpy(actor->name, words->word[1].value, words->word[1].length);
	for (size_t i = 2; !error && i < words->count; i++)
		error = take_option(actor, &words->word[i]);
	return error;
}

const char *header_line(struct script *script, const struct words *words)
{
	if (word_is(&words->word[0], "broker"))
		return take_broker(script, words);
	if (word_is(&words->word[0], "needs"))
		return take_needs(script, words);
	if (word_is(&words->word[0], "actor"))
		return take_actor(script, words);
	return "no such line of a header";
}
