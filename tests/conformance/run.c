// SPDX-License-Identifier: GPL-2.0-or-later
/* See run.h. */
#include "conformance/run.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/expect.h"
#include "conformance/line.h"
#include "conformance/step.h"
#include "conformance/tidy.h"
#include "conformance/world.h"

#define AGAIN_MS 2

bool run_fail(struct run *run, const char *format, ...)
{
	va_list args;

	if (run->why[0])
		return false;
	va_start(args, format);
	(void)vsnprintf(run->why, sizeof(run->why), format, args);
	va_end(args);
	return false;
}

const char *run_value(const struct run *run, const char *name)
{
	for (size_t i = run->captures; i > 0; i--)
		if (!strcmp(run->capture[i - 1].name, name))
			return run->capture[i - 1].value;
	return NULL;
}

void run_keep(struct run *run, const char *name, const char *value)
{
	struct capture *capture = &run->capture[run->captures % CAPTURES_MAX];

	if (run->captures < CAPTURES_MAX)
		run->captures++;
	(void)snprintf(capture->name, sizeof(capture->name), "%s", name);
	(void)snprintf(capture->value, sizeof(capture->value), "%s", value);
}

void run_start_broker(struct run *run)
{
	const char *args[BROKER_WORDS_MAX + 1] = { 0 };

	for (size_t i = 0; i < run->script->broker_count; i++)
		args[i] = run->script->broker[i];
	broker_fixture_start(&run->broker, args);
}

static struct actor *start_actor(struct run *run, const char *name)
{
	char program[256];
	struct actor_spec spec = {
		.program = program,
		.name = name,
		.is_vm = run->is_vm && !actor_is_always_host(name),
		.socket_path = run->broker.socket_path,
		.folder = run->broker.folder,
		.header = script_actor(run->script, name),
	};
	struct actor *actor;

	fixture_program(spec.is_vm ? "../tests/conformance-vm" : "../tests/conformance-host",
			program, sizeof(program));
	actor = actor_start(&spec);
	if (!actor)
		return NULL;
	actor->next = run->actors;
	run->actors = actor;
	return actor;
}

struct actor *run_actor(struct run *run, const char *name)
{
	struct actor *actor = run->actors;

	while (actor && strcmp(actor->name, name) != 0)
		actor = actor->next;
	if (!actor)
		actor = start_actor(run, name);
	if (actor && actor->pid)
		return actor;
	(void)run_fail(run, "actor %s is not there", name);
	return NULL;
}

/* One time; the reply, or NULL and why. */
static const char *do_once(struct run *run, const struct step *step, const char *line)
{
	static struct reply reply;
	struct actor *actor;
	int r;

	if (!step->actor[0]) {
		char *copy = must(strdup(line));

		world_do(run, copy, &reply);
		free(copy);
		return reply.text;
	}
	actor = run_actor(run, step->actor);
	if (!actor)
		return NULL;
	r = actor_ask(actor, line, run->until_ms);
	if (!r)
		return actor->reply.text;
	(void)run_fail(run, "%s", r == -ETIMEDOUT ? "no answer in time" : "the actor has ended");
	actor_kill(actor);
	return NULL;
}

/* A long answer is cut: the first of its bytes say enough. */
static bool fail_outcome(struct run *run, const struct step *step, const char *reply)
{
	const char *expected = strstr(step->text, "=>");

	return run_fail(run, "expected: %s\n#   got: %.300s%s",
			expected ? expected + 2 + strspn(expected + 2, " ") : "ok", reply,
			strlen(reply) > 300 ? "..." : "");
}

static bool do_step(struct run *run, const struct step *step)
{
	char line[LINE_BYTES];
	const char *reply;

	if (!line_of_step(run, step, line, sizeof(line)))
		return false;
	for (;;) {
		reply = do_once(run, step, line);
		if (!reply)
			return false;
		if (run->is_verbose)
			(void)printf("# %s:%d: %s -> %.200s\n", run->script->path, step->line,
				     step->text, reply);
		if (expect_matches(run, step, reply))
			return true;
		if (!step->is_until || clock_ms() >= run->until_ms)
			return fail_outcome(run, step, reply);
		clock_pause_ms(AGAIN_MS);
	}
}

static bool do_steps(struct run *run)
{
	const struct scenario *scenario = run->scenario;
	char why[sizeof(run->why)];

	for (size_t i = 0; i < scenario->step_count; i++) {
		const struct step *step = &scenario->steps[i];

		if (do_step(run, step))
			continue;
		memcpy(why, run->why, sizeof(why));
		(void)snprintf(run->why, sizeof(run->why), "# %s:%d: %s\n#   %.700s",
			       run->script->path, step->line, step->text, why);
		return false;
	}
	return true;
}

bool run_case(struct run *run, const struct scenario *scenario)
{
	bool is_good;
	bool is_clean;

	run->scenario = scenario;
	run->number++;
	run->captures = 0;
	run->why[0] = '\0';
	run->until_ms = clock_ms() + CASE_MS;
	is_good = do_steps(run);
	is_clean = tidy_case(run);
	return is_good && is_clean;
}

const char *run_check_vms(struct run *run)
{
	run->why[0] = '\0';
	run->until_ms = clock_ms() + CASE_MS;
	for (struct actor *actor = run->actors; actor; actor = actor->next) {
		if (!actor->is_vm || !actor->pid)
			continue;
		if (actor_ask(actor, "counted", run->until_ms) < 0 ||
		    strncmp(actor->reply.text, "ok", 2) != 0)
			(void)run_fail(run, "# %s: %.300s", actor->name, actor->reply.text);
	}
	return run->why[0] ? run->why : NULL;
}
