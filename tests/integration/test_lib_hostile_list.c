/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvmsect against a broker that lies in lists and about views.
 */
#include "lib/fake_broker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct view_list {
	struct vmsect_rep_list list;
	struct vmsect_wire_view views[2];
};

static struct view_list fake_views(const struct vmsect_msg_hdr *request)
{
	struct view_list reply = { .list = { .count = 2 } };
	unsigned int i;

	reply.list.hdr = fake_header(request, sizeof(reply));
	for (i = 0; i < 2; i++) {
		reply.views[i].id = i + 1;
		reply.views[i].section = 1;
		reply.views[i].length = 4096;
		reply.views[i].protection = VMSECT_PROT_READONLY;
		reply.views[i].peer_kind = VMSECT_PEER_VM;
		memcpy(reply.views[i].peer_name, "vm", 2);
	}
	return reply;
}

#define LIST_LIE(name, change)                                                                     \
	static int name(int socket, const struct vmsect_msg_hdr *request)                          \
	{                                                                                          \
		struct view_list reply = fake_views(request);                                      \
                                                                                                   \
		change;                                                                            \
		return fake_send(socket, &reply, sizeof(reply), 0, 0);                             \
	}

LIST_LIE(truth, (void)reply)
LIST_LIE(count_too_small, reply.list.count = 1)
LIST_LIE(count_too_large, reply.list.count = 3)
LIST_LIE(count_huge, reply.list.count = UINT32_MAX)
LIST_LIE(more_is_two, reply.list.more = 2)
LIST_LIE(ids_equal, reply.views[1].id = 1)
LIST_LIE(ids_descend, reply.views[0].id = 7)
LIST_LIE(id_zero, reply.views[0].id = 0)
LIST_LIE(no_section, reply.views[1].section = 0)
LIST_LIE(range_wraps, reply.views[1].offset = UINT64_MAX)
LIST_LIE(protection_unknown, reply.views[1].protection = 9)
LIST_LIE(kind_unknown, reply.views[1].peer_kind = 0)
LIST_LIE(peer_name_unterminated, memset(reply.views[1].peer_name, 'a', 128))
LIST_LIE(section_name_dirty, reply.views[1].section_name[5] = 'a')
/* The same page again and again: must not go on for ever. */
LIST_LIE(more_of_the_same, reply.list.more = 1)

static int more_of_nothing(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_rep_list reply = { .hdr = fake_header(request, sizeof(reply)), .more = 1 };

	return fake_send(socket, &reply, sizeof(reply), 0, 0);
}

static void lists_are_checked(void **state)
{
	static fake_answer *const lies[] = {
		count_too_small,    count_too_large,	count_huge,	  more_is_two,
		ids_equal,	    ids_descend,	id_zero,	  no_section,
		range_wraps,	    protection_unknown, kind_unknown,	  peer_name_unterminated,
		section_name_dirty, more_of_nothing,	more_of_the_same,
	};
	struct box *box = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		struct fake_broker fake = { .answer = lies[i] };
		struct vmsect_view_info *list = (void *)box;
		struct vmsect_client *client;
		size_t count = POISON;
		int r;

		fake_broker_start(&fake, box);
		client = box_connect(box, "test");
		r = vmsect_list_views(client, 0, &list, &count);
		if (r != -EPROTO)
			fail_msg("lie %zu: %d", i, r);
		assert_ptr_equal(list, box);
		assert_int_equal(count, POISON);
		vmsect_client_free(client);
		fake_broker_stop(&fake);
	}
}

static void a_true_list_is_taken(void **state)
{
	struct fake_broker fake = { .answer = truth };
	struct vmsect_view_info *list = NULL;
	struct vmsect_client *client;
	size_t count = 0;

	fake_broker_start(&fake, *state);
	client = box_connect(*state, "test");
	assert_int_equal(vmsect_list_views(client, 0, &list, &count), 0);
	assert_int_equal(count, 2);
	assert_string_equal(list[1].peer_name, "vm");
	assert_true(list[1].peer_is_vm);
	free(list);
	vmsect_client_free(client);
	fake_broker_stop(&fake);
}

