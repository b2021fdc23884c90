/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the listings of vmsect print, in every format, next to what was really
 * made and mapped.
 */
#include "lib/client_fixture.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLI "vmsect"

/* The array `name` of what the last program printed; *ret_root is to be freed. */
static json_t *parse_array(const struct box *box, const char *name, json_t **ret_root)
{
	json_error_t error;
	json_t *array;

	*ret_root = json_loads(box->out, JSON_REJECT_DUPLICATES, &error);
	if (!*ret_root)
		fail_msg("%s\n%s", error.text, box->out);
	array = json_object_get(*ret_root, name);
	assert_true(json_is_array(array));
	return array;
}

static void assert_string(const json_t *row, const char *key, const char *value)
{
	const json_t *item = json_object_get(row, key);

	if (!json_is_string(item) || strcmp(json_string_value(item), value) != 0)
		fail_msg("%s is not '%s'", key, value);
}

static void assert_number(const json_t *row, const char *key, json_int_t value)
{
	const json_t *item = json_object_get(row, key);

	if (!json_is_integer(item) || json_integer_value(item) != value)
		fail_msg("%s is %lld, not %lld", key, (long long)json_integer_value(item),
			 (long long)value);
}

static void assert_output(struct box *box, const char *expected)
{
	assert_string_equal(box->err, "");
	assert_string_equal(box->out, expected);
}

static void nothing_yet(void **state)
{
	struct box *box = *state;
	json_t *root;

	assert_int_equal(box_run(box, CLI, "ls"), 0);
	assert_output(box, "");
	assert_int_equal(box_run(box, CLI, "views", "--json"), 0);
	assert_int_equal(json_array_size(parse_array(box, "views", &root)), 0);
	json_decref(root);
	assert_int_equal(box_run(box, CLI, "vms", "-J"), 0);
	assert_int_equal(json_array_size(parse_array(box, "vms", &root)), 0);
	json_decref(root);
}

static void sections_in_json(void **state)
{
	struct box *box = *state;
	json_t *root, *row;

	box_write_file(box, "data.bin", 5000);
	assert_int_equal(box_run(box, CLI, "create", "scratch", "--size", "16M", "--mode", "0640"),
			 0);
	assert_output(box, "");
	assert_int_equal(box_run(box, CLI, "create", "data", "--file", box_path(box, "data.bin"),
				 "--protection", "ro"),
			 0);
	assert_int_equal(box_run(box, CLI, "ls", "-J", "--output-all"), 0);
	assert_int_equal(json_array_size(parse_array(box, "sections", &root)), 2);
	row = json_array_get(json_object_get(root, "sections"), 0);
	assert_string(row, "name", "scratch");
	assert_number(row, "size", 16 << 20);
	assert_string(row, "backing", "shmem");
	assert_string(row, "prot", "readwrite");
	assert_string(row, "mode", "0640");
	assert_number(row, "handles", 0);
	assert_number(row, "page", 4096);
	assert_number(row, "uid", geteuid());
	assert_true(json_is_true(json_object_get(row, "permanent")));
	assert_true(json_is_null(json_object_get(row, "path")));
	row = json_array_get(json_object_get(root, "sections"), 1);
	assert_string(row, "name", "data");
	assert_number(row, "size", 5000);
	assert_string(row, "backing", "file");
	assert_string(row, "prot", "readonly");
	assert_string(row, "path", box_path(box, "data.bin"));
	json_decref(root);
}

static void columns_are_chosen(void **state)
{
	struct box *box = *state;

	assert_int_equal(box_run(box, CLI, "create", "a", "--size", "16M"), 0);
	assert_int_equal(box_run(box, CLI, "create", "b", "--size", "6K"), 0);
	assert_int_equal(box_run(box, CLI, "ls", "-o", "NAME,SIZE"), 0);
	assert_output(box, "NAME SIZE\na     16M\nb      8K\n");
	assert_int_equal(box_run(box, CLI, "ls", "-n", "-b", "-o", "size,name"), 0);
	assert_output(box, "16777216 a\n    8192 b\n");
	assert_int_equal(box_run(box, CLI, "ls", "--raw", "-o", "NAME,BACKING,FLAGS"), 0);
	assert_output(box, "NAME BACKING FLAGS\na shmem permanent\nb shmem permanent\n");
	assert_int_equal(box_run(box, CLI, "ls", "-P", "-o", "NAME,PERMANENT"), 0);
	assert_output(box, "NAME=\"a\" PERMANENT=\"yes\"\nNAME=\"b\" PERMANENT=\"yes\"\n");
	assert_int_equal(box_run(box, CLI, "ls", "-r", "-o", "+PAGE"), 0);
	assert_non_null(strstr(box->out, "NAME SIZE BACKING PROT OWNER MODE HANDLES VIEWS PATH "
					 "PAGE\n"));
}

