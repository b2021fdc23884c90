/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect export, unexport and exports against a real broker: what is refused
 * changes nothing, what is printed is there, and a second program takes nothing
 * from the first.  What is printed to the byte is unit-cli-export's.
 */
#include "lib/client_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLI "vmsect"
#define NEW_QEMU "--qemu-version", "8.2"
#define OLD_QEMU "--qemu-version", "7.2"

/* A section whose name nobody else has, since /dev/shm is the host's. */
struct named {
	char name[32];
	char path[64];
};

static struct named make(struct box *box, const char *size, const char *option)
{
	struct named named;

	(void)snprintf(named.name, sizeof(named.name), "test%d", getpid());
	(void)snprintf(named.path, sizeof(named.path), "/dev/shm/vmsect-%s", named.name);
	if (box_run(box, CLI, "create", named.name, "--size", size, option) != 0)
		fail_msg("%s", box->err);
	return named;
}

static uint32_t mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 ? POISON : st.st_mode & 07777;
}

/* Exit status, nothing on stdout, and a line that says it. */
static void expect_refusal(struct box *box, int status, int wanted, const char *words)
{
	assert_int_equal(status, wanted);
	assert_string_equal(box->out, "");
	if (!strstr(box->err, words))
		fail_msg("'%s' does not say '%s'", box->err, words);
}

static void test_usage(void **state)
{
	struct box *box = *state;

	expect_refusal(box, box_run(box, CLI, "export"), 2, "needs NAME");
	expect_refusal(box, box_run(box, CLI, "export", "x", "--for", "xen"), 2, "'xen'");
	expect_refusal(box, box_run(box, CLI, "export", "x", "--mode", "wr"), 2, "'wr'");
	expect_refusal(box, box_run(box, CLI, "export", "x", "--device", "disk"), 2, "'disk'");
	expect_refusal(box, box_run(box, CLI, "export", "x", "--vectors", "65"), 2, "'65'");
	expect_refusal(box, box_run(box, CLI, "export", "x", "--vectors", "0"), 2, "'0'");
	expect_refusal(box, box_run(box, CLI, "export", "x", "--perm", "0999"), 2, "'0999'");
	expect_refusal(box, box_run(box, CLI, "export", "x", "--perm", "01777"), 2, "'01777'");
	expect_refusal(box, box_run(box, CLI, "export", "x", "-g", "no such"), 2, "'no such'");
	expect_refusal(box, box_run(box, CLI, "export", "x", "-u", "no such"), 2, "'no such'");
	expect_refusal(box, box_run(box, CLI, "export", "x", "--qemu-version", "8"), 2, "'8'");
	expect_refusal(box, box_run(box, CLI, "export", "x"), 1, "no section 'x'");
	expect_refusal(box, box_run(box, CLI, "unexport", "x"), 1, "no section 'x'");
	expect_refusal(box, box_run(box, CLI, "exports", "x"), 1, "no section 'x'");
	assert_int_equal(box_run(box, CLI, "exports", "-n"), 0);
	assert_string_equal(box->out, "");
}

static void test_a_memfd_has_no_path(void **state)
{
	struct box *box = *state;
	struct named s = make(box, "64K", NULL);

	expect_refusal(box, box_run(box, CLI, "export", s.name), 1, "--exportable");
	expect_refusal(box, box_run(box, CLI, "unexport", s.name), 1, "is not exported");
	assert_int_equal(box_run(box, CLI, "rm", s.name), 0);
	expect_refusal(
		box,
		box_run(box, CLI, "create", s.name, "--size", "4K", "--exportable", "--sealable"),
		1, "cannot be sealed");
	expect_refusal(box, box_run(box, CLI, "create", s.name, "--file", "/x", "--exportable"), 2,
		       "exclude");
}

/* What the program cannot have is said before anything is exported. */
static void test_refused_before_it_is_exported(void **state)
{
	struct box *box = *state;
	struct named s = make(box, "12K", "--exportable");

	expect_refusal(box, box_run(box, CLI, "export", s.name, "--for", "qemu", OLD_QEMU), 1,
		       "power of two");
	expect_refusal(box,
		       box_run(box, CLI, "export", s.name, "--for", "qemu", OLD_QEMU, "--device",
			       "pmem", "--mode", "cow"),
		       1, "opens the file for writing");
	expect_refusal(box, box_run(box, CLI, "export", s.name, "--for", "cloud-hypervisor"), 1,
		       "2 MiB");
	expect_refusal(box,
		       box_run(box, CLI, "export", s.name, "--for", "firecracker", "--mode", "ro",
			       "-u", "0"),
		       1, "who owns the file");
	assert_int_equal(mode_of(s.path), POISON);
	assert_int_equal(box_run(box, CLI, "exports", "-n"), 0);
	assert_string_equal(box->out, "");
	assert_int_equal(box_run(box, CLI, "rm", s.name), 0);
}

