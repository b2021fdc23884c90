/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interpreter of scenarios says "not ok" where it has to, with VMs as its
 * actors: the first case is wrong, the second is right in the same VM.
 */
#include "lib/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kvm/bed.h"
#include "lib/leak.h"

#define OUTPUT_BYTES 65536u

/* In the child: never returns. */
static _Noreturn void run_interpreter(const char *program, int scenario, int output)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", scenario);
	(void)dup2(output, STDOUT_FILENO);
	(void)dup2(output, STDERR_FILENO);
	(void)execl(program, program, "--actors", "vm", path, NULL);
	_exit(127);
}

/* Its output; free it. */
static char *run_text(const char *text)
{
	AUTO_FD int scenario = memfd_create("scenario", 0);
	AUTO_FD int output = memfd_create("output", MFD_CLOEXEC);
	char *got = calloc(1, OUTPUT_BYTES + 1);
	char program[256];
	pid_t pid;

	assert_non_null(got);
	assert_true(scenario >= 0 && output >= 0);
	assert_int_equal(write(scenario, text, strlen(text)), strlen(text));
	fixture_program("../tests/conformance", program, sizeof(program));
	pid = fork();
	if (!pid)
		run_interpreter(program, scenario, output);
	assert_true(pid > 0);
	(void)fixture_wait(pid);
	assert_true(pread(output, got, OUTPUT_BYTES, 0) >= 0);
	return got;
}

static void wrong_outcomes(void **state)
{
	static const char *const steps[] = {
		"A map v s prot=rw\nA read v 0 3 => \"abc\"",
		"A map v s prot=rw\nA read v 0 1 => fault",
		"A map v s prot=rw\nA read v 0 1 => lost",
		"A map v s prot=rw\nA write v 0 \"x\" => fault",
		"A map v s prot=rw\nA fill v 0 1p byte=1 => fault",
		"A map v s prot=ro\nA write v 0 \"x\"",
		"A map v s prot=ro\nA fill v 0 1p byte=1",
		"A map v s prot=na\nA read v 0 1",
		"A map v s prot=rw\nA compare v 0 1p pattern=1",
		"A map v s prot=wc\nA write v 0 \"x\"\nA diff v => ok count=0",
		"A map v s prot=xx",
		"A map v #999",
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		AUTO_FREE char *output = NULL;

		(void)snprintf(text, sizeof(text),
			       "case wrong \"x\"\nA create s size=1p\n%s\n"
			       "case right \"y\"\nA create s size=1p\nA map v s prot=rw\n"
			       "A write v 0 \"x\"\n",
			       steps[i]);
		output = run_text(text);
		if (!strstr(output, "not ok 1 - wrong") || !strstr(output, "\nok 2 - right"))
			fail_msg("%s\n%s", steps[i], output);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(wrong_outcomes) };
	int r = bed_begin(240);

	return r ? r : cmocka_run_group_tests(tests, leak_setup, leak_teardown);
}
