/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * section_ctl.c and what of the section device needs no broker: the form of
 * requests, broken chains, and a device without anything attached.
 */
#include <errno.h>
#include <unistd.h>

#include "lib/leak.h"
#include "unit/vmm/section_bed.h"

#define TIME_LIMIT_S 60

struct test {
	struct section_bed bed;
	struct leak_guard *guard;
};

static int setup(void **state)
{
	struct test *test = calloc(1, sizeof(*test));

	assert_non_null(test);
	test->guard = leak_guard_new();
	bed_init(&test->bed);
	assert_int_equal(bed_attach(&test->bed, NULL, NULL, 0), 0);
	bed_drive(&test->bed);
	*state = test;
	return 0;
}

static int teardown(void **state)
{
	struct test *test = *state;

	bed_deinit(&test->bed);
	leak_guard_check(test->guard);
	free(test);
	return 0;
}

static struct section_bed *bed_of(void **state)
{
	return &((struct test *)*state)->bed;
}

static struct section_dev_counters counters(struct section_bed *bed)
{
	struct section_dev_counters counted;

	section_dev_counters(bed->dev, &counted);
	return counted;
}

static void test_attachment_without_broker(void **state)
{
	struct section_attach attach = { .name = "data",
					 .mode = SECTION_ATTACH_RO,
					 .at = WINDOW_ANY };
	struct leak_guard *guard = leak_guard_new();
	struct section_bed bed;

	(void)state;
	bed_init(&bed);
	assert_int_equal(bed_attach(&bed, NULL, &attach, 1), -EPIPE);
	assert_null(bed.dev);
	assert_string_equal(bed.error, "section data: there is no broker");
	bed_deinit(&bed);
	leak_guard_check(guard);
	assert_null(section_dev_free(NULL));
}

static void test_configuration(void **state)
{
	struct section_bed *bed = bed_of(state);

	assert_int_equal(bed_get(bed, 0x2000, 8), BED_WINDOW);
	assert_int_equal(bed_get(bed, 0x2008, 4), 21);
	assert_int_equal(bed_get(bed, 0x200C, 4), 1024);
	assert_int_equal(bed_get(bed, 0x2010, 4), 256);
	assert_int_equal(bed_get(bed, 0x2014, 4), 0);
	assert_int_equal(bed_get(bed, 0x2018, 4), 0);
	assert_int_equal(bed_get(bed, 0x201C, 4), 0);
	assert_int_equal(bed_get(bed, 0x2020, 1), 0xFF);
}

static const struct {
	uint32_t op, request, reply, reserved; /* 0: it has no such field */
} ops[] = {
	{ VMSECT_REQ_LIST, 16, 16, 12 },       { VMSECT_REQ_OPEN, 144, 208, 12 },
	{ VMSECT_REQ_CLOSE, 16, 8, 12 },       { VMSECT_REQ_MAP, 64, 72, 60 },
	{ VMSECT_REQ_UNMAP, 16, 8, 12 },       { VMSECT_REQ_QUERY_SECTION, 16, 200, 12 },
	{ VMSECT_REQ_QUERY_VIEW, 16, 72, 12 }, { VMSECT_REQ_CREATE, 176, 208, 0 },
	{ VMSECT_REQ_PROTECT, 32, 16, 0 },     { VMSECT_REQ_EXTEND, 24, 16, 12 },
	{ VMSECT_REQ_COMMIT, 32, 16, 0 },      { VMSECT_REQ_FLUSH, 32, 8, 0 },
	{ VMSECT_REQ_RESET, 32, 16, 12 },      { VMSECT_REQ_DIFF, 24, 16, 12 },
	{ VMSECT_REQ_PUBLISH, 16, 8, 0 },      { VMSECT_REQ_REMAP, 32, 16, 12 },
	{ VMSECT_REQ_DUPLICATE, 16, 208, 0 },  { VMSECT_REQ_QUERY_PAGES, 32, 32, 12 },
	{ VMSECT_REQ_NOTIFY, 24, 8, 0 },       { VMSECT_REQ_HOLD, 8, 8, 0 },
};

static bool is_list(uint32_t op)
{
	return op == VMSECT_REQ_LIST || op == VMSECT_REQ_DIFF;
}

