/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every system call of the broker, and of a program that uses the library,
 * fails once in turn; and each is once the last one before a kill -9.
 *
 * A profile run under strace says which calls there are.  Then one run for each
 * of them: the fault, the script, a second script without a fault, and at the
 * end nothing may be left: no section, no peer, no descriptor.  The errno of a
 * run is the next of a list, from a seed on; FAULTS_ALL=1 tries each with each.
 *
 *     faults [TEST]                   all of it, or one of the four
 *     faults --script SOCKET FOLDER   the script alone (what is traced)
 *
 * FAULTS_ONLY=CALL:NUMBER[:ERRNO] does one run of TEST again.
 */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <vmsect/vmsect.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "lib/broker_fixture.h"
#include "runs.h"
#include "script.h"
#include "tracer.h"

#define BROKER_THREADS 3
#define RUN_MS 30000 /* a script has that long */
/* A new broker waits so long for the clients of the one before it. */
#define GRACE_S "5"
#define SETTLE_MS 20000 /* and a broker has that long to forget who has died */

struct bed {
	struct broker_fixture broker;
	char log[128]; /* strace's */
	char notify[128];
	size_t idle_fds; /* of a broker that nobody uses */
	bool refused; /* something was, in this run */
};

static void bed_init(struct bed *bed)
{
	*bed = (struct bed){ .idle_fds = 0 };
	broker_fixture_init(&bed->broker);
	(void)snprintf(bed->log, sizeof(bed->log), "%s/strace", bed->broker.folder);
	(void)snprintf(bed->notify, sizeof(bed->notify), "%s/notify", bed->broker.folder);
}

