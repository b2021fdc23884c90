/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See export_rights.h. */
#include "cli/export_rights.h"

#include <stdbool.h>

#define OTHERS 0077u
#define OTHERS_WRITE 0022u

static bool nothing_said(const struct export_rights *rights)
{
	return rights->mode == EXPORT_MODE_UNSET && rights->uid == VMSECT_EXPORT_KEEP &&
	       rights->gid == VMSECT_EXPORT_KEEP;
}

/* A group that is named is there to be given something. */
static uint32_t default_mode(const struct export_rights *rights, const struct export_wish *wish)
{
	if (rights->gid == VMSECT_EXPORT_KEEP)
		return 0600;
	return wish->mode == EXPORT_MODE_RW ? 0660 : 0640;
}

int export_rights_settle(struct export_rights *rights, const struct export_wish *wish,
			 const struct vmsect_export_info *now, char why[EXPORT_WHY_MAX])
{
	if (wish->mode != EXPORT_MODE_RW && rights->uid != VMSECT_EXPORT_KEEP)
		return export_refuse(why, "who owns the file can write it, whatever the mode says: "
					  "give a program that only reads a group (-g)");
	if (now && nothing_said(rights)) {
		*rights = (struct export_rights){ now->mode, now->uid, now->gid };
		return 0;
	}
	if (rights->mode == EXPORT_MODE_UNSET)
		rights->mode = default_mode(rights, wish);
	return 0;
}

int export_rights_check_file(const struct export_rights *rights, char why[EXPORT_WHY_MAX])
{
	if (nothing_said(rights))
		return 0;
	return export_refuse(why, "a data file keeps its owner and mode: chown(1) and chmod(1) "
				  "change them");
}

void export_rights_note(const struct vmsect_export_info *now, const struct export_wish *wish,
			const struct export_printer *printer)
{
	bool reads = wish->mode != EXPORT_MODE_RW;

	if (!(now->mode & OTHERS))
		export_note(printer,
			    "only uid %u and root can open %s; -g GROUP or --perm lets others",
			    now->uid, now->path);
	if (reads && now->mode & OTHERS_WRITE)
		export_note(printer,
			    "the mode of %s, %04o, lets others write it: that this program does "
			    "not is its own doing",
			    now->path, now->mode);
	if (reads && now->uid) /* that root can needs no word */
		export_note(printer, "a program that runs as uid %u owns the file and can write it",
			    now->uid);
}