static void test_wrong_sizes(void **state)
{
	struct section_bed *bed = bed_of(state);
	const uint32_t format = REFUSED(VMSECT_S_EINVAL, VMSECT_D_FORMAT);
	uint32_t request[64] = { 0 };
	uint8_t reply[512];

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		request[0] = ops[i].op;
		assert_int_equal(bed_call(bed, request, ops[i].request - 1, reply, ops[i].reply),
				 format);
		assert_int_equal(bed_call(bed, request, ops[i].request + 1, reply, ops[i].reply),
				 format);
		if (ops[i].request > 8)
			assert_int_equal(bed_call(bed, request, 8, reply, ops[i].reply), format);
		assert_int_equal(bed_call(bed, request, 256, reply, ops[i].reply), format);
		if (ops[i].reply > 8)
			assert_int_equal(
				bed_call(bed, request, ops[i].request, reply, ops[i].reply - 1),
				format);
		if (!is_list(ops[i].op))
			assert_int_equal(
				bed_call(bed, request, ops[i].request, reply, ops[i].reply + 1),
				format);
	}
	for (uint32_t bytes = 1; bytes < 8; bytes++)
		assert_int_equal(bed_call(bed, request, bytes, reply, 8), format);
	assert_int_equal(bed_call(bed, request, 0, reply, 8), format);
	assert_int_equal(counters(bed).requests, counters(bed).refused);
	assert_int_equal(counters(bed).breaks, 0);
}

static void test_reserved_fields(void **state)
{
	struct section_bed *bed = bed_of(state);
	const uint32_t reserved = REFUSED(VMSECT_S_EINVAL, VMSECT_D_RESERVED);
	uint8_t reply[512];

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		for (int bit = 0; bit < 32; bit++) {
			uint32_t request[64] = { ops[i].op, UINT32_C(1) << bit };

			assert_int_equal(
				bed_call(bed, request, ops[i].request, reply, ops[i].reply),
				reserved);
			if (!ops[i].reserved)
				continue;
			request[1] = 0;
			request[ops[i].reserved / 4] = UINT32_C(1) << bit;
			assert_int_equal(
				bed_call(bed, request, ops[i].request, reply, ops[i].reply),
				reserved);
		}
	}
}

static void test_unknown_operations(void **state)
{
	struct section_bed *bed = bed_of(state);
	const uint32_t unknown[] = { 0, 21, 22, 64, 0x10001, UINT32_MAX };
	uint8_t reply[64];

	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		uint32_t request[8] = { unknown[i] };

		for (uint32_t bytes = 8; bytes <= 32; bytes += 8)
			assert_int_equal(bed_call(bed, request, bytes, reply, 64),
					 VMSECT_S_EOPNOTSUPP);
	}
}

/* A driver that takes no feature has the first seven operations. */
static void test_features_not_taken(void **state)
{
	struct section_bed *bed = bed_of(state);
	struct vmsect_rsp_map mapped;
	uint32_t request[64] = { 0 };
	const struct vmsect_req_map growable = { .protection = VMSECT_DEV_PROT_READONLY,
						 .map_flags = VMSECT_VIEW_F_GROWABLE };
	uint8_t reply[512];

	assert_int_equal(bed_map(bed, &growable, &mapped), VMSECT_S_EBADF);
	bed_reset(bed);
	bed->refused = UINT32_MAX;
	bed_drive(bed);
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		uint32_t got;

		request[0] = ops[i].op;
		got = bed_call(bed, request, ops[i].request, reply, ops[i].reply);
		assert_int_equal(got == VMSECT_S_EOPNOTSUPP, ops[i].op > VMSECT_REQ_QUERY_VIEW);
	}
	assert_int_equal(bed_map(bed, &growable, &mapped), VMSECT_S_EOPNOTSUPP);
}

/* Each bit alone brings its operations and no others. */
static void test_features_one_by_one(void **state)
{
	static const uint32_t feature_of[] = {
		[VMSECT_REQ_CREATE] = VMSECT_F_CREATE,
		[VMSECT_REQ_PROTECT] = VMSECT_F_PROTECT,
		[VMSECT_REQ_EXTEND] = VMSECT_F_EXTEND,
		[VMSECT_REQ_COMMIT] = VMSECT_F_EXTEND,
		[VMSECT_REQ_FLUSH] = VMSECT_F_FLUSH,
		[VMSECT_REQ_RESET] = VMSECT_F_COW,
		[VMSECT_REQ_DIFF] = VMSECT_F_COW,
		[VMSECT_REQ_PUBLISH] = VMSECT_F_COW,
		[VMSECT_REQ_REMAP] = VMSECT_F_IN_PAGE_ERROR,
		[VMSECT_REQ_DUPLICATE] = VMSECT_F_PROTECT,
		[VMSECT_REQ_QUERY_PAGES] = VMSECT_F_PROTECT,
		[VMSECT_REQ_NOTIFY] = VMSECT_F_NOTIFY,
		[VMSECT_REQ_HOLD] = VMSECT_F_HOLD,
	};
	struct section_bed *bed = bed_of(state);
	uint32_t request[64] = { 0 };
	uint8_t reply[512];

	for (uint32_t bit = 0; bit <= VMSECT_F_IN_PAGE_ERROR; bit++) {
		bed_reset(bed);
		bed->refused = ~(UINT32_C(1) << bit);
		bed_drive(bed);
		for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
			uint32_t op = ops[i].op, got;

			if (op < VMSECT_REQ_CREATE)
				continue;
			request[0] = op;
			got = bed_call(bed, request, ops[i].request, reply, ops[i].reply);
			assert_int_equal(got != VMSECT_S_EOPNOTSUPP, feature_of[op] == bit);
		}
	}
}

