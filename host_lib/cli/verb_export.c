/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect export NAME: gives the section a path or a doorbell, and prints what a
 * program that does not know vmsect has to be told.
 */
#include "cli/verbs.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/export.h"
#include "cli/export_rights.h"
#include "cli/grantee.h"
#include "cli/open.h"
#include "cli/qemu_version.h"

enum {
	OPTION_FOR = OPTION_FIRST,
	OPTION_MODE,
	OPTION_DEVICE,
	OPTION_VECTORS,
	OPTION_ID,
	OPTION_PERM,
	OPTION_QEMU_VERSION,
	OPTION_API,
};

const char verb_export_options[] =
	"     --for PROGRAM    qemu, libvirt, firecracker or cloud-hypervisor; without it\n"
	"                      only the path is printed\n"
	"     --mode MODE      rw (default); ro: the guest only reads; cow: what the guest\n"
	"                      writes is its own\n"
	"     --device KIND    ivshmem, pmem or nvdimm; the default is ivshmem for qemu and\n"
	"                      libvirt, else pmem\n"
	"     --vectors N      ivshmem with a doorbell of so many interrupts\n"
	"     --id ID          the device's name in that program (vmsect_NAME)\n"
	" -u, --user USER      owner of the path (with --mode rw only)\n"
	" -g, --group GROUP    its group\n"
	"     --perm OCTAL     its mode (default 0600; with -g 0660, or 0640 if the program\n"
	"                      only reads)\n"
	"     --qemu-version V such a QEMU (default: the one that is installed)\n"
	"     --api            firecracker: the body of PUT /pmem/ID\n"
	" -0, --null           end each word with a NUL, without quotes\n"
	"\n"
	"Words of a command line come one a line, quoted where that is needed.\n\n";

/* All that was asked for. */
struct request {
	struct export_wish wish;
	struct export_rights rights;
	struct export_printer printer;
};

static int usage(struct invocation *invocation, const char *what, const char *text)
{
	return option_stop(invocation, cli_usage_error(invocation, "'%s' is no %s", text, what));
}

static int parse_perm(struct invocation *invocation, uint32_t *ret_mode)
{
	char *end = NULL;
	unsigned long mode = strtoul(optarg, &end, 8);

	if (*optarg < '0' || *optarg > '7' || *end || mode > 0777)
		return usage(invocation, "mode; 0640 is", optarg);
	*ret_mode = (uint32_t)mode;
	return 0;
}

static int parse_number(struct invocation *invocation, struct export_wish *wish)
{
	if (parse_u32(optarg, EXPORT_VECTORS_MAX, &wish->vectors) < 0 || !wish->vectors)
		return usage(invocation, "number of vectors; 1 to 64 is", optarg);
	return 0;
}

static int take_wish(struct invocation *invocation, int option, struct export_wish *wish)
{
	switch (option) {
	case OPTION_FOR:
		return export_parse_program(optarg, &wish->program)
			       ? 0
			       : usage(invocation, "program that this is for", optarg);
	case OPTION_MODE:
		return export_parse_mode(optarg, &wish->mode)
			       ? 0
			       : usage(invocation, "mode; rw, ro and cow are", optarg);
	case OPTION_DEVICE:
		return export_parse_device(optarg, &wish->device)
			       ? 0
			       : usage(invocation, "device; ivshmem, pmem and nvdimm are", optarg);
	case OPTION_VECTORS:
		return parse_number(invocation, wish);
	case OPTION_QEMU_VERSION:
		wish->qemu_version = export_parse_version(optarg);
		return wish->qemu_version ? 0 : usage(invocation, "version; 8.2 is", optarg);
	case OPTION_ID:
		wish->id = optarg;
		return 0;
	case OPTION_API:
		wish->as_api = true;
		return 0;
	default:
		return option;
	}
}

static int take_option(struct invocation *invocation, int option, struct request *request)
{
	switch (option) {
	case 'u':
		return user_parse(optarg, &request->rights.uid) ? 0
								: usage(invocation, "user", optarg);
	case 'g':
		return group_parse(optarg, &request->rights.gid)
			       ? 0
			       : usage(invocation, "group", optarg);
	case OPTION_PERM:
		return parse_perm(invocation, &request->rights.mode);
	case '0':
		request->printer.words = EXPORT_WORDS_NUL;
		return 0;
	default:
		return take_wish(invocation, option, &request->wish);
	}
}

static int parse(struct invocation *invocation, struct request *request)
{
	static const struct option long_options[] = {
		{ "for", required_argument, NULL, OPTION_FOR },
		{ "mode", required_argument, NULL, OPTION_MODE },
		{ "device", required_argument, NULL, OPTION_DEVICE },
		{ "vectors", required_argument, NULL, OPTION_VECTORS },
		{ "id", required_argument, NULL, OPTION_ID },
		{ "user", required_argument, NULL, 'u' },
		{ "group", required_argument, NULL, 'g' },
		{ "perm", required_argument, NULL, OPTION_PERM },
		{ "qemu-version", required_argument, NULL, OPTION_QEMU_VERSION },
		{ "api", no_argument, NULL, OPTION_API },
		{ "null", no_argument, NULL, '0' },
		CLI_LONG_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = option_next(invocation, ":hu:g:0", long_options)) != OPTION_END) {
		if (take_option(invocation, option, request))
			return OPTION_STOP;
	}
	return arguments_check(invocation, 1, 1);
}

