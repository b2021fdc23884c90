/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect create NAME: makes a permanent section and gives its handle back.
 */
#include "cli/verbs.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/cli.h"

enum {
	OPTION_FILE = OPTION_FIRST,
	OPTION_SIZE,
	OPTION_HUGETLB,
	OPTION_PROTECTION,
	OPTION_MODE,
	OPTION_OPEN_IF,
	OPTION_DIRECTORY,
	OPTION_MAX_SIZE,
	OPTION_RESERVE,
	OPTION_ALLOCATE,
	OPTION_SEALABLE,
	OPTION_EXPORTABLE,
};

const char verb_create_options[] =
	"     --file PATH      the section is this file; --size may be less or, with\n"
	"                      protection rw, more than the file has\n"
	"     --size SIZE      its bytes, with K, M, G or T; without --file it is memory\n"
	"     --hugetlb        memory in huge pages of 2 MiB\n"
	"     --directory      memory in an unlinked file of vmsectd's --page-file-dir\n"
	"     --max-size SIZE  'vmsect extend' may make the memory so large\n"
	"     --reserve        charge memory when it is committed, not now\n"
	"     --allocate       take the memory now, not when it is touched\n"
	"     --sealable       'vmsect seal' may come\n"
	"     --exportable     'vmsect export' may come; it keeps its size and is not sealed\n"
	"     --protection P   rw (default), or ro: nobody may write, copy-on-write aside;\n"
	"                      rx and rwx: programs may also execute it\n"
	"     --mode OCTAL     who else may open it, as for a file (default 0600)\n"
	"     --open-if        it is no error if there is a section of that name\n";

static int parse_protection(struct invocation *invocation, const char *text,
			    struct vmsect_create_options *options)
{
	static const struct {
		const char *word;
		enum vmsect_protection protection;
	} words[] = {
		{ "ro", VMSECT_PROT_READONLY },
		{ "rw", VMSECT_PROT_READWRITE },
		{ "rx", VMSECT_PROT_EXECUTE_READ },
		{ "rwx", VMSECT_PROT_EXECUTE_READWRITE },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(words[i].word, text)) {
			options->protection = words[i].protection;
			return 0;
		}
	}
	return cli_usage_error(invocation, "protection '%s' is none of ro, rw, rx and rwx", text);
}

static int parse_bytes(struct invocation *invocation, const char *text, uint64_t *ret_bytes)
{
	if (parse_size(text, ret_bytes) < 0 || !*ret_bytes)
		return cli_usage_error(invocation, "'%s' is no size; 4096, 64K or 1G is", text);
	return 0;
}

static int parse_mode(struct invocation *invocation, const char *text,
		      struct vmsect_create_options *options)
{
	const char *at;
	uint32_t mode = 0;

	for (at = text; *at >= '0' && *at <= '7' && mode <= 0777; at++)
		mode = mode * 8 + (uint32_t)(*at - '0');
	if (*at || mode > 0777 || !mode)
		return cli_usage_error(invocation, "'%s' is no mode; 0600 or 0640 is", text);
	options->mode = mode;
	return 0;
}

/* Two kinds of memory at once are none. */
static int take_backing(struct invocation *invocation, enum vmsect_backing backing,
			struct vmsect_create_options *options)
{
	if (options->backing != VMSECT_BACKING_SHMEM && options->backing != backing)
		return cli_usage_error(invocation, "--hugetlb and --directory exclude each other");
	options->backing = backing;
	return 0;
}

static uint32_t flag_of(int option)
{
	switch (option) {
	case OPTION_OPEN_IF:
		return VMSECT_CREATE_OPEN_IF;
	case OPTION_RESERVE:
		return VMSECT_CREATE_RESERVE;
	case OPTION_ALLOCATE:
		return VMSECT_CREATE_ALLOCATE;
	case OPTION_EXPORTABLE:
		return VMSECT_CREATE_EXPORTABLE;
	default:
		return VMSECT_CREATE_SEALABLE;
	}
}

/* Carries out one option.  0 or OPTION_STOP. */
static int take_option(struct invocation *invocation, int option,
		       struct vmsect_create_options *options)
{
	int status = 0;