static void test_empty_device(void **state)
{
	struct section_bed *bed = bed_of(state);
	const uint32_t ids[] = { 0, 1, 256, 257, 1024, 1025, 0x80000000, UINT32_MAX };
	struct vmsect_req_list list = { .hdr.op = VMSECT_REQ_LIST };
	struct vmsect_rsp_query_section section;
	struct vmsect_rsp_query_view view;
	struct vmsect_rsp_map mapped;
	struct vmsect_rsp_list none;

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		const struct vmsect_req_map want = { .handle = ids[i],
						     .protection = VMSECT_DEV_PROT_READONLY };

		assert_int_equal(bed_close(bed, ids[i]), VMSECT_S_EBADF);
		assert_int_equal(bed_query_section(bed, ids[i], &section), VMSECT_S_EBADF);
		assert_int_equal(bed_map(bed, &want, &mapped), VMSECT_S_EBADF);
		assert_int_equal(bed_unmap(bed, ids[i]), VMSECT_S_ENXIO);
		assert_int_equal(bed_query_view(bed, ids[i], &view), VMSECT_S_ENXIO);
	}
	assert_int_equal(bed_call(bed, &list, sizeof(list), &none, sizeof(none)), VMSECT_S_OK);
	assert_int_equal(none.count, 0);
	assert_int_equal(none.next, 0);
	list.cursor = 1;
	assert_int_equal(bed_call(bed, &list, sizeof(list), &none, sizeof(none)),
			 REFUSED(VMSECT_S_EINVAL, VMSECT_D_CURSOR));
}

static void test_protections_come_first(void **state)
{
	struct section_bed *bed = bed_of(state);
	struct vmsect_rsp_map mapped;

	for (uint32_t protection = 0; protection < 12; protection++) {
		const struct vmsect_req_map want = { .handle = 1, .protection = protection };
		uint32_t expected = VMSECT_S_EBADF;

		if (protection == 0 || protection > 8)
			expected = REFUSED(VMSECT_S_EINVAL, VMSECT_D_PROTECTION);
		assert_int_equal(bed_map(bed, &want, &mapped), expected);
	}
}

static void test_names_and_masks(void **state)
{
	struct section_bed *bed = bed_of(state);
	const char *const bad[] = { "", ".x", "-x", "a/b", "ctl", "a b", "\xC3\xA4", "a\n" };
	struct vmsect_req_open dirty = { .hdr.op = VMSECT_REQ_OPEN, .access = 2, .name = "ab" };
	struct vmsect_rsp_open reply;
	char longest[129];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(bed_open(bed, bad[i], 2, &reply),
				 REFUSED(VMSECT_S_EINVAL, VMSECT_D_NAME));
	memset(longest, 'a', sizeof(longest));
	longest[128] = 0;
	assert_int_equal(bed_open(bed, longest, 2, &reply),
			 REFUSED(VMSECT_S_EINVAL, VMSECT_D_NAME));
	dirty.name[100] = 'x'; /* behind the end of the name */
	assert_int_equal(bed_call(bed, &dirty, sizeof(dirty), &reply, sizeof(reply)),
			 REFUSED(VMSECT_S_EINVAL, VMSECT_D_NAME));
	assert_int_equal(bed_open(bed, "ab", 0, &reply), REFUSED(VMSECT_S_EINVAL, VMSECT_D_ACCESS));
	assert_int_equal(bed_open(bed, "ab", 0x80, &reply),
			 REFUSED(VMSECT_S_EINVAL, VMSECT_D_ACCESS));
	assert_int_equal(bed_open(bed, "ab", 0x8, &reply), VMSECT_S_EHOSTDOWN);
	longest[127] = 0;
	assert_int_equal(bed_open(bed, longest, 2, &reply), VMSECT_S_EHOSTDOWN);
}

