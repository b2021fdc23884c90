/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect grant NAME WHO ACCESS: who else may open the section, and for what.
 */
#include "cli/verbs.h"

#include "base/cleanup.h"
#include "cli/grantee.h"
#include "cli/open.h"

const char verb_grant_options[] =
	"\nWHO is uid:USER, gid:GROUP, vm:NAME (run by this user) or vm:NAME@USER.\n"
	"ACCESS is none, ro, rw, all, or letters: q query, r read, w write, x execute,\n"
	"e extend, n notify, g grant.  Handles that are open stay as they are; 'vmsect\n"
	"revoke' takes them away.\n\n";

int verb_grant(struct invocation *invocation)
{
	AUTO(target_deinit) struct target target = { 0 };
	struct vmsect_grant grant;

	if (target_options(invocation, 3))
		return invocation->status;
	if (grantee_parse(invocation, invocation->argv[optind + 1], &grant) ||
	    access_parse(invocation, invocation->argv[optind + 2], &grant.access))
		return CLI_USAGE;
	if (target_open(&target, invocation, VMSECT_ACCESS_GRANT) < 0)
		return CLI_FAILED;
	if (vmsect_section_grant(target.section, &grant, 0, NULL) < 0)
		return target_failed(&target, "grant access to", "");
	return CLI_OK;
}
