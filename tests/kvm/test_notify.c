/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMs that wake each other, a guest that does so too often, and a device whose
 * reset keeps what the driver has.
 */
#include "lib/check.h"

#include "kvm/bed.h"
#include "kvm/vm_fixture.h"
#include "vmsect_dev.h"

#define LIMIT_S 180
#define BYTES (UINT64_C(4) << 20)
#define EVENT_MS 5000
#define READ_NOTIFY (VMSECT_DEV_ACCESS_READ | VMSECT_DEV_ACCESS_NOTIFY)
#define FLOOD 500u

struct user {
	struct vm_fixture *vm;
	unsigned int handle;
	unsigned int peer;
};

static struct user start_user(struct bed *bed, const char *name, uint32_t access)
{
	const struct vm_config config = { .name = name };
	struct user user = { .vm = vm_start(bed, &config) };

	user.peer = (unsigned int)vm_number(user.vm, "peer", "device");
	user.handle = (unsigned int)vm_number(user.vm, "handle", "open data %u", access);
	return user;
}

/* The next event that is not of peers that come and go. */
static void expect_notified(const struct user *to, unsigned int from, uint64_t value,
			    uint64_t count)
{
	while (vm_number(to->vm, "type", "event %u", EVENT_MS) != VMSECT_EV_NOTIFIED)
		assert_in_range(vm_reply_number(to->vm, "type"), VMSECT_EV_PEER_JOINED,
				VMSECT_EV_PEER_LEFT);
	assert_int_equal(vm_reply_number(to->vm, "peer"), from);
	assert_int_equal(vm_reply_number(to->vm, "handle"), to->handle);
	assert_true(vm_reply_number(to->vm, "value") == value);
	assert_int_equal(vm_reply_number(to->vm, "length"), count);
	assert_int_equal(vm_reply_number(to->vm, "flags"), 0);
}

static void expect_silence(const struct user *user)
{
	const char *answer = vm_ask(user->vm, "event 0");
	uint64_t type = VMSECT_EV_PEER_JOINED;

	while (vm_find_number(answer, "type", &type)) {
		assert_in_range(type, VMSECT_EV_PEER_JOINED, VMSECT_EV_PEER_LEFT);
		answer = vm_ask(user->vm, "event 0");
	}
}

static void test_refused(void **state)
{
	struct bed *bed = *state;
	struct user a, b;

	(void)bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, BYTES);
	a = start_user(bed, "a", READ_NOTIFY);
	b = start_user(bed, "b", VMSECT_DEV_ACCESS_READ);
	vm_refused(a.vm, VMSECT_S_EBADF, 0, "notify 77 0 1");
	vm_refused(b.vm, VMSECT_S_EPERM, 0, "notify %u %u 1", b.handle, a.peer);
	vm_refused(a.vm, VMSECT_S_ENXIO, 0, "notify %u 4711 1", a.handle);
	/* A peer that is there, and has not got the section. */
	(void)vm_ok(b.vm, "close %u", b.handle);
	vm_refused(a.vm, VMSECT_S_ENXIO, 0, "notify %u %u 1", a.handle, b.peer);
	vm_kill(b.vm);
	vm_refused(a.vm, VMSECT_S_ENXIO, 0, "notify %u %u 1", a.handle, b.peer);
	expect_silence(&a);
	vm_power_off(a.vm);
}

static void test_one_and_all(void **state)
{
	struct bed *bed = *state;
	struct user a, b, c;

	(void)bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, BYTES);
	a = start_user(bed, "a", READ_NOTIFY);
	b = start_user(bed, "b", READ_NOTIFY);
	c = start_user(bed, "c", VMSECT_DEV_ACCESS_READ);
	(void)vm_ok(a.vm, "notify %u %u 0xfedcba9876543210", a.handle, b.peer);
	expect_notified(&b, a.peer, UINT64_C(0xfedcba9876543210), 1);
	expect_silence(&c);
	(void)vm_ok(b.vm, "notify %u 0 17", b.handle);
	expect_notified(&a, b.peer, 17, 1);
	expect_notified(&c, b.peer, 17, 1);
	expect_silence(&b);
	/* A process of the host is a peer like any other. */
	(void)vm_ok(a.vm, "notify %u %u 18", a.handle, vmsect_client_peer_id(bed->client));
	assert_true(bed_wait_event(bed, VMSECT_EVENT_NOTIFIED, EVENT_MS));
	vm_power_off(a.vm);
	vm_power_off(b.vm);
	vm_power_off(c.vm);
}

/* Who is attached to write can notify, who is attached to read or to copy cannot. */
static void test_attachments(void **state)
{
	const struct vm_config rw = { .name = "rw", .sections = { "data:rw" } };
	const struct vm_config ro = { .name = "ro", .sections = { "data:ro" } };
	const struct vm_config cow = { .name = "cow", .sections = { "data:cow" } };
	struct bed *bed = *state;
	struct user reader = { .handle = 1 };
	struct vm_fixture *writer, *copier;

	(void)bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, BYTES);
	writer = vm_start(bed, &rw);
	reader.vm = vm_start(bed, &ro);
	copier = vm_start(bed, &cow);
	vm_refused(reader.vm, VMSECT_S_EPERM, 0, "notify 1 0 1");
	vm_refused(copier, VMSECT_S_EPERM, 0, "notify 1 0 1");
	(void)vm_ok(writer, "notify 1 0 5");
	expect_notified(&reader, (unsigned int)vm_number(writer, "peer", "device"), 5, 1);
	vm_power_off(writer);
	vm_power_off(reader.vm);
	vm_power_off(copier);
}

