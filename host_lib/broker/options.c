/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See options.h. */
#include "broker/options.h"

#include <getopt.h>
#include <stdint.h>
#include <stdio.h>

#include "base/parse.h"

#define IDLE_EXIT_MAX (365u * 24 * 3600)
#define RESUME_GRACE_MAX 3600u

static const char usage_text[] =
	"Usage: vmsectd [options]\n"
	"The broker of vmsect: owns shared memory sections and says who may map them.\n"
	"\n"
	"  --socket PATH        listen at PATH instead of the user's usual place\n"
	"  --foreground         stay in the foreground and log to stderr\n"
	"  --idle-exit SECONDS  exit after so long without a client and a section\n"
	"  --resume-grace SECONDS  wait so long for the clients of a broker that was\n"
	"                       here before (10)\n"
	"  --keep-fds           let the service manager keep the memory of sections\n"
	"  --limit WHO.WHAT=N   set a limit; WHO is user or all, WHAT is clients,\n"
	"                       sections, bytes, descriptors, handles, views, queue,\n"
	"                       private, jobs, offers or grants; or client.notify=N\n"
	"  --page-file-dir DIR  offer page-file sections in unlinked files of DIR\n"
	"  --state-dir DIR      keep there what must outlive the host, instead of the\n"
	"                       user's usual place\n"
	"  --export-dir DIR     a folder of a tmpfs: sections that can be exported are in\n"
	"                       files of it (/dev/shm)\n"
	"  -v, --verbose        log more\n"
	"      --help           print this and exit\n"
	"      --version        print the version and exit\n";

enum long_option {
	OPTION_SOCKET = 256,
	OPTION_FOREGROUND,
	OPTION_IDLE_EXIT,
	OPTION_RESUME_GRACE,
	OPTION_KEEP_FDS,
	OPTION_LIMIT,
	OPTION_PAGE_FILE_DIR,
	OPTION_STATE_DIR,
	OPTION_EXPORT_DIR,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{ "socket", required_argument, NULL, OPTION_SOCKET },
	{ "foreground", no_argument, NULL, OPTION_FOREGROUND },
	{ "idle-exit", required_argument, NULL, OPTION_IDLE_EXIT },
	{ "resume-grace", required_argument, NULL, OPTION_RESUME_GRACE },
	{ "keep-fds", no_argument, NULL, OPTION_KEEP_FDS },
	{ "limit", required_argument, NULL, OPTION_LIMIT },
	{ "page-file-dir", required_argument, NULL, OPTION_PAGE_FILE_DIR },
	{ "state-dir", required_argument, NULL, OPTION_STATE_DIR },
	{ "export-dir", required_argument, NULL, OPTION_EXPORT_DIR },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

static int usage_error(const char *what, const char *value)
{
	(void)fprintf(stderr, "vmsectd: %s '%s'\nTry 'vmsectd --help'.\n", what, value);
	return OPTIONS_E_USAGE;
}

/* A line that cannot be written is a failure that the exit code shows. */
static int print(const char *text)
{
	return fputs(text, stdout) < 0 || fflush(stdout) ? OPTIONS_E_USAGE : OPTIONS_E_DONE;
}

static int parse_seconds(uint32_t max, unsigned int *seconds)
{
	uint32_t value = 0;

	if (parse_u32(optarg, max, &value) < 0)
		return usage_error("no number of seconds:", optarg);
	*seconds = value;
	return 0;
}

/* The daemon leaves the folder that it was started in. */
static int parse_dir(const char **dir)
{
	*dir = optarg;
	return *optarg == '/' ? 0 : usage_error("no absolute path:", optarg);
}

static int parse_one(struct options *options, int option)
{
	switch (option) {
	case OPTION_SOCKET:
		options->socket_path = optarg;
		return *optarg ? 0 : usage_error("no socket path", optarg);
	case OPTION_FOREGROUND:
		options->foreground = true;
		return 0;
	case OPTION_IDLE_EXIT:
		return parse_seconds(IDLE_EXIT_MAX, &options->idle_exit_s);
	case OPTION_RESUME_GRACE:
		return parse_seconds(RESUME_GRACE_MAX, &options->resume_grace_s);
	case OPTION_KEEP_FDS:
		options->keep_fds = true;
		return 0;
	case OPTION_PAGE_FILE_DIR:
		return parse_dir(&options->page_file_dir);
	case OPTION_STATE_DIR:
		return parse_dir(&options->state_dir);
	case OPTION_EXPORT_DIR:
		return parse_dir(&options->export_dir);
	case OPTION_LIMIT:
		if (limits_set(&options->limits, optarg) < 0)
			return usage_error("no limit:", optarg);
		return 0;
	case 'v':
		options->verbose = true;
		return 0;
	case OPTION_HELP:
		return print(usage_text);
	case OPTION_VERSION:
		return print("vmsectd " VMSECT_VERSION "\n");
	default:
		(void)fputs("Try 'vmsectd --help'.\n", stderr);
		return OPTIONS_E_USAGE;
	}
}

int options_parse(struct options *options, int argc, char **argv)
{
	int option, r = 0;

	while (!r && (option = getopt_long(argc, argv, "v", long_options, NULL)) != -1)
		r = parse_one(options, option);
	if (!r && optind < argc)
		r = usage_error("not an option:", argv[optind]);
	return r;
}
