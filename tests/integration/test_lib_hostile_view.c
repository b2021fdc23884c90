/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvmsect against a broker that lies about views, grants, sizes and offers.
 * Each lie fails the call and ends the connection; nothing stays mapped.
 */
#include "lib/fake_broker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define PAGE UINT64_C(4096)

static const struct vmsect_map_options whole = {
	.size = sizeof(whole),
	.protection = VMSECT_PROT_READONLY,
};
static const struct vmsect_map_options growable = {
	.size = sizeof(growable),
	.protection = VMSECT_PROT_READONLY,
	.flags = VMSECT_VIEW_GROWABLE,
	.room = 4 * PAGE,
};

/* Does what is lied about; the handle is of 4096 bytes, with READ. */
typedef int deed(struct vmsect_client *client, struct vmsect_section *section);

static int do_map(struct vmsect_client *client, struct vmsect_section *section)
{
	struct vmsect_view *view;

	(void)client;
	return vmsect_view_map(section, &whole, &view);
}

static int do_map_absurdly(struct vmsect_client *client, struct vmsect_section *section)
{
	struct vmsect_map_options options = whole;
	struct vmsect_view *view;

	(void)client;
	options.protection = (enum vmsect_protection)99;
	return vmsect_view_map(section, &options, &view);
}

static int do_grow(struct vmsect_client *client, struct vmsect_section *section)
{
	struct vmsect_view *view;

	(void)client;
	return vmsect_view_map(section, &growable, &view);
}

static int do_accept(struct vmsect_client *client, struct vmsect_section *section)
{
	struct vmsect_section *got;

	(void)section;
	return vmsect_section_accept(client, 7, &got);
}

static int do_duplicate(struct vmsect_client *client, struct vmsect_section *section)
{
	struct vmsect_section *got;

	(void)client;
	return vmsect_section_duplicate(section, 0, &got);
}

static int do_extend(struct vmsect_client *client, struct vmsect_section *section)
{
	uint64_t size;

	(void)client;
	return vmsect_section_extend(section, 2 * PAGE, &size);
}

static int do_grants(struct vmsect_client *client, struct vmsect_section *section)
{
	struct vmsect_grant *list;
	size_t count;

	(void)client;
	return vmsect_section_grants(section, &list, &count);
}

static int do_pass(struct vmsect_client *client, struct vmsect_section *section)
{
	uint64_t offer;

	(void)client;
	return vmsect_section_pass(section, 2, VMSECT_ACCESS_READ, 0, &offer);
}

/* The lie of the running row, about any operation but OPEN. */
static fake_answer *lie;

static int answer(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_rep_handle handle = fake_handle(request);

	if (request->op == VMSECT_OP_OPEN)
		return fake_send(socket, &handle, sizeof(handle), 1, O_RDONLY);
	if (request->op == VMSECT_OP_CLOSE)
		return fake_done(socket, request);
	return lie(socket, request);
}

#define MAP_LIE(name, view_id, bytes)                                                              \
	static int name(int socket, const struct vmsect_msg_hdr *request)                          \
	{                                                                                          \
		struct vmsect_rep_map reply = { .hdr = fake_header(request, sizeof(reply)),        \
						.view = (view_id),                                 \
						.length = (bytes) };                               \
                                                                                                   \
		return fake_send(socket, &reply, sizeof(reply), 0, 0);                             \
	}

MAP_LIE(view_zero, 0, PAGE)
MAP_LIE(length_zero, 1, 0)
MAP_LIE(fine, 1, PAGE)
MAP_LIE(length_of_no_pages, 1, 100)
MAP_LIE(length_that_wraps, 1, UINT64_MAX - PAGE + 1)
MAP_LIE(length_past_the_room, 1, 5 * PAGE)

#define HANDLE_LIE(name, change, nfds, mode)                                                       \
	static int name(int socket, const struct vmsect_msg_hdr *request)                          \
	{                                                                                          \
		struct vmsect_rep_handle reply = fake_handle(request);                             \
                                                                                                   \
		change;                                                                            \
		reply.hdr.fds = nfds;                                                              \
		return fake_send(socket, &reply, sizeof(reply), nfds, mode);                       \
	}

HANDLE_LIE(access_unknown, reply.access = 0x80, 0, 0)
HANDLE_LIE(read_without_descriptor, reply.access = VMSECT_ACCESS_READ, 0, 0)
HANDLE_LIE(read_with_a_writable_one, reply.access = VMSECT_ACCESS_READ, 1, O_RDWR)
HANDLE_LIE(write_with_a_read_only_one, reply.access = VMSECT_ACCESS_WRITE, 1, O_RDONLY)
HANDLE_LIE(more_than_nothing, reply.access = VMSECT_ACCESS_QUERY, 0, 0)

