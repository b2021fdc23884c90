/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of vmsectd. */
#ifndef BROKER_OPTIONS_H
#define BROKER_OPTIONS_H

#include <stdbool.h>

#include "broker/account.h"

#define OPTIONS_RESUME_GRACE_S 10u

struct options {
	const char *socket_path; /* NULL: the default; borrowed from argv */
	bool foreground;
	bool verbose;
	unsigned int idle_exit_s; /* 0: stay */
	unsigned int resume_grace_s; /* set to the default before */
	bool keep_fds; /* the service manager keeps descriptors */
	const char *page_file_dir; /* NULL: none; borrowed, as is the next */
	const char *state_dir; /* NULL: the default */
	const char *export_dir; /* set to the default before; borrowed */
	struct limits limits; /* set to the defaults before */
};

/* Positive outcomes of options_parse(). */
enum options_outcome {
	OPTIONS_E_DONE = 1, /* --help or --version was printed */
	OPTIONS_E_USAGE = 2, /* wrong, and said so on stderr */
};

int options_parse(struct options *options, int argc, char **argv);

#endif
