/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect grant, grants and revoke, with a second user: a child process that has
 * the section open, and lets go of it when it is told to, or does not look.
 */
#include "lib/client_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLI "vmsect"
#define OTHER 65533u
#define WHO "uid:65533"
#define OTHER_LIMIT_S 20

/* Runs it and wants success without a word. */
#define do_it(box, ...)                                                                            \
	do {                                                                                       \
		if (box_run(box, CLI, __VA_ARGS__) != 0)                                           \
			fail_msg("%s", (box)->err);                                                \
		assert_string_equal((box)->out, "");                                               \
		assert_string_equal((box)->err, "");                                               \
	} while (0)

/* Wants this output. */
#define shows(box, text, ...)                                                                      \
	do {                                                                                       \
		assert_int_equal(box_run(box, CLI, __VA_ARGS__), 0);                               \
		assert_string_equal((box)->out, text);                                             \
	} while (0)

/* Fails with one line of these words. */
#define refused(box, words, ...)                                                                   \
	do {                                                                                       \
		assert_int_equal(box_run(box, CLI, __VA_ARGS__), 1);                               \
		assert_string_equal((box)->out, "");                                               \
		assert_string_equal((box)->err, "vmsect: " words "\n");                            \
	} while (0)

/* Someone else, who does one thing; started by start_other(). */
struct other {
	int (*run)(const struct other *other); /* 0, or the number of the step that went wrong */
	const struct box *box;
	int ready; /* its end of a pipe: it has the section */
	int go; /* ends when it shall look at its connection */
	uint32_t access; /* to try */
	pid_t pid;
};

static struct vmsect_client *connect_other(const struct other *other)
{
	const struct vmsect_connect_options who = { .size = sizeof(who),
						    .socket_path = other->box->broker.socket_path,
						    .name = "other",
						    .no_start = 1 };
	struct vmsect_client *client = NULL;

	return vmsect_connect(&who, &client) < 0 ? NULL : client;
}

/* 0: it may open the section so; 1: it may not. */
static int try_open(const struct other *other)
{
	struct vmsect_client *client = connect_other(other);
	struct vmsect_section *section = NULL;
	int r;

	if (!client)
		return 2;
	r = vmsect_section_open(client, "x", other->access, &section);
	vmsect_section_close(section);
	vmsect_client_free(client);
	return r == -EACCES ? 1 : r < 0 ? 3 : 0;
}

/* Maps it, says so, and waits until it may look at what the broker has said. */
static int take(const struct other *other, struct vmsect_client **ret_client,
		struct vmsect_view **ret_view)
{
	const struct vmsect_map_options how = { .size = sizeof(how),
						.protection = other->access & VMSECT_ACCESS_WRITE
								      ? VMSECT_PROT_READWRITE
								      : VMSECT_PROT_READONLY };
	struct vmsect_section *section;
	char byte;

	*ret_client = connect_other(other);
	if (!*ret_client || vmsect_section_open(*ret_client, "x", other->access, &section) < 0)
		return 1;
	if (vmsect_view_map(section, &how, ret_view) < 0)
		return 2;
	if (box_load(vmsect_view_address(*ret_view)) < 0)
		return 3;
	if (write(other->ready, "r", 1) != 1)
		return 4;
	return read(other->go, &byte, 1) == 0 ? 0 : 5;
}

static int let_go(const struct other *other)
{
	struct vmsect_client *client;
	struct vmsect_event event;
	struct vmsect_view *view;
	int r = take(other, &client, &view);

	if (r)
		return r;
	event = box_wait_event_of(client, VMSECT_EVENT_VIEW_REVOKED);
	if (event.view_id != vmsect_view_id(view))
		return 6;
	return box_load(vmsect_view_address(view)) == -EFAULT ? 0 : 7;
}

/* It keeps what it has until it is asked to end. */
static int keep(const struct other *other)
{
	struct vmsect_client *client;
	struct vmsect_view *view;
	int r = take(other, &client, &view);

	if (r)
		return r;
	return box_load(vmsect_view_address(view)) < 0 ? 6 : 0;
}

