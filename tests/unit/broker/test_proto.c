/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes to requests: every way in which a message can be wrong. */
#include "lib/check.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "broker/proto.h"

/* A message to be spoiled: a good request in a larger buffer. */
struct message {
	union {
		struct vmsect_msg_hdr hdr;
		struct vmsect_req_hello hello;
		struct vmsect_req_create create;
		struct vmsect_req_open open;
		struct vmsect_req_handle handle;
		struct vmsect_req_view_stats stats;
		struct vmsect_req_peer_stats peer_stats;
		struct vmsect_req_list list;
		struct vmsect_req_map map;
		struct vmsect_req_pass pass;
		struct vmsect_req_grant grant;
		struct vmsect_req_extend extend;
		struct vmsect_req_protect protect;
		struct vmsect_req_flush flush;
		struct vmsect_req_file file;
		struct vmsect_req_export export;
		struct vmsect_req_unexport unexport;
		unsigned char bytes[1024];
	};
	size_t size;
	unsigned int fds;
};

static const struct {
	uint16_t op;
	size_t size;
	bool takes_fds;
} operations[] = {
	{ VMSECT_OP_HELLO, sizeof(struct vmsect_req_hello), false },
	{ VMSECT_OP_CREATE, sizeof(struct vmsect_req_create), true },
	{ VMSECT_OP_OPEN, sizeof(struct vmsect_req_open), false },
	{ VMSECT_OP_CLOSE, sizeof(struct vmsect_req_handle), false },
	{ VMSECT_OP_REMOVE, sizeof(struct vmsect_req_remove), false },
	{ VMSECT_OP_QUERY, sizeof(struct vmsect_req_handle), false },
	{ VMSECT_OP_MAP, sizeof(struct vmsect_req_map), false },
	{ VMSECT_OP_UNMAP, sizeof(struct vmsect_req_unmap), false },
	{ VMSECT_OP_VIEW_STATS, sizeof(struct vmsect_req_view_stats), false },
	{ VMSECT_OP_LIST_SECTIONS, sizeof(struct vmsect_req_list), false },
	{ VMSECT_OP_LIST_VIEWS, sizeof(struct vmsect_req_list), false },
	{ VMSECT_OP_LIST_PEERS, sizeof(struct vmsect_req_list), false },
	{ VMSECT_OP_PEER_STATS, sizeof(struct vmsect_req_peer_stats), false },
	{ VMSECT_OP_RESUME, sizeof(struct vmsect_req_resume), false },
	{ VMSECT_OP_HAND_BACK, sizeof(struct vmsect_req_hand_back), true },
	{ VMSECT_OP_DUPLICATE, sizeof(struct vmsect_req_duplicate), false },
	{ VMSECT_OP_PASS, sizeof(struct vmsect_req_pass), false },
	{ VMSECT_OP_ACCEPT, sizeof(struct vmsect_req_accept), false },
	{ VMSECT_OP_GRANT, sizeof(struct vmsect_req_grant), false },
	{ VMSECT_OP_LIST_GRANTS, sizeof(struct vmsect_req_handle), false },
	{ VMSECT_OP_EXTEND, sizeof(struct vmsect_req_extend), false },
	{ VMSECT_OP_COMMIT, sizeof(struct vmsect_req_commit), false },
	{ VMSECT_OP_PROTECT, sizeof(struct vmsect_req_protect), false },
	{ VMSECT_OP_FLUSH, sizeof(struct vmsect_req_flush), false },
	{ VMSECT_OP_PUBLISH, sizeof(struct vmsect_req_publish), true },
	{ VMSECT_OP_SEAL, sizeof(struct vmsect_req_handle), false },
	{ VMSECT_OP_REVOKED, sizeof(struct vmsect_req_unmap), false },
	{ VMSECT_OP_FILE, sizeof(struct vmsect_req_file), true },
	{ VMSECT_OP_NOTIFY, sizeof(struct vmsect_req_notify), false },
	{ VMSECT_OP_EXPORT, sizeof(struct vmsect_req_export), false },
	{ VMSECT_OP_UNEXPORT, sizeof(struct vmsect_req_unexport), false },
	{ VMSECT_OP_LIST_EXPORTS, sizeof(struct vmsect_req_list), false },
};

