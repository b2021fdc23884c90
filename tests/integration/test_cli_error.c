/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vmsect says when it cannot: exit code 2 and a hint for a wrong command
 * line, 1 and the reason for what failed, nothing on stdout for either.
 */
#include "lib/client_fixture.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CLI "vmsect"

/* One line on stderr with `words` in it, nothing on stdout. */
static void assert_message(const struct box *box, const char *words)
{
	assert_string_equal(box->out, "");
	assert_int_equal(strncmp(box->err, "vmsect: ", 8), 0);
	if (!strstr(box->err, words))
		fail_msg("'%s' does not say '%s'", box->err, words);
	assert_ptr_equal(strchr(box->err, '\n'), box->err + strlen(box->err) - 1);
}

/* Command lines that are wrong, and what is said. */
static const struct {
	const char *arguments[8];
	const char *words;
} wrong[] = {
	{ { NULL }, "no command is given; 'vmsect --help' says more" },
	{ { "frob" }, "there is no command 'frob'; 'vmsect --help' says more" },
	{ { "--frob" }, "there is no option '--frob'" },
	{ { "--socket" }, "option '--socket' needs a value" },
	{ { "help", "frob" }, "there is no command 'frob'" },
	{ { "ls", "-Z" }, "there is no option '-Z'; 'vmsect ls --help' says more" },
	{ { "ls", "--frob" }, "there is no option '--frob'" },
	{ { "ls", "--json=1" }, "option '--json=1' takes no value" },
	{ { "ls", "x" }, "'x' is one argument too many" },
	{ { "ls", "-o" }, "option '-o' needs a value" },
	{ { "ls", "-o", "NAME,FROB" }, "there is no column 'FROB'" },
	{ { "ls", "-o", "" }, "there is no column ''" },
	{ { "ls", "-o", "NAME," }, "there is no column ''" },
	{ { "ls", "-J", "-r" }, "only one of --json, --raw and --pairs" },
	{ { "views", "-P", "-J" }, "only one of --json, --raw and --pairs" },
	{ { "views", "a", "b" }, "'b' is one argument too many" },
	{ { "vms", "x" }, "'x' is one argument too many" },
	{ { "show" }, "'show' needs NAME" },
	{ { "show", "x", "-o", "NAME" }, "there is no option '-o'" },
	{ { "rm" }, "'rm' needs NAME..." },
	{ { "create" }, "'create' needs NAME" },
	{ { "create", "x" }, "either --file or --size is needed" },
	{ { "create", "x", "--size", "0" }, "'0' is no size" },
	{ { "create", "x", "--size", "-1" }, "'-1' is no size" },
	{ { "create", "x", "--size", "16777216T" }, "'16777216T' is no size" },
	{ { "create", "x", "--size", "1Q" }, "'1Q' is no size" },
	{ { "create", "x", "--size", "1M", "--mode", "888" }, "'888' is no mode" },
	{ { "create", "x", "--size", "1M", "--mode", "7777" }, "'7777' is no mode" },
	{ { "create", "x", "--size", "1M", "--protection", "wx" },
	  "is none of ro, rw, rx and rwx" },
	{ { "create", "x", "--file", "f", "--hugetlb" }, "exclude each other" },
	{ { "create", "x", "--file", "f", "--reserve" }, "exclude each other" },
	{ { "create", "x", "--file", "f", "--max-size", "1M" }, "exclude each other" },
	{ { "create", "x", "--size", "1M", "--hugetlb", "--directory" }, "exclude each other" },
	{ { "create", "x", "--size", "1M", "--max-size", "0" }, "'0' is no size" },
	{ { "extend", "x" }, "'extend' needs NAME SIZE" },
	{ { "extend", "x", "0" }, "'0' is no size" },
	{ { "flush" }, "'flush' needs NAME" },
	{ { "flush", "x", "--frob" }, "there is no option '--frob'" },
	{ { "seal", "x", "y" }, "'y' is one argument too many" },
	{ { "grant", "x", "uid:0" }, "'grant' needs NAME WHO ACCESS" },
	{ { "grant", "x", "uid:", "ro" }, "'uid:' is nobody" },
	{ { "grant", "x", "uid:4294967295", "ro" }, "is nobody" },
	{ { "grant", "x", "gid:no-such-group", "ro" }, "is nobody" },
	{ { "grant", "x", "vm:", "ro" }, "'vm:' is nobody" },
	{ { "grant", "x", "vm:a/b", "ro" }, "is nobody" },
	{ { "grant", "x", "vm:a@no-such-user", "ro" }, "is nobody" },
	{ { "grant", "x", "web1", "ro" }, "'web1' is nobody" },
	{ { "grant", "x", "uid:0", "rz" }, "'rz' is no access" },
	{ { "grant", "x", "uid:0", "" }, "'' is no access" },
	{ { "revoke", "x" }, "'revoke' needs NAME WHO" },
	{ { "revoke", "x", "uid:0", "--access", "zz" }, "'zz' is no access" },
	{ { "revoke", "x", "uid:0", "--access", "ro", "--forget" }, "exclude each other" },
	{ { "grants" }, "'grants' needs NAME" },
	{ { "create", "x", "y", "--size", "1M" }, "'y' is one argument too many" },
};

