/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing the protection of live views: what is allowed, what the pages then
 * do, what is private stays private, and what the broker lists.
 */
#include "lib/client_fixture.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define PAGE UINT64_C(4096)
#define NA VMSECT_PROT_NOACCESS
#define RO VMSECT_PROT_READONLY
#define RW VMSECT_PROT_READWRITE
#define WC VMSECT_PROT_WRITECOPY
#define X VMSECT_PROT_EXECUTE
#define XR VMSECT_PROT_EXECUTE_READ
#define XRW VMSECT_PROT_EXECUTE_READWRITE
#define XWC VMSECT_PROT_EXECUTE_WRITECOPY

struct scene {
	struct vmsect_client *client;
	struct vmsect_section *section;
	struct vmsect_view *all; /* shared, writable */
	volatile unsigned char *bytes;
};

static void scene_init(struct scene *scene, struct box *box)
{
	const struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = "x",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = XRW,
		.size_bytes = 16 * PAGE,
	};

	scene->client = box_connect(box, "test");
	scene->section = box_create(scene->client, &options);
	scene->all = box_map(scene->section, RW);
	scene->bytes = vmsect_view_address(scene->all);
}

static void scene_deinit(struct scene *scene)
{
	vmsect_view_unmap(scene->all);
	vmsect_section_close(scene->section);
	vmsect_client_free(scene->client);
}

/* Row: as it was mapped; column: what it is to become, NA to XWC in the numbers of the API. */
static void the_bound_is_the_protection_at_map_time(void **state)
{
	static const struct {
		enum vmsect_protection mapped;
		bool allowed[9];
	} rows[] = {
		{ NA, { 0, 1, 0, 0, 0, 0, 0, 0, 0 } },	{ RO, { 0, 1, 1, 0, 1, 0, 0, 0, 0 } },
		{ WC, { 0, 1, 1, 0, 1, 0, 0, 0, 0 } },	{ RW, { 0, 1, 1, 1, 1, 0, 0, 0, 0 } },
		{ XR, { 0, 1, 1, 0, 1, 1, 1, 0, 1 } },	{ XWC, { 0, 1, 1, 0, 1, 1, 1, 0, 1 } },
		{ XRW, { 0, 1, 1, 1, 1, 1, 1, 1, 1 } },
	};
	struct vmsect_view_pages pages;
	enum vmsect_protection old;
	struct vmsect_view *view;
	struct scene scene;
	size_t i;
	int to;

	scene_init(&scene, *state);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		view = box_map(scene.section, rows[i].mapped);
		for (to = NA; to <= XWC; to++) {
			bool allowed = rows[i].allowed[to];
			int r = vmsect_view_protect(view, 0, 0, (enum vmsect_protection)to, &old);

			if (r != (allowed ? 0 : -EACCES))
				fail_msg("%d to %d: %d %s", rows[i].mapped, to, r,
					 vmsect_client_error(scene.client));
			if (!allowed)
				continue;
			assert_int_equal(old, rows[i].mapped);
			assert_int_equal(vmsect_view_query(view, 0, &pages), 0);
			assert_int_equal(pages.protection, to);
			assert_int_equal(pages.map_protection, rows[i].mapped);
			assert_int_equal(vmsect_view_protect(view, 0, 0, rows[i].mapped, &old), 0);
			assert_int_equal(old, to);
		}
		vmsect_view_unmap(view);
	}
	scene_deinit(&scene);
}

