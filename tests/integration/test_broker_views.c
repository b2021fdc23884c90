/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Views by the wire: the four protections, the order of checks, and listings. */
#include "lib/check.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/broker_fixture.h"
#include "lib/wire_client.h"

#define BYTES 65536u

/* A client with handles on one section: 1 all rights, 2 read, 3 write, 4 neither. */
static void join_with_handles(struct broker_fixture *f, struct wire_client *client,
			      uint32_t protection)
{
	struct wire_create create = {
		.name = "s",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = protection,
		.size_bytes = BYTES,
		.access = VMSECT_ACCESS_READ | VMSECT_ACCESS_QUERY,
		.mode = 0600,
	};
	uint32_t write = protection == VMSECT_PROT_READWRITE ? VMSECT_ACCESS_WRITE
							     : VMSECT_ACCESS_READ;

	wire_join(client, f->socket_path, "viewer", VMSECT_PEER_VM);
	create.access |= write;
	assert_int_equal(wire_create(client, &create), 0);
	assert_int_equal(wire_open(client, "s", VMSECT_ACCESS_READ), 0);
	assert_int_equal(wire_open(client, "s", write), 0);
	assert_int_equal(wire_open(client, "s", VMSECT_ACCESS_QUERY), 0);
	assert_int_equal(client->reply_fd, -1);
}

static void expect_map(struct wire_client *client, const uint64_t map[4], int status,
		       uint32_t detail)
{
	assert_int_equal(wire_map(client, (uint32_t)map[0], (uint32_t)map[1], map[2], map[3]),
			 status);
	assert_int_equal(client->reply.hdr.detail, detail);
}

