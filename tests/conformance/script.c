// SPDX-License-Identifier: GPL-2.0-or-later
/* See script.h.  Reading goes on after an error, so that all are told at once. */
#include "conformance/script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/define.h"
#include "conformance/header.h"
#include "conformance/step.h"

#define PAGE_BYTES 4096u
#define USE_DEPTH_MAX 4

struct reader {
	struct script *script;
	struct defines defines;
	struct define *open; /* a definition that has not ended; borrowed */
	const char *text; /* the line as it was written */
	int line;
	int errors;
};

static void complain(struct reader *reader, int line, const char *what)
{
	(void)fprintf(stderr, "%s:%d: %s\n", reader->script->path, line, what);
	reader->errors++;
}

/* Some words joined by blanks; the last is not among them. */
static char *join(const struct words *words, size_t from, size_t last)
{
	char *text = NULL;
	size_t room = 0;
	FILE *to = must(open_memstream(&text, &room));

	for (size_t i = from; i < last; i++)
		(void)fprintf(to, "%s%s", i > from ? " " : "", words->word[i].value);
	(void)fclose(to);
	return must(text);
}

static struct scenario *current_case(const struct script *script)
{
	struct scenario *last = script->case_count ? &script->cases[script->case_count - 1] : NULL;

	return last && !last->rule ? last : NULL;
}

static bool id_is_new(const struct script *script, const char *id)
{
	size_t length = strlen(id);

	for (size_t i = 0; i + 1 < script->case_count; i++) {
		const char *ids = script->cases[i].ids;

		for (const char *at = ids; (at = strstr(at, id)); at++)
			if ((at == ids || at[-1] == ' ') && (!at[length] || at[length] == ' '))
				return false;
	}
	return true;
}

/* `case ID... "sentence"`, or `skip ID... RULE "reason"`. */
static void begin_case(struct reader *reader, const struct words *words, bool is_skip)
{
	struct script *script = reader->script;
	size_t ids_end = words->count - 1 - is_skip;
	struct scenario *scenario;

	if (words->count < 3u + is_skip || !words->word[words->count - 1].is_quoted) {
		complain(reader, reader->line, "ids and a quoted sentence are missing");
		return;
	}
	script->cases =
		must(reallocarray(script->cases, script->case_count + 1, sizeof(script->cases[0])));
	scenario = &script->cases[script->case_count++];
	*scenario = (struct scenario){
		.line = reader->line,
		.ids = join(words, 1, ids_end),
		.sentence = join(words, words->count - 1, words->count),
		.rule = is_skip ? join(words, ids_end, ids_end + 1) : NULL,
		.page = PAGE_BYTES,
	};
	for (size_t i = 1; i < ids_end; i++)
		if (!id_is_new(script, words->word[i].value))
			complain(reader, reader->line, "the id is there already");
}

static void add_step(struct reader *reader, struct words *words, int line, const char *text)
{
	struct scenario *scenario = current_case(reader->script);
	struct step step;
	const char *error;

	if (!scenario) {
		complain(reader, line, "a step before the first case");
		return;
	}
	error = step_init(&step, words);
	if (error) {
		complain(reader, line, error);
		step_deinit(&step);
		return;
	}
	step.line = line;
	step.text = must(strdup(text + strspn(text, " \t")));
	scenario->steps =
		must(reallocarray(scenario->steps, scenario->step_count + 1, sizeof(struct step)));
	scenario->steps[scenario->step_count++] = step;
}

static const char *case_only(struct scenario *scenario, const struct words *words)
{
	if (words->count != 3 || !words->word[2].is_quoted)
		return "only host|vm \"why\" is meant";
	if (word_is(&words->word[1], "host"))
		scenario->only = ONLY_HOST;
	else if (word_is(&words->word[1], "vm"))
		scenario->only = ONLY_VM;
	else
		return "only host or only vm is meant";
	free(scenario->why_only);
	scenario->why_only = join(words, 2, 3);
	return NULL;
}

static const char *case_differs(struct scenario *scenario, const struct words *words)
{
	if (words->count != 2 || !words->word[1].is_quoted)
		return "differs \"how\" is meant";
	scenario->differs =
		must(reallocarray(scenario->differs, scenario->differs_count + 1, sizeof(char *)));
	scenario->differs[scenario->differs_count++] = join(words, 1, 2);
	return NULL;
}

static const char *case_page(struct scenario *scenario, const struct words *words)
{
	bool is_good = words->count == 2 &&
		       number_parse(words->word[1].value, PAGE_BYTES, &scenario->page);

	return is_good ? NULL : "page SIZE is meant";
}