static void make(struct message *message, uint16_t op, size_t size)
{
	memset(message, 0, sizeof(*message));
	message->hdr.op = op;
	message->hdr.size = (uint32_t)size;
	message->hdr.cookie = 0x1122334455667788;
	message->size = size;
	switch (op) {
	case VMSECT_OP_HELLO:
		message->hello.version = VMSECT_PROTO_VERSION;
		message->hello.kind = VMSECT_PEER_PROCESS;
		memcpy(message->hello.name, "prog ram", 8);
		break;
	case VMSECT_OP_CREATE:
		memcpy(message->create.name, "a", 1);
		break;
	case VMSECT_OP_OPEN:
		memcpy(message->open.name, "a", 1);
		break;
	case VMSECT_OP_REMOVE:
		memcpy(message->bytes + offsetof(struct vmsect_req_remove, name), "a", 1);
		break;
	case VMSECT_OP_RESUME:
		message->hello.version = VMSECT_PROTO_VERSION; /* in the same place */
		break;
	case VMSECT_OP_GRANT:
		message->grant.grant.grantee = VMSECT_GRANTEE_UID;
		break;
	case VMSECT_OP_FILE:
		message->file.action = VMSECT_FILE_QUERY;
		break;
	case VMSECT_OP_EXPORT:
		message->export.kind = VMSECT_EXPORT_DOORBELL;
		break;
	case VMSECT_OP_UNEXPORT:
		message->unexport.kind = VMSECT_EXPORT_PATH;
		break;
	default:
		break;
	}
}

static int decode(const struct message *message, struct request *request, struct refusal *refusal)
{
	memset(request, 0xa5, sizeof(*request));
	memset(refusal, 0xa5, sizeof(*refusal));
	return proto_decode(message->bytes, message->size, message->fds, request, refusal);
}

static void expect(const struct message *message, int outcome, int status, uint32_t detail)
{
	struct request request;
	struct refusal refusal;

	assert_int_equal(decode(message, &request, &refusal), outcome);
	assert_int_equal(refusal.status, status);
	assert_int_equal(refusal.detail, detail);
	assert_true(strlen(refusal.text) > 10);
	assert_true(strlen(refusal.text) <= VMSECT_ERROR_TEXT_MAX);
	if (message->size >= sizeof(struct vmsect_msg_hdr)) {
		assert_int_equal(request.cookie, message->hdr.cookie);
		assert_int_equal(request.op, message->hdr.op);
	}
}

#define EXPECT_END(message) expect(message, PROTO_E_END, -EPROTO, VMSECT_DETAIL_FORMAT)
#define EXPECT_FORMAT(message) expect(message, PROTO_E_REFUSED, -EINVAL, VMSECT_DETAIL_FORMAT)
#define EXPECT_NAME(message) expect(message, PROTO_E_REFUSED, -EINVAL, VMSECT_DETAIL_NAME)

/* HELLO and RESUME are looked at for their version first. */
static size_t version_bytes(uint16_t op)
{
	return op == VMSECT_OP_HELLO || op == VMSECT_OP_RESUME ? sizeof(uint32_t) : 0;
}

static void test_every_size(void **state)
{
	struct message message;
	size_t i, size;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(operations); i++) {
		for (size = 0; size <= 400; size++) {
			if (size == operations[i].size)
				continue;
			make(&message, operations[i].op, size);
			if (size < sizeof(struct vmsect_msg_hdr) + version_bytes(operations[i].op))
				EXPECT_END(&message);
			else
				EXPECT_FORMAT(&message);
		}
	}
}

