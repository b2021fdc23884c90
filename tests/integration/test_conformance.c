/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interpreter of scenarios says "not ok" where it has to: each case below
 * has one wrong outcome, and the one that follows is right.
 */
#include "lib/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/broker_fixture.h"
#include "lib/leak.h"

#define OUTPUT_BYTES 65536u

/* Runs the interpreter on a text; its output, and its exit status. */
static char *run_text(const char *text, int *ret_status)
{
	AUTO_FD int scenario = memfd_create("scenario", 0);
	AUTO_FD int output = memfd_create("output", MFD_CLOEXEC);
	char *got = calloc(1, OUTPUT_BYTES + 1);
	char program[256];
	char path[64];
	pid_t pid;

	assert_non_null(got);
	assert_true(scenario >= 0 && output >= 0);
	assert_int_equal(write(scenario, text, strlen(text)), strlen(text));
	fixture_program("../tests/conformance", program, sizeof(program));
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", scenario);
	pid = fork();
	if (!pid) {
		(void)dup2(output, STDOUT_FILENO);
		(void)dup2(output, STDERR_FILENO);
		(void)execl(program, program, path, NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, ret_status, 0), pid);
	assert_true(pread(output, got, OUTPUT_BYTES, 0) >= 0);
	return got;
}

/* The steps are the case's; it must fail, and the next case must not. */
static void must_fail(const char *steps, const char *reason)
{
	AUTO_FREE char *output = NULL;
	char text[2048];
	int status;

	(void)snprintf(text, sizeof(text),
		       "case wrong \"x\"\n%s\ncase right \"y\"\n  A create s size=1p\n"
		       "  A query s => ok size=1p\n",
		       steps);
	output = run_text(text, &status);
	if (!strstr(output, "not ok 1 - wrong") || !strstr(output, reason) ||
	    !strstr(output, "\nok 2 - right") || !strstr(output, "1..2"))
		fail_msg("%s\n%s", steps, output);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

static void wrong_outcomes(void **state)
{
	(void)state;
	must_fail("A create s size=0", "got: err EINVAL SIZE");
	must_fail("A create s size=1p => EINVAL/SIZE", "got: ok");
	must_fail("A create s size=0 => EINVAL/NAME", "got: err EINVAL SIZE");
	must_fail("A create s size=1p\nA query s => ok size=2p", "expected: ok size=2p");
	must_fail("A create s size=1p\nA query s => ok size>=2p", "got: ok size=4096");
	must_fail("A create s size=1p\nA query s => ok size!=1p", "got: ok size=4096");
	must_fail("A create s size=1p\nA query s => ok prot=ro", "got: ok");
	must_fail("A create s size=1p\nA query s => ok colour=red", "got: ok");
}

static void wrong_bytes(void **state)
{
	static const char mapped[] = "A create s size=1p\nA map v s prot=rw\n%s";
	static const char *const last[] = {
		"A read v 0 3 => \"abc\"",
		"A read v 0 4 => \"\\0\\0\\0\"",
		"A read v 0 8 => ones",
		"A read v 0 8 => pattern=1",
		"A read v 0 8 => fault",
		"A read v 0 8 => lost",
		"A compare v 0 8 pattern=1",
		"A compare v 0 8 byte=0 => different",
		"A write v 0 \"x\" => fault",
		"A unmap v\nA read v 0 1",
		"A unmap v\nA read v 0 1 => lost",
	};
	char steps[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(last); i++) {
		(void)snprintf(steps, sizeof(steps), mapped, last[i]);
		must_fail(steps, "not ok");
	}
}

static void steps_that_make_no_sense(void **state)
{
	(void)state;
	must_fail("A map v s", "s is no handle");
	must_fail("A create s size=1p\nA create s name=t size=1p", "s is in use");
	must_fail("A create s size=1p\nkill A\nA query s", "actor A is not there");
	must_fail("kill A", "A is not there");
	must_fail("A create s size=$none", "'$none' has no value");
	must_fail("broker fly", "kill, start or restart");
}

/* What a case leaves does not reach the next one, which has the same names. */
static void left_by_a_case(void **state)
{
	AUTO_FREE char *output = NULL;
	int status;

	(void)state;
	output = run_text("case a \"1\"\n  A create s size=1p flags=permanent\n  file f size=1\n"
			  "case b \"2\"\n  A open s => ENOENT\n  stat_file f => ENOENT\n"
			  "  A create s size=1p\n  H sections => ok count=1\n"
			  "case c \"3\"\n  broker kill\n"
			  "case d \"4\"\n  A create s size=1p\n",
			  &status);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("%s", output);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_outcomes),
		cmocka_unit_test(wrong_bytes),
		cmocka_unit_test(steps_that_make_no_sense),
		cmocka_unit_test(left_by_a_case),
	};

	(void)alarm(100);
	return cmocka_run_group_tests(tests, leak_setup, leak_teardown);
}
