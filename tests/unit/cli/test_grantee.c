/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grants and rights as people write them, both ways.
 */
#include "cli/grantee.h"

#include "lib/check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

static const struct verb verb = { .name = "grant" };
static const struct invocation invocation = { .verb = &verb };

static void people_are_found(void **state)
{
	static const struct {
		const char *text;
		enum vmsect_grant_to to;
		uint32_t id;
		const char *name;
	} rows[] = {
		{ "uid:0", VMSECT_GRANT_UID, 0, "" },
		{ "uid:root", VMSECT_GRANT_UID, 0, "" },
		{ "uid:4294967294", VMSECT_GRANT_UID, UINT32_MAX - 1, "" },
		{ "gid:1000", VMSECT_GRANT_GID, 1000, "" },
		{ "gid:root", VMSECT_GRANT_GID, 0, "" },
		{ "vm:web1@0", VMSECT_GRANT_VM, 0, "web1" },
		{ "vm:web1@root", VMSECT_GRANT_VM, 0, "web1" },
		{ "vm:a@b@7", VMSECT_GRANT_VM, 7, "a@b" }, /* the last @ counts */
		{ "vm:a@@7", VMSECT_GRANT_VM, 7, "a@" },
	};
	struct vmsect_grant grant;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(grantee_parse(&invocation, rows[i].text, &grant), 0);
		assert_int_equal(grant.to, rows[i].to);
		assert_int_equal(grant.id, rows[i].id);
		assert_string_equal(grant.name, rows[i].name);
		assert_int_equal(grant.access, 0);
	}
	assert_int_equal(grantee_parse(&invocation, "vm:web1", &grant), 0);
	assert_int_equal(grant.id, getuid());
}

static void nobody_is_found(void **state)
{
	static const char *const texts[] = {
		"",
		"root",
		"0",
		"uid",
		"uid:",
		"UID:0",
		"uid:-1",
		"uid:4294967295",
		"uid:4294967296",
		"uid:no-such-user",
		"gid:",
		"gid:4294967295",
		"gid:no-such-group",
		"vm:",
		"vm:@0",
		"vm:web1@",
		"vm:web1@no-such-user",
		"vm:web1@4294967295",
		"vm:a/b",
		"vm:.a",
	};
	char text[3 + 128 + 1] = "vm:";
	struct vmsect_grant grant;
	size_t i;

	(void)state;
	memset(&grant, 0x5a, sizeof(grant));
	for (i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(grantee_parse(&invocation, texts[i], &grant), CLI_USAGE);
	assert_int_equal(grant.id, 0x5a5a5a5a);
	memset(text + 3, 'a', 128); /* a byte too long */
	assert_int_equal(grantee_parse(&invocation, text, &grant), CLI_USAGE);
	text[3 + 127] = '\0';
	assert_int_equal(grantee_parse(&invocation, text, &grant), 0);
	assert_int_equal(strlen(grant.name), 127);
}

static void rights_are_read(void **state)
{
	static const struct {
		const char *text;
		uint32_t access;
	} rows[] = {
		{ "none", 0 },
		{ "ro", VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ },
		{ "rw", VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE },
		{ "all", VMSECT_ACCESS_ALL },
		{ "q", VMSECT_ACCESS_QUERY },
		{ "wr", VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE },
		{ "qrwxeng", VMSECT_ACCESS_ALL },
		{ "rr", VMSECT_ACCESS_READ },
	};
	static const char *const wrong[] = { "", "rz", "RO", "r ", "-", "rw,x", "0x3" };
	uint32_t access = 0;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(access_parse(&invocation, rows[i].text, &access), 0);
		assert_int_equal(access, rows[i].access);
	}
	access = 77;
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(access_parse(&invocation, wrong[i], &access), CLI_USAGE);
	assert_int_equal(access, 77);
}

/* Whatever is printed can be given back. */
static void what_is_printed_can_be_read(void **state)
{
	static const char *const texts[] = { "uid:1000", "gid:0", "vm:web1@1000", "vm:a@b@0" };
	struct vmsect_grant grant;
	uint32_t access, again;
	char *text = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(grantee_parse(&invocation, texts[i], &grant), 0);
		assert_int_equal(grantee_format(&grant, &text), 0);
		assert_string_equal(text, texts[i]);
		free(text);
	}
	for (access = 0; access <= VMSECT_ACCESS_ALL; access++) {
		assert_int_equal(access_format(access, &text), 0);
		assert_int_equal(access_parse(&invocation, text, &again), 0);
		assert_int_equal(again, access);
		free(text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(people_are_found),
		cmocka_unit_test(nobody_is_found),
		cmocka_unit_test(rights_are_read),
		cmocka_unit_test(what_is_printed_can_be_read),
	};

	return cmocka_run_group_tests_name("grantee", tests, NULL, NULL);
}