static void test_good_requests(void **state)
{
	struct message message;
	struct request request;
	struct refusal refusal;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(operations); i++) {
		make(&message, operations[i].op, operations[i].size);
		assert_int_equal(decode(&message, &request, &refusal), 0);
		assert_int_equal(request.op, operations[i].op);
		assert_int_equal(request.cookie, message.hdr.cookie);
		assert_memory_equal(request.bytes, message.bytes, message.size);
	}
}

static void test_size_field(void **state)
{
	static const uint32_t sizes[] = { 0, 1, 31, 32, 39, 41, UINT32_MAX };
	struct message message;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		make(&message, VMSECT_OP_CLOSE, sizeof(struct vmsect_req_handle));
		message.hdr.size = sizes[i];
		EXPECT_END(&message);
	}
}

static void test_descriptors(void **state)
{
	struct message message;
	struct request request;
	struct refusal refusal;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(operations); i++) {
		make(&message, operations[i].op, operations[i].size);
		message.fds = 1; /* not announced */
		EXPECT_END(&message);
		message.hdr.fds = 2; /* announced wrongly */
		EXPECT_END(&message);
		message.hdr.fds = 1;
		if (!operations[i].takes_fds)
			EXPECT_END(&message);
		else
			assert_int_equal(decode(&message, &request, &refusal), 0);
		message.fds = 0; /* announced, not there */
		EXPECT_END(&message);
	}
	make(&message, 77, sizeof(struct vmsect_msg_hdr));
	message.fds = message.hdr.fds = 1;
	EXPECT_END(&message);
}

static void test_unknown_operations(void **state)
{
	static const uint16_t unknown[] = { 0,	 VMSECT_OP_LIST_EXPORTS + 2,
					    127, VMSECT_OP_EVENT,
					    129, UINT16_MAX };
	struct message message;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		make(&message, unknown[i], 64);
		expect(&message, PROTO_E_REFUSED, -EOPNOTSUPP, VMSECT_DETAIL_NONE);
	}
}

static void test_header_of_requests(void **state)
{
	struct message message;

	(void)state;
	make(&message, VMSECT_OP_QUERY, sizeof(struct vmsect_req_handle));
	message.hdr.flags = VMSECT_MSG_REPLY;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_QUERY, sizeof(struct vmsect_req_handle));
	message.hdr.status = -1;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_QUERY, sizeof(struct vmsect_req_handle));
	message.hdr.detail = 1;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_QUERY, sizeof(struct vmsect_req_handle));
	message.hdr.reserved = 1;
	EXPECT_FORMAT(&message);
}

static void test_reserved_fields(void **state)
{
	struct message message;

	(void)state;
	make(&message, VMSECT_OP_HELLO, sizeof(message.hello));
	message.hello.reserved = 1;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_OPEN, sizeof(message.open));
	message.open.reserved = 1;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_CLOSE, sizeof(message.handle));
	message.handle.reserved = 1;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_VIEW_STATS, sizeof(message.stats));
	message.stats.reserved = 1;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_PEER_STATS, sizeof(message.peer_stats));
	message.peer_stats.reserved[0] = 1;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_PEER_STATS, sizeof(message.peer_stats));
	message.peer_stats.reserved[1] = UINT64_MAX;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_LIST_SECTIONS, sizeof(message.list));
	message.list.section = 1;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_LIST_VIEWS, sizeof(message.list));
	memcpy(message.list.name, "a", 1);
	EXPECT_FORMAT(&message);
}

/* RESUME of another version is refused for that, whatever its size. */
static void test_resume(void **state)
{
	struct message message;

	(void)state;
	make(&message, VMSECT_OP_RESUME, sizeof(struct vmsect_req_resume));
	message.hello.version = VMSECT_PROTO_VERSION - 1;
	expect(&message, PROTO_E_END, -EPROTONOSUPPORT, VMSECT_DETAIL_VERSION);
	message.size = message.hdr.size = sizeof(struct vmsect_req_resume) + 8;
	expect(&message, PROTO_E_END, -EPROTONOSUPPORT, VMSECT_DETAIL_VERSION);
}

