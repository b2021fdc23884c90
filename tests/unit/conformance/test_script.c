/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario files that are read, and those that are refused.
 */
#include "conformance/script.h"

#include "lib/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "conformance/ops.h"
#include "lib/leak.h"

/* A file in memory. */
static struct script *read_text(const char *text)
{
	AUTO_FD int fd = memfd_create("scenario", MFD_CLOEXEC);
	char path[64];

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return script_read(path);
}

static void headers(void **state)
{
	struct script *script = read_text("broker --limit user.bytes=1M\n"
					  "needs uid0\n"
					  "needs hugepages 3\n"
					  "needs disk 2M\n"
					  "needs vm\n"
					  "actor HN uid=1 gid=2\n"
					  "actor B vmm=--cow-quota=1M,--verbose\n"
					  "case a \"b\"\n"
					  "  A create s\n");

	(void)state;
	assert_non_null(script);
	assert_int_equal(script->broker_count, 2);
	assert_string_equal(script->broker[1], "user.bytes=1M");
	assert_true(script->needs_root);
	assert_int_equal(script->huge_pages, 3);
	assert_int_equal(script->disk_bytes, 2 << 20);
	assert_int_equal(script->only, ONLY_VM);
	assert_int_equal(script_actor(script, "HN")->uid, 1);
	assert_int_equal(script_actor(script, "HN")->gid, 2);
	assert_string_equal(script_actor(script, "B")->vmm[0], "--cow-quota=1M");
	assert_int_equal(script_actor(script, "B")->vmm_count, 2);
	assert_null(script_actor(script, "C"));
	script_free(script);
}

static void cases(void **state)
{
	struct script *script = read_text("case a b \"first\"\n"
					  "  only host \"why\"\n"
					  "  differs \"how\"\n"
					  "  page 2M\n"
					  "  until A query s => EPERM|EACCES/ACCESS\n"
					  "skip c C17 \"not here\"\n"
					  "case d \"last\"\n"
					  "  A read v 0 3 => \"abc\"\n");
	const struct step *step;

	(void)state;
	assert_non_null(script);
	assert_int_equal(script->case_count, 3);
	assert_string_equal(script->cases[0].ids, "a b");
	assert_int_equal(script->cases[0].only, ONLY_HOST);
	assert_int_equal(script->cases[0].page, 2 << 20);
	assert_string_equal(script->cases[1].rule, "C17");
	step = &script->cases[0].steps[0];
	assert_true(step->is_until);
	assert_int_equal(step->outcomes, 2);
	assert_string_equal(step->outcome[1].detail, "ACCESS");
	step = &script->cases[2].steps[0];
	assert_int_equal(step->outcome[0].kind, OUTCOME_DATA);
	assert_string_equal(step->words.word[step->data].value, "abc");
	script_free(script);
}

static void definitions(void **state)
{
	struct script *script = read_text("define made $kind $outcome\n"
					  "end\n"
					  "case a \"b\"\n"
					  "  A create s\n");

	(void)state;
	/* A parameter is a name; `$` belongs to its use. */
	assert_non_null(script);
	script_free(script);
	script = read_text("define made kind outcome\n"
			   "  A create s prot=$kind => $outcome\n"
			   "end\n"
			   "define twice kind\n"
			   "  use made $kind ok\n"
			   "  use made $kind EEXIST\n"
			   "end\n"
			   "case a \"b\"\n"
			   "  use twice ro\n");
	assert_non_null(script);
	assert_int_equal(script->cases[0].step_count, 2);
	assert_string_equal(script->cases[0].steps[0].words.word[3].key, "prot");
	assert_string_equal(script->cases[0].steps[0].words.word[3].value, "ro");
	assert_int_equal(script->cases[0].steps[1].outcome[0].kind, OUTCOME_ERROR);
	script_free(script);
}

static void what_is_refused(void **state)
{
	static const char *const lines[] = {
		"A rd v",
		"A",
		"create s",
		"A remove s",
		"A read v 0",
		"A read v 0 1 2",
		"A read v zero 1",
		"A read v 0 1 => ",
		"A read v 0 1 => EWHAT",
		"A read v 0 1 => EINVAL/WHAT",
		"A read v 0 1 => EPERM|",
		"A read v 0 1 => fault at=1",
		"A query s => ok size",
		"A query s => EPERM|ok size=1",
		"A write v 0 abc",
		"A map v s nochange",
		"A map v s prot>=ro",
		"A map v s colour=red",
		"A create s anonymous=1",
		"H pass s to=b access=read",
		"use nothing",
		"only both \"x\"",
		"page big",
		"differs",
		"case a \"again\"",
		"case x",
		"skip y \"no rule\"",
		"define open",
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		(void)snprintf(text, sizeof(text), "case a \"b\"\n%s\n", lines[i]);
		if (read_text(text))
			fail_msg("'%s' was taken", lines[i]);
	}
}

static void headers_that_are_refused(void **state)
{
	static const char *const lines[] = {
		"needs",
		"needs money",
		"needs disk",
		"needs hugepages 9999",
		"needs disk x",
		"actor A",
		"actor A uid=1",
		"actor H uid=x",
		"actor H colour=1",
		"actor H uid>=1",
		"actor TooLongANameForAnActor uid=1",
		"broker a b c d e f g h i j k l m",
		"A create s",
		"what",
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		(void)snprintf(text, sizeof(text), "%s\ncase a \"b\"\n", lines[i]);
		if (read_text(text))
			fail_msg("'%s' was taken", lines[i]);
	}
	assert_null(read_text(""));
	assert_null(script_read("/nowhere/at/all"));
}

static void definitions_that_call_themselves(void **state)
{
	(void)state;
	assert_null(read_text("define a\n  use a\nend\ncase x \"y\"\n  use a\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers),
		cmocka_unit_test(cases),
		cmocka_unit_test(definitions),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(headers_that_are_refused),
		cmocka_unit_test(definitions_that_call_themselves),
	};

	(void)alarm(30);
	return cmocka_run_group_tests(tests, leak_setup, leak_teardown);
}
