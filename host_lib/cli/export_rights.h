/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owner and mode of what is exported, by what the other program is to do with it:
 * one that only reads does not get a file that it could open for writing, whatever
 * its command line says.  Pure.
 */
#ifndef CLI_EXPORT_RIGHTS_H
#define CLI_EXPORT_RIGHTS_H

#include <vmsect/vmsect.h>

#include "cli/export.h"

#define EXPORT_MODE_UNSET UINT32_MAX

/* What was said; UNSET or VMSECT_EXPORT_KEEP: nothing. */
struct export_rights {
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
};

/*
 * Fills in what was not said.  `now`: it is exported already, and who says nothing
 * changes nothing; or NULL.  0; -EINVAL with the sentence.
 */
int export_rights_settle(struct export_rights *rights, const struct export_wish *wish,
			 const struct vmsect_export_info *now, char why[EXPORT_WHY_MAX]);

/* A data file keeps its own: -EINVAL with the sentence if anything was said. */
int export_rights_check_file(const struct export_rights *rights, char why[EXPORT_WHY_MAX]);

/* What people should know of the rights that it has now. */
void export_rights_note(const struct vmsect_export_info *now, const struct export_wish *wish,
			const struct export_printer *printer);

#endif