/* Lines of a case that are no steps.  False if this is none of them. */
static bool case_line(struct reader *reader, const struct words *words)
{
	static const struct {
		const char *name;
		const char *(*take)(struct scenario *scenario, const struct words *words);
	} lines[] = {
		{ "only", case_only },
		{ "differs", case_differs },
		{ "page", case_page },
	};
	struct scenario *scenario = current_case(reader->script);
	const char *error;

	for (size_t i = 0; scenario && i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (!word_is(&words->word[0], lines[i].name))
			continue;
		error = lines[i].take(scenario, words);
		if (error)
			complain(reader, reader->line, error);
		return true;
	}
	return false;
}

/* Puts the lines of a definition in; definitions may use others. */
static void use(struct reader *reader, const struct words *words, int depth)
{
	const struct define *define =
		words->count > 1 ? define_find(&reader->defines, words->word[1].value) : NULL;

	if (!define || depth == USE_DEPTH_MAX || words->count != 2 + define_parameters(define)) {
		complain(reader, reader->line, "no such definition, or not its arguments");
		return;
	}
	for (size_t i = 0; i < define->count; i++) {
		struct words filled;

		define_fill(&filled, define, &define->lines[i].words, words);
		if (word_is(&filled.word[0], "use"))
			use(reader, &filled, depth + 1);
		else
			add_step(reader, &filled, reader->line, define->lines[i].text);
		words_deinit(&filled);
	}
}

static void define_line(struct reader *reader, struct words *words)
{
	if (word_is(&words->word[0], "end"))
		reader->open = NULL;
	else
		define_add(reader->open, reader->line, words, reader->text);
}

static void take_words(struct reader *reader, struct words *words)
{
	const struct word *first = &words->word[0];
	const char *error;

	if (reader->open) {
		define_line(reader, words);
	} else if (word_is(first, "define") && words->count >= 2) {
		reader->open = define_begin(&reader->defines, words);
	} else if (word_is(first, "case") || word_is(first, "skip")) {
		begin_case(reader, words, word_is(first, "skip"));
	} else if (word_is(first, "use")) {
		use(reader, words, 0);
	} else if (!reader->script->case_count) {
		error = header_line(reader->script, words);
		if (error)
			complain(reader, reader->line, error);
	} else if (!case_line(reader, words)) {
		add_step(reader, words, reader->line, reader->text);
	}
}

static void take_line(struct reader *reader, char *line)
{
	struct words words;
	const char *error;

	line[strcspn(line, "\r\n")] = '\0';
	reader->text = line;
	error = words_split(&words, line);
	if (error)
		complain(reader, reader->line, error);
	else if (words.count)
		take_words(reader, &words);
	words_deinit(&words);
}

static void read_lines(struct reader *reader, FILE *file)
{
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, file) >= 0) {
		reader->line++;
		take_line(reader, line);
	}
	free(line);
	if (reader->open)
		complain(reader, reader->line, "a definition does not end");
	if (!reader->script->case_count)
		complain(reader, reader->line, "no case");
}

struct script *script_read(const char *path)
{
	struct script *script = must(calloc(1, sizeof(*script)));
	struct reader reader = { .script = script };
	FILE *file = fopen(path, "re");

	script->path = must(strdup(path));
	if (!file) {
		complain(&reader, 0, strerror(errno));
	} else {
		read_lines(&reader, file);
		(void)fclose(file);
	}
	defines_deinit(&reader.defines);
	if (!reader.errors)
		return script;
	script_free(script);
	return NULL;
}

static void free_case(struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->step_count; i++)
		step_deinit(&scenario->steps[i]);
	for (size_t i = 0; i < scenario->differs_count; i++)
		free(scenario->differs[i]);
	free(scenario->differs);
	free(scenario->steps);
	free(scenario->ids);
	free(scenario->sentence);
	free(scenario->rule);
	free(scenario->why_only);
}

void script_free(struct script *script)
{
	for (size_t i = 0; i < script->case_count; i++)
		free_case(&script->cases[i]);
	for (size_t i = 0; i < script->broker_count; i++)
		free(script->broker[i]);
	for (size_t i = 0; i < script->actor_count; i++)
		for (size_t j = 0; j < script->actors[i].vmm_count; j++)
			free(script->actors[i].vmm[j]);
	free(script->actors);
	free(script->cases);
	free(script->path);
	free(script);
}

const struct script_actor *script_actor(const struct script *script, const char *name)
{
	for (size_t i = 0; i < script->actor_count; i++)
		if (!strcmp(script->actors[i].name, name))
			return &script->actors[i];
	return NULL;
}