static void views_as_they_are(void **state)
{
	struct box *box = *state;
	struct vmsect_client *client = box_connect(box, "viewer");
	struct vmsect_section *section = box_section(client, "x", 16384);
	struct vmsect_map_options options = { .size = sizeof(options),
					      .protection = VMSECT_PROT_WRITECOPY,
					      .offset = 4096,
					      .length = 8192 };
	struct vmsect_view *ro = box_map(section, VMSECT_PROT_READONLY);
	struct vmsect_view *none = box_map(section, VMSECT_PROT_NOACCESS);
	struct vmsect_view *rw = box_map(section, VMSECT_PROT_READWRITE);
	struct vmsect_view *cow;
	json_t *root, *row;

	assert_int_equal(vmsect_view_map(section, &options, &cow), 0);
	assert_int_equal(box_run(box, CLI, "views", "x", "-rn", "-o",
				 "SECTION,PEER,KIND,MODE,OFFSET,LENGTH,DENIED"),
			 0);
	assert_output(box, "x viewer process ro 0B 16K 0\n"
			   "x viewer process none 0B 16K 0\n"
			   "x viewer process rw 0B 16K 0\n"
			   "x viewer process cow 4K 8K 0\n");
	assert_int_equal(box_run(box, CLI, "views", "-J", "--output-all"), 0);
	assert_int_equal(json_array_size(parse_array(box, "views", &root)), 4);
	row = json_array_get(json_object_get(root, "views"), 3);
	assert_number(row, "pid", getpid());
	assert_number(row, "place", (json_int_t)(uintptr_t)vmsect_view_address(cow));
	assert_number(row, "offset", 4096);
	assert_number(row, "length", 8192);
	assert_string(row, "prot", "writecopy");
	json_decref(root);
	assert_int_equal(box_run(box, CLI, "views", "y"), 1);
	assert_non_null(strstr(box->err, "there is no section 'y'"));
	vmsect_view_unmap(cow);
	vmsect_view_unmap(rw);
	vmsect_view_unmap(none);
	vmsect_view_unmap(ro);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static struct vmsect_client *connect_vm(struct box *box)
{
	struct vmsect_connect_options options = {
		.size = sizeof(options),
		.socket_path = box->broker.socket_path,
		.name = "guest1",
		.is_vm = 1,
		.cpus = 2,
		.memory_bytes = UINT64_C(512) << 20,
	};
	struct vmsect_client *client = NULL;

	assert_int_equal(vmsect_connect(&options, &client), 0);
	return client;
}

static void vms_and_processes(void **state)
{
	struct box *box = *state;
	struct vmsect_client *vm = connect_vm(box);
	const struct vmsect_vm_counters counters = { sizeof(counters), 5, 6, 7, 8 };
	json_t *root, *row;

	assert_int_equal(vmsect_client_report(vm, &counters), 0);
	assert_int_equal(box_run(box, CLI, "vms", "-rn", "-o", "NAME,MEMORY,CPUS,VIEWS"), 0);
	assert_output(box, "guest1 512M 2 0\n");
	assert_int_equal(box_run(box, CLI, "vms", "-rn", "-o", "DENIED,HOLES,UNDECODABLE,LOST"), 0);
	assert_output(box, "5 6 7 8\n");
	assert_int_equal(box_run(box, CLI, "vms", "--all", "-J"), 0);
	assert_int_equal(json_array_size(parse_array(box, "vms", &root)), 2);
	row = json_array_get(json_object_get(root, "vms"), 0);
	assert_string(row, "kind", "vm");
	assert_number(row, "memory", 512 << 20);
	assert_number(row, "pid", getpid());
	row = json_array_get(json_object_get(root, "vms"), 1);
	assert_string(row, "name", "vmsect");
	assert_string(row, "kind", "process");
	assert_true(json_is_null(json_object_get(row, "memory")));
	assert_true(json_is_null(json_object_get(row, "denied")));
	json_decref(root);
	vmsect_client_free(vm);
}

static void show_tells_all(void **state)
{
	struct box *box = *state;
	struct vmsect_client *vm = connect_vm(box);
	struct vmsect_section *section = box_section(vm, "x", 4096);
	struct vmsect_map_options options = { .size = sizeof(options),
					      .protection = VMSECT_PROT_READONLY,
					      .offset = 0,
					      .length = 0 };
	struct vmsect_view *view;
	json_t *root, *row;

	assert_int_equal(vmsect_view_register(section, &options, 0x200000, &view), 0);
	assert_int_equal(box_run(box, CLI, "show", "x", "-J"), 0);
	row = json_array_get(parse_array(box, "sections", &root), 0);
	assert_string(row, "name", "x");
	assert_number(row, "views", 1);
	assert_true(json_is_false(json_object_get(row, "permanent")));
	row = json_array_get(json_object_get(root, "views"), 0);
	assert_string(row, "peer", "guest1");
	assert_number(row, "place", 0x200000);
	row = json_array_get(json_object_get(root, "peers"), 0);
	assert_string(row, "name", "guest1");
	json_decref(root);
	assert_int_equal(box_run(box, CLI, "show", "x"), 0);
	assert_non_null(strstr(box->out, "Name:       x\n"));
	assert_non_null(strstr(box->out, "\nviews:\n"));
	assert_non_null(strstr(box->out, "\npeers:\n"));
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_client_free(vm);
}

/* A path with an escape sequence must not reach the terminal as it is. */
static void hostile_paths_are_escaped(void **state)
{
	struct box *box = *state;
	json_t *root;

	box_write_file(box, "a\x1b[31m\nb", 4096);
	assert_int_equal(box_run(box, CLI, "create", "x", "--file", box_path(box, "a\x1b[31m\nb")),
			 0);
	assert_int_equal(box_run(box, CLI, "ls"), 0);
	assert_null(strchr(box->out, '\x1b'));
	assert_int_equal(box_run(box, CLI, "show", "x"), 0);
	assert_null(strchr(box->out, '\x1b'));
	assert_int_equal(box_run(box, CLI, "ls", "-J"), 0);
	assert_null(strchr(box->out, '\x1b'));
	(void)parse_array(box, "sections", &root);
	json_decref(root);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(nothing_yet),
		TEST(sections_in_json),
		TEST(columns_are_chosen),
		TEST(views_as_they_are),
		TEST(vms_and_processes),
		TEST(show_tells_all),
		TEST(hostile_paths_are_escaped),
	};

	return cmocka_run_group_tests_name("cli_listing", tests, NULL, NULL);
}
