/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See reach.h. */
#include "libvirt/reach.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "libvirt/domain.h"
#include "libvirt/say.h"
#include "libvirt/source.h"

/* Where libvirt notes the process of a domain: of the system's, and of a session's. */
static FILE *pid_file_open(const struct domain *domain)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	const char *name = virDomainGetName(domain->handle);
	char path[PATH_MAX];
	FILE *file;

	(void)snprintf(path, sizeof(path), "/run/libvirt/qemu/%s.pid", name ? name : "");
	file = fopen(path, "re");
	if (file || !runtime)
		return file;
	(void)snprintf(path, sizeof(path), "%s/libvirt/qemu/run/%s.pid", runtime, name ? name : "");
	return fopen(path, "re");
}

/* 0: it cannot be told. */
static int qemu_pid(const struct domain *domain)
{
	FILE *file = pid_file_open(domain);
	char text[16] = "";
	long pid = 0;

	if (!file)
		return 0;
	if (fgets(text, sizeof(text), file))
		pid = strtol(text, NULL, 10);
	(void)fclose(file);
	return pid > 0 && pid <= INT_MAX ? (int)pid : 0;
}

int reach_check(const struct domain *domain, const struct source *source)
{
	struct stat there, here;
	char path[PATH_MAX];
	int pid = qemu_pid(domain);
	int length = snprintf(path, sizeof(path), "/proc/%d/root%s", pid, source->path);

	if (source->vectors || !pid || length < 0 || (size_t)length >= sizeof(path) ||
	    fstat(vmsect_section_fd(source->section), &here) < 0)
		return 0;
	if (stat(path, &there) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return 0;
	} else if (there.st_dev == here.st_dev && there.st_ino == here.st_ino) {
		return 0;
	}
	say_error("the QEMU of domain '%s' does not see %s: it has a /dev of its own; a file under "
		  "/dev/shm or outside of /dev is seen by all",
		  domain->name, source->path);
	return -ENOENT;
}