static void test_export_and_back(void **state)
{
	struct box *box = *state;
	struct named s = make(box, "64K", "--exportable");
	char wanted[256];

	(void)snprintf(wanted, sizeof(wanted), "%s\n", s.path);
	assert_int_equal(box_run(box, CLI, "export", s.name), 0);
	assert_string_equal(box->out, wanted);
	assert_int_equal(mode_of(s.path), 0600);
	assert_int_equal(box_run(box, CLI, "exports", s.name, "-n", "-o", "SECTION,KIND,PATH,MODE"),
			 0);
	(void)snprintf(wanted, sizeof(wanted), "%s path %s 0600\n", s.name, s.path);
	assert_string_equal(box->out, wanted);
	assert_int_equal(box_run(box, CLI, "show", s.name), 0);
	assert_non_null(strstr(box->out, "permanent,exportable"));
	assert_non_null(strstr(box->out, "\nexports:\n"));
	assert_non_null(strstr(box->out, s.path));
	assert_int_equal(box_run(box, CLI, "show", s.name, "-J"), 0);
	assert_non_null(strstr(box->out, "\"exports\": ["));
	assert_int_equal(box_run(box, CLI, "unexport", s.name), 0);
	assert_string_equal(box->err, "");
	assert_int_equal(mode_of(s.path), POISON);
	assert_int_equal(box_run(box, CLI, "rm", s.name), 0);
}

/* The first program keeps what it was given, unless somebody says otherwise. */
static void test_a_second_program(void **state)
{
	struct box *box = *state;
	struct named s = make(box, "2M", "--exportable");
	char group[16];

	(void)snprintf(group, sizeof(group), "%u", getegid());
	assert_int_equal(
		box_run(box, CLI, "export", s.name, "--for", "qemu", NEW_QEMU, "-g", group), 0);
	assert_non_null(strstr(box->out, "share=on\n"));
	assert_int_equal(mode_of(s.path), 0660);
	assert_int_equal(box_run(box, CLI, "export", s.name, "--for", "cloud-hypervisor", "--mode",
				 "cow", "--id", "second"),
			 0);
	assert_non_null(strstr(box->out, "discard_writes=on,id=second"));
	assert_non_null(strstr(box->err, "lets others write it"));
	assert_int_equal(mode_of(s.path), 0660);
	assert_int_equal(box_run(box, CLI, "export", s.name, "--for", "qemu", NEW_QEMU, "--mode",
				 "cow", "-g", group),
			 0);
	assert_non_null(strstr(box->out, "share=off,readonly=on,rom=off"));
	assert_int_equal(mode_of(s.path), 0640);
	assert_int_equal(box_run(box, CLI, "export", s.name, "--perm", "0604"), 0);
	assert_int_equal(mode_of(s.path), 0604);
	assert_int_equal(box_run(box, CLI, "rm", s.name), 0);
}

/* A path that the shell would take apart, which is a data file's own. */
static void test_data_file(void **state)
{
	struct box *box = *state;
	char path[128], wanted[256];

	box_write_file(box, "a file, of mine", 8192);
	(void)snprintf(path, sizeof(path), "%s", box_path(box, "a file, of mine"));
	assert_int_equal(box_run(box, CLI, "create", "data", "--file", path), 0);
	expect_refusal(box, box_run(box, CLI, "export", "data", "--perm", "0666"), 1, "chmod");
	expect_refusal(box, box_run(box, CLI, "export", "data", "-g", "0"), 1, "chmod");
	assert_int_equal(box_run(box, CLI, "export", "data", "--for", "qemu", NEW_QEMU, "-0"), 0);
	(void)snprintf(wanted, sizeof(wanted), "-object");
	assert_string_equal(box->out, wanted);
	assert_int_equal(box_run(box, CLI, "export", "data"), 0);
	(void)snprintf(wanted, sizeof(wanted), "'%s'\n", path);
	assert_string_equal(box->out, wanted);
	expect_refusal(box,
		       box_run(box, CLI, "export", "data", "--for", "cloud-hypervisor", "--device",
			       "ivshmem"),
		       1, "cannot be told");
	assert_int_equal(unlink(path), 0);
	expect_refusal(box, box_run(box, CLI, "export", "data"), 1, "renamed or removed");
}

/* Without a QEMU that says its version, the newer one is meant, with a note. */
static void test_no_qemu(void **state)
{
	struct box *box = *state;
	struct named s = make(box, "64K", "--exportable");
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s", getenv("PATH"));
	assert_int_equal(setenv("PATH", "/nowhere", 1), 0);
	assert_int_equal(box_run(box, CLI, "export", s.name, "--for", "qemu", "--mode", "cow"), 0);
	assert_int_equal(setenv("PATH", path, 1), 0);
	assert_non_null(strstr(box->out, "rom=off"));
	assert_non_null(strstr(box->err, "8.2 and later"));
	assert_int_equal(box_run(box, CLI, "rm", s.name), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, box_setup, box_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(usage),
		TEST(a_memfd_has_no_path),
		TEST(refused_before_it_is_exported),
		TEST(export_and_back),
		TEST(a_second_program),
		TEST(data_file),
		TEST(no_qemu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
