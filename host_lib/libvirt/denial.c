/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See denial.h. */
#include "libvirt/denial.h"

#include <stdio.h>
#include <string.h>

#include "libvirt/domain.h"
#include "libvirt/say.h"
#include "libvirt/source.h"

/* Words of QEMU 7.2 and libvirt 9.0 to what a user can do. */
static const struct {
	const char *words;
	const char *advice;
} cases[] = {
	{ "maxmem option",
	  "; memory devices need <maxMemory slots='4' unit='GiB'>8</maxMemory> in the domain" },
	{ "no slots where allocated", "; memory devices need <maxMemory slots='4'> in the domain" },
	{ "nvdimm is not enabled",
	  "; the domain must have been started with an NVDIMM, or with nvdimm=on" },
	{ "is not a valid device model", "; this QEMU was built without that device" },
	{ "is not supported by this QEMU", "; this QEMU was built without that device" },
	{ "does not support hotplugging", "; add a pcie-root-port to the domain" },
	{ "No more available PCI slots", "; add a pcie-to-pci-bridge or pcie-root-port to it" },
};

/* Who refused cannot be told from outside; the file's mode comes first. */
static void advise_permission(const struct denial_world *world, char *advice, size_t room)
{
	int length = 0;

	if (world->uid >= 0)
		length = snprintf(advice, room,
				  "; its QEMU runs as uid %ld: 'setfacl -m u:%ld:%s %s' lets it in",
				  world->uid, world->uid, world->access, world->path);
	if (length < 0 || (size_t)length >= room || !world->model)
		return;
	if (!strcmp(world->model, "apparmor"))
		(void)snprintf(advice + length, room - (size_t)length,
			       "; AppArmor confines it: '%s %s,' in "
			       "/etc/apparmor.d/local/abstractions/libvirt-qemu, which counts for "
			       "domains that start after it, allows the path",
			       world->path, world->access);
	else
		(void)snprintf(advice + length, room - (size_t)length,
			       "; %s confines it, and must allow the path", world->model);
}

void denial_advise(const char *refusal, const struct denial_world *world, char *advice, size_t room)
{
	size_t i;

	*advice = 0;
	if (strstr(refusal, "Permission denied")) {
		advise_permission(world, advice, room);
		return;
	}
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strstr(refusal, cases[i].words)) {
			(void)snprintf(advice, room, "%s", cases[i].advice);
			return;
		}
	}
}

void denial_say(const struct domain *domain, const struct source *source, const char *refusal)
{
	struct denial_world world = { .path = source->path,
				      .access = source_access(source),
				      .uid = domain_user(domain).uid };
	char advice[1536];

	if (domain_has(domain, "/domain/seclabel[@model='apparmor'][@type!='none']"))
		world.model = "apparmor";
	else if (domain_has(domain, "/domain/seclabel[@model='selinux'][@type!='none']"))
		world.model = "selinux";
	denial_advise(refusal, &world, advice, sizeof(advice));
	say_error("cannot attach section '%s' to domain '%s': %s%s", source->name, domain->name,
		  refusal, advice);
}
