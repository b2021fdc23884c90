/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members that do not read, that speak, that die in the middle, that come in
 * floods, and a host without descriptors: it costs them alone, and nothing stays.
 */
#include "unit/broker/doorbell_bed.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define NOBODY 65534
#define PATIENCE_MS 600000u /* longer than any test: a busy machine drops nobody */
#define MANY 24u /* members, with all vectors: more messages than any stream holds */

static int setup(void **state)
{
	*state = bed_new(VMSECT_VECTORS_MAX, PATIENCE_MS);
	return 0;
}

static int setup_impatient(void **state)
{
	*state = bed_new(VMSECT_VECTORS_MAX, 2000);
	return 0;
}

static int teardown(void **state)
{
	bed_free(*state);
	return 0;
}

/* What a newcomer hears when so many are there already. */
static unsigned int messages_for(unsigned int members)
{
	return 3 + (members + 1) * VMSECT_VECTORS_MAX;
}

static void test_more_than_a_stream_holds(void **state)
{
	struct bed *bed = *state;
	unsigned int i, in_stream;
	int sockets[MANY], last;

	for (i = 0; i < MANY; i++) {
		sockets[i] = bed_member(bed);
		assert_int_equal(bed_drain(bed, sockets[i]), messages_for(i));
	}
	/* The last one reads late, and a few dozen at a time. */
	last = bed_member(bed);
	in_stream = 0;
	while (true) {
		struct ivshmem_message message;

		if (ivshmem_receive(last, &message) != IVSHMEM_MESSAGE)
			break;
		fd_close(message.fd);
		in_stream++;
	}
	assert_true(in_stream > 3 && in_stream < 200);
	assert_int_equal(in_stream + bed_drain(bed, last), messages_for(MANY));
	for (i = 0; i < MANY; i++)
		assert_int_equal(bed_drain(bed, sockets[i]), (MANY - i) * VMSECT_VECTORS_MAX);
	assert_int_equal(account_used(&bed->registry.account, BED_OWNER, RESOURCE_QUEUE), 0);
	for (i = 0; i < MANY; i++)
		bed_hang_up(bed, sockets[i]);
	/* Each that has left is told of, once. */
	assert_int_equal(bed_drain(bed, last), MANY);
	bed_hang_up(bed, last);
}

/* One goes on reading until so many others have been dropped. */
static unsigned int read_until_slow(struct bed *bed, int socket, uint64_t count)
{
	struct ivshmem_message message;
	unsigned int messages = 0;

	while (bed->stats.ended[DOORBELL_END_SLOW] < count) {
		while (ivshmem_receive(socket, &message) == IVSHMEM_MESSAGE) {
			fd_close(message.fd);
			messages++;
		}
		assert_true(event_base_loop(bed->base, EVLOOP_ONCE) >= 0);
	}
	return messages;
}

static void test_those_who_do_not_read(void **state)
{
	struct bed *bed = *state;
	int deaf[5], good;
	unsigned int i;

	good = bed_member(bed);
	(void)bed_drain(bed, good);
	for (i = 0; i < ARRAY_SIZE(deaf); i++)
		deaf[i] = bed_member(bed);
	/* Who reads hears that they have come and gone, and goes on. */
	i = read_until_slow(bed, good, ARRAY_SIZE(deaf)) + bed_drain(bed, good);
	assert_true(i >= ARRAY_SIZE(deaf) * 2);
	bed_expect_nothing(bed, good);
	assert_int_equal(bed->section->handle_count, 1);
	assert_int_equal(account_used(&bed->registry.account, BED_OWNER, RESOURCE_CLIENTS), 1);
	assert_int_equal(account_used(&bed->registry.account, BED_OWNER, RESOURCE_QUEUE), 0);
	for (i = 0; i < ARRAY_SIZE(deaf); i++)
		fd_close(deaf[i]);
	bed_hang_up(bed, good);
	assert_int_equal(bed->stats.ended[DOORBELL_END_SLOW], ARRAY_SIZE(deaf));
}