/* What the fake says to MAP, and how often it was asked to UNMAP. */
static struct vmsect_rep_map map_reply;
static int unmaps;

static int answer_map(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_rep_handle handle = fake_handle(request);
	struct vmsect_msg_hdr hdr = fake_header(request, sizeof(hdr));

	switch (request->op) {
	case VMSECT_OP_OPEN:
		return fake_send(socket, &handle, sizeof(handle), 1, O_RDONLY);
	case VMSECT_OP_MAP:
		map_reply.hdr = fake_header(request, sizeof(map_reply));
		return fake_send(socket, &map_reply, sizeof(map_reply), 0, 0);
	case VMSECT_OP_UNMAP:
		unmaps++;
		return fake_send(socket, &hdr, sizeof(hdr), 0, 0);
	default:
		return fake_send(socket, &hdr, sizeof(hdr), 0, 0);
	}
}

/* Maps 4096 bytes NOACCESS of a section that the broker said is 4096 bytes long. */
static int try_map(struct box *box, struct vmsect_rep_map reply, uint64_t length)
{
	struct vmsect_map_options options = { .size = sizeof(options),
					      .protection = VMSECT_PROT_NOACCESS,
					      .length = length };
	struct fake_broker fake = { .answer = answer_map };
	struct vmsect_section *section;
	struct vmsect_client *client;
	struct vmsect_view *view = (void *)box;
	int r;

	map_reply = reply;
	unmaps = 0;
	fake_broker_start(&fake, box);
	client = box_connect(box, "test");
	assert_int_equal(vmsect_section_open(client, "x", VMSECT_ACCESS_READ, &section), 0);
	r = vmsect_view_map(section, &options, &view);
	if (r < 0)
		assert_ptr_equal(view, box);
	else
		vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_client_free(client);
	fake_broker_stop(&fake);
	return r;
}

static void views_are_checked(void **state)
{
	assert_int_equal(try_map(*state, (struct vmsect_rep_map){ .view = 0, .length = 4096 }, 0),
			 -EPROTO);
	assert_int_equal(try_map(*state, (struct vmsect_rep_map){ .view = 1, .length = 0 }, 0),
			 -EPROTO);
	assert_int_equal(try_map(*state, (struct vmsect_rep_map){ .view = 1, .length = 4097 }, 0),
			 -EPROTO);
	assert_int_equal(try_map(*state,
				 (struct vmsect_rep_map){ .view = 1, .length = UINT64_MAX - 4095 },
				 0),
			 -EPROTO);
	assert_int_equal(
		try_map(*state, (struct vmsect_rep_map){ .view = 1, .length = 8192 }, 4096),
		-EPROTO);
	assert_int_equal(try_map(*state, (struct vmsect_rep_map){ .view = 1, .length = 4096 }, 0),
			 0);
}

/* A section that has grown: asked again with more room, and the first try taken back. */
static void a_grown_section_is_mapped_whole(void **state)
{
	assert_int_equal(try_map(*state, (struct vmsect_rep_map){ .view = 1, .length = 65536 }, 0),
			 0);
	assert_int_equal(unmaps, 2);
	/* A length that no address space holds: the second try is taken back, too. */
	assert_int_equal(try_map(*state,
				 (struct vmsect_rep_map){ .view = 1, .length = UINT64_C(1) << 62 },
				 0),
			 -ENOMEM);
	assert_int_equal(unmaps, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup_without_broker, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(lists_are_checked),
		TEST(a_true_list_is_taken),
		TEST(views_are_checked),
		TEST(a_grown_section_is_mapped_whole),
	};

	return cmocka_run_group_tests_name("lib_hostile_list", tests, NULL, NULL);
}