#define MAP(handle, protection, offset, length, status, detail)                                    \
	expect_map(&client, (const uint64_t[]){ handle, protection, offset, length }, status,      \
		   VMSECT_DETAIL_##detail)

static void test_protections(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;

	join_with_handles(f, &client, VMSECT_PROT_READWRITE);
	MAP(1, VMSECT_PROT_NOACCESS, 0, 0, 0, NONE);
	MAP(1, VMSECT_PROT_READONLY, 0, 0, 0, NONE);
	MAP(1, VMSECT_PROT_READWRITE, 0, 0, 0, NONE);
	MAP(1, VMSECT_PROT_WRITECOPY, 0, 0, 0, NONE);
	MAP(2, VMSECT_PROT_NOACCESS, 0, 0, 0, NONE);
	MAP(2, VMSECT_PROT_READONLY, 0, 0, 0, NONE);
	MAP(2, VMSECT_PROT_READWRITE, 0, 0, -EPERM, ACCESS);
	MAP(2, VMSECT_PROT_WRITECOPY, 0, 0, 0, NONE);
	MAP(3, VMSECT_PROT_NOACCESS, 0, 0, -EPERM, ACCESS);
	MAP(3, VMSECT_PROT_READONLY, 0, 0, -EPERM, ACCESS);
	MAP(3, VMSECT_PROT_READWRITE, 0, 0, 0, NONE);
	MAP(3, VMSECT_PROT_WRITECOPY, 0, 0, -EPERM, ACCESS);
	MAP(4, VMSECT_PROT_NOACCESS, 0, 0, -EPERM, ACCESS);
	MAP(4, VMSECT_PROT_READONLY, 0, 0, -EPERM, ACCESS);
	wire_close(&client);
}

/* On a read-only section no handle has the right to write, whatever it asks for. */
static void test_read_only_section(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;

	join_with_handles(f, &client, VMSECT_PROT_WRITECOPY);
	MAP(1, VMSECT_PROT_READONLY, 0, 0, 0, NONE);
	MAP(1, VMSECT_PROT_WRITECOPY, 0, 0, 0, NONE);
	MAP(1, VMSECT_PROT_READWRITE, 0, 0, -EPERM, ACCESS);
	wire_close(&client);
}

/* Each request is wrong in all that follows as well: the first wins. */
static void test_order_of_checks(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;

	join_with_handles(f, &client, VMSECT_PROT_READWRITE);
	MAP(99, 0, 1, BYTES, -EINVAL, PROTECTION);
	MAP(99, 9, 1, BYTES, -EINVAL, PROTECTION);
	MAP(99, VMSECT_PROT_EXECUTE_READ, 1, BYTES, -EBADF, HANDLE);
	MAP(1, VMSECT_PROT_EXECUTE_READ, 1, BYTES, -EPERM, ACCESS);
	MAP(99, VMSECT_PROT_READONLY, 1, BYTES, -EBADF, HANDLE);
	MAP(4, VMSECT_PROT_READONLY, 1, BYTES, -EPERM, ACCESS);
	MAP(1, VMSECT_PROT_READONLY, 1, BYTES, -EINVAL, ALIGNMENT);
	MAP(1, VMSECT_PROT_READONLY, 4096, BYTES, -EINVAL, VIEW_SIZE);
	MAP(1, VMSECT_PROT_READONLY, BYTES, 0, -EINVAL, VIEW_SIZE);
	MAP(1, VMSECT_PROT_READONLY, 4096, UINT64_MAX, -EINVAL, VIEW_SIZE);
	assert_int_equal(wire_list(&client, VMSECT_OP_LIST_VIEWS, 0, 0), 0);
	assert_int_equal(client.reply.list.count, 0);
	wire_close(&client);
}

static void test_unmap(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client, other;
	uint64_t view;

	join_with_handles(f, &client, VMSECT_PROT_READWRITE);
	wire_join(&other, f->socket_path, "other", VMSECT_PEER_PROCESS);
	MAP(1, VMSECT_PROT_READONLY, 0, 0, 0, NONE);
	view = client.reply.map.view;
	assert_int_equal(wire_unmap(&client, 0), -ENXIO);
	assert_int_equal(wire_unmap(&client, view + 1), -ENXIO);
	assert_int_equal(wire_unmap(&other, view), -ENXIO); /* not its own */
	assert_int_equal(wire_unmap(&client, view), 0);
	assert_int_equal(wire_unmap(&client, view), -ENXIO);
	wire_close(&client);
	wire_close(&other);
}

static void test_statistics(void **state)
{
	struct broker_fixture *f = *state;
	struct vmsect_req_view_stats stats = { .denied_writes = 7 };
	struct wire_client client, other;

	join_with_handles(f, &client, VMSECT_PROT_READWRITE);
	wire_join(&other, f->socket_path, "other", VMSECT_PEER_PROCESS);
	MAP(2, VMSECT_PROT_READONLY, 4096, 5000, 0, NONE);
	assert_int_equal(wire_call(&client, VMSECT_OP_VIEW_STATS, &stats, sizeof(stats)), -ENXIO);
	stats.view = 1;
	assert_int_equal(wire_call(&other, VMSECT_OP_VIEW_STATS, &stats, sizeof(stats)), -ENXIO);
	assert_int_equal(wire_call(&client, VMSECT_OP_VIEW_STATS, &stats, sizeof(stats)), 0);
	assert_int_equal(wire_list(&other, VMSECT_OP_LIST_VIEWS, 0, 0), 0);
	assert_int_equal(wire_listed_view(&other, 0)->denied_writes, 7);
	wire_close(&client);
	wire_close(&other);
}

/* What a VM says that it has counted: nobody else may, and all may see it. */
static void test_vm_counters(void **state)
{
	struct broker_fixture *f = *state;
	struct vmsect_req_peer_stats stats = {
		.denied_writes = 1,
		.hole_accesses = UINT64_MAX,
		.undecodable_stores = 3,
		.lost_pages = 4,
	};
	const struct vmsect_wire_peer *peer;
	struct wire_client stranger, vm, process;

	wire_connect(&stranger, f->socket_path);
	assert_int_equal(wire_call(&stranger, VMSECT_OP_PEER_STATS, &stats, sizeof(stats)),
			 -EINVAL);
	assert_int_equal(stranger.reply.hdr.detail, VMSECT_DETAIL_STATE);
	wire_join(&process, f->socket_path, "process", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_call(&process, VMSECT_OP_PEER_STATS, &stats, sizeof(stats)), -EINVAL);
	assert_int_equal(process.reply.hdr.detail, VMSECT_DETAIL_STATE);
	wire_join(&vm, f->socket_path, "vm", VMSECT_PEER_VM);
	assert_int_equal(wire_call(&vm, VMSECT_OP_PEER_STATS, &stats, sizeof(stats) - 8), -EINVAL);
	assert_int_equal(vm.reply.hdr.detail, VMSECT_DETAIL_FORMAT);
	stats.reserved[1] = 1;
	assert_int_equal(wire_call(&vm, VMSECT_OP_PEER_STATS, &stats, sizeof(stats)), -EINVAL);
	assert_int_equal(vm.reply.hdr.detail, VMSECT_DETAIL_FORMAT);
	stats.reserved[1] = 0;
	assert_int_equal(wire_list(&process, VMSECT_OP_LIST_PEERS, 0, 0), 0);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(wire_listed_peer(&process, i)->hole_accesses, 0);

	assert_int_equal(wire_call(&vm, VMSECT_OP_PEER_STATS, &stats, sizeof(stats)), 0);
	assert_int_equal(vm.reply_size, sizeof(struct vmsect_msg_hdr));
	assert_int_equal(wire_list(&process, VMSECT_OP_LIST_PEERS, 0, 0), 0);
	assert_int_equal(wire_listed_peer(&process, 0)->hole_accesses, 0);
	peer = wire_listed_peer(&process, 1);
	assert_int_equal(peer->id, vm.peer);
	assert_int_equal(peer->denied_writes, 1);
	assert_true(peer->hole_accesses == UINT64_MAX);
	assert_int_equal(peer->undecodable_stores, 3);
	assert_int_equal(peer->lost_pages, 4);
	wire_close(&stranger);
	wire_close(&vm);
	wire_close(&process);
}

static void test_listing(void **state)
{
	struct broker_fixture *f = *state;
	const struct vmsect_wire_view *view;
	const struct vmsect_wire_peer *peer;
	struct wire_client client, other;

	join_with_handles(f, &client, VMSECT_PROT_READWRITE);
	wire_join(&other, f->socket_path, "other", VMSECT_PEER_PROCESS);
	MAP(2, VMSECT_PROT_READONLY, 4096, 5000, 0, NONE);
	assert_int_equal(client.reply.map.length, 8192);
	MAP(1, VMSECT_PROT_WRITECOPY, 0, 0, 0, NONE);
	assert_int_equal(wire_create_shmem(&other, "t", VMSECT_ACCESS_READ), 0);
	assert_int_equal(wire_map(&other, 1, VMSECT_PROT_READONLY, 0, 0), 0);

	assert_int_equal(wire_list(&other, VMSECT_OP_LIST_VIEWS, 0, 1), 0);
	assert_int_equal(other.reply.list.count, 2);
	view = wire_listed_view(&other, 0);
	assert_int_equal(view->id, 1);
	assert_int_equal(view->section, 1);
	assert_int_equal(view->offset, 4096);
	assert_int_equal(view->length, 8192);
	assert_int_equal(view->place, 0x123000);
	assert_int_equal(view->peer, client.peer);
	assert_int_equal(view->protection, VMSECT_PROT_READONLY);
	assert_int_equal(view->access, VMSECT_ACCESS_READ);
	assert_int_equal(view->peer_kind, VMSECT_PEER_VM);
	assert_int_equal(view->pid, getpid());
	assert_int_equal(view->uid, geteuid());
	assert_string_equal(view->section_name, "s");
	assert_string_equal(view->peer_name, "viewer");
	assert_int_equal(wire_listed_view(&other, 1)->protection, VMSECT_PROT_WRITECOPY);
	assert_int_equal(wire_list(&other, VMSECT_OP_LIST_VIEWS, 1, 1), 0);
	assert_int_equal(other.reply.list.count, 1);
	assert_int_equal(wire_list(&other, VMSECT_OP_LIST_VIEWS, 0, 0), 0);
	assert_int_equal(other.reply.list.count, 3);
	assert_int_equal(wire_list(&other, VMSECT_OP_LIST_VIEWS, 0, 99), 0);
	assert_int_equal(other.reply.list.count, 0);

	assert_int_equal(wire_list(&other, VMSECT_OP_LIST_PEERS, 0, 0), 0);
	assert_int_equal(other.reply.list.count, 2);
	peer = wire_listed_peer(&other, 0);
	assert_int_equal(peer->id, client.peer);
	assert_int_equal(peer->kind, VMSECT_PEER_VM);
	assert_int_equal(peer->handles, 4);
	assert_int_equal(peer->views, 2);
	assert_int_equal(peer->pid, getpid());
	assert_string_equal(peer->name, "viewer");
	assert_int_equal(wire_list(&other, VMSECT_OP_LIST_PEERS, 0, 2), 0);
	assert_int_equal(other.reply.list.count, 1);
	assert_int_equal(wire_listed_peer(&other, 0)->id, other.peer);
	assert_int_equal(wire_list(&other, VMSECT_OP_LIST_PEERS, other.peer, 0), 0);
	assert_int_equal(other.reply.list.count, 0);
	wire_close(&client);
	wire_close(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, broker_setup, broker_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_protections), TEST(test_read_only_section), TEST(test_order_of_checks),
		TEST(test_unmap),	TEST(test_statistics),	      TEST(test_vm_counters),
		TEST(test_listing),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