static void usage_errors(void **state)
{
	struct box *box = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		const char *const *a = wrong[i].arguments;
		int status = box_run(box, CLI, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);

		if (status != 2)
			fail_msg("'%s' ended with %d", wrong[i].words, status);
		assert_message(box, wrong[i].words);
	}
}

static void failures(void **state)
{
	struct box *box = *state;

	assert_int_equal(box_run(box, CLI, "create", "x", "--size", "4K"), 0);
	assert_int_equal(box_run(box, CLI, "create", "x", "--size", "4K"), 1);
	assert_message(box, "cannot create section 'x': there is a section 'x' already; --open-if");
	assert_int_equal(box_run(box, CLI, "create", "x", "--size", "4K", "--open-if"), 0);
	assert_int_equal(box_run(box, CLI, "create", "a/b", "--size", "4K"), 1);
	assert_message(box, "cannot create section 'a/b': that is no section name");
	assert_int_equal(box_run(box, CLI, "create", "y", "--file", "/nonexistent"), 1);
	assert_message(box, "cannot use the file '/nonexistent': No such file or directory");
	assert_int_equal(box_run(box, CLI, "create", "y", "--file", "/dev/zero"), 1);
	assert_message(box, "it is not a regular file");
	box_write_file(box, "empty", 0);
	assert_int_equal(box_run(box, CLI, "create", "y", "--file", box_path(box, "empty")), 1);
	assert_message(box, "--size gives it bytes");
	box_write_file(box, "full", 100);
	assert_int_equal(box_run(box, CLI, "create", "y", "--file", box_path(box, "full"), "--size",
				 "1K", "--protection", "ro"),
			 1);
	assert_message(box, "'--protection rw' would make the file larger");
	assert_int_equal(box_run(box, CLI, "show", "y"), 1);
	assert_message(box, "cannot show section 'y': there is no section 'y'");
	assert_int_equal(box_run(box, CLI, "rm", "y"), 1);
	assert_message(box, "cannot remove section 'y': there is no section 'y'; 'vmsect ls'");
}

static void rm_tries_every_name(void **state)
{
	struct box *box = *state;

	assert_int_equal(box_run(box, CLI, "create", "a", "--size", "4K"), 0);
	assert_int_equal(box_run(box, CLI, "create", "b", "--size", "4K"), 0);
	assert_int_equal(box_run(box, CLI, "rm", "a", "none", "b"), 1);
	assert_message(box, "'none'");
	assert_int_equal(box_run(box, CLI, "ls"), 0);
	assert_string_equal(box->out, "");
}

