/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The section device with a real broker and two sections: "data", a file, and
 * "fixed", which nobody may write.
 */
#ifndef TESTS_UNIT_VMM_SECTION_BOX_H
#define TESTS_UNIT_VMM_SECTION_BOX_H

#include <stdlib.h>
#include <unistd.h>

#include "lib/client_fixture.h"
#include "lib/leak.h"
#include "unit/vmm/section_bed.h"

#define PAGE UINT64_C(4096)
#define UNIT WINDOW_UNIT_BYTES
#define DATA_BYTES (3 * UNIT + 100) /* "data", a file; its last page is not full */
#define DATA_VIEW (3 * UNIT + PAGE)
#define READ_BYTES UNIT /* "fixed", which nobody may write */
#define ACCESS_RW (VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE)

struct test {
	struct box *box;
	struct section_bed bed;
	struct leak_guard *guard;
	struct vmsect_client *owner; /* made the sections */
	struct vmsect_section *data;
	struct vmsect_section *fixed;
	struct vmsect_client *client; /* the VMM's */
};

static inline void make_fixed(struct test *test)
{
	const struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = "fixed",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READONLY,
		.size_bytes = READ_BYTES,
	};

	assert_int_equal(vmsect_section_create(test->owner, &options, &test->fixed), 0);
}

static inline struct vmsect_client *connect_vm(struct test *test)
{
	const struct vmsect_connect_options options = {
		.size = sizeof(options),
		.socket_path = test->box->broker.socket_path,
		.name = "vm",
		.is_vm = 1,
	};
	struct vmsect_client *client = NULL;

	assert_int_equal(vmsect_connect(&options, &client), 0);
	return client;
}

static inline int section_setup(void **state)
{
	struct test *test = calloc(1, sizeof(*test));

	assert_non_null(test);
	test->guard = leak_guard_new();
	box_setup((void **)&test->box);
	test->owner = box_connect(test->box, "owner");
	test->data = box_file_section(test->box, test->owner, "data", DATA_BYTES);
	make_fixed(test);
	test->client = connect_vm(test);
	bed_init(&test->bed);
	*state = test;
	return 0;
}

static inline int section_teardown(void **state)
{
	struct test *test = *state;

	bed_deinit(&test->bed);
	vmsect_client_free(test->client);
	vmsect_section_close(test->fixed);
	vmsect_section_close(test->data);
	vmsect_client_free(test->owner);
	box_teardown((void **)&test->box);
	leak_guard_check(test->guard);
	free(test);
	return 0;
}

static inline int attach(struct test *test, const struct section_attach *list, size_t count)
{
	return bed_attach(&test->bed, test->client, list, count);
}

/* A device with "data" attached in all three modes, and its driver. */
static inline struct section_bed *start(struct test *test)
{
	const struct section_attach list[] = {
		{ .name = "data", .mode = SECTION_ATTACH_RO, .at = WINDOW_ANY },
		{ .name = "data", .mode = SECTION_ATTACH_RW, .at = 8 * UNIT },
		{ .name = "data", .mode = SECTION_ATTACH_COW, .at = WINDOW_ANY },
	};

	if (attach(test, list, ARRAY_SIZE(list)) < 0)
		fail_msg("%s", test->bed.error);
	bed_drive(&test->bed);
	return &test->bed;
}

/* The 8 bytes that box_byte() makes at an offset of the file. */
static inline uint64_t word(uint64_t offset)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < 8; i++)
		value |= (uint64_t)box_byte(offset + i) << (8 * i);
	return value;
}

static inline void check_word(struct section_bed *bed, uint64_t at, uint64_t expected)
{
	uint64_t value = 0;

	assert_int_equal(bed_touch(bed, at, false, &value), WINDOW_FAULT_RACE);
	assert_int_equal(value, expected);
}

static inline void check_hole(struct section_bed *bed, uint64_t at)
{
	uint64_t value = 0;

	assert_int_equal(bed_touch(bed, at, false, &value), WINDOW_FAULT_HOLE);
	assert_int_equal(value, UINT64_MAX);
}

static inline uint32_t open_handle(struct section_bed *bed, const char *name, uint32_t access)
{
	struct vmsect_rsp_open reply;

	assert_int_equal(bed_open(bed, name, access, &reply), VMSECT_S_OK);
	assert_int_not_equal(reply.handle, 0);
	return reply.handle;
}

#define ANY VMSECT_WINDOW_ANY
#define NA VMSECT_DEV_PROT_NOACCESS
#define RO VMSECT_DEV_PROT_READONLY
#define RW VMSECT_DEV_PROT_READWRITE
#define WC VMSECT_DEV_PROT_WRITECOPY
#define EINVAL_(detail) REFUSED(VMSECT_S_EINVAL, VMSECT_D_##detail)

/* Handles: 4 data, all; 5 data, read; 6 data, write; 7 data, query; 8 fixed, read. */
static inline void open_all(struct section_bed *bed)
{
	assert_int_equal(open_handle(bed, "data", ACCESS_RW), 4);
	assert_int_equal(open_handle(bed, "data", VMSECT_DEV_ACCESS_READ), 5);
	assert_int_equal(open_handle(bed, "data", VMSECT_DEV_ACCESS_WRITE), 6);
	assert_int_equal(open_handle(bed, "data", VMSECT_DEV_ACCESS_QUERY), 7);
	assert_int_equal(open_handle(bed, "fixed", VMSECT_DEV_ACCESS_READ), 8);
}

#endif
