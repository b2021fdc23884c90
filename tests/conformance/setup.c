// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a file needs before its first case, and the end of it: see run.h.
 * A mount is in a mount namespace of ours, so that nothing outlives a crash.
 */
#include "conformance/run.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *mount_disk(struct run *run)
{
	char options[64];

	(void)snprintf(options, sizeof(options), "size=%llu",
		       (unsigned long long)run->script->disk_bytes);
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("conformance", run->files, "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
		return "a disk cannot be mounted here";
	run->has_disk = true;
	/* Other users have files there as well. */
	return chmod(run->files, 0755) < 0 ? "a disk cannot be used here" : NULL;
}

static bool needs_root(const struct script *script)
{
	for (size_t i = 0; i < script->actor_count; i++)
		if (script->actors[i].has_user)
			return true;
	return script->needs_root;
}

const char *run_begin(struct run *run)
{
	run->huge = (struct huge_pages)HUGE_PAGES_NONE;
	broker_fixture_init(&run->broker);
	(void)snprintf(run->files, sizeof(run->files), "%s/files", run->broker.folder);
	if (mkdir(run->files, 0755) < 0)
		return "the folder of files cannot be made";
	if (needs_root(run->script) && geteuid() != 0)
		return "needs root";
	if (run->script->huge_pages && !huge_pages_take(&run->huge, run->script->huge_pages))
		return "no huge pages";
	if (run->script->disk_bytes && mount_disk(run))
		return "a disk cannot be mounted here";
	run_start_broker(run);
	if (needs_root(run->script))
		broker_fixture_open_to_all(&run->broker);
	return NULL;
}

void run_end(struct run *run)
{
	while (run->actors) {
		struct actor *actor = run->actors;

		run->actors = actor->next;
		actor_free(actor);
	}
	if (run->broker.pid)
		broker_fixture_stop(&run->broker);
	if (run->has_disk)
		(void)umount2(run->files, MNT_DETACH);
	(void)rmdir(run->files);
	huge_pages_give_back(&run->huge);
	broker_fixture_deinit(&run->broker);
}