static void settle_version(struct request *request)
{
	struct export_wish *wish = &request->wish;

	if (wish->qemu_version ||
	    (wish->program != EXPORT_FOR_QEMU && wish->program != EXPORT_FOR_LIBVIRT))
		return;
	wish->qemu_version = qemu_version_installed();
	if (wish->qemu_version)
		return;
	wish->qemu_version = QEMU_VERSION_ROM;
	export_note(&request->printer, "there is no qemu-system-x86_64 here: this is for 8.2 and "
				       "later (--qemu-version)");
}

/* The section as it is; nothing is changed. */
static int check(struct request *request, const struct vmsect_section_info *info,
		 const struct vmsect_export_info *now, char why[EXPORT_WHY_MAX])
{
	struct export_wish *wish = &request->wish;
	int r;

	wish->name = info->name;
	wish->path = info->path[0] ? info->path : NULL;
	wish->size_bytes = info->size_bytes;
	wish->is_huge = info->backing == VMSECT_BACKING_HUGETLB;
	if (info->backing == VMSECT_BACKING_FILE && !wish->vectors) {
		wish->may_write = true; /* its owner's word */
		r = export_rights_check_file(&request->rights, why);
		request->rights.mode = 0; /* is not looked at */
	} else {
		r = export_rights_settle(&request->rights, wish, now, why);
		wish->may_write = request->rights.mode & 0022;
	}
	return r ? r : export_check(wish, why);
}

/* The export of that kind that there is; NULL: none. */
static const struct vmsect_export_info *find(const struct vmsect_export_info *list, size_t count,
					     enum vmsect_export_as as)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (list[i].as == as)
			return &list[i];
	}
	return NULL;
}

static int print_it(const struct target *target, struct request *request,
		    const struct vmsect_export_info *now)
{
	request->wish.path = now->path;
	export_rights_note(now, &request->wish, &request->printer);
	if (export_print(&request->wish, &request->printer) < 0) {
		cli_error("cannot print what section '%s' is exported as", target->name);
		return CLI_FAILED;
	}
	return fflush(stdout) ? CLI_FAILED : CLI_OK;
}

static int export_it(const struct target *target, struct request *request)
{
	const struct vmsect_export_options options = {
		.size = sizeof(options),
		.as = request->wish.vectors ? VMSECT_EXPORT_AS_DOORBELL : VMSECT_EXPORT_AS_PATH,
		.mode = request->rights.mode,
		.uid = request->rights.uid,
		.gid = request->rights.gid,
		.vectors = request->wish.vectors,
	};
	uint64_t id = vmsect_section_info(target->section)->id;
	AUTO_FREE struct vmsect_export_info *list = NULL;
	const struct vmsect_export_info *now = NULL;
	size_t count = 0;
	int r;

	r = vmsect_section_export(target->section, &options, NULL, 0);
	if (!r)
		r = vmsect_list_exports(target->client, id, &list, &count);
	if (!r)
		now = find(list, count, options.as);
	if (!now)
		return target_failed(target, "export", "");
	return print_it(target, request, now);
}

static int run(const struct target *target, struct request *request)
{
	const struct vmsect_section_info *info = vmsect_section_info(target->section);
	enum vmsect_export_as as = request->wish.vectors ? VMSECT_EXPORT_AS_DOORBELL
							 : VMSECT_EXPORT_AS_PATH;
	AUTO_FREE struct vmsect_export_info *list = NULL;
	char why[EXPORT_WHY_MAX];
	size_t count = 0;

	if (vmsect_list_exports(target->client, info->id, &list, &count) < 0)
		return target_failed(target, "look at", "");
	if (check(request, info, find(list, count, as), why) < 0) {
		cli_error("cannot export section '%s': %s", target->name, why);
		return CLI_FAILED;
	}
	return export_it(target, request);
}

int verb_export(struct invocation *invocation)
{
	AUTO(target_deinit) struct target target = { 0 };
	struct request request = {
		.rights = { EXPORT_MODE_UNSET, VMSECT_EXPORT_KEEP, VMSECT_EXPORT_KEEP },
		.printer = { stdout, stderr, EXPORT_WORDS_SHELL },
	};

	if (parse(invocation, &request))
		return invocation->status;
	settle_version(&request);
	if (target_open(&target, invocation, VMSECT_ACCESS_GRANT | VMSECT_ACCESS_QUERY) < 0)
		return CLI_FAILED;
	return run(&target, &request);
}
