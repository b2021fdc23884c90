/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Doorbells between whatever has a section open: QEMU's ivshmem-doorbell, which
 * comes by the socket of an export, our ivshmem device, a native guest and a
 * process.  All have one numbering.  VMs of ours need KVM (test_ours_*); the rest
 * does not.
 */
#include "lib/check.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "interop/qemu.h"
#include "kvm/bed.h"
#include "kvm/vm_fixture.h"
#include "vmsect_dev.h"

#define LIMIT_S 580
#define BYTES (UINT64_C(1) << 20)
#define VECTORS 2
#define ROUNDS 100000u
#define FEW_ROUNDS 10000u
#define ROUNDS_MS 280000
/*
 * On an emulated host's KVM a QEMU's guest was interrupted once too often in some
 * hundred thousand times (docs/decisions/010); VMs of ours were not.
 */
#define QEMU_SURPLUS 2
#define EVENT_MS 10000
#define SETTLE_MS 20

/* A guest with the section and its bell. */
struct ringer {
	struct vm_fixture *vm;
	unsigned int id;
};

/* A section with a doorbell socket. */
struct shared {
	struct bed *bed;
	struct vmsect_section *handle; /* the client's, which ends with it */
	char path[256];
};

static void share(struct bed *bed, struct shared *shared)
{
	const struct vmsect_export_options options = {
		.size = sizeof(options),
		.as = VMSECT_EXPORT_AS_DOORBELL,
		.uid = VMSECT_EXPORT_KEEP,
		.gid = VMSECT_EXPORT_KEEP,
		.vectors = VECTORS,
	};

	const uint32_t access = VMSECT_ACCESS_QUERY | VMSECT_ACCESS_NOTIFY | VMSECT_ACCESS_GRANT;

	shared->bed = bed;
	(void)bed_section_new(bed, "bell", VMSECT_BACKING_SHMEM, BYTES);
	shared->handle = NULL;
	assert_int_equal(vmsect_section_open(bed->client, "bell", access, &shared->handle), 0);
	if (vmsect_section_export(shared->handle, &options, shared->path, sizeof(shared->path)) < 0)
		fail_msg("export: %s", vmsect_client_error(bed->client));
}

/* Interrupts on, and who it is. */
static struct ringer set_up(struct vm_fixture *vm)
{
	struct ringer ringer = { .vm = vm };

	(void)vm_ok(vm, "ivshmem");
	assert_int_equal(vm_reply_number(vm, "bytes0"), 256);
	assert_int_equal(vm_reply_number(vm, "bytes1"), 4096);
	assert_int_equal(vm_reply_number(vm, "bytes2"), BYTES);
	assert_int_equal(vm_number(vm, "vectors", "imsix %u", VECTORS), VECTORS);
	assert_int_equal(vm_reply_number(vm, "capability"), 0x40);
	ringer.id = (unsigned int)vm_number(vm, "value", "ireg 4 8");
	assert_in_range(ringer.id, 1, 65535);
	return ringer;
}

static struct ringer start_qemu(const struct shared *shared, const char *name)
{
	char chardev[320];
	const char *const words[] = { "-chardev", chardev, "-device",
				      "ivshmem-doorbell,chardev=c,vectors=2", NULL };

	(void)snprintf(chardev, sizeof(chardev), "socket,id=c,path=%s", shared->path);
	return set_up(qemu_start(shared->bed, name, words));
}

static struct ringer start_ours(const struct shared *shared, const char *name)
{
	const struct vm_config config = {
		.name = name,
		.sections = { "bell:rw,as=ivshmem,vectors=2" },
	};

	return set_up(vm_start(shared->bed, &config));
}

