/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsectd: arguments, limits of the process, socket, readiness, loop.  The only
 * file of the broker that exits.
 *
 * Exit status: 0 done, or another broker is there already when this one was to
 * go into the background; 1 failed; 2 usage.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/sys.h"
#include "broker/broker.h"
#include "broker/daemon.h"
#include "broker/export_place.h"
#include "broker/fdstore.h"
#include "broker/options.h"
#include "broker/place.h"

#define EXIT_USAGE 2
#define DESCRIPTORS_WANTED 524288u
#define DESCRIPTORS_MIN 1024u /* if the system does not say */

/*
 * Each section keeps one or two descriptors.  The hard limit can be raised with
 * privilege alone; without it the broker makes do with what there is.
 */
static uint64_t raise_descriptors(void)
{
	struct rlimit limit = { .rlim_cur = DESCRIPTORS_WANTED, .rlim_max = DESCRIPTORS_WANTED };
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now) < 0)
		return DESCRIPTORS_MIN;
	if (now.rlim_max < DESCRIPTORS_WANTED && !setrlimit(RLIMIT_NOFILE, &limit))
		return DESCRIPTORS_WANTED;
	limit = (struct rlimit){ .rlim_cur = now.rlim_max, .rlim_max = now.rlim_max };
	return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? now.rlim_cur : now.rlim_max;
}

/* The usual limits, which options change. */
static int set_limits(struct limits *limits)
{
	struct sysinfo info;
	int r = sys_result(sysinfo(&info));

	if (r < 0)
		return r;
	limits_init(limits, ((uint64_t)info.totalram + info.totalswap) * info.mem_unit,
		    raise_descriptors());
	return 0;
}

/* A starter may have closed a standard stream: no section may take its number. */
static int fill_standard_streams(void)
{
	int fd;

	do
		fd = sys_result(open("/dev/null", O_RDWR | O_CLOEXEC));
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return fd;
	fd_close(fd);
	return 0;
}

