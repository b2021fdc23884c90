/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grants: who may open a section, told and taken back, and with REVOKE_LIVE
 * also from those who have it open.  The other user is a child process.
 */
#include "lib/client_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE UINT64_C(4096)
#define OTHER 65533u
#define OTHER_LIMIT_S 20

static struct vmsect_section *section_to_grant(struct vmsect_client *client)
{
	const struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = "x",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = PAGE,
		.access = VMSECT_ACCESS_ALL & ~VMSECT_ACCESS_EXECUTE,
	};

	return box_create(client, &options);
}

static void grants_are_listed(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = section_to_grant(client), *plain;
	struct vmsect_grant uid = { VMSECT_GRANT_UID, OTHER, VMSECT_ACCESS_READ, "" };
	struct vmsect_grant vm = { VMSECT_GRANT_VM, 0, 0, "guest" };
	struct vmsect_grant *list = NULL;
	struct vmsect_section_info info;
	size_t count = POISON;

	assert_int_equal(vmsect_section_grants(section, &list, &count), 0);
	assert_int_equal(count, 0);
	free(list);
	assert_int_equal(vmsect_section_grant(section, &uid, 0, NULL), 0);
	assert_int_equal(vmsect_section_grant(section, &vm, 0, NULL), 0);
	uid.access |= VMSECT_ACCESS_QUERY; /* takes the place of the first */
	assert_int_equal(vmsect_section_grant(section, &uid, 0, NULL), 0);
	assert_int_equal(vmsect_section_grants(section, &list, &count), 0);
	assert_int_equal(count, 2);
	for (size_t i = 0; i < count; i++) {
		const struct vmsect_grant *wanted = list[i].to == VMSECT_GRANT_VM ? &vm : &uid;

		assert_int_equal(list[i].to, wanted->to);
		assert_int_equal(list[i].id, wanted->id);
		assert_int_equal(list[i].access, wanted->access);
		assert_string_equal(list[i].name, wanted->name);
	}
	free(list);
	assert_int_equal(vmsect_section_query(section, &info), 0);
	assert_int_equal(info.grants, 2);
	assert_int_equal(vmsect_section_take_back(section, &vm, 0, NULL), 0);
	assert_int_equal(vmsect_section_take_back(section, &vm, 0, NULL), -ENOENT);
	assert_int_equal(vmsect_section_duplicate(section, VMSECT_ACCESS_READ, &plain), 0);
	assert_int_equal(vmsect_section_grant(plain, &uid, 0, NULL), -EPERM);
	assert_int_equal(vmsect_section_grants(plain, &list, &count), -EPERM);
	vmsect_section_close(plain);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void bad_grants_are_refused(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = section_to_grant(client);
	struct vmsect_grant good = { VMSECT_GRANT_UID, OTHER, VMSECT_ACCESS_READ, "" }, bad;
	uint32_t views = POISON;

#define REFUSED(change, flags)                                                                     \
	do {                                                                                       \
		bad = good;                                                                        \
		change;                                                                            \
		assert_int_equal(vmsect_section_grant(section, &bad, flags, &views), -EINVAL);     \
	} while (0)
	REFUSED(bad.to = (enum vmsect_grant_to)0, 0);
	REFUSED(bad.to = (enum vmsect_grant_to)4, 0);
	REFUSED(bad.access = 0x80, 0);
	REFUSED(bad.to = VMSECT_GRANT_VM, 0); /* has no name */
	REFUSED(strcpy(bad.name, "name"), 0);
	REFUSED(memset(bad.name, 'a', sizeof(bad.name)), 0);
	REFUSED((void)0, 1u); /* TAKE_BACK is not a flag of this call */
	REFUSED((void)0, 0x80);
#undef REFUSED
	assert_int_equal(views, POISON);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

/* The other user: 0, or the number of the step that went wrong. */
static int other_user(const struct box *box, int ready)
{
	const struct vmsect_connect_options who = { .size = sizeof(who),
						    .socket_path = box->broker.socket_path,
						    .name = "other",
						    .no_start = 1 };
	const struct vmsect_map_options how = { .size = sizeof(how),
						.protection = VMSECT_PROT_READONLY };
	struct vmsect_section *section;
	struct vmsect_client *client;
	struct vmsect_event event;
	struct vmsect_view *view;

	if (vmsect_connect(&who, &client) < 0)
		return 1;
	if (vmsect_section_open(client, "x", VMSECT_ACCESS_WRITE, &section) != -EACCES)
		return 2;
	if (vmsect_section_open(client, "x", VMSECT_ACCESS_READ, &section) < 0)
		return 3;
	if (vmsect_view_map(section, &how, &view) < 0)
		return 4;
	if (box_load(vmsect_view_address(view)) != 'g')
		return 5;
	if (write(ready, "r", 1) != 1)
		return 6;
	event = box_wait_event_of(client, VMSECT_EVENT_VIEW_REVOKED);
	if (event.view_id != vmsect_view_id(view))
		return 7;
	if (box_load(vmsect_view_address(view)) != -EFAULT)
		return 8;
	if (vmsect_section_open(client, "x", VMSECT_ACCESS_READ, &section) != -EACCES)
		return 9;
	return 0;
}

static pid_t start_other(const struct box *box, int ready)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	alarm(OTHER_LIMIT_S);
	if (setgroups(0, NULL) < 0 || setresgid(OTHER, OTHER, OTHER) < 0 ||
	    setresuid(OTHER, OTHER, OTHER) < 0)
		_exit(20);
	_exit(other_user(box, ready));
}

static void the_other_user_comes_and_goes(void **state)
{
	struct box *box = *state;
	struct vmsect_client *client;
	struct vmsect_section *section;
	struct vmsect_grant grant = { VMSECT_GRANT_UID, OTHER,
				      VMSECT_ACCESS_READ | VMSECT_ACCESS_QUERY, "" };
	struct vmsect_view_info *list;
	struct vmsect_view *view;
	uint32_t views = POISON;
	int ready[2], status;
	size_t count;
	pid_t pid;
	char byte;

	if (geteuid() != 0)
		skip();
	broker_fixture_open_to_all(&box->broker);
	client = box_connect(box, "test");
	section = section_to_grant(client);
	view = box_map(section, VMSECT_PROT_READWRITE);
	*(volatile char *)vmsect_view_address(view) = 'g';
	assert_int_equal(vmsect_section_grant(section, &grant, 0, &views), 0);
	assert_int_equal(views, 0);
	assert_return_code(pipe2(ready, O_CLOEXEC), errno);
	pid = start_other(box, ready[1]);
	(void)close(ready[1]);
	if (read(ready[0], &byte, 1) == 1) {
		assert_int_equal(
			vmsect_section_take_back(section, &grant, VMSECT_GRANT_REVOKE_LIVE, &views),
			0);
		assert_int_equal(views, 1);
	}
	(void)close(ready[0]);
	status = fixture_wait(pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	/* Ours stays. */
	assert_int_equal(vmsect_list_views(client, 0, &list, &count), 0);
	assert_int_equal(count, 1);
	free(list);
	assert_int_equal(box_load(vmsect_view_address(view)), 'g');
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(grants_are_listed),
		TEST(bad_grants_are_refused),
		TEST(the_other_user_comes_and_goes),
	};

	return cmocka_run_group_tests_name("lib_grant", tests, NULL, NULL);
}