static void without_a_broker(void **state)
{
	struct box *box = *state;

	broker_fixture_stop(&box->broker);
	assert_int_equal(box_run(box, CLI, "ls"), 0);
	assert_string_equal(box->out, "");
	assert_int_equal(box_run(box, CLI, "views"), 0);
	assert_int_equal(box_run(box, CLI, "vms"), 0);
	assert_int_equal(box_run(box, CLI, "views", "x"), 1);
	assert_message(box, "there is no section 'x': no broker is running");
	assert_int_equal(box_run(box, CLI, "show", "x"), 1);
	assert_message(box, "there is no section 'x': no broker is running");
	assert_int_equal(box_run(box, CLI, "rm", "x"), 1);
	assert_message(box, "there is no section 'x': no broker is running");
	assert_int_equal(box_run(box, CLI, "create", "x", "--size", "4K"), 1);
	assert_message(box, "cannot reach a broker: no broker listens at '");
	assert_int_equal(
		box_run(box, CLI, "--socket", "/nonexistent/s", "create", "x", "--size", "4K"), 1);
	assert_message(box, "cannot reach a broker: no broker listens at '/nonexistent/s'; start a "
			    "broker there with 'vmsectd --socket PATH'");
}

/* Help is for stdout, with success, and names all that there is. */
static void help(void **state)
{
	struct box *box = *state;

	assert_int_equal(box_run(box, CLI, "--help"), 0);
	assert_string_equal(box->err, "");
	assert_non_null(strstr(box->out, "\n create "));
	assert_int_equal(box_run(box, CLI, "ls", "--help"), 0);
	assert_non_null(strstr(box->out, "GENERATION"));
	assert_int_equal(box_run(box, CLI, "help", "create"), 0);
	assert_non_null(strstr(box->out, "--hugetlb"));
	assert_int_equal(box_run(box, CLI, "version"), 0);
	assert_string_equal(box->out, "vmsect " VMSECT_VERSION "\n");
	assert_int_equal(box_run(box, CLI, "--version"), 0);
	assert_string_equal(box->out, "vmsect " VMSECT_VERSION "\n");
}

/* Runs `text` by a shell in which $1 is the program and $2 the box. */
static int run_shell(struct box *box, const char *text)
{
	char program[PATH_MAX];

	fixture_program(CLI, program, sizeof(program));
	return box_run(box, "/bin/sh", "-c", text, "sh", program, box->broker.folder);
}

static void a_full_disk_is_told(void **state)
{
	struct box *box = *state;

	assert_int_equal(run_shell(box, "\"$1\" --help > /dev/full"), 1);
	assert_message(box, "cannot write the output: No space left on device");
	assert_int_equal(run_shell(box, "\"$1\" ls --help > /dev/full"), 1);
	assert_message(box, "cannot write the output: No space left on device");
}

/* `vmsect run` becomes the vmsect-vmm beside it; a copy elsewhere takes the one in $PATH. */
static void run_becomes_the_vmm(void **state)
{
	struct box *box = *state;

	assert_int_equal(
		run_shell(box, "cp \"$1\" \"$2/vmsect\"; PATH=/nonexistent \"$2/vmsect\" run"), 1);
	assert_message(box, "cannot run vmsect-vmm: No such file or directory");
	assert_int_equal(run_shell(box,
				   "printf '#!/bin/sh\necho \"$@\" \"$VMSECT_SOCKET\"; exit 7\n' "
				   "> \"$2/vmsect-vmm\"; chmod +x \"$2/vmsect-vmm\"; "
				   "\"$2/vmsect\" --socket /s run --name a -J"),
			 7);
	assert_string_equal(box->out, "--name a -J /s\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(usage_errors),	   TEST(failures), TEST(rm_tries_every_name),
		TEST(without_a_broker),	   TEST(help),	   TEST(a_full_disk_is_told),
		TEST(run_becomes_the_vmm),
	};

	return cmocka_run_group_tests_name("cli_error", tests, NULL, NULL);
}