static void run_other(struct other *other, int not_mine, int go_write)
{
	alarm(OTHER_LIMIT_S);
	(void)close(not_mine);
	(void)close(go_write);
	if (setgroups(0, NULL) < 0 || setresgid(OTHER, OTHER, OTHER) < 0 ||
	    setresuid(OTHER, OTHER, OTHER) < 0)
		_exit(20);
	_exit(other->run(other));
}

/* In the parent `go` is the writing end; `is_ready` waits until it has the section. */
static void start_other(struct other *other, bool is_ready)
{
	int ready[2], go[2];
	char byte;

	assert_return_code(pipe2(ready, O_CLOEXEC), errno);
	assert_return_code(pipe2(go, O_CLOEXEC), errno);
	other->ready = ready[1];
	other->go = go[0];
	other->pid = fork();
	assert_true(other->pid >= 0);
	if (!other->pid)
		run_other(other, ready[0], go[1]);
	(void)close(ready[1]);
	(void)close(go[0]);
	other->go = go[1];
	if (is_ready)
		assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
}

static void tell_other(struct other *other)
{
	if (other->go >= 0)
		(void)close(other->go);
	other->go = -1;
}

/* Its number; 0 if all went well. */
static int end_other(struct other *other)
{
	int status;

	tell_other(other);
	status = fixture_wait(other->pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static bool other_may(struct box *box, uint32_t access)
{
	struct other other = { .run = try_open, .box = box, .access = access };
	int r;

	start_other(&other, false);
	r = end_other(&other);
	assert_in_range(r, 0, 1);
	return r == 0;
}

/* A section of root's for this mode, and everybody may connect. */
static bool prepare(struct box *box, const char *mode)
{
	if (geteuid() != 0)
		return false;
	broker_fixture_open_to_all(&box->broker);
	do_it(box, "create", "x", "--size", "16K", "--mode", mode);
	return true;
}

static void entries_are_listed(void **state)
{
	struct box *box = *state;
	json_t *root, *row;

	do_it(box, "create", "x", "--size", "16K");
	shows(box, "", "grants", "x");
	do_it(box, "grant", "x", WHO, "ro");
	do_it(box, "grant", "x", "gid:100", "wr");
	do_it(box, "grant", "x", "vm:web@1@7", "all");
	do_it(box, "grant", "x", "vm:web2@7", "none");
	shows(box, "uid:65533 qr\ngid:100 wr\nvm:web@1@7 qrwxeng\nvm:web2@7 none\n", "grants", "x",
	      "-rn");
	do_it(box, "grant", "x", WHO, "all"); /* takes the place of the first */
	assert_int_equal(box_run(box, CLI, "grants", "x", "-J", "--output-all"), 0);
	root = json_loads(box->out, JSON_REJECT_DUPLICATES, NULL);
	assert_int_equal(json_array_size(json_object_get(root, "grants")), 4);
	row = json_array_get(json_object_get(root, "grants"), 2);
	assert_string_equal(json_string_value(json_object_get(row, "kind")), "vm");
	assert_string_equal(json_string_value(json_object_get(row, "vm")), "web@1");
	assert_int_equal(json_integer_value(json_object_get(row, "id")), 7);
	json_decref(root);
	shows(box, "4\n", "ls", "-rn", "-o", "GRANTS");
	refused(box,
		"cannot open section 'y': there is no section 'y'; 'vmsect ls' lists those "
		"that there are",
		"grants", "y");
}

static void entries_are_forgotten(void **state)
{
	struct box *box = *state;

	do_it(box, "create", "x", "--size", "16K");
	do_it(box, "grant", "x", WHO, "rw");
	do_it(box, "revoke", "x", "gid:5", "--access", "ro"); /* makes one */
	shows(box, "uid:65533 qrw\ngid:5 qr\n", "grants", "x", "-rn");
	do_it(box, "revoke", "x", WHO);
	shows(box, "uid:65533 none\ngid:5 qr\n", "grants", "x", "-rn");
	do_it(box, "revoke", "x", WHO, "--forget");
	shows(box, "gid:5 qr\n", "grants", "x", "-rn");
	refused(box,
		"cannot revoke access to section 'x': the section has no such grant; "
		"'vmsect grants' lists the entries",
		"revoke", "x", WHO, "--forget");
	assert_int_equal(box_run(box, CLI, "revoke", "x", WHO, "--forget", "--access", "none"), 2);
	assert_non_null(strstr(box->err, "--forget and --access exclude each other"));
}

static void a_grant_opens_and_closes(void **state)
{
	struct box *box = *state;

	if (!prepare(box, "0600"))
		skip();
	assert_false(other_may(box, VMSECT_ACCESS_READ));
	do_it(box, "grant", "x", WHO, "ro");
	assert_true(other_may(box, VMSECT_ACCESS_READ));
	assert_false(other_may(box, VMSECT_ACCESS_WRITE));
	do_it(box, "grant", "x", "gid:65533", "rw"); /* the uid's decides alone */
	assert_false(other_may(box, VMSECT_ACCESS_WRITE));
	do_it(box, "revoke", "x", WHO, "--forget");
	assert_true(other_may(box, VMSECT_ACCESS_WRITE));
}

static void none_is_less_than_the_mode(void **state)
{
	struct box *box = *state;

	if (!prepare(box, "0644"))
		skip();
	assert_true(other_may(box, VMSECT_ACCESS_READ));
	do_it(box, "revoke", "x", WHO);
	assert_false(other_may(box, VMSECT_ACCESS_READ));
	do_it(box, "revoke", "x", WHO, "--forget");
	assert_true(other_may(box, VMSECT_ACCESS_READ));
}

static void a_live_view_goes(void **state)
{
	struct box *box = *state;
	struct other other = { .run = let_go, .box = box, .access = VMSECT_ACCESS_READ };

	if (!prepare(box, "0600"))
		skip();
	do_it(box, "grant", "x", WHO, "ro");
	start_other(&other, true);
	tell_other(&other);
	do_it(box, "revoke", "x", WHO);
	assert_int_equal(end_other(&other), 0);
	shows(box, "", "views", "x");
	shows(box, "uid:65533 none\n", "grants", "x", "-rn");
}

static void a_view_that_stays_is_named(void **state)
{
	struct box *box = *state;
	struct other other = { .run = keep, .box = box, .access = VMSECT_ACCESS_READ };
	char words[200];

	if (!prepare(box, "0600"))
		skip();
	do_it(box, "grant", "x", WHO, "ro");
	start_other(&other, true);
	assert_int_equal(box_run(box, CLI, "revoke", "x", WHO), 1);
	(void)snprintf(words, sizeof(words),
		       "vmsect: a view of 'x' in other (pid %d) is still there\n", other.pid);
	assert_string_equal(box->err, words);
	shows(box, "other ro revoked 65533\n", "views", "x", "-rn", "-o", "PEER,MODE,STATE,UID");
	assert_int_equal(box_run(box, CLI, "show", "x", "-J"), 0);
	assert_non_null(strstr(box->out, "\"state\": \"revoked\""));
	assert_int_equal(end_other(&other), 0);
	do_it(box, "revoke", "x", WHO);
}

/* What is left by --access ro: the reader stays, the writer goes. */
static void only_writing_is_taken(void **state)
{
	struct box *box = *state;
	struct other reader = { .run = keep, .box = box, .access = VMSECT_ACCESS_READ };
	struct other writer = { .run = let_go,
				.box = box,
				.access = VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE };

	if (!prepare(box, "0600"))
		skip();
	do_it(box, "grant", "x", WHO, "rw");
	start_other(&reader, true);
	start_other(&writer, true);
	tell_other(&writer);
	do_it(box, "revoke", "x", WHO, "--access", "ro");
	assert_int_equal(end_other(&writer), 0);
	shows(box, "ro \n", "views", "x", "-rn", "-o", "MODE,STATE");
	assert_int_equal(end_other(&reader), 0);
	shows(box, "uid:65533 qr\n", "grants", "x", "-rn");
}

static struct vmsect_client *connect_vm(const struct box *box)
{
	const struct vmsect_connect_options who = { .size = sizeof(who),
						    .socket_path = box->broker.socket_path,
						    .name = "guest1",
						    .no_start = 1,
						    .is_vm = 1,
						    .cpus = 1,
						    .memory_bytes = UINT64_C(64) << 20 };
	struct vmsect_client *client = NULL;

	assert_int_equal(vmsect_connect(&who, &client), 0);
	return client;
}

/* By its name, whoever runs it; this user does, whose processes keep all rights. */
static void a_vm_is_revoked(void **state)
{
	const struct vmsect_map_options how = { .size = sizeof(how),
						.protection = VMSECT_PROT_READONLY };
	struct box *box = *state;
	struct vmsect_client *vm = connect_vm(box);
	struct vmsect_section *section;
	struct vmsect_event event;
	struct vmsect_view *view;

	do_it(box, "create", "x", "--size", "16K");
	assert_int_equal(vmsect_section_open(vm, "x", VMSECT_ACCESS_READ, &section), 0);
	assert_int_equal(vmsect_view_register(section, &how, 0x200000, &view), 0);
	do_it(box, "revoke", "x", "vm:guest2");
	assert_int_equal(box_run(box, CLI, "revoke", "x", "vm:guest1"), 1);
	assert_non_null(strstr(box->err, "a view of 'x' in guest1 (pid "));
	event = box_wait_event_of(vm, VMSECT_EVENT_VIEW_REVOKED);
	assert_int_equal(event.view_id, vmsect_view_id(view));
	assert_int_equal(vmsect_view_revoked(view), 0);
	do_it(box, "revoke", "x", "vm:guest1");
	shows(box, "", "views", "x");
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	assert_int_equal(vmsect_section_open(vm, "x", VMSECT_ACCESS_READ, &section), -EACCES);
	do_it(box, "revoke", "x", "vm:guest1", "--forget");
	assert_int_equal(vmsect_section_open(vm, "x", VMSECT_ACCESS_READ, &section), 0);
	vmsect_section_close(section);
	vmsect_client_free(vm);
}

/* Runs our tool as the other user; where that can reach it, which it is copied to. */
static int run_as_other(struct box *box, const char *arguments)
{
	char program[200], text[600];

	fixture_program(CLI, program, sizeof(program));
	(void)snprintf(text, sizeof(text),
		       "cp -f \"$1\" \"$2/tool\" && exec setpriv --reuid %u --regid %u "
		       "--clear-groups \"$2/tool\" %s",
		       OTHER, OTHER, arguments);
	return box_run(box, "/bin/sh", "-c", text, "sh", program, box->broker.folder);
}

static void others_do_not_grant(void **state)
{
	struct box *box = *state;

	if (!prepare(box, "0644"))
		skip();
	assert_int_equal(run_as_other(box, "grant x uid:1 ro"), 1);
	assert_non_null(strstr(box->err, "cannot open section 'x': "));
	assert_non_null(strstr(box->err, "; its owner or root can, or say who may with"));
	assert_int_equal(run_as_other(box, "revoke x uid:1"), 1);
	assert_int_equal(run_as_other(box, "grants x -rn"), 0);
	assert_string_equal(box->out, "");
	do_it(box, "grant", "x", WHO, "qg"); /* now it may */
	assert_int_equal(run_as_other(box, "grant x uid:1 ro"), 0);
	assert_int_equal(run_as_other(box, "grants x -rn"), 0);
	assert_string_equal(box->out, "uid:65533 qg\nuid:1 qr\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(entries_are_listed),	TEST(entries_are_forgotten),
		TEST(a_grant_opens_and_closes), TEST(none_is_less_than_the_mode),
		TEST(a_live_view_goes),		TEST(a_view_that_stays_is_named),
		TEST(only_writing_is_taken),	TEST(a_vm_is_revoked),
		TEST(others_do_not_grant),
	};

	return cmocka_run_group_tests_name("cli_rights", tests, NULL, NULL);
}
