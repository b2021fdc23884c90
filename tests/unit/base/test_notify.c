/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A service manager's variables: passed sockets, and the word that all is ready. */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdmsg.h"
#include "base/notify.h"
#include "lib/leak.h"

static void set_listen(const char *pid, const char *fds)
{
	char self[16];

	(void)snprintf(self, sizeof(self), "%d", getpid());
	if (pid)
		(void)setenv("LISTEN_PID", *pid ? pid : self, 1);
	else
		(void)unsetenv("LISTEN_PID");
	if (fds)
		(void)setenv("LISTEN_FDS", fds, 1);
	else
		(void)unsetenv("LISTEN_FDS");
}

static void test_passed_descriptors(void **state)
{
	/* An empty pid stands for this process. */
	static const struct {
		const char *pid, *fds;
		int result;
	} cases[] = {
		{ NULL, NULL, 0 },	  { NULL, "1", 0 },
		{ "", NULL, 0 },	  { "1", "1", 0 },
		{ "", "0", 0 },		  { "x", "1", -EINVAL },
		{ "", "x", -EINVAL },	  { "", "-1", -EINVAL },
		{ "", "65537", -EINVAL }, { "99999999999", "1", -EINVAL },
		{ "", "60", -EBADF },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		set_listen(cases[i].pid, cases[i].fds);
		assert_int_equal(notify_take_fds(), cases[i].result);
		assert_null(getenv("LISTEN_PID"));
		assert_null(getenv("LISTEN_FDS"));
	}
}

static void test_names(void **state)
{
	char *names = NULL;

	(void)state;
	set_listen("", "0");
	(void)setenv("LISTEN_FDNAMES", "one:two", 1);
	assert_int_equal(notify_take_named_fds(&names), 0);
	assert_null(names); /* of none */
	assert_null(getenv("LISTEN_FDNAMES"));
	set_listen("", "1");
	(void)setenv("LISTEN_FDNAMES", "one:two", 1);
	if (fcntl(NOTIFY_FIRST_FD, F_GETFD) < 0) {
		assert_int_equal(notify_take_named_fds(&names), -EBADF);
		assert_int_equal(dup2(STDERR_FILENO, NOTIFY_FIRST_FD), NOTIFY_FIRST_FD);
		set_listen("", "1");
		(void)setenv("LISTEN_FDNAMES", "one:two", 1);
		assert_int_equal(notify_take_named_fds(&names), 1);
		fd_close(NOTIFY_FIRST_FD);
	} else {
		assert_int_equal(notify_take_named_fds(&names), 1);
	}
	assert_string_equal(names, "one:two");
	free(names);
}

static void test_without_a_manager(void **state)
{
	(void)state;
	(void)unsetenv("NOTIFY_SOCKET");
	assert_false(notify_is_there());
	assert_int_equal(notify_send("READY=1"), 0);
	assert_int_equal(notify_send_fd("FDSTORE=1", STDERR_FILENO), 0);
	(void)setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(notify_send("READY=1"), -EINVAL);
	(void)setenv("NOTIFY_SOCKET", "/tmp/vmsect-test-there-is-no-such-socket", 1);
	assert_int_equal(notify_send("READY=1"), -ENOENT);
	(void)unsetenv("NOTIFY_SOCKET");
}

static void test_abstract_socket(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	AUTO_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char name[64], text[16] = "";
	struct fdmsg message;
	socklen_t size;

	(void)state;
	(void)snprintf(name, sizeof(name), "@vmsect-test-%d", getpid());
	memcpy(address.sun_path, name, strlen(name));
	address.sun_path[0] = '\0';
	size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, size), 0);
	(void)setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(notify_send("READY=1"), 0);
	assert_int_equal(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 7);
	assert_string_equal(text, "READY=1");
	assert_int_equal(notify_send_fd("FDSTORE=1", fd), 0);
	(void)unsetenv("NOTIFY_SOCKET");
	assert_int_equal(fdmsg_receive(fd, text, sizeof(text) - 1, FDMSG_DONTWAIT, &message), 0);
	assert_int_equal(message.nfds, 1);
	assert_memory_equal(text, "FDSTORE=1", 9);
	fdmsg_close_fds(&message);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, leak_setup, leak_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_passed_descriptors),
		TEST(test_names),
		TEST(test_without_a_manager),
		TEST(test_abstract_socket),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