/* Reserved fields and combinations of the operations of version 2. */
static void test_fields_of_version_2(void **state)
{
	struct message message;

	(void)state;
	make(&message, VMSECT_OP_MAP, sizeof(message.map));
	message.map.reserved = 1;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_PASS, sizeof(message.pass));
	message.pass.reserved = 1;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_EXTEND, sizeof(message.extend));
	message.extend.reserved = 1;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_PROTECT, sizeof(message.protect));
	message.protect.reserved = 1;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_FLUSH, sizeof(message.flush));
	message.flush.flags = 2;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_FLUSH, sizeof(message.flush));
	message.flush.handle = 1;
	message.flush.view = 1;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_FILE, sizeof(message.file));
	message.file.reserved = 1;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_FILE, sizeof(message.file));
	message.file.action = VMSECT_FILE_REMOVE + 1;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_FILE, sizeof(message.file));
	message.file.size_bytes = 1;
	EXPECT_FORMAT(&message);
}

static void test_grants(void **state)
{
	struct message message;
	struct request request;
	struct refusal refusal;

	(void)state;
	make(&message, VMSECT_OP_GRANT, sizeof(message.grant));
	message.grant.grant.reserved = 1;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_GRANT, sizeof(message.grant));
	message.grant.grant.grantee = 0;
	EXPECT_FORMAT(&message);
	message.grant.grant.grantee = VMSECT_GRANTEE_VM + 1;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_GRANT, sizeof(message.grant));
	message.grant.flags = 4;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_GRANT, sizeof(message.grant));
	memcpy(message.grant.grant.name, "a", 1); /* a uid has no name */
	EXPECT_FORMAT(&message);
	message.grant.grant.grantee = VMSECT_GRANTEE_VM;
	assert_int_equal(decode(&message, &request, &refusal), 0);
	memcpy(message.grant.grant.name, "/", 1);
	EXPECT_NAME(&message);
	message.grant.grant.name[0] = '\0'; /* a VM has one */
	EXPECT_NAME(&message);
}

static void test_hello(void **state)
{
	struct message message;

	(void)state;
	make(&message, VMSECT_OP_HELLO, sizeof(message.hello));
	message.hello.version = VMSECT_PROTO_VERSION + 1;
	expect(&message, PROTO_E_END, -EPROTONOSUPPORT, VMSECT_DETAIL_VERSION);
	/* A larger HELLO of the future is refused for its version, not its size. */
	message.size = message.hdr.size = sizeof(message.hello) + 64;
	expect(&message, PROTO_E_END, -EPROTONOSUPPORT, VMSECT_DETAIL_VERSION);
	make(&message, VMSECT_OP_HELLO, sizeof(message.hello));
	message.hello.kind = 0;
	EXPECT_FORMAT(&message);
	message.hello.kind = 3;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_HELLO, sizeof(message.hello));
	message.hello.cpus = 1;
	EXPECT_FORMAT(&message);
	make(&message, VMSECT_OP_HELLO, sizeof(message.hello));
	message.hello.memory_bytes = 1;
	EXPECT_FORMAT(&message);
	/* A VM's name is a name; "prog ram" is only good enough for a process. */
	make(&message, VMSECT_OP_HELLO, sizeof(message.hello));
	message.hello.kind = VMSECT_PEER_VM;
	EXPECT_NAME(&message);
	make(&message, VMSECT_OP_HELLO, sizeof(message.hello));
	message.hello.name[0] = '\x1b';
	EXPECT_NAME(&message);
	make(&message, VMSECT_OP_HELLO, sizeof(message.hello));
	memset(message.hello.name, 0, sizeof(message.hello.name));
	EXPECT_NAME(&message);
}

static void set_name(struct message *message, const void *bytes, size_t size)
{
	make(message, VMSECT_OP_OPEN, sizeof(message->open));
	memset(message->open.name, 0, sizeof(message->open.name));
	memcpy(message->open.name, bytes, size);
}

