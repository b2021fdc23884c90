/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grants by the wire: who may set them, what they give to other users and to
 * VMs, and what they do not.  Other users need root.
 */
#include "lib/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/broker_fixture.h"
#include "lib/wire_client.h"

#define OWNER_UID 4001
#define OTHER_UID 4002
#define THIRD_UID 4003

#define READ VMSECT_ACCESS_READ
#define WRITE VMSECT_ACCESS_WRITE
#define QUERY VMSECT_ACCESS_QUERY
#define GRANT VMSECT_ACCESS_GRANT

struct people {
	struct wire_client owner, other, third;
};

static bool is_root(void)
{
	if (!geteuid())
		return true;
	print_message("needs root, to become another user\n");
	return false;
}

/* The owner's handle 1 on section "s", mode 0600, may all. */
static void people_init(struct people *p, struct broker_fixture *f)
{
	broker_fixture_open_to_all(f);
	wire_join_as(&p->owner, f->socket_path, "owner", VMSECT_PEER_PROCESS, OWNER_UID);
	wire_join_as(&p->other, f->socket_path, "other", VMSECT_PEER_PROCESS, OTHER_UID);
	wire_join_as(&p->third, f->socket_path, "third", VMSECT_PEER_PROCESS, THIRD_UID);
	assert_int_equal(wire_create_shmem(&p->owner, "s", READ | WRITE | QUERY | GRANT), 0);
}

static void people_close(struct people *p)
{
	wire_close(&p->owner);
	wire_close(&p->other);
	wire_close(&p->third);
}

static int grant(struct wire_client *client, uint32_t kind, uint32_t id, uint32_t access)
{
	return wire_grant(client, 1,
			  &(struct wire_grant){ .grantee = kind, .id = id, .access = access });
}

static int take_back(struct wire_client *client, uint32_t kind, uint32_t id)
{
	return wire_grant(
		client, 1,
		&(struct wire_grant){ .grantee = kind, .id = id, .flags = VMSECT_GRANT_TAKE_BACK });
}

static uint32_t seen(struct wire_client *client)
{
	assert_int_equal(wire_list(client, VMSECT_OP_LIST_SECTIONS, 0, 0), 0);
	return client->reply.list.count;
}

static void test_uids(void **state)
{
	static struct people p;

	if (!is_root())
		skip();
	people_init(&p, *state);
	assert_int_equal(wire_open(&p.other, "s", READ), -EACCES);
	assert_int_equal(seen(&p.other), 0);
	assert_int_equal(grant(&p.owner, VMSECT_GRANTEE_UID, OTHER_UID, READ | QUERY), 0);
	assert_int_equal(p.owner.reply_size, sizeof(struct vmsect_rep_grant));
	assert_int_equal(p.owner.reply.grant.handles, 0);
	assert_int_equal(seen(&p.other), 1);
	assert_int_equal(seen(&p.third), 0);
	assert_int_equal(wire_open(&p.other, "s", READ | QUERY), 0);
	assert_int_equal(wire_open(&p.other, "s", READ | WRITE), -EACCES);
	assert_int_equal(p.other.reply.hdr.detail, VMSECT_DETAIL_ACCESS);
	assert_int_equal(wire_open(&p.other, "s", GRANT), -EACCES);
	assert_int_equal(wire_open(&p.third, "s", READ), -EACCES);
	/* Without REVOKE a handle that is open stays as it is. */
	assert_int_equal(take_back(&p.owner, VMSECT_GRANTEE_UID, OTHER_UID), 0);
	assert_int_equal(take_back(&p.owner, VMSECT_GRANTEE_UID, OTHER_UID), -ENOENT);
	assert_int_equal(wire_query(&p.other, 1), 0);
	assert_int_equal(wire_open(&p.other, "s", READ), -EACCES);
	people_close(&p);
}

static void test_groups_and_root(void **state)
{
	struct broker_fixture *f = *state;
	static struct people p;
	struct wire_client root;

	if (!is_root())
		skip();
	people_init(&p, f);
	assert_int_equal(grant(&p.owner, VMSECT_GRANTEE_GID, OTHER_UID, READ), 0);
	assert_int_equal(wire_open(&p.other, "s", READ), 0);
	assert_int_equal(wire_open(&p.third, "s", READ), -EACCES);
	/* The uid's own entry goes before its groups. */
	assert_int_equal(grant(&p.owner, VMSECT_GRANTEE_UID, OTHER_UID, 0), 0);
	assert_int_equal(wire_open(&p.other, "s", READ), -EACCES);
	/* It has a handle: it knows of the section all the same. */
	assert_int_equal(seen(&p.other), 1);
	/* Root is never refused. */
	assert_int_equal(grant(&p.owner, VMSECT_GRANTEE_UID, 0, 0), 0);
	wire_join(&root, f->socket_path, "root", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_open(&root, "s", READ | WRITE | GRANT), 0);
	wire_close(&root);
	people_close(&p);
}