static bool peer_is_there(struct bed *bed, unsigned int id)
{
	AUTO_FREE struct vmsect_peer_info *list = NULL;
	bool found = false;
	size_t count = 0;

	assert_int_equal(vmsect_list_peers(bed->client, &list, &count), 0);
	for (size_t i = 0; i < count; i++)
		found |= list[i].id == id;
	return found;
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The broker hears of a death by its sockets. */
static void wait_until_gone(struct bed *bed, unsigned int id)
{
	int64_t until = now_ms() + EVENT_MS;

	while (peer_is_there(bed, id)) {
		assert_true(now_ms() < until);
		(void)poll(NULL, 0, SETTLE_MS);
	}
}

static unsigned int count_fds(pid_t pid)
{
	unsigned int count = 0;
	char path[64];
	DIR *folder;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	folder = opendir(path);
	assert_non_null(folder);
	while (readdir(folder))
		count++;
	(void)closedir(folder);
	return count;
}

static uint64_t bells(const struct ringer *ringer, unsigned int vector, unsigned int least)
{
	char key[8];

	(void)snprintf(key, sizeof(key), "v%u", vector);
	return vm_number(ringer->vm, key, "bells %u %u", vector, least);
}

/* One ring of each vector arrives, once; of what is not there none. */
static void ring_each_other(const struct ringer *from, const struct ringer *to)
{
	uint64_t first = bells(to, 0, 0), second = bells(to, 1, 0);

	(void)vm_ok(from->vm, "bell %u 7", to->id);
	(void)vm_ok(from->vm, "bell 65535 0");
	(void)vm_ok(from->vm, "bell %u 0", to->id);
	assert_int_equal(bells(to, 0, (unsigned int)first + 1), first + 1);
	(void)vm_ok(from->vm, "bell %u 1", to->id);
	assert_int_equal(bells(to, 1, (unsigned int)second + 1), second + 1);
	assert_int_equal(bells(to, 0, 0), first + 1);
}

/* Which of them was not heard: the other, whose time is up then too, says what it has seen. */
static void explain(const struct ringer *a, const struct ringer *b, const char *said)
{
	print_message("# peer %u: %s\n", a->id, said);
	print_message("# peer %u: %s\n", b->id, vm_next_answer(b->vm));
	(void)vm_ok(a->vm, "bell %u 0", b->id);
	(void)vm_ok(b->vm, "bell %u 0", a->id);
	print_message("# after one ring more each: %lu and", bells(a, 0, UINT32_MAX));
	print_message(" %lu interrupts\n", bells(b, 0, UINT32_MAX));
	fail_msg("a ring was not heard");
}

/* Every ring was heard, and made one interrupt; or a few more, which is told. */
static void expect_heard(const char *said, unsigned int rounds, unsigned int surplus)
{
	uint64_t heard = 0, interrupts = 0;

	assert_true(vm_find_number(said, "rounds", &heard));
	assert_true(vm_find_number(said, "interrupts", &interrupts));
	assert_int_equal(heard, rounds);
	if (interrupts != rounds)
		print_message("# %lu interrupts by %u rings\n", interrupts, rounds);
	assert_in_range(interrupts, rounds, rounds + surplus);
}

/* So many rings each way, in turn, each with its number in the section. */
static void ping_pong(const struct ringer *a, const struct ringer *b, unsigned int rounds,
		      unsigned int surplus)
{
	unsigned int seen_a = (unsigned int)bells(a, 0, 0), seen_b = (unsigned int)bells(b, 0, 0);
	const char *said;

	a->vm->answer_ms = b->vm->answer_ms = ROUNDS_MS;
	vm_send(b->vm, "pingpong %u %u 0 %u", a->id, rounds, seen_b);
	said = vm_ask(a->vm, "pingpong %u %u 1 %u", b->id, rounds, seen_a);
	if (strncmp(said, "ok ", 3) != 0)
		explain(a, b, said);
	expect_heard(said, rounds, surplus);
	expect_heard(vm_next_answer(b->vm), rounds, surplus);
}

static void test_two_qemus(void **state)
{
	struct bed *bed = *state;
	struct ringer a, b, again;
	struct shared shared;
	unsigned int fds;

	share(bed, &shared);
	a = start_qemu(&shared, "a");
	fds = count_fds(bed->broker.pid);
	b = start_qemu(&shared, "b");
	assert_int_not_equal(a.id, b.id);
	assert_true(peer_is_there(bed, a.id) && peer_is_there(bed, b.id));
	ring_each_other(&a, &b);
	ring_each_other(&b, &a);
	ping_pong(&a, &b, ROUNDS, QEMU_SURPLUS);
	vm_kill(b.vm);
	wait_until_gone(bed, b.id);
	assert_int_equal(count_fds(bed->broker.pid), fds);
	(void)vm_ok(a.vm, "bell %u 0", b.id);
	again = start_qemu(&shared, "again");
	assert_int_not_equal(again.id, b.id);
	ring_each_other(&a, &again);
	vm_kill(again.vm);
	vm_kill(a.vm);
	wait_until_gone(bed, a.id);
}

/* Until the client hears that it was notified. */
static void expect_notified(struct bed *bed, unsigned int peer, uint64_t value)
{
	struct pollfd poll_fd = { .fd = vmsect_client_fd(bed->client), .events = POLLIN };
	struct vmsect_event event;

	for (;;) {
		int r = vmsect_client_next_event(bed->client, &event);

		assert_true(r >= 0);
		if (r == 1 && event.type == VMSECT_EVENT_NOTIFIED)
			break;
		if (r == 0)
			assert_int_equal(poll(&poll_fd, 1, EVENT_MS), 1);
	}
	assert_int_equal(event.peer_id, peer);
	assert_int_equal(event.value, value);
	assert_int_equal(event.length, 1);
}

/* A process rings QEMU's guest by a notification, and hears its rings as such. */
static void test_process(void **state)
{
	struct bed *bed = *state;
	unsigned int self = vmsect_client_peer_id(bed->client);
	struct shared shared;
	struct ringer a;

	share(bed, &shared);
	a = start_qemu(&shared, "a");
	assert_int_equal(vmsect_section_notify(shared.handle, a.id, 1, NULL), 0);
	assert_int_equal(bells(&a, 1, 1), 1);
	/* A vector that it has not: the first. */
	assert_int_equal(vmsect_section_notify(shared.handle, 0, 4711, NULL), 0);
	assert_int_equal(bells(&a, 0, 1), 1);
	(void)vm_ok(a.vm, "bell %u 1", self);
	expect_notified(bed, a.id, 1);
	(void)vm_ok(a.vm, "bell %u 0", self);
	expect_notified(bed, a.id, 0);
	vm_kill(a.vm);
}

/* Without QEMU, and so without a socket. */
static void test_ours_ring(void **state)
{
	struct bed *bed = *state;
	struct shared shared = { .bed = bed };
	struct ringer a, b;

	if (!interop_has_kvm())
		skip();
	(void)bed_section_new(bed, "bell", VMSECT_BACKING_SHMEM, BYTES);
	a = start_ours(&shared, "a");
	b = start_ours(&shared, "b");
	ring_each_other(&a, &b);
	ring_each_other(&b, &a);
	ping_pong(&a, &b, FEW_ROUNDS, 0);
	vm_kill(a.vm);
	wait_until_gone(bed, a.id);
	(void)vm_ok(b.vm, "bell %u 0", a.id);
	vm_power_off(b.vm);
}

/* The VMs look for the next broker; the log says when they have it. */
static void wait_until_back(const struct ringer *ringer)
{
	int64_t until = now_ms() + EVENT_MS;

	while (!vm_log_has(ringer->vm, "the broker is back")) {
		assert_true(now_ms() < until);
		(void)poll(NULL, 0, SETTLE_MS);
	}
}

/* Those who know each other ring without a broker; the next one introduces others. */
static void test_ours_without_broker(void **state)
{
	struct bed *bed = *state;
	struct shared shared = { .bed = bed };
	struct ringer a, b, late;

	if (!interop_has_kvm())
		skip();
	(void)bed_section_new(bed, "bell", VMSECT_BACKING_SHMEM, BYTES);
	a = start_ours(&shared, "a");
	b = start_ours(&shared, "b");
	broker_fixture_kill(&bed->broker);
	ring_each_other(&a, &b);
	ring_each_other(&b, &a);
	broker_fixture_start(&bed->broker, NULL);
	wait_until_back(&a);
	wait_until_back(&b);
	late = start_ours(&shared, "late");
	ring_each_other(&late, &a);
	ring_each_other(&b, &late);
	ring_each_other(&a, &b);
	assert_int_equal(vm_number(a.vm, "value", "ireg 4 8"), a.id);
	vm_power_off(late.vm);
	vm_power_off(b.vm);
	vm_power_off(a.vm);
}

static void test_ours_and_qemu(void **state)
{
	struct bed *bed = *state;
	struct shared shared;
	struct ringer a, b;

	if (!interop_has_kvm())
		skip();
	share(bed, &shared);
	a = start_qemu(&shared, "a");
	b = start_ours(&shared, "b");
	assert_int_not_equal(a.id, b.id);
	ring_each_other(&a, &b);
	ring_each_other(&b, &a);
	ring_each_other(&b, &b); /* itself */
	ping_pong(&a, &b, ROUNDS, QEMU_SURPLUS);
	vm_kill(a.vm);
	wait_until_gone(bed, a.id);
	(void)vm_ok(b.vm, "bell %u 0", a.id);
	a = start_qemu(&shared, "again");
	ring_each_other(&b, &a);
	vm_kill(b.vm);
	wait_until_gone(bed, b.id);
	(void)vm_ok(a.vm, "bell %u 0", b.id);
	vm_kill(a.vm);
}

/* The next of them that is not about peers that come and go. */
static void expect_device_notified(struct vm_fixture *vm, unsigned int from, uint64_t value)
{
	while (vm_number(vm, "type", "event %u", EVENT_MS) != VMSECT_EV_NOTIFIED)
		assert_in_range(vm_reply_number(vm, "type"), VMSECT_EV_PEER_JOINED,
				VMSECT_EV_PEER_LEFT);
	assert_int_equal(vm_reply_number(vm, "peer"), from);
	assert_int_equal(vm_reply_number(vm, "value"), value);
}

/* A native guest and the two kinds of ivshmem guests. */
static void test_ours_and_native(void **state)
{
	const struct vm_config config = { .name = "native", .sections = { "bell:rw" } };
	struct bed *bed = *state;
	struct vm_fixture *native;
	struct shared shared;
	struct ringer guests[2];
	unsigned int id;

	if (!interop_has_kvm())
		skip();
	share(bed, &shared);
	guests[0] = start_qemu(&shared, "qemu");
	guests[1] = start_ours(&shared, "ours");
	native = vm_start(bed, &config);
	id = (unsigned int)vm_number(native, "peer", "device");
	for (size_t i = 0; i < ARRAY_SIZE(guests); i++) {
		(void)vm_ok(native, "notify 1 %u 1", guests[i].id);
		assert_int_equal(bells(&guests[i], 1, 1), 1);
		(void)vm_ok(guests[i].vm, "bell %u 1", id);
		expect_device_notified(native, guests[i].id, 1);
	}
	vm_power_off(native);
	vm_power_off(guests[1].vm);
	vm_kill(guests[0].vm);
}

/* An argument: only the tests whose names match it. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_two_qemus, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_process, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_ours_ring, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_ours_without_broker, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_ours_and_qemu, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_ours_and_native, bed_setup, bed_teardown),
	};
	int result = interop_begin(LIMIT_S);

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);

	return result ? result : cmocka_run_group_tests(tests, NULL, NULL);
}
