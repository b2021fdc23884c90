/* SPDX-License-Identifier: GPL-2.0-or-later */
/* section_create.c, and DUPLICATE: what a driver may make, how much, with which rights. */
#include <errno.h>

#include "unit/vmm/section_box.h"

#define TIME_LIMIT_S 60
#define SHMEM VMSECT_DEV_BACKING_SHMEM
#define BUDGET (UINT64_C(1) << 20)

static uint32_t create(struct section_bed *bed, const char *name,
		       const struct vmsect_req_create *want, struct vmsect_rsp_open *reply)
{
	struct vmsect_req_create request = *want;

	request.hdr.op = VMSECT_REQ_CREATE;
	memcpy(request.name, name, strnlen(name, sizeof(request.name)));
	return bed_call(bed, &request, sizeof(request), reply, sizeof(*reply));
}

static uint32_t duplicate(struct section_bed *bed, uint32_t handle, uint32_t access,
			  struct vmsect_rsp_open *reply)
{
	const struct vmsect_req_duplicate request = { .hdr.op = VMSECT_REQ_DUPLICATE,
						      .handle = handle,
						      .access = access };

	return bed_call(bed, &request, sizeof(request), reply, sizeof(*reply));
}

static struct section_bed *start_creator(struct test *test, uint64_t bytes)
{
	test->bed.policy =
		(struct section_dev_policy){ .allow_create = true, .create_bytes = bytes };
	return start(test);
}

static void test_not_allowed(void **state)
{
	const struct vmsect_req_create want = { .size_bytes = PAGE,
						.backing = SHMEM,
						.protection = RW };
	struct section_bed *bed = start(*state);
	struct vmsect_rsp_open reply;

	assert_int_equal(create(bed, "new", &want, &reply), VMSECT_S_EPERM);
}

static void test_refused(void **state)
{
	static const struct {
		const char *name;
		struct vmsect_req_create want;
		uint32_t expected;
	} cases[] = {
		{ "new", { .size_bytes = PAGE, .backing = 1, .protection = RW }, EINVAL_(ATTR) },
		{ "new", { .size_bytes = PAGE, .backing = 0, .protection = RW }, EINVAL_(ATTR) },
		{ "new", { .size_bytes = PAGE, .backing = 5, .protection = RW }, EINVAL_(ATTR) },
		{ "new",
		  { .size_bytes = PAGE, .backing = SHMEM, .protection = RW, .create_flags = 1 },
		  EINVAL_(ATTR) },
		{ "new",
		  { .size_bytes = PAGE, .backing = SHMEM, .protection = RW, .create_flags = 0x20 },
		  EINVAL_(ATTR) },
		{ "new",
		  { .size_bytes = PAGE, .backing = SHMEM, .protection = RW, .create_flags = 0x4C },
		  EINVAL_(ATTR) },
		{ "new", { .size_bytes = PAGE, .backing = SHMEM }, EINVAL_(PROTECTION) },
		{ "new",
		  { .size_bytes = PAGE, .backing = SHMEM, .protection = 9 },
		  EINVAL_(PROTECTION) },
		{ "new",
		  { .size_bytes = PAGE, .backing = SHMEM, .protection = NA },
		  EINVAL_(PROTECTION) },
		{ "a/b",
		  { .size_bytes = PAGE, .backing = SHMEM, .protection = RW },
		  EINVAL_(NAME) },
		{ "new",
		  { .size_bytes = PAGE, .backing = SHMEM, .protection = RW, .access = 0x80 },
		  EINVAL_(ACCESS) },
		{ "new", { .backing = SHMEM, .protection = RW }, EINVAL_(SIZE) },
		{ "data",
		  { .size_bytes = PAGE, .backing = SHMEM, .protection = RW },
		  REFUSED(VMSECT_S_EEXIST, VMSECT_D_NAME) },
		{ "new",
		  { .size_bytes = BUDGET + 1, .backing = SHMEM, .protection = RW },
		  REFUSED(VMSECT_S_EDQUOT, VMSECT_D_QUOTA) },
		{ "new",
		  { .size_bytes = PAGE,
		    .max_bytes = BUDGET + 1,
		    .backing = SHMEM,
		    .protection = RW },
		  REFUSED(VMSECT_S_EDQUOT, VMSECT_D_QUOTA) },
		{ "new",
		  { .size_bytes = UINT64_MAX, .backing = SHMEM, .protection = RW },
		  REFUSED(VMSECT_S_EDQUOT, VMSECT_D_QUOTA) },
	};
	struct section_bed *bed = start_creator(*state, BUDGET);
	struct vmsect_rsp_open reply;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t got = create(bed, cases[i].name, &cases[i].want, &reply);

		if (got != cases[i].expected)
			fail_msg("case %zu: %#x", i, got);
	}
}

