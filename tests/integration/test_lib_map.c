/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where and how libvmsect maps: at a wanted address, with room, executable.
 */
#include "lib/client_fixture.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE UINT64_C(4096)

static struct vmsect_map_options map_options(enum vmsect_protection protection)
{
	struct vmsect_map_options options = { .size = sizeof(options), .protection = protection };

	return options;
}

static void a_wanted_address(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_section(client, "x", 4 * PAGE);
	struct vmsect_map_options options = map_options(VMSECT_PROT_READWRITE);
	unsigned char *free_place =
		mmap(NULL, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct vmsect_view *view, *other = (void *)&options;
	struct vmsect_view_info *list;
	size_t count;

	assert_true(free_place != MAP_FAILED);
	assert_int_equal(munmap(free_place, 8 * PAGE), 0);
	options.address = free_place;
	assert_int_equal(vmsect_view_map(section, &options, &view), 0);
	assert_ptr_equal(vmsect_view_address(view), free_place);
	assert_int_equal(vmsect_list_views(client, 0, &list, &count), 0);
	assert_int_equal(list[0].place, (uintptr_t)free_place);
	free(list);
	/* Taken by the view, and by something else: nothing is replaced. */
	assert_int_equal(vmsect_view_map(section, &options, &other), -EEXIST);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_RANGE);
	options.address = free_place + 6 * PAGE;
	assert_int_equal(vmsect_view_map(section, &options, &other), -EEXIST);
	options.address = free_place + 100;
	assert_int_equal(vmsect_view_map(section, &options, &other), -EINVAL);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_ALIGNMENT);
	/* What the broker refuses comes first. */
	options.offset = 64 * PAGE;
	assert_int_equal(vmsect_view_map(section, &options, &other), -EINVAL);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_VIEW_SIZE);
	assert_ptr_equal(other, &options);
	assert_int_equal(vmsect_list_views(client, 0, &list, &count), 0);
	assert_int_equal(count, 1);
	free(list);
	vmsect_view_unmap(view);
	assert_int_equal(munmap(free_place + 8 * PAGE, 8 * PAGE), 0);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void flags_are_checked(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_section(client, "x", PAGE);
	struct vmsect_map_options options = map_options(VMSECT_PROT_READWRITE);
	struct vmsect_view *view = (void *)&options;

	options.flags = 0x80;
	assert_int_equal(vmsect_view_map(section, &options, &view), -EINVAL);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_ATTR);
	options.flags = VMSECT_VIEW_REVOKED;
	assert_int_equal(vmsect_view_map(section, &options, &view), -EINVAL);
	options.flags = 0;
	options.room = 2 * PAGE;
	assert_int_equal(vmsect_view_map(section, &options, &view), -EINVAL);
	options.room = 0;
	options.commit = 2 * PAGE;
	assert_int_equal(vmsect_view_map(section, &options, &view), -EINVAL);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_COMMIT);
	assert_ptr_equal(view, &options);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

/* The protection of a line of /proc/self/maps ("7f00-7f10 rw-s ..."), if it has the address. */
static bool line_prot(const char *line, uintptr_t address, char prot[static 5])
{
	char *end;
	unsigned long from = strtoul(line, &end, 16), to;

	if (*end != '-')
		return false;
	to = strtoul(end + 1, &end, 16);
	if (*end != ' ' || address < from || address >= to)
		return false;
	memcpy(prot, end + 1, 4);
	return true;
}

static void mapped_as(const void *address, char prot[static 5])
{
	FILE *file = fopen("/proc/self/maps", "re");
	char line[512];

	assert_non_null(file);
	memset(prot, 0, 5);
	while (fgets(line, sizeof(line), file)) {
		if (line_prot(line, (uintptr_t)address, prot))
			break;
	}
	(void)fclose(file);
}

static void executable_views(void **state)
{
	static const struct {
		enum vmsect_protection protection;
		const char *prot;
	} rows[] = {
		{ VMSECT_PROT_NOACCESS, "---" },	  { VMSECT_PROT_READONLY, "r--" },
		{ VMSECT_PROT_WRITECOPY, "rw-" },	  { VMSECT_PROT_EXECUTE, "r-x" },
		{ VMSECT_PROT_EXECUTE_READ, "r-x" },	  { VMSECT_PROT_EXECUTE_WRITECOPY, "rwx" },
		{ VMSECT_PROT_EXECUTE_READWRITE, "rwx" },
	};
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = "x",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_EXECUTE_READWRITE,
		.size_bytes = 2 * PAGE,
	};
	struct vmsect_section *section = box_create(client, &options);
	struct vmsect_view_pages pages;
	struct vmsect_view *view;
	char prot[5];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		view = box_map(section, rows[i].protection);
		mapped_as(vmsect_view_address(view), prot);
		assert_memory_equal(prot, rows[i].prot, 3);
		assert_int_equal(vmsect_view_query(view, 0, &pages), 0);
		assert_int_equal(pages.protection, rows[i].protection);
		assert_int_equal(pages.length, 2 * PAGE);
		vmsect_view_unmap(view);
	}
	vmsect_section_close(section);
	vmsect_client_free(client);
}