static void refusals_change_nothing(void **state)
{
	enum vmsect_protection old = (enum vmsect_protection)POISON;
	struct vmsect_map_options options = { .size = sizeof(options),
					      .protection = RW,
					      .flags = VMSECT_VIEW_NO_CHANGE };
	struct vmsect_view *view, *fixed;
	struct vmsect_view_pages pages;
	struct scene scene;

	scene_init(&scene, *state);
	view = box_map(scene.section, RW);
#define REFUSED(view, offset, length, protection, status, code)                                    \
	do {                                                                                       \
		assert_int_equal(vmsect_view_protect(view, offset, length,                         \
						     (enum vmsect_protection)(protection), &old),  \
				 status);                                                          \
		assert_int_equal(vmsect_client_detail(scene.client), code);                        \
	} while (0)
	REFUSED(view, 0, 0, 0, -EINVAL, VMSECT_DETAIL_PROTECTION);
	REFUSED(view, 0, 0, 9, -EINVAL, VMSECT_DETAIL_PROTECTION);
	REFUSED(view, 16 * PAGE, 0, RO, -EINVAL, VMSECT_DETAIL_RANGE);
	REFUSED(view, 0, 16 * PAGE + 1, RO, -EINVAL, VMSECT_DETAIL_RANGE);
	REFUSED(view, PAGE, UINT64_MAX, RO, -EINVAL, VMSECT_DETAIL_RANGE);
	assert_int_equal(vmsect_view_map(scene.section, &options, &fixed), 0);
	REFUSED(fixed, 0, 0, RO, -EINVAL, VMSECT_DETAIL_PROTECTION);
#undef REFUSED
	assert_int_equal(old, (enum vmsect_protection)POISON);
	assert_int_equal(vmsect_view_query(view, 0, &pages), 0);
	assert_int_equal(pages.length, 16 * PAGE);
	assert_int_equal(pages.protection, RW);
	assert_int_equal(vmsect_view_query(view, 16 * PAGE, &pages), -EINVAL);
	assert_int_equal(vmsect_client_detail(scene.client), VMSECT_DETAIL_RANGE);
	vmsect_view_unmap(fixed);
	vmsect_view_unmap(view);
	scene_deinit(&scene);
}

static uint32_t protection_listed(const struct scene *scene, const struct vmsect_view *view)
{
	struct vmsect_view_info *list;
	uint32_t found = POISON;
	size_t count, i;

	assert_int_equal(vmsect_list_views(scene->client, 0, &list, &count), 0);
	for (i = 0; i < count; i++) {
		if (list[i].id == vmsect_view_id(view))
			found = list[i].protection_now;
	}
	free(list);
	return found;
}

static void pages_have_protections_of_their_own(void **state)
{
	struct vmsect_view_pages pages;
	volatile unsigned char *at;
	struct vmsect_view *view;
	struct scene scene;

	scene_init(&scene, *state);
	view = box_map(scene.section, RW);
	at = vmsect_view_address(view);
	assert_int_equal(protection_listed(&scene, view), RW);
	/* Bytes 1 to 2 of a page are the page. */
	assert_int_equal(vmsect_view_protect(view, 3 * PAGE + 1, 1, RO, NULL), 0);
	assert_int_equal(vmsect_view_protect(view, 5 * PAGE - 1, 2, NA, NULL), 0);
	assert_int_equal(protection_listed(&scene, view), 0);
	assert_int_equal(box_store(at + 2 * PAGE, 1), 0);
	assert_int_equal(box_store(at + 3 * PAGE, 1), -EFAULT);
	assert_int_equal(box_load(at + 3 * PAGE), 0);
	assert_int_equal(box_load(at + 4 * PAGE), -EFAULT);
	assert_int_equal(box_load(at + 5 * PAGE), -EFAULT);
	assert_int_equal(box_store(at + 6 * PAGE, 1), 0);
	assert_int_equal(vmsect_view_query(view, 4 * PAGE + 77, &pages), 0);
	assert_int_equal(pages.offset, 4 * PAGE);
	assert_int_equal(pages.length, 2 * PAGE);
	assert_int_equal(pages.protection, NA);
	assert_true(pages.is_committed);
	assert_int_equal(vmsect_view_protect(view, 0, 0, RW, NULL), 0);
	assert_int_equal(protection_listed(&scene, view), RW);
	assert_int_equal(box_store(at + 5 * PAGE, 9), 0);
	assert_int_equal(scene.bytes[5 * PAGE], 9);
	vmsect_view_unmap(view);
	scene_deinit(&scene);
}