static void test_created(void **state)
{
	const struct vmsect_req_create want = {
		.size_bytes = PAGE + 1, .max_bytes = 8 * PAGE, .backing = SHMEM, .protection = RW
	};
	struct test *test = *state;
	struct section_bed *bed = start_creator(test, 0);
	struct vmsect_section *section = NULL;
	struct vmsect_rsp_open reply;

	assert_int_equal(create(bed, "new", &want, &reply), VMSECT_S_OK);
	assert_int_equal(reply.handle, 4);
	assert_int_equal(reply.section.size_bytes, 2 * PAGE);
	assert_int_equal(reply.section.max_bytes, 8 * PAGE);
	assert_int_equal(reply.section.backing, SHMEM);
	assert_string_equal(reply.section.name, "new");
	assert_int_equal(reply.section.access & VMSECT_DEV_ACCESS_GRANT, 0);
	assert_int_equal(vmsect_section_open(test->owner, "new", VMSECT_ACCESS_READ, &section), 0);
	(void)vmsect_section_close(section);
	/* Without a name it is another one each time. */
	assert_int_equal(create(bed, "", &want, &reply), VMSECT_S_OK);
	assert_string_equal(reply.section.name, "");
	/* It goes with the driver. */
	bed_reset(bed);
	assert_int_equal(vmsect_section_open(test->owner, "new", VMSECT_ACCESS_READ, &section),
			 -ENOENT);
}

static void test_open_if(void **state)
{
	const struct vmsect_req_create want = { .size_bytes = PAGE,
						.backing = SHMEM,
						.protection = RW,
						.create_flags = VMSECT_CREATE_F_OPEN_IF,
						.access = VMSECT_DEV_ACCESS_READ };
	struct section_bed *bed = start_creator(*state, PAGE);
	struct vmsect_rsp_open reply;

	assert_int_equal(create(bed, "data", &want, &reply),
			 REFUSED(VMSECT_S_OK, VMSECT_D_EXISTED));
	assert_int_equal(reply.section.size_bytes, DATA_BYTES);
	/* That was not made: it counts for nothing. */
	assert_int_equal(create(bed, "new", &want, &reply), VMSECT_S_OK);
}

static void test_budget(void **state)
{
	const struct vmsect_req_create half = { .size_bytes = BUDGET / 2,
						.backing = SHMEM,
						.protection = RW };
	struct section_bed *bed = start_creator(*state, BUDGET);
	const uint32_t over = REFUSED(VMSECT_S_EDQUOT, VMSECT_D_QUOTA);
	struct vmsect_req_map want = { .protection = RW, .window_offset = ANY };
	struct vmsect_rsp_open first, second, reply;
	struct vmsect_rsp_map mapped;

	assert_int_equal(create(bed, "one", &half, &first), VMSECT_S_OK);
	assert_int_equal(create(bed, "two", &half, &second), VMSECT_S_OK);
	assert_int_equal(create(bed, "three", &half, &reply), over);
	/* A view holds it as a handle does. */
	want.handle = first.handle;
	assert_int_equal(bed_map(bed, &want, &mapped), VMSECT_S_OK);
	assert_int_equal(bed_close(bed, first.handle), VMSECT_S_OK);
	assert_int_equal(create(bed, "three", &half, &reply), over);
	assert_int_equal(bed_unmap(bed, mapped.view.view), VMSECT_S_OK);
	assert_int_equal(create(bed, "three", &half, &reply), VMSECT_S_OK);
	assert_int_equal(create(bed, "four", &half, &reply), over);
}

static void test_duplicate(void **state)
{
	struct section_bed *bed = start(*state);
	struct vmsect_req_map want = { .protection = RW, .window_offset = ANY };
	struct vmsect_rsp_map mapped;
	struct vmsect_rsp_open reply;

	open_all(bed);
	assert_int_equal(duplicate(bed, 9, 0, &reply), VMSECT_S_EBADF);
	assert_int_equal(duplicate(bed, 9, 0x80, &reply), EINVAL_(ACCESS));
	assert_int_equal(duplicate(bed, 5, ACCESS_RW, &reply), VMSECT_S_EPERM);
	assert_int_equal(duplicate(bed, 4, VMSECT_DEV_ACCESS_READ, &reply), VMSECT_S_OK);
	assert_int_equal(reply.section.access, VMSECT_DEV_ACCESS_READ);
	assert_int_equal(reply.section.size_bytes, DATA_BYTES);
	want.handle = reply.handle;
	assert_int_equal(bed_map(bed, &want, &mapped), VMSECT_S_EPERM);
	assert_int_equal(duplicate(bed, 4, 0, &reply), VMSECT_S_OK);
	want.handle = reply.handle;
	want.protection = NA;
	assert_int_equal(bed_map(bed, &want, &mapped), VMSECT_S_EPERM);
	/* Attachments have handles like any other. */
	assert_int_equal(duplicate(bed, 1, VMSECT_DEV_ACCESS_READ, &reply), VMSECT_S_OK);
	assert_int_equal(bed_close(bed, reply.handle), VMSECT_S_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_not_allowed, section_setup, section_teardown),
		cmocka_unit_test_setup_teardown(test_refused, section_setup, section_teardown),
		cmocka_unit_test_setup_teardown(test_created, section_setup, section_teardown),
		cmocka_unit_test_setup_teardown(test_open_if, section_setup, section_teardown),
		cmocka_unit_test_setup_teardown(test_budget, section_setup, section_teardown),
		cmocka_unit_test_setup_teardown(test_duplicate, section_setup, section_teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
