/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of verbs.  A new verb is one row here and one file.
 */
#include "cli/verbs.h"

#include <stddef.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/listings.h"

const struct verb verbs[] = {
	{ "create", "NAME (--file PATH | --size SIZE) [OPTION...]",
	  "Make a section that lives until it is removed", verb_create_options, NULL, verb_create },
	{ "rm", "NAME...", "Remove sections; they live on while someone uses them", NULL, NULL,
	  verb_rm },
	{ "ls", "[OPTION...]", "List sections", NULL, &sections_listing, verb_ls },
	{ "show", "NAME [OPTION...]", "Show one section, its views, users and exports",
	  verb_show_options, NULL, verb_show },
	{ "views", "[NAME] [OPTION...]", "List views: who maps what, and how", NULL, &views_listing,
	  verb_views },
	{ "vms", "[OPTION...]", "List virtual machines", verb_vms_options, &vms_listing, verb_vms },
	{ "extend", "NAME SIZE", "Make a section larger, under its views", NULL, NULL,
	  verb_extend },
	{ "flush", "NAME [OPTION...]", "Write a section back to its file", verb_flush_options, NULL,
	  verb_flush },
	{ "notify", "NAME VALUE [OPTION...]", "Wake those who have the section open",
	  verb_notify_options, NULL, verb_notify },
	{ "watch", "NAME [OPTION...]", "Say who comes and goes, notifies, extends",
	  verb_watch_options, NULL, verb_watch },
	{ "seal", "NAME", "From now on nobody can write the section", NULL, NULL, verb_seal },
	{ "grant", "NAME WHO ACCESS", "Say who else may open a section, and for what",
	  verb_grant_options, NULL, verb_grant },
	{ "revoke", "NAME WHO [OPTION...]", "Take access back now, live views included",
	  verb_revoke_options, NULL, verb_revoke },
	{ "grants", "NAME [OPTION...]", "List who was granted what", NULL, &grants_listing,
	  verb_grants },
	{ "export", "NAME [OPTION...]", "Give a section to QEMU, libvirt and the like",
	  verb_export_options, NULL, verb_export },
	{ "unexport", "NAME", "Take that back, but from programs that have it open", NULL, NULL,
	  verb_unexport },
	{ "exports", "[NAME] [OPTION...]", "List what is exported, and where", NULL,
	  &exports_listing, verb_exports },
	{ "run", "ARGUMENT...", "Start a virtual machine: vmsect-vmm(1) with these arguments", NULL,
	  NULL, verb_run },
	{ "attach", "--domain DOMAIN NAME --mode ro|rw|cow [OPTION...]",
	  "Plug a section into a running libvirt domain: vmsect-libvirt(1)", NULL, NULL,
	  verb_attach },
	{ "detach", "--domain DOMAIN NAME [OPTION...]",
	  "Take it out of the domain: vmsect-libvirt(1)", NULL, NULL, verb_detach },
	{ "help", "[COMMAND]", "Help for a command", NULL, NULL, verb_help },
	{ "version", "", "Print the version", NULL, NULL, verb_version },
	{ NULL, NULL, NULL, NULL, NULL, NULL },
};

const struct verb *verb_find(const char *name)
{
	const struct verb *verb;

	for (verb = verbs; verb->name; verb++) {
		if (!strcmp(verb->name, name))
			return verb;
	}
	return NULL;
}
