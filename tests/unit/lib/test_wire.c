/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the library takes for a section, a view and a peer, and that any bytes
 * at all do no harm.
 */
#include "lib/wire.h"

#include "lib/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct vmsect_wire_section section(void)
{
	return (struct vmsect_wire_section){
		.id = 1,
		.size_bytes = 5000,
		.allocated_bytes = 8192,
		.backing = VMSECT_BACKING_FILE,
		.protection = VMSECT_PROT_READONLY,
		.flags = VMSECT_SECTION_PERMANENT,
		.page_shift = 12,
		.uid = 7,
		.gid = 8,
		.mode = 0640,
		.handles = 2,
		.views = 3,
		.name = "data",
		.path = "/a b",
	};
}

#define REFUSED(noun, change)                                                                      \
	do {                                                                                       \
		struct vmsect_wire_##noun wire = noun();                                           \
		struct vmsect_##noun##_info info, poisoned;                                        \
                                                                                                   \
		memset(&info, 0xa5, sizeof(info));                                                 \
		poisoned = info;                                                                   \
		change;                                                                            \
		assert_int_equal(wire_to_##noun(&wire, &info), -EPROTO);                           \
		assert_memory_equal(&info, &poisoned, sizeof(info));                               \
	} while (0)

static void bad_sections(void **state)
{
	(void)state;
	REFUSED(section, wire.id = 0);
	REFUSED(section, wire.size_bytes = UINT64_MAX);
	REFUSED(section, wire.backing = 0);
	REFUSED(section, wire.backing = 5);
	REFUSED(section, wire.protection = 0);
	REFUSED(section, wire.protection = 9);
	REFUSED(section, wire.page_shift = 0);
	REFUSED(section, wire.page_shift = 64);
	REFUSED(section, wire.mode = 01000);
	REFUSED(section, memset(wire.name, 'a', sizeof(wire.name)));
	REFUSED(section, wire.name[127] = 'a');
	REFUSED(section, wire.name[0] = '\n');
	REFUSED(section, wire.max_bytes = UINT64_C(1) << 63);
	REFUSED(section, wire.io_error = 4096);
	REFUSED(section, memset(wire.path, 'a', sizeof(wire.path)));
}

static void a_good_section(void **state)
{
	struct vmsect_wire_section wire = section();
	struct vmsect_section_info info;

	(void)state;
	assert_int_equal(wire_to_section(&wire, &info), 0);
	assert_int_equal(info.size_bytes, 5000);
	assert_int_equal(info.mode, 0640);
	assert_int_equal(info.views, 3);
	assert_string_equal(info.name, "data");
	assert_string_equal(info.path, "/a b");
	memset(wire.name, 0, sizeof(wire.name)); /* anonymous */
	assert_int_equal(wire_to_section(&wire, &info), 0);
	assert_string_equal(info.name, "");
}

static struct vmsect_wire_view view(void)
{
	return (struct vmsect_wire_view){
		.id = 1,
		.section = 2,
		.offset = 4096,
		.length = 8192,
		.place = UINT64_MAX,
		.denied_writes = 4,
		.private_pages = 7,
		.room = 16384,
		.flags = VMSECT_VIEW_GROWABLE,
		.peer = 5,
		.protection = VMSECT_PROT_WRITECOPY,
		.peer_kind = VMSECT_PEER_VM,
		.pid = 6,
		.section_name = "s",
		.peer_name = "p",
	};
}

static void views(void **state)
{
	struct vmsect_wire_view good = view();
	struct vmsect_view_info told;

	(void)state;
	REFUSED(view, wire.id = 0);
	REFUSED(view, wire.section = 0);
	REFUSED(view, wire.offset = UINT64_MAX - 4095);
	REFUSED(view, wire.length = UINT64_C(1) << 63);
	REFUSED(view, wire.protection = 0);
	REFUSED(view, wire.peer_kind = 4);
	REFUSED(view, wire.room = UINT64_MAX - 4095);
	REFUSED(view, wire.protection_now = 9);
	REFUSED(view, wire.peer_name[64] = 'x');
	REFUSED(view, memset(wire.section_name, 'x', sizeof(wire.section_name)));
	assert_int_equal(wire_to_view(&good, &told), 0);
	assert_int_equal(told.length, 8192);
	assert_int_equal(told.place, UINT64_MAX);
	assert_int_equal(told.room, 16384);
	assert_int_equal(told.private_pages, 7);
	assert_int_equal(told.protection_now, 0);
	assert_int_equal(told.flags, VMSECT_VIEW_GROWABLE);
	assert_true(told.peer_is_vm && !told.peer_is_ivshmem);
	assert_string_equal(told.peer_name, "p");
	good.peer_kind = VMSECT_PEER_IVSHMEM;
	assert_int_equal(wire_to_view(&good, &told), 0);
	assert_true(told.peer_is_ivshmem && !told.peer_is_vm);
}

static struct vmsect_wire_export export(void)
{
	return (struct vmsect_wire_export){
		.id = 9,
		.section = 2,
		.kind = VMSECT_EXPORT_PATH,
		.mode = 0640,
		.uid = 1,
		.gid = 2,
		.section_name = "s",
		.path = "/dev/shm/vmsect-s",
	};
}

#define EXPECT_BAD(field, value)                                                                   \
	do {                                                                                       \
		bad = good;                                                                        \
		bad.field = value;                                                                 \
		memset(&told, 0xa5, sizeof(told));                                                 \
		assert_int_equal(wire_to_export(&bad, &told), -EPROTO);                            \
		assert_int_equal(told.mode, POISON);                                               \
	} while (0)

static void exports(void **state)
{
	struct vmsect_wire_export good = export(), bad;
	struct vmsect_export_info told;

	(void)state;
	EXPECT_BAD(id, 0);
	EXPECT_BAD(section, 0);
	EXPECT_BAD(kind, 0);
	EXPECT_BAD(kind, 3);
	EXPECT_BAD(kind, VMSECT_EXPORT_DOORBELL); /* which has vectors */
	EXPECT_BAD(vectors, 1); /* a path has none */
	EXPECT_BAD(mode, 01000);
	EXPECT_BAD(path[0], 'd');
	EXPECT_BAD(section_name[0], ' ');
	assert_int_equal(wire_to_export(&good, &told), 0);
	assert_int_equal(told.as, VMSECT_EXPORT_AS_PATH);
	assert_int_equal(told.mode, 0640);
	assert_int_equal(told.gid, 2);
	assert_string_equal(told.path, "/dev/shm/vmsect-s");
	assert_int_equal(told.reserved[0], 0);
	good.kind = VMSECT_EXPORT_DOORBELL;
	good.vectors = 4;
	assert_int_equal(wire_to_export(&good, &told), 0);
	assert_int_equal(told.vectors, 4);
	memset(good.path, 'x', sizeof(good.path)); /* does not end */
	good.path[0] = '/';
	assert_int_equal(wire_to_export(&good, &told), -EPROTO);
}

static struct vmsect_wire_grant grant(void)
{
	return (struct vmsect_wire_grant){
		.grantee = VMSECT_GRANTEE_VM,
		.id = 1000,
		.access = VMSECT_ACCESS_READ,
		.name = "guest",
	};
}

static void grants(void **state)
{
	struct vmsect_wire_grant good = grant();
	struct vmsect_grant told;

	(void)state;
	_Static_assert(sizeof(struct vmsect_wire_grant) == 16 + sizeof(told.name), "grant");
	assert_int_equal(wire_to_grant(&good, &told), 0);
	assert_int_equal(told.to, VMSECT_GRANT_VM);
	assert_int_equal(told.id, 1000);
	assert_int_equal(told.access, VMSECT_ACCESS_READ);
	assert_string_equal(told.name, "guest");
	good.grantee = VMSECT_GRANTEE_UID; /* has no name */
	assert_int_equal(wire_to_grant(&good, &told), -EPROTO);
	memset(good.name, 0, sizeof(good.name));
	assert_int_equal(wire_to_grant(&good, &told), 0);
}

static struct vmsect_wire_peer peer(void)
{
	return (struct vmsect_wire_peer){
		.id = 3,
		.memory_bytes = 4096,
		.denied_writes = 11,
		.hole_accesses = 12,
		.undecodable_stores = 13,
		.lost_pages = 14,
		.kind = VMSECT_PEER_PROCESS,
		.pid = 9,
		.name = "p",
	};
}

static void peers(void **state)
{
	struct vmsect_wire_peer good = peer();
	struct vmsect_peer_info told;

	(void)state;
	REFUSED(peer, wire.id = 0);
	REFUSED(peer, wire.id = UINT64_C(1) << 32);
	REFUSED(peer, wire.kind = 0);
	REFUSED(peer, wire.kind = 4);
	REFUSED(peer, wire.name[0] = '/');
	assert_int_equal(wire_to_peer(&good, &told), 0);
	assert_int_equal(told.id, 3);
	assert_false(told.is_vm);
	assert_int_equal(told.pid, 9);
	assert_int_equal(told.denied_writes, 11);
	assert_int_equal(told.hole_accesses, 12);
	assert_int_equal(told.undecodable_stores, 13);
	assert_int_equal(told.lost_pages, 14);
	for (size_t i = 0; i < ARRAY_SIZE(told.reserved); i++)
		assert_int_equal(told.reserved[i], 0);
	good.kind = VMSECT_PEER_IVSHMEM;
	assert_int_equal(wire_to_peer(&good, &told), 0);
	assert_true(told.is_ivshmem && !told.is_vm);
}

/* What is taken has names that end. */
static void random_bytes(void **state)
{
	const char *text = getenv("VMSECT_SEED");
	unsigned int seed = text ? (unsigned int)strtoul(text, NULL, 0) : (unsigned int)time(NULL);
	unsigned char bytes[sizeof(struct vmsect_wire_section)];
	struct vmsect_wire_section wire;
	struct vmsect_section_info info;
	int round;

	(void)state;
	print_message("VMSECT_SEED=%u\n", seed);
	for (round = 0; round < 20000; round++) {
		size_t i, at;

		wire = section();
		memcpy(bytes, &wire, sizeof(bytes));
		for (i = 0; i < 4; i++) {
			at = (size_t)rand_r(&seed) % (round % 2 ? sizeof(bytes) : 200);
			bytes[at] = (unsigned char)rand_r(&seed);
		}
		memcpy(&wire, bytes, sizeof(wire));
		if (wire_to_section(&wire, &info) < 0)
			continue;
		assert_true(strnlen(info.name, sizeof(info.name)) < sizeof(info.name));
		assert_true(strnlen(info.path, sizeof(info.path)) < sizeof(info.path));
		assert_true(info.page_shift < 64 && info.size_bytes <= INT64_MAX);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_sections), cmocka_unit_test(a_good_section),
		cmocka_unit_test(views),	cmocka_unit_test(grants),
		cmocka_unit_test(exports),	cmocka_unit_test(peers),
		cmocka_unit_test(random_bytes),
	};

	return cmocka_run_group_tests_name("lib_wire", tests, NULL, NULL);
}
