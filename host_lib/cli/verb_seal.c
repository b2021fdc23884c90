/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect seal NAME: from now on nobody can write the section.
 */
#include "cli/verbs.h"

#include <errno.h>

#include "base/cleanup.h"
#include "cli/open.h"

static const char *hint(int r)
{
	switch (r) {
	case -EOPNOTSUPP:
		return "; only memory made with --sealable can be";
	case -EBUSY:
		return "; 'vmsect show' tells who has it open";
	default:
		return "";
	}
}

int verb_seal(struct invocation *invocation)
{
	AUTO(target_deinit) struct target target = { 0 };
	int r;

	if (target_options(invocation, 1))
		return invocation->status;
	if (target_open(&target, invocation, VMSECT_ACCESS_WRITE | VMSECT_ACCESS_GRANT) < 0)
		return CLI_FAILED;
	r = vmsect_section_seal(target.section);
	return r < 0 ? target_failed(&target, "seal", hint(r)) : CLI_OK;
}
