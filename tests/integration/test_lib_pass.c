/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handles from handles: duplicated, passed to another client, accepted, and
 * ended by time, with what was mapped through them.
 */
#include "lib/client_fixture.h"

#include <errno.h>
#include <stdlib.h>

#define PAGE UINT64_C(4096)
#define READ_WRITE (VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE)

static void duplicates_have_no_more(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_section(client, "x", PAGE);
	struct vmsect_section *poison = (void *)&client, *made = poison, *none;

	assert_int_equal(vmsect_section_duplicate(section, VMSECT_ACCESS_GRANT, &made), -EPERM);
	assert_int_equal(vmsect_section_duplicate(section, 0x100, &made), -EINVAL);
	assert_ptr_equal(made, poison);
	assert_int_equal(vmsect_section_duplicate(section, VMSECT_ACCESS_READ, &made), 0);
	assert_int_equal(vmsect_section_access(made), VMSECT_ACCESS_READ);
	assert_true(vmsect_section_handle_id(made) != vmsect_section_handle_id(section));
	assert_int_equal(vmsect_section_info(made)->id, vmsect_section_info(section)->id);
	assert_int_equal(box_try_map(made, VMSECT_PROT_READONLY), 0);
	assert_int_equal(box_try_map(made, VMSECT_PROT_READWRITE), -EPERM);
	/* Nothing is a part, too: such a handle only keeps the section. */
	assert_int_equal(vmsect_section_duplicate(section, 0, &none), 0);
	assert_int_equal(vmsect_section_access(none), 0);
	assert_int_equal(vmsect_section_fd(none), -1);
	assert_int_equal(box_try_map(none, VMSECT_PROT_NOACCESS), -EPERM);
	vmsect_section_close(section);
	assert_int_equal(box_try_map(made, VMSECT_PROT_READONLY), 0);
	vmsect_section_close(none);
	vmsect_section_close(made);
	vmsect_client_free(client);
}

static void another_client_accepts(void **state)
{
	struct vmsect_client *from = box_connect(*state, "from"), *to = box_connect(*state, "to");
	struct vmsect_section *section = box_section(from, "x", PAGE), *got, *again;
	uint32_t peer = vmsect_client_peer_id(to);
	struct vmsect_event event;
	uint64_t offer = POISON;

	assert_int_equal(vmsect_section_pass(section, peer, VMSECT_ACCESS_GRANT, 0, &offer),
			 -EPERM);
	assert_int_equal(vmsect_section_pass(section, peer, 0, 0, &offer), -EINVAL);
	assert_int_equal(vmsect_section_pass(section, 99999, VMSECT_ACCESS_READ, 0, &offer),
			 -ENXIO);
	assert_int_equal(offer, POISON);
	assert_int_equal(vmsect_section_pass(section, peer, READ_WRITE, 0, &offer), 0);
	event = box_wait_event_of(to, VMSECT_EVENT_OFFERED);
	assert_int_equal(event.value, offer);
	assert_int_equal(event.peer_id, vmsect_client_peer_id(from));
	assert_int_equal(event.length, READ_WRITE);
	/* For that one only, and once. */
	assert_int_equal(vmsect_section_accept(from, offer, &again), -ENOENT);
	assert_int_equal(vmsect_section_accept(to, offer, &got), 0);
	assert_int_equal(vmsect_section_accept(to, offer, &again), -ENOENT);
	assert_int_equal(vmsect_section_access(got), READ_WRITE);
	assert_string_equal(vmsect_section_info(got)->name, "x");
	assert_int_equal(box_try_map(got, VMSECT_PROT_READWRITE), 0);
	vmsect_section_close(got);
	vmsect_section_close(section);
	vmsect_client_free(to);
	vmsect_client_free(from);
}

static void an_offer_dies_with_its_section(void **state)
{
	struct vmsect_client *from = box_connect(*state, "from"), *to = box_connect(*state, "to");
	struct vmsect_section *section = box_section(from, "x", PAGE), *got;
	uint64_t offer;

	assert_int_equal(vmsect_section_pass(section, vmsect_client_peer_id(to), VMSECT_ACCESS_READ,
					     0, &offer),
			 0);
	vmsect_section_close(section);
	assert_int_equal(vmsect_section_accept(to, offer, &got), -ENOENT);
	vmsect_client_free(to);
	vmsect_client_free(from);
}

static void assert_all_has_gone(struct vmsect_client *client, struct vmsect_view *view,
				struct vmsect_section *section)
{
	struct vmsect_view_pages pages;
	struct vmsect_section_info info;

