/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vmsect ls, show, views and vms print, as JSON and as a table, against
 * the configuration of the VMs that run.
 */
#include "lib/check.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "kvm/bed.h"
#include "kvm/vm_fixture.h"

#define LIMIT_S 60
#define UNIT (UINT64_C(2) << 20)

/* A view that must be listed. */
struct expected_view {
	const char *vm;
	const char *section;
	const char *mode;
	json_int_t place;
	json_int_t length;
};

static const struct expected_view expected_views[] = {
	{ "one", "alpha", "rw", 4 << 20, 6 << 20 },
	{ "one", "beta", "ro", 64 << 20, 2 << 20 },
	{ "two", "alpha", "cow", 0, 6 << 20 },
	{ "two", "beta", "rw", 32 << 20, 2 << 20 },
};

struct two {
	struct vm_fixture *one;
	struct vm_fixture *two;
};

static void start_two(struct bed *bed, struct two *two)
{
	const struct vm_config one = {
		.name = "one",
		.memory = "128M",
		.cpus = 2,
		.sections = { "alpha:rw,at=4M", "beta:ro,at=64M" },
	};
	const struct vm_config other = {
		.name = "two",
		.sections = { "alpha:cow,at=0", "beta:rw,at=32M" },
	};

	(void)bed_section_new(bed, "alpha", VMSECT_BACKING_FILE, 3 * UNIT);
	(void)bed_section_new(bed, "beta", VMSECT_BACKING_SHMEM, UNIT);
	two->one = vm_start(bed, &one);
	two->two = vm_start(bed, &other);
}

/* The output of a command as JSON; the caller gives it back. */
static json_t *run_json(struct bed *bed, const char *const *words)
{
	AUTO_FREE char *text = bed_run_cli(bed, words);
	json_error_t error;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (!root)
		fail_msg("vmsect %s: %s\n%s", words[0], error.text, text);
	return root;
}

static const char *text_of(const json_t *row, const char *key)
{
	const json_t *value = json_object_get(row, key);

	if (!json_is_string(value))
		fail_msg("%s is no string", key);
	return json_string_value(value);
}

static json_int_t number_of(const json_t *row, const char *key)
{
	const json_t *value = json_object_get(row, key);

	if (!json_is_integer(value))
		fail_msg("%s is no number", key);
	return json_integer_value(value);
}

/* The only row whose keys have these texts. */
static const json_t *find_row(const json_t *rows, const char *const (*want)[2], size_t count)
{
	const json_t *found = NULL;

	assert_true(json_is_array(rows));
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		size_t same = 0;

		while (same < count && !strcmp(text_of(row, want[same][0]), want[same][1]))
			same++;
		if (same < count)
			continue;
		assert_null(found);
		found = row;
	}
	assert_non_null(found);
	return found;
}

static void expect_view(const json_t *rows, const struct expected_view *view, pid_t pid)
{
	const char *const want[][2] = { { "peer", view->vm }, { "section", view->section } };
	const json_t *row = find_row(rows, want, 2);

	assert_string_equal(text_of(row, "kind"), "vm");
	assert_string_equal(text_of(row, "mode"), view->mode);
	assert_int_equal(number_of(row, "pid"), pid);
	assert_int_equal(number_of(row, "offset"), 0);
	assert_int_equal(number_of(row, "length"), view->length);
	assert_int_equal(number_of(row, "place"), view->place);
	assert_int_equal(number_of(row, "denied"), 0);
}

static void test_views(void **state)
{
	static const char *const words[] = { "views", "-J", "--output-all", NULL };
	struct bed *bed = *state;
	struct two two;
	json_t *root;
	const json_t *rows;

	start_two(bed, &two);
	root = run_json(bed, words);
	rows = json_object_get(root, "views");
	/* Beside the VMs' four there are the bed's own two. */
	assert_int_equal(json_array_size(rows), ARRAY_SIZE(expected_views) + 2);
	for (size_t i = 0; i < ARRAY_SIZE(expected_views); i++)
		expect_view(rows, &expected_views[i],
			    strcmp(expected_views[i].vm, "one") ? two.two->pid : two.one->pid);
	json_decref(root);
	vm_power_off(two.two);
	root = run_json(bed, words);
	assert_int_equal(json_array_size(json_object_get(root, "views")), 4);
	json_decref(root);
	vm_power_off(two.one);
}

/* Writes that were refused are reported to the broker within a moment. */
static void test_denied(void **state)
{
	static const char *const words[] = { "views", "-J", "beta", NULL };
	static const char *const want[][2] = { { "peer", "one" } };
	struct bed *bed = *state;
	struct two two;
	json_int_t denied = 0;

	start_two(bed, &two);
	for (unsigned int i = 0; i < 5; i++)
		(void)vm_ok(two.one, "w64 64M 1");
	/* The VMM reports once a second; each turn starts a program. */
	while (denied == 0) {
		json_t *root = run_json(bed, words);

		denied = number_of(find_row(json_object_get(root, "views"), want, 1), "denied");
		json_decref(root);
	}
	assert_int_equal(denied, 5);
	vm_power_off(two.one);
	vm_power_off(two.two);
}