#if defined(__x86_64__)
/* Code that a writer puts into a section runs through an executable view: mov $42, %eax; ret. */
static void code_runs(void **state)
{
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = "code",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_EXECUTE_READWRITE,
		.size_bytes = PAGE,
	};
	struct vmsect_section *section = box_create(client, &options);
	struct vmsect_view *writer = box_map(section, VMSECT_PROT_READWRITE);
	struct vmsect_view *runner = box_map(section, VMSECT_PROT_EXECUTE_READ);
	union {
		void *address;
		int (*function)(void);
	} entry = { .address = vmsect_view_address(runner) };

	memcpy(vmsect_view_address(writer), code, sizeof(code));
	assert_int_equal(entry.function(), 42);
	vmsect_view_unmap(runner);
	vmsect_view_unmap(writer);
	vmsect_section_close(section);
	vmsect_client_free(client);
}
#endif

/* What is done to pages is refused for views that are mapped elsewhere. */
static void registered_views_have_no_pages_here(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_section(client, "x", 2 * PAGE);
	struct vmsect_map_options options = map_options(VMSECT_PROT_READWRITE);
	struct vmsect_view_pages pages;
	struct vmsect_range *ranges;
	struct vmsect_view *view;
	size_t count;

	assert_int_equal(vmsect_view_register(section, &options, 0, &view), 0);
	assert_int_equal(vmsect_view_query(view, 0, &pages), -EINVAL);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_STATE);
	assert_int_equal(vmsect_view_protect(view, 0, 0, VMSECT_PROT_READONLY, NULL), -EINVAL);
	assert_int_equal(vmsect_view_reset(view, 0, 0), -EINVAL);
	assert_int_equal(vmsect_view_diff(view, &ranges, &count), -EINVAL);
	assert_int_equal(vmsect_view_prefetch(view, 0, 0), -EINVAL);
	assert_int_equal(vmsect_view_publish(view, section), -EINVAL);
	vmsect_view_unmap(view);
	view = box_map(section, VMSECT_PROT_READWRITE);
	assert_int_equal(vmsect_view_revoked(view), -EINVAL);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_STATE);
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

/* With its handle closed, the view is all that keeps the memory for the next broker. */
static void a_view_outlives_its_broker(void **state)
{
	struct box *box = *state;
	struct vmsect_client *client = box_connect(box, "test");
	struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = "x",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = 4 * PAGE,
		.flags = VMSECT_CREATE_PERMANENT,
	};
	struct vmsect_section *section = box_create(client, &options);
	struct vmsect_view *view = box_map(section, VMSECT_PROT_READWRITE), *other;
	volatile unsigned char *at = vmsect_view_address(view);
	enum vmsect_protection old;

	vmsect_section_close(section);
	at[PAGE] = 'k';
	broker_fixture_kill(&box->broker);
	at[PAGE]++;
	broker_fixture_start(&box->broker, NULL);
	assert_int_equal(vmsect_view_protect(view, 0, PAGE, VMSECT_PROT_READONLY, &old), 0);
	assert_int_equal(old, VMSECT_PROT_READWRITE);
	assert_int_equal(box_store(at, 1), -EFAULT);
	assert_int_equal(vmsect_section_open(client, "x", VMSECT_ACCESS_READ, &section), 0);
	other = box_map(section, VMSECT_PROT_READONLY);
	assert_int_equal(box_load((unsigned char *)vmsect_view_address(other) + PAGE), 'k' + 1);
	vmsect_view_unmap(other);
	vmsect_section_close(section);
	vmsect_view_unmap(view);
	vmsect_client_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_wanted_address),
		TEST(flags_are_checked),
		TEST(executable_views),
#if defined(__x86_64__)
		TEST(code_runs),
#endif
		TEST(registered_views_have_no_pages_here),
		TEST(a_view_outlives_its_broker),
	};

	return cmocka_run_group_tests_name("lib_map", tests, NULL, NULL);
}
