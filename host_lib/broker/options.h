/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of vmsectd. */
#ifndef BROKER_OPTIONS_H
#define BROKER_OPTIONS_H

#include <stdbool.h>

#include "broker/account.h"

struct options {
	const char *socket_path; /* NULL: the default; borrowed from argv */
	bool foreground;
	bool verbose;
	unsigned int idle_exit_s; /* 0: stay */
	struct limits limits; /* set to the defaults before */
};

/* Positive outcomes of options_parse(). */
enum options_outcome {
	OPTIONS_E_DONE = 1, /* --help or --version was printed */
	OPTIONS_E_USAGE = 2, /* wrong, and said so on stderr */
};

int options_parse(struct options *options, int argc, char **argv);

#endif