	assert_int_equal(box_load(vmsect_view_address(view)), -EFAULT);
	assert_int_equal(vmsect_view_query(view, 0, &pages), -ENXIO);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_REVOKED);
	assert_int_equal(vmsect_view_protect(view, 0, 0, VMSECT_PROT_READONLY, NULL), -ENXIO);
	assert_int_equal(vmsect_view_reset(view, 0, 0), -ENXIO);
	assert_int_equal(vmsect_view_flush(view, 0, 0, 0, NULL), -ENXIO);
	assert_int_equal(vmsect_view_commit(view, 0, PAGE, 0), -ENXIO);
	assert_int_equal(vmsect_view_publish(view, section), -ENXIO);
	assert_int_equal(vmsect_section_query(section, &info), -EBADF);
	assert_int_equal(vmsect_section_fd(section), -1);
	assert_int_equal(box_try_map(section, VMSECT_PROT_READONLY), -EBADF);
	assert_int_equal(vmsect_section_flush(section, 0, 0, 0, NULL), -EBADF);
}

/* Handle and view end when the time is over; the library takes the view away. */
static void time_ends_what_was_accepted(void **state)
{
	struct vmsect_client *from = box_connect(*state, "from"), *to = box_connect(*state, "to");
	struct vmsect_section *section = box_section(from, "x", 4 * PAGE), *got;
	struct vmsect_view_info *list;
	struct vmsect_event event;
	struct vmsect_view *view;
	volatile unsigned char *at;
	uint64_t offer;
	size_t count;

	assert_int_equal(
		vmsect_section_pass(section, vmsect_client_peer_id(to), READ_WRITE, 300, &offer),
		0);
	assert_int_equal(vmsect_section_accept(to, offer, &got), 0);
	view = box_map(got, VMSECT_PROT_WRITECOPY);
	at = vmsect_view_address(view);
	at[0] = 'p';
	event = box_wait_event_of(to, VMSECT_EVENT_VIEW_REVOKED);
	assert_int_equal(event.view_id, vmsect_view_id(view));
	/* The address is still the view's: nothing of another lands there. */
	assert_ptr_equal(vmsect_view_address(view), at);
	do
		assert_int_equal(vmsect_list_views(from, 0, &list, &count), 0);
	while (free(list), count);
	while (vmsect_section_fd(got) >= 0)
		(void)vmsect_client_next_event(to, &event);
	assert_all_has_gone(to, view, got);
	vmsect_view_unmap(view);
	vmsect_section_close(got);
	vmsect_section_close(section);
	vmsect_client_free(to);
	vmsect_client_free(from);
}

/* A registered view is the caller's to take away, and stays listed until it says so. */
static void registered_views_are_answered_for(void **state)
{
	struct vmsect_client *from = box_connect(*state, "from"), *to = box_connect(*state, "to");
	struct vmsect_section *section = box_section(from, "x", PAGE), *got;
	struct vmsect_map_options options = { .size = sizeof(options),
					      .protection = VMSECT_PROT_READONLY };
	struct vmsect_view_info *list;
	struct vmsect_event event;
	struct vmsect_view *view;
	uint64_t offer;
	size_t count;

	assert_int_equal(
		vmsect_section_pass(section, vmsect_client_peer_id(to), READ_WRITE, 300, &offer),
		0);
	assert_int_equal(vmsect_section_accept(to, offer, &got), 0);
	assert_int_equal(vmsect_view_register(got, &options, 0x200000, &view), 0);
	event = box_wait_event_of(to, VMSECT_EVENT_VIEW_REVOKED);
	assert_int_equal(event.view_id, vmsect_view_id(view));
	assert_int_equal(vmsect_list_views(from, 0, &list, &count), 0);
	assert_int_equal(count, 1);
	assert_true(list[0].flags & VMSECT_VIEW_REVOKED);
	free(list);
	assert_int_equal(vmsect_view_check_protect(view, 0, 0, VMSECT_PROT_NOACCESS), -ENXIO);
	assert_int_equal(vmsect_view_revoked(view), 0);
	assert_int_equal(vmsect_list_views(from, 0, &list, &count), 0);
	assert_int_equal(count, 0);
	free(list);
	vmsect_view_unmap(view);
	vmsect_section_close(got);
	vmsect_section_close(section);
	vmsect_client_free(to);
	vmsect_client_free(from);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(duplicates_have_no_more),		 TEST(another_client_accepts),
		TEST(an_offer_dies_with_its_section),	 TEST(time_ends_what_was_accepted),
		TEST(registered_views_are_answered_for),
	};

	return cmocka_run_group_tests_name("lib_pass", tests, NULL, NULL);
}