	switch (option) {
	case OPTION_FILE:
		options->path = optarg;
		break;
	case OPTION_SIZE:
		status = parse_bytes(invocation, optarg, &options->size_bytes);
		break;
	case OPTION_HUGETLB:
		status = take_backing(invocation, VMSECT_BACKING_HUGETLB, options);
		break;
	case OPTION_DIRECTORY:
		status = take_backing(invocation, VMSECT_BACKING_DIRECTORY, options);
		break;
	case OPTION_MAX_SIZE:
		status = parse_bytes(invocation, optarg, &options->max_bytes);
		break;
	case OPTION_PROTECTION:
		status = parse_protection(invocation, optarg, options);
		break;
	case OPTION_MODE:
		status = parse_mode(invocation, optarg, options);
		break;
	case OPTION_OPEN_IF:
	case OPTION_RESERVE:
	case OPTION_ALLOCATE:
	case OPTION_SEALABLE:
	case OPTION_EXPORTABLE:
		options->flags |= flag_of(option);
		break;
	default:
		return option;
	}
	return status ? option_stop(invocation, status) : 0;
}

/* What goes together, and what does not. */
static int check_options(struct invocation *invocation, struct vmsect_create_options *options)
{
	const uint32_t memory_flags = VMSECT_CREATE_RESERVE | VMSECT_CREATE_ALLOCATE |
				      VMSECT_CREATE_SEALABLE | VMSECT_CREATE_EXPORTABLE;

	if (options->path && (options->backing != VMSECT_BACKING_SHMEM || options->max_bytes ||
			      options->flags & memory_flags))
		return option_stop(invocation,
				   cli_usage_error(invocation,
						   "--file and options of memory exclude each "
						   "other"));
	if (!options->path && !options->size_bytes)
		return option_stop(
			invocation,
			cli_usage_error(invocation, "either --file or --size is needed"));
	if (options->path)
		options->backing = VMSECT_BACKING_FILE;
	return 0;
}

static int parse(struct invocation *invocation, struct vmsect_create_options *options)
{
	static const struct option long_options[] = {
		{ "file", required_argument, NULL, OPTION_FILE },
		{ "size", required_argument, NULL, OPTION_SIZE },
		{ "hugetlb", no_argument, NULL, OPTION_HUGETLB },
		{ "protection", required_argument, NULL, OPTION_PROTECTION },
		{ "mode", required_argument, NULL, OPTION_MODE },
		{ "open-if", no_argument, NULL, OPTION_OPEN_IF },
		{ "directory", no_argument, NULL, OPTION_DIRECTORY },
		{ "max-size", required_argument, NULL, OPTION_MAX_SIZE },
		{ "reserve", no_argument, NULL, OPTION_RESERVE },
		{ "allocate", no_argument, NULL, OPTION_ALLOCATE },
		{ "sealable", no_argument, NULL, OPTION_SEALABLE },
		{ "exportable", no_argument, NULL, OPTION_EXPORTABLE },
		CLI_LONG_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = option_next(invocation, ":h", long_options)) != OPTION_END) {
		if (take_option(invocation, option, options))
			return OPTION_STOP;
	}
	if (arguments_check(invocation, 1, 1) || check_options(invocation, options))
		return OPTION_STOP;
	options->name = invocation->argv[optind];
	return 0;
}

static const char *hint(int r, const struct vmsect_create_options *options)
{
	switch (r) {
	case -EEXIST:
		return "; --open-if accepts it, 'vmsect rm' removes it";
	case -ENODATA:
		return "; --size gives it bytes";
	case -EOPNOTSUPP:
		return options->backing == VMSECT_BACKING_DIRECTORY &&
				       !(options->flags &
					 (VMSECT_CREATE_RESERVE | VMSECT_CREATE_EXPORTABLE))
			       ? "; it has one with 'vmsectd --page-file-dir DIR'"
			       : "";
	case -EACCES:
	case -EROFS:
		return options->path && options->protection == VMSECT_PROT_READWRITE
			       ? "; '--protection ro' needs only read access to a file"
			       : "";
	case -EFBIG:
		return options->path && options->protection == VMSECT_PROT_READONLY
			       ? "; '--protection rw' would make the file larger"
			       : "";
	default:
		return "";
	}
}

int verb_create(struct invocation *invocation)
{
	AUTO(client_cleanup) struct vmsect_client *client = NULL;
	struct vmsect_create_options options = {
		.size = sizeof(options),
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.flags = VMSECT_CREATE_PERMANENT,
		.access = VMSECT_ACCESS_QUERY,
	};
	struct vmsect_section *section;
	int r;

	if (parse(invocation, &options))
		return invocation->status;
	if (cli_connect(invocation, true, &client) < 0)
		return CLI_FAILED;
	r = vmsect_section_create(client, &options, &section);
	if (r < 0) {
		cli_error("cannot create section '%s': %s%s", options.name,
			  vmsect_client_error(client), hint(r, &options));
		return CLI_FAILED;
	}
	vmsect_section_close(section);
	return CLI_OK;
}
