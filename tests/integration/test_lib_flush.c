/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing back: flush of sections and of views, with and without a ticket.
 */
#include "lib/client_fixture.h"

#include <errno.h>
#include <stdlib.h>

#define PAGE UINT64_C(4096)

static void views_tell_what_was_flushed(void **state)
{
	static const struct {
		uint64_t offset, length;
		struct vmsect_range flushed;
	} rows[] = {
		{ 0, 0, { 0, 4 * PAGE } },
		{ 1, 1, { 0, PAGE } },
		{ PAGE - 1, 2, { 0, 2 * PAGE } },
		{ 3 * PAGE + 7, 0, { 3 * PAGE, PAGE } },
		{ 2 * PAGE, 2 * PAGE, { 2 * PAGE, 2 * PAGE } },
	};
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_file_section(*state, client, "x", 4 * PAGE);
	struct vmsect_view *view = box_map(section, VMSECT_PROT_READWRITE);
	volatile unsigned char *at = vmsect_view_address(view);
	struct vmsect_range flushed;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		at[rows[i].offset]++;
		flushed = (struct vmsect_range){ POISON, POISON };
		assert_int_equal(vmsect_view_flush(view, rows[i].offset, rows[i].length,
						   i % 2 ? VMSECT_FLUSH_TO_DISK : 0, &flushed),
				 0);
		assert_int_equal(flushed.offset, rows[i].flushed.offset);
		assert_int_equal(flushed.length, rows[i].flushed.length);
	}
	assert_int_equal(vmsect_view_flush(view, 0, 0, 0, NULL), 0);
	flushed = (struct vmsect_range){ POISON, POISON };
	assert_int_equal(vmsect_view_flush(view, 4 * PAGE, 0, 0, &flushed), -EINVAL);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_RANGE);
	assert_int_equal(vmsect_view_flush(view, PAGE, 4 * PAGE, 0, &flushed), -EINVAL);
	assert_int_equal(vmsect_view_flush(view, 0, 0, 8, &flushed), -EINVAL);
	assert_int_equal(flushed.offset, POISON);
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void sections_flush(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_file_section(*state, client, "x", 2 * PAGE + 100);
	struct vmsect_section *memory = box_section(client, "m", PAGE), *blind;

	assert_int_equal(vmsect_section_flush(section, 0, 0, 0, NULL), 0);
	assert_int_equal(vmsect_section_flush(section, 10, 20, VMSECT_FLUSH_TO_DISK, NULL), 0);
	assert_int_equal(vmsect_section_flush(section, 2 * PAGE, 101, 0, NULL), -EINVAL);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_RANGE);
	assert_int_equal(vmsect_section_flush(memory, 0, 0, VMSECT_FLUSH_TO_DISK, NULL), 0);
	assert_int_equal(vmsect_section_open(client, "x", VMSECT_ACCESS_QUERY, &blind), 0);
	assert_int_equal(vmsect_section_flush(blind, 0, 0, 0, NULL), -EPERM);
	vmsect_section_close(blind);
	vmsect_section_close(memory);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void tickets_tell_the_outcome(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_file_section(*state, client, "x", 4 * PAGE);
	unsigned char *bytes = calloc(1, PAGE);
	struct vmsect_patch patch = { .offset = PAGE, .length = PAGE, .bytes = bytes };
	struct vmsect_view *view = box_map(section, VMSECT_PROT_READONLY);
	uint64_t flush = 0, publish = 0, wrong = 0;
	struct vmsect_event event;

	assert_non_null(bytes);
	bytes[0] = 't';
	assert_int_equal(vmsect_section_flush(section, 0, 0, VMSECT_FLUSH_TO_DISK, &flush), 0);
	assert_int_equal(vmsect_section_publish(section, &patch, 1, &publish), 0);
	bytes[0] = 'u'; /* was copied before the call returned */
	assert_true(flush && publish && flush != publish);
	assert_int_equal(vmsect_section_flush(section, 64 * PAGE, PAGE, 0, &wrong), 0);
	for (int i = 0; i < 3; i++) {
		event = box_wait_event_of(client, VMSECT_EVENT_DONE);
		assert_true(event.value == flush || event.value == publish || event.value == wrong);
		assert_int_equal(event.status, event.value == wrong ? -EINVAL : 0);
	}
	assert_int_equal(box_load((unsigned char *)vmsect_view_address(view) + PAGE), 't');
	free(bytes);
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(views_tell_what_was_flushed),
		TEST(sections_flush),
		TEST(tickets_tell_the_outcome),
	};

	return cmocka_run_group_tests_name("lib_flush", tests, NULL, NULL);
}