/* By name and uid; the same name is worth nothing to another uid or to a process. */
static void test_vms(void **state)
{
	struct broker_fixture *f = *state;
	const struct wire_grant of_vm = {
		.grantee = VMSECT_GRANTEE_VM,
		.id = OTHER_UID,
		.name = "box",
		.access = READ,
	};
	static struct people p;
	struct wire_client box, stranger, liar, brother;

	if (!is_root())
		skip();
	people_init(&p, f);
	wire_join_as(&box, f->socket_path, "box", VMSECT_PEER_VM, OTHER_UID);
	wire_join_as(&brother, f->socket_path, "box2", VMSECT_PEER_VM, OTHER_UID);
	wire_join_as(&stranger, f->socket_path, "box", VMSECT_PEER_VM, THIRD_UID);
	wire_join_as(&liar, f->socket_path, "box", VMSECT_PEER_PROCESS, OTHER_UID);
	assert_int_equal(wire_grant(&p.owner, 1, &of_vm), 0);
	assert_int_equal(wire_open(&box, "s", READ), 0);
	assert_int_equal(wire_open(&brother, "s", READ), -EACCES);
	assert_int_equal(wire_open(&stranger, "s", READ), -EACCES);
	assert_int_equal(wire_open(&liar, "s", READ), -EACCES);
	wire_close(&box);
	wire_close(&brother);
	wire_close(&stranger);
	wire_close(&liar);
	people_close(&p);
}

static void test_list(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;

	wire_join(&client, f->socket_path, "owner", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_create_shmem(&client, "s", READ | QUERY | GRANT), 0);
	assert_int_equal(wire_list_grants(&client, 1), 0);
	assert_int_equal(client.reply.list.count, 0);
	assert_int_equal(grant(&client, VMSECT_GRANTEE_UID, 7, READ), 0);
	assert_int_equal(wire_grant(&client, 1,
				    &(struct wire_grant){ .grantee = VMSECT_GRANTEE_VM,
							  .id = 8,
							  .name = "box",
							  .access = 0 }),
			 0);
	assert_int_equal(grant(&client, VMSECT_GRANTEE_UID, 7, READ | WRITE), 0);
	assert_int_equal(wire_list_grants(&client, 1), 0);
	assert_int_equal(client.reply.list.count, 2);
	assert_int_equal(client.reply.list.more, 0);
	assert_int_equal(wire_listed_grant(&client, 0)->id, 7);
	assert_int_equal(wire_listed_grant(&client, 0)->access, READ | WRITE);
	assert_int_equal(wire_listed_grant(&client, 1)->grantee, VMSECT_GRANTEE_VM);
	assert_string_equal(wire_listed_grant(&client, 1)->name, "box");
	assert_int_equal(wire_query(&client, 1), 0);
	assert_int_equal(client.reply.section.section.grants, 2);
	assert_int_equal(wire_open(&client, "s", READ), 0);
	assert_int_equal(wire_list_grants(&client, 2), -EPERM);
	assert_int_equal(wire_list_grants(&client, 99), -EBADF);
	wire_close(&client);
}

/* Each refusal changes nothing. */
static void test_refusals(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;
	uint32_t i;

	wire_join(&client, f->socket_path, "owner", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_create_shmem(&client, "s", READ | QUERY | GRANT), 0);
	assert_int_equal(wire_open(&client, "s", READ | QUERY), 0);
	assert_int_equal(
		wire_grant(&client, 2, &(struct wire_grant){ .grantee = VMSECT_GRANTEE_UID }),
		-EPERM);
	assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_ACCESS);
	assert_int_equal(
		wire_grant(&client, 9, &(struct wire_grant){ .grantee = VMSECT_GRANTEE_UID }),
		-EBADF);
	assert_int_equal(grant(&client, VMSECT_GRANTEE_UID, 5, 0x80), -EINVAL);
	assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_ACCESS);
	assert_int_equal(grant(&client, 9, 5, READ), -EINVAL);
	assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_FORMAT);
	assert_int_equal(grant(&client, VMSECT_GRANTEE_VM, 5, READ), -EINVAL);
	assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_NAME);
	assert_int_equal(wire_grant(&client, 1,
				    &(struct wire_grant){ .grantee = VMSECT_GRANTEE_UID,
							  .access = READ,
							  .flags = VMSECT_GRANT_TAKE_BACK }),
			 -EINVAL);
	assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_ACCESS);
	assert_int_equal(wire_list_grants(&client, 1), 0);
	assert_int_equal(client.reply.list.count, 0);
	for (i = 0; i < VMSECT_GRANTS_MAX; i++)
		assert_int_equal(grant(&client, VMSECT_GRANTEE_UID, 100 + i, READ), 0);
	assert_int_equal(grant(&client, VMSECT_GRANTEE_UID, 99, READ), -EDQUOT);
	assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_LIMIT);
	assert_int_equal(wire_list_grants(&client, 1), 0);
	assert_int_equal(client.reply.list.count, VMSECT_GRANTS_MAX);
	wire_close(&client);
}

/* One who was given GRANT grants on; REMOVE stays the owner's. */
static void test_granting_on(void **state)
{
	static struct people p;

	if (!is_root())
		skip();
	people_init(&p, *state);
	assert_int_equal(grant(&p.owner, VMSECT_GRANTEE_UID, OTHER_UID, GRANT), 0);
	assert_int_equal(wire_open(&p.other, "s", GRANT), 0);
	assert_int_equal(p.other.reply_fd, -1);
	assert_int_equal(grant(&p.other, VMSECT_GRANTEE_UID, THIRD_UID, READ), 0);
	assert_int_equal(wire_open(&p.third, "s", READ), 0);
	assert_int_equal(wire_remove(&p.other, "s"), -EACCES);
	people_close(&p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, broker_setup, broker_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_uids), TEST(test_groups_and_root), TEST(test_vms),
		TEST(test_list), TEST(test_refusals),	     TEST(test_granting_on),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
