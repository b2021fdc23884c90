/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Views through libvmsect: which are refused and how, and what each protection
 * does to the bytes, on every kind of backing.
 */
#include "lib/client_fixture.h"
#include "lib/huge_pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HUGE_BYTES (UINT64_C(2) << 20)
#define HUGE_PAGES 8 /* enough for the section and the copies of its writecopy view */

/* Can this process load from, or store to, the address?  Asked of the kernel, not by faulting. */
static bool can_load(const void *address)
{
	int fds[2];
	ssize_t r;

	assert_return_code(pipe2(fds, O_CLOEXEC), errno);
	r = write(fds[1], address, 1);
	close(fds[0]);
	close(fds[1]);
	return r == 1;
}

static bool can_store(void *address)
{
	int fds[2];
	ssize_t r;

	assert_return_code(pipe2(fds, O_CLOEXEC), errno);
	assert_int_equal(write(fds[1], "s", 1), 1);
	r = read(fds[0], address, 1);
	close(fds[0]);
	close(fds[1]);
	return r == 1;
}

static struct vmsect_section *open_with(struct vmsect_client *client, const char *name,
					uint32_t access)
{
	struct vmsect_section *section = NULL;

	assert_int_equal(vmsect_section_open(client, name, access, &section), 0);
	return section;
}

/* What each right alone allows: a view that it lacks the right for is EPERM. */
static void rights_decide(void **state)
{
	static const struct {
		uint32_t access;
		int result[5]; /* by protection */
	} rows[] = {
		{ VMSECT_ACCESS_QUERY, { 0, -EPERM, -EPERM, -EPERM, -EPERM } },
		{ VMSECT_ACCESS_NOTIFY, { 0, -EPERM, -EPERM, -EPERM, -EPERM } },
		{ VMSECT_ACCESS_READ, { 0, 0, 0, -EPERM, 0 } },
		{ VMSECT_ACCESS_WRITE, { 0, -EPERM, -EPERM, 0, -EPERM } },
		{ VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE, { 0, 0, 0, 0, 0 } },
	};
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *keep = box_section(client, "x", 8192);
	size_t row;

	for (row = 0; row < ARRAY_SIZE(rows); row++) {
		struct vmsect_section *section = open_with(client, "x", rows[row].access);
		int protection;

		for (protection = 1; protection <= 4; protection++)
			assert_int_equal(box_try_map(section, (enum vmsect_protection)protection),
					 rows[row].result[protection]);
		vmsect_section_close(section);
	}
	vmsect_section_close(keep);
	vmsect_client_free(client);
}

