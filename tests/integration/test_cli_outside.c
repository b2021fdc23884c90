/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mappings of a section's file that were made without the broker: a process of
 * the test really makes them, and the listings show what they are.
 */
#include "lib/client_fixture.h"

#include <fcntl.h>
#include <grp.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLI "vmsect"
#define BYTES 16384u
#define NOBODY 65534u

/* A process that has the file mapped until it is stopped. */
struct stranger {
	pid_t pid;
	void *address;
};

static void stranger_work(const char *path, int to_test)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
	void *private = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_NAME, "odd\nname");
	if (fd < 0 || shared == MAP_FAILED || private == MAP_FAILED)
		_exit(1);
	(void)close(fd);
	if (write(to_test, &shared, sizeof(shared)) == sizeof(shared))
		(void)pause();
	_exit(1);
}

static void stranger_start(struct stranger *stranger, const char *path)
{
	int ready[2];

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	stranger->pid = fork();
	assert_true(stranger->pid >= 0);
	if (!stranger->pid)
		stranger_work(path, ready[1]);
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &stranger->address, sizeof(void *)), sizeof(void *));
	(void)close(ready[0]);
}

static void stranger_stop(struct stranger *stranger)
{
	assert_int_equal(kill(stranger->pid, SIGKILL), 0);
	assert_int_equal(waitpid(stranger->pid, NULL, 0), stranger->pid);
}

/* The rows of `vmsect views` and the like; free *ret_root. */
static json_t *views(struct box *box, const char *verb, const char *name, json_t **ret_root)
{
	json_t *list;

	assert_int_equal(
		box_run(box, CLI, verb, name, "-J", strcmp(verb, "show") ? "--output-all" : "-b"),
		0);
	*ret_root = json_loads(box->out, JSON_REJECT_DUPLICATES, NULL);
	list = json_object_get(*ret_root, "views");
	if (!json_is_array(list))
		fail_msg("no views: %s", box->out);
	return list;
}

static const json_t *row_with(const json_t *list, const char *prot)
{
	json_t *row;
	size_t i;

	json_array_foreach(list, i, row)
	{
		if (!strcmp(json_string_value(json_object_get(row, "prot")), prot))
			return row;
	}
	fail_msg("nobody has it %s", prot);
	return NULL;
}

static void assert_text(const json_t *row, const char *key, const char *value)
{
	assert_string_equal(json_string_value(json_object_get(row, key)), value);
}

static json_int_t number(const json_t *row, const char *key)
{
	assert_true(json_is_integer(json_object_get(row, key)));
	return json_integer_value(json_object_get(row, key));
}

static void check_shared(const json_t *row, const struct stranger *stranger)
{
	assert_text(row, "section", "data");
	assert_text(row, "peer", "odd\nname");
	assert_text(row, "kind", "process");
	assert_text(row, "mode", "outside");
	assert_int_equal(number(row, "pid"), stranger->pid);
	assert_int_equal(number(row, "uid"), getuid());
	assert_int_equal(number(row, "offset"), 4096);
	assert_int_equal(number(row, "length"), 8192);
	assert_int_equal(number(row, "place"), (uintptr_t)stranger->address);
	assert_true(json_is_null(json_object_get(row, "denied")));
	assert_true(json_is_null(json_object_get(row, "id")));
	assert_true(json_is_null(json_object_get(row, "peer-id")));
}

static void a_stranger_is_shown(void **state)
{
	struct box *box = *state;
	struct stranger stranger;
	json_t *root, *list;

	box_write_file(box, "data", BYTES);
	assert_int_equal(box_run(box, CLI, "create", "data", "--file", box_path(box, "data")), 0);
	assert_int_equal(json_array_size(views(box, "views", "data", &root)), 0);
	json_decref(root);
	stranger_start(&stranger, box_path(box, "data"));
	list = views(box, "views", "data", &root);
	assert_int_equal(json_array_size(list), 2);
	check_shared(row_with(list, "rw-s"), &stranger);
	assert_int_equal(number(row_with(list, "r--p"), "offset"), 0);
	assert_int_equal(number(row_with(list, "r--p"), "length"), 4096);
	json_decref(root);
	list = views(box, "show", "data", &root);
	assert_int_equal(json_array_size(list), 2);
	check_shared(row_with(list, "rw-s"), &stranger);
	json_decref(root);
	stranger_stop(&stranger);
	assert_int_equal(json_array_size(views(box, "views", "data", &root)), 0);
	json_decref(root);
}

/* Who has the section open is shown with its views, once. */
static void a_client_is_no_stranger(void **state)
{
	struct box *box = *state;
	struct vmsect_client *client = box_connect(box, "inside");
	struct vmsect_section *section = box_file_section(box, client, "data", BYTES);
	struct stranger stranger;
	struct vmsect_view *view;
	json_t *root, *list;

	/* Before there is a view: a child would have it too. */
	stranger_start(&stranger, box_path(box, "data"));
	view = box_map(section, VMSECT_PROT_READWRITE);
	list = views(box, "views", "data", &root);
	assert_int_equal(json_array_size(list), 3);
	assert_text(json_array_get(list, 0), "peer", "inside");
	assert_text(json_array_get(list, 0), "mode", "rw");
	assert_text(json_array_get(list, 1), "mode", "outside");
	json_decref(root);
	stranger_stop(&stranger);
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

/* Another section, and a section of the same name's file in another place. */
static void other_files_are_not_it(void **state)
{
	struct box *box = *state;
	struct stranger stranger;
	json_t *root;

	box_write_file(box, "data", BYTES);
	box_write_file(box, "else", BYTES);
	assert_int_equal(box_run(box, CLI, "create", "data", "--file", box_path(box, "data")), 0);
	assert_int_equal(box_run(box, CLI, "create", "memory", "--size", "16K"), 0);
	stranger_start(&stranger, box_path(box, "else"));
	assert_int_equal(json_array_size(views(box, "views", "data", &root)), 0);
	json_decref(root);
	assert_int_equal(json_array_size(views(box, "views", "memory", &root)), 0);
	json_decref(root);
	stranger_stop(&stranger);
}

/* A user who must not look at others' processes; the exit status of vmsect. */
static int list_as_nobody(struct box *box)
{
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	    setresuid(NOBODY, NOBODY, NOBODY) < 0 || box_run(box, CLI, "views", "data"))
		return 1;
	return strstr(box->err, "could not be looked at") ? 0 : 2;
}

static void what_is_hidden_is_said(void **state)
{
	struct box *box = *state;
	pid_t pid;

	if (geteuid())
		skip();
	broker_fixture_open_to_all(&box->broker);
	box_write_file(box, "data", BYTES);
	assert_int_equal(box_run(box, CLI, "create", "data", "--mode", "0666", "--file",
				 box_path(box, "data")),
			 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(list_as_nobody(box));
	assert_int_equal(fixture_wait(pid), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_stranger_is_shown, box_setup, box_teardown),
		cmocka_unit_test_setup_teardown(a_client_is_no_stranger, box_setup, box_teardown),
		cmocka_unit_test_setup_teardown(other_files_are_not_it, box_setup, box_teardown),
		cmocka_unit_test_setup_teardown(what_is_hidden_is_said, box_setup, box_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
