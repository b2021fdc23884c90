/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See request.h. */
#include "libvirt/request.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "libvirt/say.h"

#define TIMEOUT_DEFAULT_S 30u
#define TIMEOUT_MAX_S 86400u
#define VECTORS_MAX 64u /* of the ivshmem server protocol */

static const char help[] =
	"Usage: vmsect attach --domain DOMAIN NAME --mode ro|rw|cow [OPTION...]\n"
	"       vmsect detach --domain DOMAIN NAME [OPTION...]\n\n"
	"Plug a section into a running libvirt domain, and take it out again.\n\n"
	"Options:\n"
	"     --domain DOMAIN  its name, UUID or number\n"
	"     --mode MODE      attach: what the guest may do: ro, rw, or cow (its own copy)\n"
	"     --device DEVICE  attach: ivshmem (default), doorbell, nvdimm, pmem\n"
	"     --vectors N      attach: interrupts of a doorbell, 1 to 64 (default 1)\n"
	"     --timeout SECONDS\n"
	"                      detach: how long the guest may take (default 30)\n"
	"     --connect URI    of libvirt (default qemu:///system)\n"
	"     --socket PATH    the broker's socket\n"
	" -V, --version        the program's version\n"
	" -h, --help           this text\n\n"
	"See vmsect-libvirt(1).\n";

enum {
	OPTION_DOMAIN = 0x100,
	OPTION_MODE,
	OPTION_DEVICE,
	OPTION_TIMEOUT,
	OPTION_VECTORS,
	OPTION_CONNECT,
	OPTION_SOCKET,
};

static const struct option options[] = {
	{ "domain", required_argument, NULL, OPTION_DOMAIN },
	{ "mode", required_argument, NULL, OPTION_MODE },
	{ "device", required_argument, NULL, OPTION_DEVICE },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "vectors", required_argument, NULL, OPTION_VECTORS },
	{ "connect", required_argument, NULL, OPTION_CONNECT },
	{ "socket", required_argument, NULL, OPTION_SOCKET },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const char *const mode_words[] = { [MODE_RO] = "ro", [MODE_RW] = "rw", [MODE_COW] = "cow" };
static const char *const device_words[] = {
	[DEVICE_IVSHMEM] = "ivshmem",
	[DEVICE_NVDIMM] = "nvdimm",
	[DEVICE_PMEM] = "pmem",
	[DEVICE_DOORBELL] = "doorbell",
};

/* What was given, since not all options belong to both verbs. */
struct given {
	bool mode;
	bool device;
	bool timeout;
};

const char *request_mode_word(enum request_mode mode)
{
	return mode_words[mode];
}

/* The index of a word in a list, or -1 after a message. */
static int word_find(const char *const *words, int count, const char *word, const char *what)
{
	int i;

	for (i = 0; i < count; i++) {
		if (!strcmp(words[i], word))
			return i;
	}
	say_usage("'%s' is no %s", word, what);
	return -1;
}

static int take_choice(struct request *request, struct given *given, int option)
{
	int found;

	if (option == OPTION_MODE) {
		found = word_find(mode_words, 3, optarg, "mode");
		given->mode = true;
		request->mode = (enum request_mode)found;
	} else {
		found = word_find(device_words, 4, optarg, "device");
		given->device = true;
		request->device = (enum request_device)found;
	}
	return found < 0 ? -1 : 0;
}

static int take_timeout(struct request *request, struct given *given)
{
	given->timeout = true;
	if (!parse_u32(optarg, TIMEOUT_MAX_S, &request->timeout_s))
		return 0;
	say_usage("'%s' is no number of seconds up to a day", optarg);
	return -1;
}

static int take_vectors(struct request *request)
{
	if (!parse_u32(optarg, VECTORS_MAX, &request->vectors) && request->vectors)
		return 0;
	say_usage("'%s' is no number of vectors from 1 to %u", optarg, VECTORS_MAX);
	return -1;
}

/* An option that getopt_long() found wrong. */
static int say_wrong(char **argv, int fault)
{
	say_usage(fault == ':' ? "option '%s' needs a value" : "option '%s' is wrong",
		  argv[optind - 1]);
	return -1;
}

/* 0, or -1 after a message. */
static int take_option(struct request *request, struct given *given, char **argv, int option)
{
	switch (option) {
	case OPTION_DOMAIN:
		request->domain = optarg;
		return 0;
	case OPTION_CONNECT:
		request->uri = optarg;
		return 0;
	case OPTION_SOCKET:
		request->socket_path = optarg;
		return 0;
	case OPTION_MODE:
	case OPTION_DEVICE:
		return take_choice(request, given, option);
	case OPTION_TIMEOUT:
		return take_timeout(request, given);
	case OPTION_VECTORS:
		return take_vectors(request);
	default:
		return say_wrong(argv, option);
	}
}

static bool given_fits(const struct request *request, const struct given *given)
{
	bool is_attach = request->verb == VERB_ATTACH;

	if (!request->domain || !*request->domain)
		say_usage("no domain is given");
	else if (is_attach && !given->mode)
		say_usage("attach needs a mode: ro, rw or cow");
	else if (is_attach && given->timeout)
		say_usage("--timeout belongs to detach");
	else if (!is_attach && (given->mode || given->device || request->vectors))
		say_usage("--mode, --device and --vectors belong to attach");
	else if (request->vectors && request->device != DEVICE_DOORBELL)
		say_usage("--vectors belongs to --device doorbell");
	else if (request->device == DEVICE_DOORBELL && request->mode != MODE_RW)
		say_usage("who has a doorbell reads and writes: --device doorbell needs --mode rw");
	else
		return true;
	return false;
}

/* The verb and the name, which are all that is left. */
static bool take_words(struct request *request, char **words, int count)
{
	if (!count)
		say_usage("no command is given");
	else if (strcmp(words[0], "attach") != 0 && strcmp(words[0], "detach") != 0)
		say_usage("there is no command '%s'", words[0]);
	else if (count < 2)
		say_usage("%s needs the name of a section", words[0]);
	else if (count > 2)
		say_usage("'%s' is one argument too many", words[2]);
	else if (!name_is_legal(words[1], strlen(words[1])))
		say_usage("'%s' is no name of a section", words[1]);
	else {
		request->verb = words[0][0] == 'a' ? VERB_ATTACH : VERB_DETACH;
		request->section = words[1];
		return true;
	}
	return false;
}

enum request_result request_parse(struct request *request, int argc, char **argv)
{
	struct given given = { 0 };
	int option;

	*request = (struct request){ .timeout_s = TIMEOUT_DEFAULT_S };
	opterr = 0;
	optind = 0; /* glibc: from the beginning */
	while ((option = getopt_long(argc, argv, ":hV", options, NULL)) != -1) {
		if (option == 'h' || option == 'V') {
			(void)fputs(option == 'h' ? help : SAY_PROGRAM " " VMSECT_VERSION "\n",
				    stdout);
			return REQUEST_STOP;
		}
		if (take_option(request, &given, argv, option) < 0)
			return REQUEST_WRONG;
	}
	if (!take_words(request, argv + optind, argc - optind) || !given_fits(request, &given))
		return REQUEST_WRONG;
	if (request->device == DEVICE_DOORBELL && !request->vectors)
		request->vectors = 1;
	return REQUEST_OK;
}
