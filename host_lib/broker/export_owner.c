/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See export_owner.h. */
#include "broker/export_owner.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "broker/rights.h"

#define OWN_MODE (S_IRUSR | S_IWUSR) /* that the broker's user needs */

void export_fd_path(int fd, char path[EXPORT_FD_PATH_ROOM])
{
	(void)snprintf(path, EXPORT_FD_PATH_ROOM, "/proc/self/fd/%d", fd);
}

int export_owner_read(const char *path, struct export *export)
{
	struct stat st;
	int r = sys_result(stat(path, &st));

	if (r < 0)
		return r;
	export->mode = st.st_mode & 0777u;
	export->uid = st.st_uid;
	export->gid = st.st_gid;
	return 0;
}

static int put(const char *path, const struct export *rights)
{
	int r = sys_result(chown(path, rights->uid, rights->gid));

	return r < 0 ? r : sys_result(chmod(path, rights->mode));
}

int export_owner_take_back(const char *path)
{
	const struct export own = { .mode = OWN_MODE, .uid = geteuid(), .gid = getegid() };

	return put(path, &own);
}

static int refuse_owner(const char *what, uint32_t id, int status, struct refusal *refusal)
{
	return refuse(refusal, status, VMSECT_DETAIL_FILE,
		      "this broker (uid %u) cannot give the path to %s %u: %s", geteuid(), what, id,
		      strerror(-status));
}

/* One that was not asked for by number is given as far as the broker can. */
static int give(const char *path, const struct section *section, const struct export_spec *spec,
		const struct export *before, struct refusal *refusal)
{
	bool any_uid = spec->uid == VMSECT_EXPORT_SAME, any_gid = spec->gid == VMSECT_EXPORT_SAME;
	/* An owner can write: nobody gets what is not to be written. */
	uint32_t owner = rights_is_writable(section->protection) ? section->ownership.uid
								 : geteuid();
	uint32_t uid = any_uid ? owner : spec->uid;
	uint32_t gid = any_gid ? section->ownership.gid : spec->gid;
	int r = 0;

	/* Nobody new before the owner is right; nobody old loses it in between. */
	if (before->uid != uid || before->gid != gid)
		r = sys_result(chmod(path, OWN_MODE));
	if (r < 0)
		return refuse_owner("uid", geteuid(), r, refusal);
	r = sys_result(chown(path, (uid_t)-1, gid));
	if (r < 0 && !any_gid)
		return refuse_owner("gid", gid, r, refusal);
	r = sys_result(chown(path, uid, (gid_t)-1));
	if (r < 0 && !any_uid)
		return refuse_owner("uid", uid, r, refusal);
	r = sys_result(chmod(path, spec->mode | OWN_MODE));
	return r < 0 ? refuse_owner("uid", uid, r, refusal) : 0;
}

int export_owner_give(const char *path, const struct section *section,
		      const struct export_spec *spec, struct export *export,
		      struct refusal *refusal)
{
	struct export before;
	int r = export_owner_read(path, &before);

	if (r < 0)
		return refuse(refusal, r, VMSECT_DETAIL_FILE, "%s cannot be looked at: %s", path,
			      strerror(-r));
	r = give(path, section, spec, &before, refusal);
	if (!r)
		r = export_owner_read(path, export);
	if (r < 0)
		(void)put(path, &before);
	return r;
}