static void test_names(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} wrong[] = {
		{ "", 0 },     { "a/b", 3 },	  { "/", 1 },	 { "..", 2 },  { ".a", 2 },
		{ "-a", 2 },   { "a\0b", 3 },	  { "\0a", 2 },	 { "a b", 3 }, { "a\n", 2 },
		{ "\x7f", 1 }, { "\xc3\xa4", 2 }, { "\xff", 1 }, { "ctl", 3 }, { "a%", 2 },
	};
	char longest[VMSECT_NAME_MAX + 1];
	struct message message;
	struct request request;
	struct refusal refusal;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		set_name(&message, wrong[i].bytes, wrong[i].size);
		EXPECT_NAME(&message);
	}
	memset(longest, 'n', sizeof(longest));
	set_name(&message, longest, sizeof(longest)); /* does not end */
	EXPECT_NAME(&message);
	longest[VMSECT_NAME_MAX] = '\0';
	set_name(&message, longest, sizeof(longest));
	assert_int_equal(decode(&message, &request, &refusal), 0);
	longest[VMSECT_NAME_MAX - 1] = '\0';
	longest[VMSECT_NAME_MAX] = 'x'; /* dirty behind its end */
	set_name(&message, longest, sizeof(longest));
	EXPECT_NAME(&message);
	/* CREATE alone may be anonymous. */
	make(&message, VMSECT_OP_CREATE, sizeof(message.create));
	memset(message.create.name, 0, sizeof(message.create.name));
	assert_int_equal(decode(&message, &request, &refusal), 0);
}

static void test_error_replies(void **state)
{
	const struct request request = { .op = VMSECT_OP_OPEN, .cookie = 99 };
	unsigned char bytes[PROTO_ERROR_MAX];
	struct vmsect_msg_hdr hdr;
	struct refusal refusal;
	char text[400];
	size_t size;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	text[3] = '\n';
	assert_int_equal(refuse(&refusal, -EACCES, VMSECT_DETAIL_ACCESS, "%s", text), -EACCES);
	size = proto_encode_error(&request, &refusal, bytes);
	assert_int_equal(size, PROTO_ERROR_MAX);
	memcpy(&hdr, bytes, sizeof(hdr));
	assert_int_equal(hdr.size, size);
	assert_int_equal(hdr.op, VMSECT_OP_OPEN);
	assert_int_equal(hdr.flags, VMSECT_MSG_REPLY);
	assert_int_equal(hdr.cookie, 99);
	assert_int_equal(hdr.status, -EACCES);
	assert_int_equal(hdr.detail, VMSECT_DETAIL_ACCESS);
	assert_int_equal(bytes[sizeof(hdr) + 3], '?');
}

/* Noise and near misses: an outcome each time, and names that are names. */
static void test_random_messages(void **state)
{
	const char *text = getenv("VMSECT_SEED");
	unsigned int seed = text ? (unsigned int)strtoul(text, NULL, 0) : (unsigned int)time(NULL);
	struct message message;
	struct request request;
	struct refusal refusal;
	int round, r;

	(void)state;
	print_message("VMSECT_SEED=%u\n", seed);
	for (round = 0; round < 200000; round++) {
		size_t which = (size_t)rand_r(&seed) % ARRAY_SIZE(operations);
		int changes = rand_r(&seed) % 4;

		make(&message, operations[which].op, operations[which].size);
		while (changes--)
			message.bytes[(size_t)rand_r(&seed) % message.size] =
				(unsigned char)rand_r(&seed);
		r = decode(&message, &request, &refusal);
		assert_true(r >= 0 && r <= PROTO_E_END);
		if (r)
			assert_true(refusal.status < 0);
		else
			assert_int_equal(request.hdr.size, message.size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_size),
		cmocka_unit_test(test_size_field),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_unknown_operations),
		cmocka_unit_test(test_header_of_requests),
		cmocka_unit_test(test_reserved_fields),
		cmocka_unit_test(test_fields_of_version_2),
		cmocka_unit_test(test_grants),
		cmocka_unit_test(test_resume),
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_good_requests),
		cmocka_unit_test(test_error_replies),
		cmocka_unit_test(test_random_messages),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