/* So much that waits for one is too much: it goes at once. */
static void test_queue_limit(void **state)
{
	struct bed *bed = *state;
	int deaf = bed_member(bed), sockets[4];
	unsigned int i;

	/* Its stream is full: one more peer is partly told. */
	sockets[0] = bed_member(bed);
	(void)bed_drain(bed, sockets[0]);
	bed->registry.account.limits.user[RESOURCE_QUEUE] =
		account_used(&bed->registry.account, BED_OWNER, RESOURCE_QUEUE) + 250;
	for (i = 1; i < ARRAY_SIZE(sockets); i++) {
		int result = 0;

		sockets[i] = bed_connect(bed, BED_OWNER, &result);
		/* A newcomer that would owe too much itself is refused instead. */
		if (result < 0)
			assert_int_equal(result, -EDQUOT);
		bed_turn(bed);
		(void)bed_drain(bed, sockets[0]);
	}
	assert_true(bed->stats.ended[DOORBELL_END_SLOW] + bed->stats.refused > 0);
	assert_true(account_used(&bed->registry.account, BED_OWNER, RESOURCE_QUEUE) <=
		    bed->registry.account.limits.user[RESOURCE_QUEUE]);
	fd_close(deaf);
	for (i = 0; i < ARRAY_SIZE(sockets); i++)
		fd_close(sockets[i]);
	bed_turn(bed);
}

static void test_one_that_speaks(void **state)
{
	struct bed *bed = *state;
	int talker = bed_member(bed), good;
	int pipes[2];

	assert_int_equal(bed_drain(bed, talker), messages_for(0));
	good = bed_member(bed);
	assert_int_equal(bed_drain(bed, good), messages_for(1));
	assert_int_equal(bed_drain(bed, talker), VMSECT_VECTORS_MAX);
	assert_int_equal(send(talker, "", 1, 0), 1);
	bed_expect_end(bed, talker);
	assert_int_equal(bed->stats.ended[DOORBELL_END_SPOKE], 1);
	ivshmem_expect(good, 2);
	/* A descriptor is closed with it. */
	talker = bed_member(bed);
	(void)bed_drain(bed, talker);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(fdmsg_send(talker, "x", 1, &pipes[1], 1, 0), 0);
	fd_close(pipes[1]);
	bed_turn(bed);
	assert_int_equal(bed->stats.ended[DOORBELL_END_SPOKE], 2);
	assert_int_equal(read(pipes[0], &pipes[1], 1), 0); /* nobody has its other end */
	fd_close(pipes[0]);
	fd_close(talker);
	(void)bed_drain(bed, good);
	bed_hang_up(bed, good);
}

/* What was told of the one that has gone: some of its vectors, and then its end. */
static void expect_gone(struct bed *bed, int socket, uint32_t id)
{
	struct ivshmem_message message = { .fd = -1 };
	unsigned int count = 0;

	while (ivshmem_receive(socket, &message) == IVSHMEM_MESSAGE) {
		assert_int_equal(message.value, id);
		count++;
		if (message.fd < 0)
			break;
		fd_close(message.fd);
		bed_turn(bed);
	}
	assert_int_equal(message.fd, -1);
	assert_true(count > 1 && count <= VMSECT_VECTORS_MAX + 1);
	bed_expect_nothing(bed, socket);
}

/* At each message of its greeting one dies. */
static void test_deaths_in_the_middle(void **state)
{
	struct ivshmem_message message = { .fd = -1 };
	struct bed *bed = *state;
	int good = bed_member(bed), dying;
	unsigned int at, i;

	(void)bed_drain(bed, good);
	for (at = 0; at < messages_for(1); at++) {
		dying = bed_member(bed);
		for (i = 0; i < at; i++) {
			while (ivshmem_receive(dying, &message) == IVSHMEM_NOTHING)
				bed_turn(bed);
			fd_close(message.fd);
		}
		bed_hang_up(bed, dying);
		expect_gone(bed, good, 3 + at);
	}
	assert_int_equal(bed->stats.ended[DOORBELL_END_CLOSED], messages_for(1));
	assert_int_equal(bed->section->handle_count, 1);
	bed_hang_up(bed, good);
}