/* The receiver sleeps meanwhile; what it hears adds up, and it has lost nothing. */
static void test_a_flood_adds_up(void **state)
{
	struct bed *bed = *state;
	uint64_t sent, last, count = 0, value = 0;
	struct user a, b;

	(void)bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, BYTES);
	a = start_user(bed, "a", READ_NOTIFY);
	b = start_user(bed, "b", VMSECT_DEV_ACCESS_READ);
	sent = vm_number(a.vm, "sent", "flood %u %u %u", a.handle, b.peer, FLOOD);
	last = vm_reply_number(a.vm, "last");
	assert_int_equal(sent + vm_reply_number(a.vm, "limited"), FLOOD);
	while (count < sent) {
		assert_int_equal(vm_number(b.vm, "type", "event %u", EVENT_MS), VMSECT_EV_NOTIFIED);
		assert_int_equal(vm_reply_number(b.vm, "flags"), 0);
		count += vm_reply_number(b.vm, "length");
		value = vm_reply_number(b.vm, "value");
	}
	assert_int_equal(count, sent);
	assert_int_equal(value, last);
	expect_silence(&b);
	vm_power_off(a.vm);
	vm_power_off(b.vm);
}

static void test_too_fast(void **state)
{
	static const char *const args[] = { "--limit", "client.notify=10", NULL };
	struct bed *bed = *state;
	struct user a, b;
	uint64_t sent;

	broker_fixture_kill(&bed->broker);
	broker_fixture_start(&bed->broker, args);
	(void)bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, BYTES);
	a = start_user(bed, "a", READ_NOTIFY);
	b = start_user(bed, "b", VMSECT_DEV_ACCESS_READ);
	sent = vm_number(a.vm, "sent", "flood %u %u 1000", a.handle, b.peer);
	assert_true(sent >= 10 && sent < 1000);
	assert_true(vm_reply_number(a.vm, "limited") == 1000 - sent);
	/* The device lives, and after a while it goes on. */
	while (vm_number(a.vm, "sent", "flood %u %u 1", a.handle, b.peer) == 0)
		continue;
	vm_power_off(a.vm);
	vm_power_off(b.vm);
}

/* A view of the user's, at its place. */
static unsigned long long map(const struct user *user, unsigned int *ret_view)
{
	*ret_view = (unsigned int)vm_number(user->vm, "view", "map %u %u 0 0", user->handle,
					    VMSECT_DEV_PROT_READONLY);
	return vm_reply_number(user->vm, "place");
}

static void expect_word(const struct user *user, unsigned long long at, uint64_t value)
{
	assert_true(vm_number(user->vm, "value", "r64 0x%llx", at) == value);
}

static void test_hold(void **state)
{
	struct bed *bed = *state;
	struct bed_section *data;
	unsigned long long at;
	unsigned int view;
	struct user a, b;
	uint64_t word;

	data = bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, BYTES);
	word = *(const uint64_t *)(const void *)data->bytes_now;
	a = start_user(bed, "a", READ_NOTIFY);
	b = start_user(bed, "b", VMSECT_DEV_ACCESS_READ | VMSECT_DEV_ACCESS_QUERY);
	at = map(&b, &view);
	expect_word(&b, at, word);
	(void)vm_ok(b.vm, "hold");
	(void)vm_ok(b.vm, "reset");
	/* Nobody drives it, and it is a peer like before, whose memory is there. */
	assert_int_equal(bed_count_views(bed, "b"), 1);
	expect_word(&b, at, word);
	for (unsigned int value = 1; value <= 3; value++)
		(void)vm_ok(a.vm, "notify %u %u %u", a.handle, b.peer, value);
	(void)vm_ok(b.vm, "reset"); /* as Linux does before it sets a device up again */
	(void)vm_ok(b.vm, "start");
	expect_notified(&b, a.peer, 3, 3);
	assert_int_equal(vm_number(b.vm, "handle", "view %u", view), b.handle);
	(void)vm_ok(b.vm, "query %u", b.handle);
	expect_word(&b, at, word);
	/* Once: the next one takes all. */
	(void)vm_ok(b.vm, "reset");
	assert_int_equal(bed_count_views(bed, "b"), 0);
	vm_refused(a.vm, VMSECT_S_ENXIO, 0, "notify %u %u 9", a.handle, b.peer);
	(void)vm_ok(b.vm, "start");
	vm_refused(b.vm, VMSECT_S_EBADF, 0, "query %u", b.handle);
	expect_word(&b, at, UINT64_MAX);
	expect_silence(&b);
	vm_power_off(a.vm);
	vm_power_off(b.vm);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_refused),	    TEST(test_one_and_all), TEST(test_attachments),
		TEST(test_a_flood_adds_up), TEST(test_too_fast),    TEST(test_hold),
	};
	int skipped = bed_begin(LIMIT_S);

	if (skipped)
		return skipped;
	return cmocka_run_group_tests_name("kvm notify", tests, NULL, NULL);
}