/* What the section forbids it forbids to every handle: EACCES, where EPERM is a handle's lack. */
static void protection_decides(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = "ro",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READONLY,
		.size_bytes = 4096,
	};
	struct vmsect_section *section, *other;

	assert_int_equal(vmsect_section_create(client, &options, &section), 0);
	other = open_with(client, "ro", VMSECT_ACCESS_WRITE);
	assert_int_equal(fcntl(vmsect_section_fd(other), F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(box_try_map(other, VMSECT_PROT_READWRITE), -EACCES);
	assert_int_equal(box_try_map(other, VMSECT_PROT_READONLY), -EPERM);
	vmsect_section_close(other);
	assert_int_equal(box_try_map(section, VMSECT_PROT_READWRITE), -EPERM);
	assert_int_equal(box_try_map(section, VMSECT_PROT_NOACCESS), 0);
	assert_int_equal(box_try_map(section, VMSECT_PROT_READONLY), 0);
	assert_int_equal(box_try_map(section, VMSECT_PROT_WRITECOPY), 0);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void assert_map_refused(struct vmsect_section *section, struct vmsect_client *client,
			       struct vmsect_map_options options, uint32_t detail)
{
	struct vmsect_view *view = (void *)&options;

	assert_int_equal(vmsect_view_map(section, &options, &view), -EINVAL);
	assert_ptr_equal(view, &options);
	assert_int_equal(vmsect_client_detail(client), detail);
}

static void ranges_are_checked(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_file_section(*state, client, "x", 10000);
	struct vmsect_map_options options = { .size = sizeof(options),
					      .protection = VMSECT_PROT_READONLY,
					      .offset = 0,
					      .length = 0 };
	struct vmsect_view *view;

	options.offset = 1;
	assert_map_refused(section, client, options, VMSECT_DETAIL_ALIGNMENT);
	options.offset = 2048;
	assert_map_refused(section, client, options, VMSECT_DETAIL_ALIGNMENT);
	options.offset = 12288;
	assert_map_refused(section, client, options, VMSECT_DETAIL_VIEW_SIZE);
	options.offset = 0;
	options.length = 10001;
	assert_map_refused(section, client, options, VMSECT_DETAIL_VIEW_SIZE);
	options.offset = 4096;
	options.length = UINT64_MAX - 100;
	assert_map_refused(section, client, options, VMSECT_DETAIL_VIEW_SIZE);
	options.length = UINT64_MAX - 8191;
	assert_map_refused(section, client, options, VMSECT_DETAIL_VIEW_SIZE);
	options.length = 5904;
	assert_int_equal(vmsect_view_map(section, &options, &view), 0);
	assert_int_equal(vmsect_view_length(view), 8192);
	assert_int_equal(*(unsigned char *)vmsect_view_address(view), box_byte(4096));
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void bad_options_are_refused(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_section(client, "x", 4096);
	struct vmsect_map_options options = {
		.size = sizeof(options), .protection = 0, .offset = 0, .length = 0
	};

	assert_map_refused(section, client, options, VMSECT_DETAIL_PROTECTION);
	options.protection = 99;
	assert_map_refused(section, client, options, VMSECT_DETAIL_PROTECTION);
	options.protection = VMSECT_PROT_READONLY;
	options.size = 3;
	assert_map_refused(section, client, options, VMSECT_DETAIL_FORMAT);
	assert_int_equal(box_try_map(section, VMSECT_PROT_EXECUTE_READ), -EPERM);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

/* Four views of one section; what each sees of the others' stores. */
static void check_protections(struct vmsect_section *section)
{
	struct vmsect_view *rw = box_map(section, VMSECT_PROT_READWRITE);
	struct vmsect_view *ro = box_map(section, VMSECT_PROT_READONLY);
	struct vmsect_view *wc = box_map(section, VMSECT_PROT_WRITECOPY);
	struct vmsect_view *na = box_map(section, VMSECT_PROT_NOACCESS);
	uint64_t page = UINT64_C(1) << vmsect_section_info(section)->page_shift;
	unsigned char *w = vmsect_view_address(rw);
	const volatile unsigned char *r = vmsect_view_address(ro);
	volatile unsigned char *c = vmsect_view_address(wc);

	assert_false(can_store(vmsect_view_address(ro)));
	assert_false(can_load(vmsect_view_address(na)));
	assert_false(can_store(vmsect_view_address(na)));
	w[0] = 'a';
	w[page] = 'b';
	assert_int_equal(r[0], 'a');
	assert_int_equal(c[0], 'a');
	c[0] = 'c';
	assert_int_equal(w[0], 'a');
	assert_int_equal(r[0], 'a');
	/* Its neighbour page is still the section's. */
	w[page] = 'd';
	assert_int_equal(c[page], 'd');
	w[0] = 'e';
	assert_int_equal(c[0], 'c');
	assert_int_equal((uintptr_t)w % page, 0);
	vmsect_view_unmap(na);
	vmsect_view_unmap(wc);
	vmsect_view_unmap(ro);
	vmsect_view_unmap(rw);
}

static void protections_on_shmem(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_section(client, "x", 3 * HUGE_BYTES);

	check_protections(section);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void protections_on_a_file(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_file_section(*state, client, "x", 3 * 4096);
	FILE *file;

	check_protections(section);
	vmsect_section_close(section);
	vmsect_client_free(client);
	file = fopen(box_path(*state, "x"), "re");
	assert_non_null(file);
	assert_int_equal(fgetc(file), 'e'); /* what rw stored, not what wc did */
	assert_int_equal(fgetc(file), box_byte(1));
	assert_int_equal(fseek(file, 4096, SEEK_SET), 0);
	assert_int_equal(fgetc(file), 'd');
	(void)fclose(file);
}

static struct huge_pages huge = HUGE_PAGES_NONE;

/* Pages that are still in use leave the pool when they are freed. */
static int huge_teardown(void **state)
{
	huge_pages_give_back(&huge);
	return box_teardown(state);
}

static void protections_on_hugetlb(void **state)
{
	struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = "huge",
		.backing = VMSECT_BACKING_HUGETLB,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = 2 * HUGE_BYTES,
	};
	struct vmsect_client *client;
	struct vmsect_section *section;

	if (!huge_pages_take(&huge, HUGE_PAGES))
		skip();
	client = box_connect(*state, "test");
	assert_int_equal(vmsect_section_create(client, &options, &section), 0);
	assert_int_equal(vmsect_section_info(section)->page_shift, 21);
	check_protections(section);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void too_few_huge_pages(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_create_options options = {
		.size = sizeof(options),
		.backing = VMSECT_BACKING_HUGETLB,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = UINT64_C(1) << 40,
	};
	struct vmsect_section *section = (void *)&options;
	int r = vmsect_section_create(client, &options, &section);

	/* More than the pool has, or than one user may have: which is less is the machine's. */
	if (r == -EDQUOT)
		assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_LIMIT);
	else
		assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_HUGEPAGES);
	assert_true(r == -EDQUOT || r == -ENOMEM);
	assert_ptr_equal(section, &options);
	vmsect_client_free(client);
}

/* Addresses agree with offsets modulo 2 MiB where that lets huge pages be used. */
static void large_views_are_placed_for_huge_pages(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_section(client, "x", 4 * HUGE_BYTES);
	struct vmsect_map_options options = { .size = sizeof(options),
					      .protection = VMSECT_PROT_READONLY,
					      .offset = 0x5000,
					      .length = 0 };
	struct vmsect_view *view;

	assert_int_equal(vmsect_view_map(section, &options, &view), 0);
	assert_int_equal((uintptr_t)vmsect_view_address(view) % HUGE_BYTES, 0x5000);
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void views_outlive_handle_and_broker(void **state)
{
	struct box *box = *state;
	struct vmsect_client *client = box_connect(box, "test");
	struct vmsect_section *section = box_section(client, "x", 4096);
	struct vmsect_view *one = box_map(section, VMSECT_PROT_READWRITE);
	struct vmsect_view *two = box_map(section, VMSECT_PROT_READONLY);
	volatile unsigned char *w = vmsect_view_address(one);
	const volatile unsigned char *r = vmsect_view_address(two);
	struct vmsect_section *again = (void *)box;

	vmsect_section_close(section);
	w[7] = 'x';
	assert_int_equal(r[7], 'x');
	/* The name went with the handle, though views live. */
	assert_int_equal(vmsect_section_open(client, "x", VMSECT_ACCESS_READ, &again), -ENOENT);
	broker_fixture_kill(&box->broker);
	w[8] = 'y';
	assert_int_equal(r[8], 'y');
	assert_int_equal(vmsect_section_open(client, "x", VMSECT_ACCESS_READ, &again), -EPIPE);
	assert_ptr_equal(again, box);
	vmsect_view_unmap(one);
	vmsect_view_unmap(two);
	vmsect_client_free(client);
}

static void lists_show_views_as_they_are(void **state)
{
	struct vmsect_client *client = box_connect(*state, "lister");
	struct vmsect_section *section = box_section(client, "x", 16384);
	struct vmsect_map_options options = { .size = sizeof(options),
					      .protection = VMSECT_PROT_WRITECOPY,
					      .offset = 4096,
					      .length = 5000 };
	struct vmsect_view_info *list = NULL;
	struct vmsect_view *view;
	size_t count = 0;

	assert_int_equal(vmsect_view_map(section, &options, &view), 0);
	assert_int_equal(vmsect_list_views(client, 0, &list, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(list[0].id, vmsect_view_id(view));
	assert_int_equal(list[0].section_id, vmsect_section_info(section)->id);
	assert_int_equal(list[0].offset, 4096);
	assert_int_equal(list[0].length, 8192);
	assert_int_equal(list[0].place, (uintptr_t)vmsect_view_address(view));
	assert_int_equal(list[0].protection, VMSECT_PROT_WRITECOPY);
	assert_int_equal(list[0].pid, getpid());
	assert_int_equal(list[0].peer_id, vmsect_client_peer_id(client));
	assert_false(list[0].peer_is_vm);
	assert_string_equal(list[0].section_name, "x");
	assert_string_equal(list[0].peer_name, "lister");
	free(list);
	vmsect_view_unmap(view);
	assert_int_equal(vmsect_list_views(client, 0, &list, &count), 0);
	assert_int_equal(count, 0);
	free(list);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void registered_views_report(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_section(client, "x", 4096);
	struct vmsect_map_options options = { .size = sizeof(options),
					      .protection = VMSECT_PROT_READONLY,
					      .offset = 0,
					      .length = 0 };
	struct vmsect_view_info *list = NULL;
	struct vmsect_view *view;
	size_t count = 0;

	assert_int_equal(vmsect_view_register(section, &options, 0x200000, &view), 0);
	assert_null(vmsect_view_address(view));
	assert_int_equal(vmsect_view_length(view), 4096);
	assert_int_equal(vmsect_view_report(view, 42, 0), 0);
	assert_int_equal(vmsect_list_views(client, vmsect_section_info(section)->id, &list, &count),
			 0);
	assert_int_equal(count, 1);
	assert_int_equal(list[0].place, 0x200000);
	assert_int_equal(list[0].denied_writes, 42);
	free(list);
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void many_views_at_once(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_section(client, "x", 4096);
	struct vmsect_view *views[200];
	struct vmsect_view_info *list;
	size_t i, count;

	for (i = 0; i < ARRAY_SIZE(views); i++)
		views[i] = box_map(section, VMSECT_PROT_READWRITE);
	*(volatile char *)vmsect_view_address(views[0]) = 'm';
	assert_int_equal(vmsect_list_views(client, 0, &list, &count), 0);
	assert_int_equal(count, ARRAY_SIZE(views));
	free(list);
	for (i = 0; i < ARRAY_SIZE(views); i++) {
		assert_int_equal(*(volatile char *)vmsect_view_address(views[i]), 'm');
		vmsect_view_unmap(views[i]);
	}
	vmsect_section_close(section);
	vmsect_client_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(rights_decide),
		TEST(protection_decides),
		TEST(ranges_are_checked),
		TEST(bad_options_are_refused),
		TEST(protections_on_shmem),
		TEST(protections_on_a_file),
		cmocka_unit_test_setup_teardown(protections_on_hugetlb, box_setup, huge_teardown),
		TEST(too_few_huge_pages),
		TEST(large_views_are_placed_for_huge_pages),
		TEST(views_outlive_handle_and_broker),
		TEST(lists_show_views_as_they_are),
		TEST(registered_views_report),
		TEST(many_views_at_once),
	};

	return cmocka_run_group_tests_name("lib_view", tests, NULL, NULL);
}