/* Peers that come and go while one does not read cost it nothing. */
static void test_unseen(void **state)
{
	struct bed *bed = *state;
	int deaf = bed_member(bed), passing, good = bed_member(bed);
	uint64_t waits;
	unsigned int i;

	(void)bed_drain(bed, good);
	waits = account_used(&bed->registry.account, BED_OWNER, RESOURCE_QUEUE);
	for (i = 0; i < 300; i++) {
		passing = bed_member(bed);
		bed_hang_up(bed, passing);
		(void)bed_drain(bed, good);
	}
	assert_int_equal(account_used(&bed->registry.account, BED_OWNER, RESOURCE_QUEUE), waits);
	/* It can still catch up, with those who are there. */
	assert_int_equal(bed_drain(bed, deaf), messages_for(1));
	bed_hang_up(bed, good);
	ivshmem_expect(deaf, 3);
	bed_hang_up(bed, deaf);
}

static void test_flood(void **state)
{
	struct bed *bed = *state;
	int sockets[100], good = bed_member(bed), result;
	unsigned int i, members = 0;

	(void)bed_drain(bed, good);
	bed->registry.account.limits.user[RESOURCE_CLIENTS] = 10;
	for (i = 0; i < ARRAY_SIZE(sockets); i++) {
		sockets[i] = bed_connect(bed, BED_OWNER, &result);
		members += result == 0;
		assert_true(result == 0 || result == -EDQUOT);
	}
	assert_int_equal(members, 9);
	assert_int_equal(bed->stats.refused, ARRAY_SIZE(sockets) - members);
	for (i = 0; i < ARRAY_SIZE(sockets); i++)
		fd_close(sockets[i]);
	bed_turn(bed);
	assert_int_equal(bed->section->handle_count, 1);
	(void)bed_drain(bed, good);
	bed_hang_up(bed, good);
}

/* It has made its eventfds blocking and full: who rings it goes on. */
static void test_eventfds_that_block(void **state)
{
	const uint64_t full = UINT64_MAX - 1;
	struct bed *bed = *state;
	int bells[VMSECT_VECTORS_MAX], native[VMSECT_VECTORS_MAX];
	struct registry_event event = { .type = VMSECT_WIRE_EVENT_NOTIFIED, .length = 1 };
	int memory = -1, socket;

	(void)bed_open(bed, &bed->owner, ACCESS_READ);
	socket = bed_member(bed);
	(void)ivshmem_greet(socket, true, &memory);
	fd_close(memory);
	bed_expect_fds(bed, socket, bed->owner.id, native, VMSECT_VECTORS_MAX);
	bed_expect_fds(bed, socket, 2, bells, VMSECT_VECTORS_MAX);
	assert_int_equal(fcntl(bells[0], F_SETFL, 0), 0);
	assert_int_equal(write(bells[0], &full, sizeof(full)), sizeof(full));
	event.section = bed->section->id;
	bed->registry.tell(bed, registry_find_party(&bed->registry, 2), &event);
	assert_int_equal(bed->stats.to_members, 1);
	/* And the other way: a count that is none, and a descriptor that would wait. */
	assert_int_equal(fcntl(native[3], F_SETFL, 0), 0);
	assert_int_equal(write(native[3], &full, sizeof(full)), sizeof(full));
	bed_turn(bed);
	assert_int_equal(bed->told_count, 1);
	assert_int_equal(bed->told[0].event.length, UINT32_MAX);
	ivshmem_close_fds(native, VMSECT_VECTORS_MAX);
	ivshmem_close_fds(bells, VMSECT_VECTORS_MAX);
	bed_hang_up(bed, socket);
}

