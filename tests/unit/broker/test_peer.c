/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The time limit of a connection's first message, and that it ends with it. */
#include "lib/check.h"

#include <event2/event.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/event.h"
#include "broker/peer.h"
#include "lib/leak.h"

#define HELLO_MS 20

struct bed {
	struct peer_owner owner;
	struct account account;
	struct peer_counters counters;
	uint8_t buffer[VMSECT_MSG_MAX];
	int client;
	struct peer *peer;
	int messages;
	int gone;
	enum peer_end why;
};

static void on_message(struct peer *peer, const void *bytes, struct fdmsg *message, void *arg)
{
	struct bed *bed = arg;

	(void)bytes;
	(void)message;
	if (!bed->messages++)
		peer_welcome(peer);
}

static void on_cut(struct peer *peer, void *arg)
{
	(void)peer;
	(void)arg;
	fail_msg("nothing was cut");
}

static void on_gone(struct peer *peer, enum peer_end why, void *arg)
{
	struct bed *bed = arg;

	(void)peer;
	bed->gone++;
	bed->why = why;
	(void)event_base_loopbreak(bed->owner.base);
}

static void bed_init(struct bed *bed)
{
	int ends[2];

	*bed = (struct bed){ .why = PEER_END_COUNT };
	bed->owner = (struct peer_owner){
		.message = on_message,
		.cut = on_cut,
		.gone = on_gone,
		.arg = bed,
		.base = loop_new(),
		.account = &bed->account,
		.counters = &bed->counters,
		.buffer = bed->buffer,
	};
	assert_non_null(bed->owner.base);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	bed->client = ends[0];
	assert_int_equal(peer_new_take_fd(&bed->owner, ends[1], HELLO_MS, &bed->peer), 0);
}

static void bed_deinit(struct bed *bed)
{
	peer_free(bed->peer);
	event_base_free(bed->owner.base);
	assert_int_equal(close(bed->client), 0);
}

static void test_silent_before_hello(void **state)
{
	static struct bed bed;

	(void)state;
	bed_init(&bed);
	assert_int_equal(event_base_dispatch(bed.owner.base), 0);
	assert_int_equal(bed.gone, 1);
	assert_int_equal(bed.why, PEER_END_SILENT);
	bed_deinit(&bed);
}

/* The limit is of the first message only, and does not come back later. */
static void test_silent_after_hello(void **state)
{
	static struct bed bed;

	(void)state;
	bed_init(&bed);
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(send(bed.client, "x", 1, 0), 1);
		assert_int_equal(event_base_loop(bed.owner.base, EVLOOP_ONCE), 0);
		assert_int_equal(bed.messages, i);
		assert_false(event_pending(bed.peer->readable, EV_TIMEOUT, NULL));
		assert_true(event_pending(bed.peer->readable, EV_READ, NULL));
	}
	assert_int_equal(bed.gone, 0);
	bed_deinit(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_silent_before_hello, leak_setup,
						leak_teardown),
		cmocka_unit_test_setup_teardown(test_silent_after_hello, leak_setup, leak_teardown),
	};

	(void)alarm(10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