/* RW to WC: the next write is private; private pages go on reporting READWRITE, and stay. */
static void private_pages_stay(void **state)
{
	struct vmsect_view_pages pages;
	enum vmsect_protection old;
	volatile unsigned char *at;
	struct vmsect_view *view;
	struct scene scene;

	scene_init(&scene, *state);
	view = box_map(scene.section, RW);
	at = vmsect_view_address(view);
	at[0] = 's';
	assert_int_equal(vmsect_view_protect(view, 0, 0, WC, &old), 0);
	assert_int_equal(old, RW);
	at[PAGE] = 'p';
	at[2 * PAGE] = 'p';
	assert_int_equal(scene.bytes[PAGE], 0);
	assert_int_equal(vmsect_view_query(view, 0, &pages), 0);
	assert_int_equal(pages.length, PAGE);
	assert_int_equal(pages.protection, WC);
	assert_false(pages.is_private);
	assert_int_equal(vmsect_view_query(view, PAGE, &pages), 0);
	assert_int_equal(pages.length, 2 * PAGE);
	assert_int_equal(pages.protection, RW);
	assert_true(pages.is_private);
	/* Back to RW: others see the new writes, but not those to what is private. */
	assert_int_equal(vmsect_view_protect(view, PAGE, PAGE, RW, &old), 0);
	assert_int_equal(old, RW);
	assert_int_equal(vmsect_view_protect(view, 0, 0, RW, NULL), 0);
	at[0] = 't';
	at[PAGE] = 'q';
	assert_int_equal(scene.bytes[0], 't');
	assert_int_equal(scene.bytes[PAGE], 0);
	assert_int_equal(vmsect_view_protect(view, 0, 0, NA, NULL), 0);
	assert_int_equal(box_load(at + PAGE), -EFAULT);
	assert_int_equal(vmsect_view_protect(view, 0, 0, WC, NULL), 0);
	assert_int_equal(at[PAGE], 'q');
	assert_int_equal(vmsect_view_query(view, PAGE, &pages), 0);
	assert_int_equal(pages.protection, RW);
	assert_int_equal(scene.bytes[2 * PAGE], 0);
	vmsect_view_unmap(view);
	scene_deinit(&scene);
}

/* More ranges than a view may have: refused by one of the two, and nothing has happened. */
static void too_many_ranges(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_section(client, "x", 2048 * PAGE);
	struct vmsect_view *view = box_map(section, RW);
	volatile unsigned char *at = vmsect_view_address(view);
	uint64_t page = 1;
	int r = 0;

	for (; !r && page < 2048; page += 2)
		r = vmsect_view_protect(view, page * PAGE, PAGE, NA, NULL);
	assert_int_equal(r, -EDQUOT);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_LIMIT);
	page -= 2;
	assert_int_equal(box_store(at + page * PAGE, 1), 0);
	assert_int_equal(box_store(at + (page - 2) * PAGE, 1), -EFAULT);
	assert_int_equal(vmsect_view_protect(view, 0, 0, RW, NULL), 0);
	assert_int_equal(vmsect_view_protect(view, page * PAGE, PAGE, NA, NULL), 0);
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void limit_addresses(bool limited)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	FILE *file = fopen("/proc/self/statm", "re");
	char text[64];

	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	(void)fclose(file);
	if (limited)
		limit.rlim_cur = (strtoul(text, NULL, 10) + 256) * PAGE;
	assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
}

/* The broker agrees, the kernel has no addresses: both go on as before. */
static void a_change_that_fails_here(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_section(client, "x", 2048 * PAGE);
	struct vmsect_view *view = box_map(section, RW);
	struct scene scene = { .client = client };
	volatile unsigned char *at = vmsect_view_address(view);
	enum vmsect_protection old = (enum vmsect_protection)POISON;
	int r;

	limit_addresses(true);
	r = vmsect_view_protect(view, 0, 0, WC, &old);
	limit_addresses(false);
	assert_int_equal(r, -ENOMEM);
	assert_non_null(strstr(vmsect_client_error(client), "change the view's protection"));
	assert_int_equal(old, (enum vmsect_protection)POISON);
	assert_int_equal(protection_listed(&scene, view), RW);
	assert_int_equal(box_store(at, 1), 0);
	assert_int_equal(vmsect_view_protect(view, 0, 0, WC, &old), 0);
	assert_int_equal(old, RW);
	assert_int_equal(protection_listed(&scene, view), WC);
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(the_bound_is_the_protection_at_map_time),
		TEST(refusals_change_nothing),
		TEST(pages_have_protections_of_their_own),
		TEST(private_pages_stay),
		TEST(too_many_ranges),
		TEST(a_change_that_fails_here),
	};

	return cmocka_run_group_tests_name("lib_protect", tests, NULL, NULL);
}