static int size_smaller(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_rep_extend reply = { .hdr = fake_header(request, sizeof(reply)),
					   .size_bytes = PAGE };

	return fake_send(socket, &reply, sizeof(reply), 0, 0);
}

static int size_negative(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_rep_extend reply = { .hdr = fake_header(request, sizeof(reply)),
					   .size_bytes = UINT64_MAX };

	return fake_send(socket, &reply, sizeof(reply), 0, 0);
}

static int offer_zero(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_rep_pass reply = { .hdr = fake_header(request, sizeof(reply)) };

	return fake_send(socket, &reply, sizeof(reply), 0, 0);
}

static int send_grants(int socket, const struct vmsect_msg_hdr *request, uint32_t count,
		       uint32_t more, const struct vmsect_wire_grant *grant)
{
	struct {
		struct vmsect_rep_list list;
		struct vmsect_wire_grant grant;
	} reply = { .list = { .hdr = fake_header(request, sizeof(reply)),
			      .count = count,
			      .more = more },
		    .grant = *grant };

	return fake_send(socket, &reply, sizeof(reply), 0, 0);
}

#define GRANT_LIE(name, count, more, ...)                                                          \
	static int name(int socket, const struct vmsect_msg_hdr *request)                          \
	{                                                                                          \
		return send_grants(socket, request, count, more,                                   \
				   &(struct vmsect_wire_grant){ __VA_ARGS__ });                    \
	}

GRANT_LIE(grants_too_few, 2, 0, .grantee = VMSECT_GRANTEE_UID)
GRANT_LIE(grants_absurd, UINT32_MAX, 0, .grantee = VMSECT_GRANTEE_UID)
GRANT_LIE(grants_more, 1, 1, .grantee = VMSECT_GRANTEE_UID)
GRANT_LIE(grantee_unknown, 1, 0, .grantee = 4)
GRANT_LIE(grant_access, 1, 0, .grantee = VMSECT_GRANTEE_UID, .access = 0x80)
GRANT_LIE(grant_uid_with_a_name, 1, 0, .grantee = VMSECT_GRANTEE_UID, .name = "n")
GRANT_LIE(grant_vm_without, 1, 0, .grantee = VMSECT_GRANTEE_VM)
GRANT_LIE(grant_name, 1, 0, .grantee = VMSECT_GRANTEE_VM, .name = "a\nb")

static void lies_end_the_connection(void **state)
{
	static const struct {
		fake_answer *lie;
		deed *deed;
	} rows[] = {
		{ view_zero, do_map },
		{ length_zero, do_map },
		{ length_of_no_pages, do_map },
		{ fine, do_map_absurdly },
		{ length_that_wraps, do_map },
		{ length_past_the_room, do_grow },
		{ access_unknown, do_accept },
		{ read_without_descriptor, do_accept },
		{ read_with_a_writable_one, do_accept },
		{ write_with_a_read_only_one, do_accept },
		{ more_than_nothing, do_duplicate },
		{ size_smaller, do_extend },
		{ size_negative, do_extend },
		{ offer_zero, do_pass },
		{ grants_too_few, do_grants },
		{ grants_absurd, do_grants },
		{ grants_more, do_grants },
		{ grantee_unknown, do_grants },
		{ grant_access, do_grants },
		{ grant_uid_with_a_name, do_grants },
		{ grant_vm_without, do_grants },
		{ grant_name, do_grants },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake_broker fake = { .answer = answer };
		struct vmsect_section *section = NULL;
		struct vmsect_client *client;
		int r;

		lie = rows[i].lie;
		fake_broker_start(&fake, *state);
		client = box_connect(*state, "test");
		assert_int_equal(vmsect_section_open(client, "x", VMSECT_ACCESS_READ, &section), 0);
		r = rows[i].deed(client, section);
		if (r != -EPROTO)
			fail_msg("row %zu: %d", i, r);
		assert_int_equal(rows[i].deed(client, section), -EPIPE);
		vmsect_section_close(section);
		vmsect_client_free(client);
		fake_broker_stop(&fake);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup_without_broker, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(lies_end_the_connection),
	};

	return cmocka_run_group_tests_name("lib_hostile_view", tests, NULL, NULL);
}
