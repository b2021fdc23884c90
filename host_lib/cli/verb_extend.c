/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect extend NAME SIZE: makes a section larger, under its views.
 */
#include "cli/verbs.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/open.h"

static const char *hint(int r)
{
	switch (r) {
	case -EOPNOTSUPP:
	case -EFBIG:
		return "; memory grows up to the --max-size it was made with";
	default:
		return "";
	}
}

int verb_extend(struct invocation *invocation)
{
	AUTO(target_deinit) struct target target = { 0 };
	const char *text;
	uint64_t bytes, size;
	int r;

	if (target_options(invocation, 2))
		return invocation->status;
	text = invocation->argv[optind + 1];
	if (parse_size(text, &bytes) < 0 || !bytes)
		return cli_usage_error(invocation, "'%s' is no size; 4096, 64K or 1G is", text);
	if (target_open(&target, invocation, VMSECT_ACCESS_EXTEND) < 0)
		return CLI_FAILED;
	r = vmsect_section_extend(target.section, bytes, &size);
	return r < 0 ? target_failed(&target, "extend", hint(r)) : CLI_OK;
}