static void test_sections(void **state)
{
	static const char *const words[] = { "ls", "-J", "--output-all", NULL };
	static const char *const alpha_name[][2] = { { "name", "alpha" } };
	static const char *const beta_name[][2] = { { "name", "beta" } };
	struct bed *bed = *state;
	struct two two;
	const json_t *row;
	json_t *root;

	start_two(bed, &two);
	root = run_json(bed, words);
	assert_int_equal(json_array_size(json_object_get(root, "sections")), 2);
	row = find_row(json_object_get(root, "sections"), alpha_name, 1);
	assert_int_equal(number_of(row, "size"), 6 << 20);
	assert_string_equal(text_of(row, "backing"), "file");
	assert_string_equal(text_of(row, "prot"), "readwrite");
	assert_string_equal(text_of(row, "path"), bed->section[0].path);
	assert_int_equal(number_of(row, "handles"), 3);
	assert_int_equal(number_of(row, "views"), 3);
	assert_true(json_is_true(json_object_get(row, "permanent")));
	assert_int_equal(number_of(row, "page"), 4096);
	row = find_row(json_object_get(root, "sections"), beta_name, 1);
	assert_int_equal(number_of(row, "size"), 2 << 20);
	assert_string_equal(text_of(row, "backing"), "shmem");
	json_decref(root);
	vm_power_off(two.one);
	vm_power_off(two.two);
}

static void test_vms(void **state)
{
	static const char *const words[] = { "vms", "-J", "--output-all", NULL };
	static const char *const one_name[][2] = { { "name", "one" } };
	static const char *const two_name[][2] = { { "name", "two" } };
	struct bed *bed = *state;
	struct two two;
	const json_t *row;
	json_t *root;

	start_two(bed, &two);
	root = run_json(bed, words);
	assert_int_equal(json_array_size(json_object_get(root, "vms")), 2);
	row = find_row(json_object_get(root, "vms"), one_name, 1);
	assert_int_equal(number_of(row, "pid"), two.one->pid);
	assert_int_equal(number_of(row, "cpus"), 2);
	assert_int_equal(number_of(row, "memory"), 128 << 20);
	assert_int_equal(number_of(row, "views"), 2);
	assert_int_equal(number_of(row, "id"), (json_int_t)vm_number(two.one, "peer", "device"));
	row = find_row(json_object_get(root, "vms"), two_name, 1);
	assert_int_equal(number_of(row, "cpus"), 1);
	json_decref(root);
	vm_power_off(two.one);
	vm_power_off(two.two);
}

static void test_show(void **state)
{
	static const char *const words[] = { "show", "-J", "alpha", NULL };
	static const char *const one_peer[][2] = { { "peer", "one" } };
	static const char *const two_name[][2] = { { "name", "two" } };
	struct bed *bed = *state;
	struct two two;
	const json_t *sections;
	json_t *root;

	start_two(bed, &two);
	root = run_json(bed, words);
	sections = json_object_get(root, "sections");
	assert_int_equal(json_array_size(sections), 1);
	assert_string_equal(text_of(json_array_get(sections, 0), "name"), "alpha");
	assert_int_equal(json_array_size(json_object_get(root, "views")), 3);
	assert_string_equal(text_of(find_row(json_object_get(root, "views"), one_peer, 1), "mode"),
			    "rw");
	assert_int_equal(json_array_size(json_object_get(root, "peers")), 3);
	(void)find_row(json_object_get(root, "peers"), two_name, 1);
	json_decref(root);
	vm_power_off(two.one);
	vm_power_off(two.two);
}

/* The same in a table for scripts and one for people. */
static void test_tables(void **state)
{
	static const char *const raw[] = { "views", "-rnb", "-o", "PEER,MODE,LENGTH,PLACE",
					   "alpha", NULL };
	static const char *const people[] = { "ls", NULL };
	struct bed *bed = *state;
	struct two two;
	char *text;

	start_two(bed, &two);
	text = bed_run_cli(bed, raw);
	assert_non_null(strstr(text, "one rw 6291456 "));
	assert_non_null(strstr(text, "two cow 6291456 "));
	assert_null(strstr(text, "PEER"));
	free(text);
	text = bed_run_cli(bed, people);
	assert_memory_equal(text, "NAME", 4);
	assert_non_null(strstr(text, "\nalpha "));
	assert_non_null(strstr(text, "6M"));
	assert_non_null(strstr(text, "shmem"));
	free(text);
	vm_power_off(two.one);
	vm_power_off(two.two);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_views), TEST(test_sections), TEST(test_vms),
		TEST(test_show),  TEST(test_tables),   TEST(test_denied),
	};
	int skipped = bed_begin(LIMIT_S);

	if (skipped)
		return skipped;
	return cmocka_run_group_tests_name("kvm listing", tests, NULL, NULL);
}