static int notify_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	memcpy(address.sun_path, path, strlen(path));
	(void)unlink(path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static _Noreturn void exec_broker(struct bed *bed, const struct injection *injection)
{
	char program[PATH_MAX];
	char *argv[] = { program, strdup("--foreground"), strdup("--socket"),
			 bed->broker.socket_path, NULL };
	int log = open(bed->broker.log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	fixture_program("vmsectd", program, sizeof(program));
	(void)dup2(log, STDERR_FILENO);
	(void)setenv("NOTIFY_SOCKET", bed->notify, 1);
	(void)setenv("STATE_DIRECTORY", bed->broker.folder, 1);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	tracer_exec(injection, bed->log, argv);
}

/* What brokers and scripts said in this run. */
static void show_log(struct bed *bed)
{
	char *log = broker_fixture_log(&bed->broker);

	(void)fputs(log, stderr); /* cmocka's own printing cuts */
	free(log);
}

#define FAIL(bed, injection, ...)                                                                  \
	do {                                                                                       \
		show_log(bed);                                                                     \
		(void)fprintf(stderr, "FAULTS_ONLY=%s:%u%s%s: ", (injection)->name,                \
			      (injection)->when, (injection)->error ? ":" : "",                    \
			      (injection)->error ? (injection)->error : "");                       \
		fail_msg(__VA_ARGS__);                                                             \
	} while (0)

/* Starts a traced broker.  False: it has ended by itself instead, with a status. */
static bool start_traced(struct bed *bed, const struct injection *injection)
{
	AUTO_FD int notify = notify_socket(bed->notify);
	AUTO_FD int pidfd = -1;
	struct pollfd fds[2];

	bed->broker.pid = fork();
	assert_true(bed->broker.pid >= 0);
	if (!bed->broker.pid)
		exec_broker(bed, injection);
	pidfd = pidfd_open(bed->broker.pid, 0);
	assert_true(pidfd >= 0);
	fds[0] = (struct pollfd){ .fd = notify, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = pidfd, .events = POLLIN };
	if (sys_retry(poll(fds, 2, RUN_MS)) <= 0)
		FAIL(bed, injection, "the broker neither gets ready nor ends");
	return fds[0].revents != 0;
}

/* How a broker ended that did not get ready, or was told to end. */
static void expect_end(struct bed *bed, const struct injection *injection, bool by_itself)
{
	int status = fixture_wait(bed->broker.pid);

	bed->broker.pid = 0;
	if (WIFSIGNALED(status) && !(WTERMSIG(status) == SIGKILL && !injection->error))
		FAIL(bed, injection, "the broker died of signal %d", WTERMSIG(status));
	if (by_itself && WIFEXITED(status) && !WEXITSTATUS(status))
		FAIL(bed, injection, "the broker ended as if nothing was wrong");
	bed->refused |= by_itself;
}

static pid_t start_script(const struct bed *bed, const struct injection *injection)
{
	char self[PATH_MAX] = "", socket_path[128], folder[128];
	char *argv[] = { self, strdup("--script"), socket_path, folder, NULL };
	pid_t pid = fork();
	int i, log;

	assert_true(pid >= 0);
	if (pid) {
		for (i = 1; i < 2; i++)
			free(argv[i]);
		return pid;
	}
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	(void)snprintf(socket_path, sizeof(socket_path), "%s", bed->broker.socket_path);
	(void)snprintf(folder, sizeof(folder), "%s", bed->broker.folder);
	log = open(bed->broker.log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	(void)dup2(log, STDERR_FILENO);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (injection)
		tracer_exec(injection, bed->log, argv);
	(void)execv(self, argv);
	_exit(127);
}

static int end_script(pid_t pid)
{
	AUTO_FD int pidfd = pidfd_open(pid, 0);
	struct pollfd end = { .fd = pidfd, .events = POLLIN };
	int status = -1;

	assert_true(pidfd >= 0);
	if (sys_retry(poll(&end, 1, RUN_MS)) != 1) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, &status, 0);
		return -1;
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* What a broker has while one client looks: sections (-1: it does not say) and descriptors. */
struct sight {
	int sections;
	size_t fds;
};

static struct sight look_at(const struct bed *bed)
{
	const struct vmsect_connect_options options = {
		.size = sizeof(options),
		.socket_path = bed->broker.socket_path,
		.name = "looker",
		.no_start = 1,
	};
	struct sight sight = { .sections = -1 };
	struct vmsect_section_info *list = NULL;
	struct vmsect_client *client = NULL;
	size_t count = 0;
	int r = vmsect_connect(&options, &client);

	if (!r)
		r = vmsect_list_sections(client, NULL, &list, &count);
	if (!r)
		sight.sections = (int)count;
	sight.fds = broker_fixture_fds(&bed->broker);
	free(list);
	vmsect_client_free(client);
	return sight;
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void start_successor(struct bed *bed)
{
	static const char *const args[] = { "--resume-grace", GRACE_S, NULL };

	broker_fixture_start(&bed->broker, args);
}

/* A broker that has ended by itself, because it could not go on. */
static void replace_ended(struct bed *bed, const struct injection *injection)
{
	siginfo_t info = { .si_pid = 0 };

	if (waitid(P_PID, (id_t)bed->broker.pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	    !info.si_pid)
		return;
	expect_end(bed, injection, true);
	start_successor(bed);
}

/* After it all nothing is left in the broker. */
static void expect_nothing(struct bed *bed, const struct injection *injection)
{
	int64_t end = now_ms() + SETTLE_MS;
	struct sight sight;

	do {
		replace_ended(bed, injection);
		sight = look_at(bed);
		if (!sight.sections && sight.fds <= bed->idle_fds)
			return;
		(void)poll(NULL, 0, 5);
	} while (now_ms() < end);
	FAIL(bed, injection, "%d sections and %zu descriptors are left, idle it has %zu",
	     sight.sections, sight.fds, bed->idle_fds);
}

/* A script that nothing is done to. */
static void expect_script(struct bed *bed, const struct injection *injection)
{
	int status = end_script(start_script(bed, NULL));

	if (status != 0)
		FAIL(bed, injection, "afterwards a script ends with status 0x%x",
		     (unsigned int)status);
}

/* Nothing, or a refusal; never wrong bytes, a signal or a hang. */
static void expect_refusal(struct bed *bed, const struct injection *injection, int status)
{
	if (!WIFEXITED(status) || WEXITSTATUS(status) == SCRIPT_WRONG)
		FAIL(bed, injection, "the script ends with status 0x%x", (unsigned int)status);
	bed->refused |= WEXITSTATUS(status) == SCRIPT_REFUSED;
}

static void stop(struct bed *bed, const struct injection *injection)
{
	(void)kill(bed->broker.pid, SIGTERM);
	expect_end(bed, injection, false);
}

/*
 * Descriptors of a broker that has served a script: worker threads come with
 * the first and stay.  The script's connection may be a moment in going: the
 * least of a few looks counts.
 */
static size_t idle_fds(struct bed *bed)
{
	size_t least = SIZE_MAX;
	int looks;

	assert_int_equal(end_script(start_script(bed, NULL)), 0);
	for (looks = 0; looks < 10; looks++) {
		struct sight sight = look_at(bed);

		assert_int_equal(sight.sections, 0);
		least = sight.fds < least ? sight.fds : least;
	}
	return least;
}

/* The calls of a broker that serves one script, from its start to its end. */
static void profile_broker(struct bed *bed, struct call_profile *profile)
{
	const struct injection nothing = { .name = NULL };

	assert_true(start_traced(bed, &nothing));
	assert_int_equal(end_script(start_script(bed, NULL)), 0);
	stop(bed, &nothing);
	profile_read(profile, bed->log);
	broker_fixture_start(&bed->broker, NULL);
	bed->idle_fds = idle_fds(bed);
	broker_fixture_stop(&bed->broker);
}

static void profile_script(struct bed *bed, struct call_profile *profile)
{
	const struct injection nothing = { .name = NULL };

	broker_fixture_start(&bed->broker, NULL);
	bed->idle_fds = idle_fds(bed);
	assert_int_equal(end_script(start_script(bed, &nothing)), 0);
	profile_read(profile, bed->log);
	broker_fixture_stop(&bed->broker);
}

/*
 * The status of a script; if the broker ends meanwhile another one comes.  That one
 * waits for a script which had done its work and ended unseen: the next would find
 * its names taken.
 */
static int run_script_over_end(struct bed *bed, const struct injection *injection)
{
	pid_t script = start_script(bed, NULL);
	AUTO_FD int broker_fd = pidfd_open(bed->broker.pid, 0);
	AUTO_FD int script_fd = pidfd_open(script, 0);
	struct pollfd ends[2] = { { broker_fd, POLLIN, 0 }, { script_fd, POLLIN, 0 } };
	int status;

	if (sys_retry(poll(ends, 2, RUN_MS)) <= 0)
		FAIL(bed, injection, "neither broker nor script end");
	if (!ends[0].revents)
		return end_script(script);
	expect_end(bed, injection, true);
	start_successor(bed);
	status = end_script(script);
	expect_nothing(bed, injection);
	return status;
}

static void fail_broker_once(struct bed *bed, const struct injection *injection)
{
	int runs, succeeded = 0;

	if (!start_traced(bed, injection)) {
		expect_end(bed, injection, true);
		return;
	}
	/* It strikes each thread once; and a call of the end may come in the second script. */
	for (runs = 0; runs < BROKER_THREADS + 2 && succeeded < 2; runs++) {
		int status = run_script_over_end(bed, injection);

		expect_refusal(bed, injection, status);
		succeeded += status == 0;
	}
	if (succeeded < 2)
		FAIL(bed, injection, "script after script is refused");
	expect_nothing(bed, injection);
	stop(bed, injection);
}

static void fail_script_once(struct bed *bed, const struct injection *injection)
{
	int status;

	broker_fixture_start(&bed->broker, NULL);
	expect_script(bed, injection); /* its threads have started */
	status = end_script(start_script(bed, injection));
	/* The loader ends a program with 127. */
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 127)
		expect_refusal(bed, injection, status);
	expect_nothing(bed, injection);
	stop(bed, injection);
}

/*
 * The broker dies at that call: before it is ready, in a script (which notices
 * nothing, for a new one takes over), or when it is told to end.
 */
static void kill_broker_once(struct bed *bed, const struct injection *injection)
{
	if (start_traced(bed, injection)) {
		if (run_script_over_end(bed, injection) != 0)
			FAIL(bed, injection, "the script did not get over it");
		stop(bed, injection);
	} else {
		expect_end(bed, injection, true);
	}
	broker_fixture_start(&bed->broker, NULL);
	expect_script(bed, injection);
	expect_nothing(bed, injection);
	broker_fixture_stop(&bed->broker);
}

static void kill_script_once(struct bed *bed, const struct injection *injection)
{
	int status;

	broker_fixture_start(&bed->broker, NULL);
	expect_script(bed, injection);
	status = end_script(start_script(bed, injection));
	/* Calls vary a little: it may be over before. */
	if (status != 0 && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
		FAIL(bed, injection, "the script ends with status 0x%x", (unsigned int)status);
	expect_nothing(bed, injection);
	stop(bed, injection);
}

/* One of the four tests: whose calls, what happens at each, and what is done then. */
struct plan {
	void (*profile)(struct bed *bed, struct call_profile *profile);
	bool fails;
	void (*once)(struct bed *bed, const struct injection *injection);
	size_t idle_fds; /* as the profile's broker had */
};

static bool run_once(const void *arg, const struct injection *injection)
{
	const struct plan *plan = arg;
	struct bed bed;

	bed_init(&bed);
	bed.idle_fds = plan->idle_fds;
	plan->once(&bed, injection);
	broker_fixture_deinit(&bed.broker);
	return bed.refused;
}

static void run_plan(struct plan plan)
{
	struct call_profile profile;
	struct bed bed;

	bed_init(&bed);
	plan.profile(&bed, &profile);
	plan.idle_fds = bed.idle_fds;
	broker_fixture_deinit(&bed.broker);
	runs_do(&profile, plan.fails, run_once, &plan);
}

static void broker_calls_fail(void **state)
{
	(void)state;
	run_plan((struct plan){ profile_broker, true, fail_broker_once, 0 });
}

static void library_calls_fail(void **state)
{
	(void)state;
	run_plan((struct plan){ profile_script, true, fail_script_once, 0 });
}

static void broker_is_killed(void **state)
{
	(void)state;
	run_plan((struct plan){ profile_broker, false, kill_broker_once, 0 });
}

static void client_is_killed(void **state)
{
	(void)state;
	run_plan((struct plan){ profile_script, false, kill_script_once, 0 });
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broker_calls_fail),
		cmocka_unit_test(library_calls_fail),
		cmocka_unit_test(broker_is_killed),
		cmocka_unit_test(client_is_killed),
	};

	if (argc == 4 && !strcmp(argv[1], "--script"))
		return (int)script_run(argv[2], argv[3]);
	if (argc == 2)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