static int prepare_process(void)
{
	int r = fill_standard_streams();

	if (r < 0)
		return r;
	/* A file that may not grow is an error of one request, not our end. */
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	return sys_result(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

/* At the path of the options or of this user. */
static int listen_at_path(struct listener *listener, const struct options *options)
{
	const char *path = options->socket_path;
	char usual[sizeof(listener->path)];
	int r = 0;

	if (!path) {
		r = place_default(usual, sizeof(usual));
		path = usual;
	}
	if (r < 0) {
		log_error("the path of the socket is too long");
		return r;
	}
	r = place_prepare(path);
	r = r < 0 ? r : listener_init(listener, path);
	if (r == LISTENER_E_LIVE && options->foreground)
		log_error("%s: another broker is running", path);
	return r;
}

/*
 * The socket that the service manager passed, if it did; else our own.  The
 * memory of sections, which it may have kept, comes the same way.
 */
static int listen_somewhere(struct listener *listener, const struct options *options,
			    struct fdstore *store)
{
	AUTO_FREE char *names = NULL;
	int passed = options->foreground ? notify_take_named_fds(&names) : 0;
	int socket = -1, r;

	if (passed < 0) {
		log_error("what the service manager passed makes no sense");
		return passed;
	}
	r = fdstore_take(store, passed, names, &socket);
	if (r < 0)
		log_error("more than one socket was passed, or there is no memory");
	if (r < 0 || socket < 0)
		return r < 0 ? r : listen_at_path(listener, options);
	return listener_init_take_fd(listener, socket);
}

/* Where things are kept.  Empty: there is no such place. */
struct places {
	char runtime[PATH_MAX];
	char state[PATH_MAX];
	char journal[PATH_MAX + 128];
};

/* There is no such place, or none for us; anything else is an accident. */
static bool is_no_place(int r)
{
	return r == -ENOENT || r == -ENOTDIR || r == -EPERM || r == -EACCES || r == -ENAMETOOLONG;
}

static int find_runtime(struct places *places, const struct listener *listener)
{
	char path[sizeof(listener->path) + 1];
	const char *name;
	int r = listener_path(listener, path, sizeof(path));

	if (r < 0)
		return r;
	name = strrchr(path, '/');
	name = name ? name + 1 : path;
	r = place_runtime(path, !listener->path[0], places->runtime, sizeof(places->runtime));
	if (r < 0 && !is_no_place(r))
		return r;
	if (r < 0 || !*name) {
		places->runtime[0] = '\0';
		log_warning("no folder for the journal: a broker after this one will not know what "
			    "it knew");
		return 0;
	}
	(void)snprintf(places->journal, sizeof(places->journal), "%s/%s.journal", places->runtime,
		       name);
	return 0;
}

static int find_places(struct places *places, const struct listener *listener,
		       const struct options *options)
{
	int r;

	*places = (struct places){ 0 };
	r = find_runtime(places, listener);
	if (r < 0)
		return r;
	if (options->state_dir) {
		(void)snprintf(places->state, sizeof(places->state), "%s", options->state_dir);
		return 0;
	}
	r = place_state(places->state, sizeof(places->state));
	if (r < 0)
		places->state[0] = '\0';
	return is_no_place(r) ? 0 : r;
}

static const char *or_null(const char *path)
{
	return path[0] ? path : NULL;
}

static void tell_ready(int ready_fd)
{
	int r;

	log_info("version %s is ready", VMSECT_VERSION);
	if (ready_fd >= 0)
		daemon_ready(ready_fd, EXIT_SUCCESS);
	r = notify_send("READY=1");
	if (r < 0) /* once more: a manager that does not hear it ends us */
		r = notify_send("READY=1");
	if (r < 0)
		log_warning("the service manager cannot be told: %s", strerror(-r));
}

static int serve(const struct options *options, struct listener *listener, struct fdstore *store,
		 int ready_fd)
{
	struct places places;
	struct broker_options broker_options = {
		.limits = options->limits,
		.idle_exit_s = options->idle_exit_s,
		.resume_grace_s = options->resume_grace_s,
		.page_file_dir = options->page_file_dir,
		.export_dir = options->export_dir,
		.fdstore = store,
	};
	struct broker *broker = NULL;
	int r;

	r = find_places(&places, listener, options);
	if (r < 0) {
		log_error("the broker's folders cannot be found: %s", strerror(-r));
		listener_deinit(listener);
		return EXIT_FAILURE;
	}
	broker_options.journal_path = or_null(places.journal);
	broker_options.runtime_dir = or_null(places.runtime);
	broker_options.state_dir = or_null(places.state);
	store->is_on = options->keep_fds && notify_is_there();
	r = broker_new_take_listener(&broker_options, listener, &broker);
	if (r < 0) {
		log_error("cannot start: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	tell_ready(ready_fd);
	r = broker_run(broker);
	if (r < 0)
		log_error("cannot wait for clients any more");
	(void)notify_send("STOPPING=1");
	broker_free(broker);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run(const struct options *options)
{
	struct fdstore store = { 0 };
	struct listener listener;
	int ready_fd = -1;
	int r;

	if (!options->foreground) {
		ready_fd = daemon_start();
		if (ready_fd < 0) {
			log_error("no background process: %s", strerror(-ready_fd));
			return EXIT_FAILURE;
		}
	}
	listener_clear(&listener);
	r = listen_somewhere(&listener, options, &store);
	if (r == LISTENER_E_LIVE && ready_fd >= 0) {
		daemon_ready(ready_fd, EXIT_SUCCESS);
		return EXIT_SUCCESS;
	}
	r = r ? EXIT_FAILURE : serve(options, &listener, &store, ready_fd);
	fdstore_deinit(&store);
	return r;
}

/* One that was started on demand speaks on its starter's terminal: only of trouble. */
static enum log_level log_level(const struct options *options)
{
	if (options->verbose)
		return LOG_LEVEL_DEBUG;
	return options->foreground ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING;
}

int main(int argc, char **argv)
{
	struct options options = {
		.resume_grace_s = OPTIONS_RESUME_GRACE_S,
		.export_dir = EXPORT_DIR_DEFAULT,
	};
	int r;

	log_init("vmsectd", LOG_LEVEL_INFO);
	r = set_limits(&options.limits);
	if (r < 0) {
		log_error("cannot see how much memory there is: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	r = options_parse(&options, argc, argv);
	if (r)
		return r == OPTIONS_E_DONE ? EXIT_SUCCESS : EXIT_USAGE;
	log_init("vmsectd", log_level(&options));
	r = prepare_process();
	if (r < 0) {
		log_error("cannot prepare: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	return run(&options);
}
