// SPDX-License-Identifier: GPL-2.0-or-later
/* See args.h. */
#include "conformance/actor/args.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/actor/hex.h"
#include "conformance/actor/names.h"

static bool take_word(struct args *args, char *word)
{
	char *equal = strchr(word, '=');

	if (!equal) {
		if (args->count == ARGS_MAX)
			return false;
		args->word[args->count++] = word;
		return true;
	}
	if (args->pairs == ARGS_MAX)
		return false;
	*equal = '\0';
	args->pair[args->pairs].key = word;
	args->pair[args->pairs++].value = equal + 1;
	return true;
}

bool args_parse(struct args *args, char *line)
{
	char *next = NULL;
	char *word = strtok_r(line, " ", &next);

	*args = (struct args){ .op = word };
	while (word && (word = strtok_r(NULL, " ", &next)))
		if (!take_word(args, word))
			return false;
	return args->op != NULL;
}

const char *args_word(const struct args *args, size_t place)
{
	return place < args->count ? args->word[place] : "";
}

uint64_t args_word_number(const struct args *args, size_t place)
{
	return strtoull(args_word(args, place), NULL, 10);
}

bool args_flag(const struct args *args, const char *flag)
{
	for (size_t i = 0; i < args->count; i++)
		if (!strcmp(args->word[i], flag))
			return true;
	return false;
}

const char *args_text(const struct args *args, const char *key)
{
	for (size_t i = 0; i < args->pairs; i++)
		if (!strcmp(args->pair[i].key, key))
			return args->pair[i].value;
	return NULL;
}

bool args_has(const struct args *args, const char *key)
{
	return args_text(args, key) != NULL;
}

uint64_t args_number(const struct args *args, const char *key, uint64_t otherwise)
{
	const char *text = args_text(args, key);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

size_t args_bytes(char *text)
{
	unsigned char byte;
	size_t count = 0;

	if (strncmp(text, "x:", 2) != 0)
		return strlen(text);
	for (const char *at = text + 2; hex_byte(at, &byte); at += 2)
		text[count++] = (char)byte;
	text[count] = '\0';
	return count;
}

__attribute__((format(printf, 3, 0))) static void reply_text(struct reply *reply, const char *word,
							     const char *format, va_list args)
{
	int used = snprintf(reply->text, sizeof(reply->text), "%s%s", word, *format ? " " : "");

	(void)vsnprintf(reply->text + used, sizeof(reply->text) - (size_t)used, format, args);
}

void reply_ok(struct reply *reply, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	reply_text(reply, "ok", format, args);
	va_end(args);
}

void reply_bad(struct reply *reply, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	reply_text(reply, "bad", format, args);
	va_end(args);
}

void reply_error(struct reply *reply, int error, const char *detail, const char *sentence)
{
	(void)snprintf(reply->text, sizeof(reply->text), "err %s %s %s", errno_to_name(error),
		       detail, sentence);
}

void reply_word(struct reply *reply, const char *word)
{
	(void)snprintf(reply->text, sizeof(reply->text), "%s", word);
}

void reply_different(struct reply *reply, uint64_t at)
{
	(void)snprintf(reply->text, sizeof(reply->text), "different at=%llu",
		       (unsigned long long)at);
}

void reply_data(struct reply *reply, uint64_t at, const unsigned char *bytes, size_t count)
{
	char *to = reply->text;

	to += snprintf(reply->text, sizeof(reply->text), "data %llu ", (unsigned long long)at);
	(void)hex_put(to, bytes, count);
}