/* Chains that the driver must not make: the device stops until it is reset. */
static void break_and_reset(struct section_bed *bed, uint64_t breaks)
{
	uint32_t head, bytes;

	bed_put(bed, BED_NOTIFY, 2, 0);
	bed_put(bed, BED_NOTIFY + 4, 2, 0);
	bed_run(bed);
	assert_int_equal(bed_get(bed, BED_STATUS, 1), 0x4F);
	assert_int_equal(counters(bed).breaks, breaks);
	assert_false(ring_take(&bed->control, &head, &bytes));
	/* A good request is not heard. */
	ring_desc(&bed->control, 0, (struct driver_desc){ BED_REPLY, 8, RING_WRITE, 0 });
	ring_publish(&bed->control, 0);
	bed_put(bed, BED_NOTIFY, 2, 0);
	bed_run(bed);
	assert_false(ring_take(&bed->control, &head, &bytes));
	bed_reset(bed);
	bed_drive(bed);
	assert_int_equal(bed_close(bed, 1), VMSECT_S_EBADF);
}

static void test_malformed_chains(void **state)
{
	struct section_bed *bed = bed_of(state);
	const struct driver_desc bad[] = {
		{ BED_REQUEST, 16, 0, 0 }, /* no room for a reply */
		{ BED_REPLY, 7, RING_WRITE, 0 }, /* nor here */
		{ LAYOUT_PCI64_START, 8, RING_WRITE, 0 }, /* the window is not RAM */
		{ BED_RAM - 4, 8, RING_WRITE, 0 },
		{ BED_REQUEST, 16, RING_NEXT, 0 }, /* a loop */
		{ BED_REQUEST, 16, RING_INDIRECT, 0 }, /* not negotiated */
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ring_desc(&bed->control, 0, bad[i]);
		ring_publish(&bed->control, 0);
		break_and_reset(bed, i + 1);
	}
}

static void test_many_at_once(void **state)
{
	struct section_bed *bed = bed_of(state);
	const struct vmsect_req_close request = { .hdr.op = VMSECT_REQ_CLOSE, .handle = 9 };
	uint32_t head, bytes, answered = 0;

	/* More than one budget: the ring filled again and again between two kicks. */
	assert_true(guest_mem_write(&bed->mem, BED_REQUEST, &request, sizeof(request)));
	for (uint16_t i = 0; i < BED_QUEUE_SIZE; i += 2) {
		ring_desc(&bed->control, i,
			  (struct driver_desc){ BED_REQUEST, sizeof(request), RING_NEXT,
						(uint16_t)(i + 1) });
		ring_desc(&bed->control, (uint16_t)(i + 1),
			  (struct driver_desc){ BED_REPLY, 8, RING_WRITE, 0 });
	}
	for (uint16_t i = 0; i < BED_QUEUE_SIZE; i++)
		ring_publish(&bed->control, (uint16_t)(i % 32 * 2));
	bed_put(bed, BED_NOTIFY, 2, 0);
	bed_run(bed);
	while (ring_take(&bed->control, &head, &bytes))
		answered++;
	assert_int_equal(answered, BED_QUEUE_SIZE);
	assert_true(bed_get(bed, 0x1000, 1) & 1); /* the ISR */
}

static unsigned int take_seed(void)
{
	const char *text = getenv("VMSECT_SEED");
	unsigned int seed = text ? (unsigned int)strtoul(text, NULL, 0) : (unsigned int)getpid();

	print_message("VMSECT_SEED=%u\n", seed);
	return seed;
}

static void test_random_requests(void **state)
{
	struct section_bed *bed = bed_of(state);
	unsigned int seed = take_seed();
	uint8_t request[192], reply[512];

	for (int turn = 0; turn < 20000; turn++) {
		size_t which = (size_t)rand_r(&seed) % ARRAY_SIZE(ops);
		uint32_t bytes = ops[which].request;

		for (size_t i = 0; i < sizeof(request); i++)
			request[i] = rand_r(&seed) % 4 ? 0 : (uint8_t)rand_r(&seed);
		memcpy(request, &ops[which].op, 4);
		memset(reply, 0xA5, sizeof(reply));
		assert_true(bed_send(bed, request, bytes, reply, ops[which].reply) >= 8);
	}
	assert_int_equal(counters(bed).breaks, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attachment_without_broker),
		cmocka_unit_test_setup_teardown(test_configuration, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reserved_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_operations, setup, teardown),
		cmocka_unit_test_setup_teardown(test_features_not_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_features_one_by_one, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty_device, setup, teardown),
		cmocka_unit_test_setup_teardown(test_protections_come_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_and_masks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_malformed_chains, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random_requests, setup, teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