static void limit_fds(rlim_t count)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = count;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* The newcomer is refused with a sentence; those who are there hear nothing of it. */
static void test_no_descriptors(void **state)
{
	struct bed *bed = *state;
	int good = bed_member(bed), late, result = 0;
	struct rlimit before;
	int pair[2];

	(void)bed_drain(bed, good);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	limit_fds(140);
	result = doorbell_accept_take_fd(bed->doorbells, bed->section, pair[1]);
	assert_int_equal(result, -EMFILE);
	bed_expect_end(bed, pair[0]);
	limit_fds(before.rlim_cur);
	assert_int_equal(bed->stats.refused, 1);
	bed_expect_nothing(bed, good);
	assert_int_equal(bed->section->handle_count, 1);
	late = bed_member(bed);
	assert_int_equal(bed_drain(bed, late), messages_for(1));
	(void)bed_drain(bed, good);
	bed_hang_up(bed, good);
	bed_hang_up(bed, late);
}

/* A native peer is not refused: members cannot ring it, and that is noted. */
static void test_no_bridge(void **state)
{
	struct bed *bed = *state;
	int good = bed_member(bed);
	struct handle *handle;

	(void)bed_drain(bed, good);
	bed->registry.account.limits.user[RESOURCE_DESCRIPTORS] =
		account_used(&bed->registry.account, BED_OWNER, RESOURCE_DESCRIPTORS);
	handle = bed_open(bed, &bed->owner, ACCESS_READ);
	bed_expect_nothing(bed, good);
	assert_int_equal(bed->stats.unbridged, 1);
	registry_close(&bed->registry, handle);
	bed_on_unit(bed);
	bed_expect_nothing(bed, good);
	bed_hang_up(bed, good);
}

/*
 * Descriptors that wait for readers count for the user, up to the limit of open
 * ones: as one without privileges, with members that do not read.
 */
static _Noreturn void fill_up(void)
{
	struct bed *bed = bed_new(8, PATIENCE_MS);
	int sockets[24], good, result;
	unsigned int i;

	if (setresuid(NOBODY, NOBODY, NOBODY))
		_exit(2);
	bed->section->ownership.uid = NOBODY;
	good = bed_member(bed);
	(void)bed_drain(bed, good);
	for (i = 0; i < ARRAY_SIZE(sockets); i++) {
		sockets[i] = bed_connect(bed, NOBODY, &result);
		limit_fds(16); /* those that are open stay */
		bed_turn(bed);
		limit_fds(512);
	}
	/* Some newcomers had to go; whoever was there goes on, and hears of all. */
	assert_true(bed->stats.ended[DOORBELL_END_FULL] > 0);
	assert_int_equal(bed->stats.ended[DOORBELL_END_ERROR], 0);
	assert_int_equal(bed->stats.ended[DOORBELL_END_SLOW], 0);
	for (i = 0; i < ARRAY_SIZE(sockets); i++)
		fd_close(sockets[i]);
	while (bed->section->handle_count > 1)
		assert_true(event_base_loop(bed->base, EVLOOP_ONCE) >= 0);
	(void)bed_drain(bed, good);
	assert_true(bed_member(bed) >= 0);
	bed_expect_fds(bed, good, bed->registry.last_party_id, sockets, 8);
	_exit(0);
}

static void test_too_many_on_their_way(void **state)
{
	int status = -1;
	pid_t pid;

	(void)state;
	if (geteuid()) {
		skip();
		return;
	}
	pid = fork();
	if (!pid)
		fill_up();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_more_than_a_stream_holds),
		cmocka_unit_test_setup_teardown(test_those_who_do_not_read, setup_impatient,
						teardown),
		TEST(test_queue_limit),
		TEST(test_one_that_speaks),
		TEST(test_deaths_in_the_middle),
		TEST(test_unseen),
		TEST(test_flood),
		TEST(test_eventfds_that_block),
		TEST(test_no_descriptors),
		TEST(test_no_bridge),
		TEST(test_too_many_on_their_way),
	};

	(void)alarm(60);
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
