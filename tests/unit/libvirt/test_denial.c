/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is advised when QEMU 7.2 and libvirt 9.0 refuse; the refusals are theirs,
 * word by word.  Those that a bed can bring about are also in the interop bed.
 */
#include "libvirt/denial.h"

#include <string.h>

#include "lib/check.h"

static const char permission[] =
	"internal error: unable to execute QEMU command 'object-add': can't open backing store "
	"/dev/shm/a for guest RAM: Permission denied";

static const char *advise(const char *refusal, const struct denial_world *world, size_t room)
{
	static char advice[1024];

	memset(advice, 'x', sizeof(advice));
	denial_advise(refusal, world, advice, room);
	assert_non_null(memchr(advice, 0, room));
	return advice;
}

static void permission_names_the_user(void **state)
{
	struct denial_world world = { .path = "/dev/shm/a", .access = "rw", .uid = 64055 };

	(void)state;
	assert_string_equal(advise(permission, &world, 1024),
			    "; its QEMU runs as uid 64055: 'setfacl -m u:64055:rw /dev/shm/a' lets "
			    "it in");
	world.access = "r";
	assert_non_null(strstr(advise(permission, &world, 1024), "u:64055:r /dev/shm/a"));
	world.uid = -1;
	assert_string_equal(advise(permission, &world, 1024), "");
}

static void permission_names_apparmor(void **state)
{
	struct denial_world world = {
		.path = "/dev/shm/a", .access = "rw", .uid = 64055, .model = "apparmor"
	};
	const char *advice;

	(void)state;
	advice = advise(permission, &world, 1024);
	assert_non_null(strstr(advice, "setfacl"));
	assert_non_null(strstr(
		advice, "'/dev/shm/a rw,' in /etc/apparmor.d/local/abstractions/libvirt-qemu"));
	world.model = "selinux";
	assert_non_null(strstr(advise(permission, &world, 1024), "; selinux confines it"));
}

static void what_the_domain_lacks(void **state)
{
	static const struct {
		const char *refusal, *advice;
	} cases[] = {
		{ "memory devices (e.g. for memory hotplug) are not enabled, please specify the "
		  "maxmem option",
		  "<maxMemory" },
		{ "nvdimm is not enabled: missing 'nvdimm' in '-M'", "NVDIMM" },
		{ "'ivshmem-plain' is not a valid device model name", "built without" },
		{ "unsupported configuration: ivshmem-plain device is not supported by this QEMU "
		  "binary",
		  "built without" },
		{ "internal error: No more available PCI slots", "pcie-to-pci-bridge" },
		{ "Bus 'pcie.0' does not support hotplugging", "pcie-root-port" },
	};
	struct denial_world world = { .path = "/dev/shm/a", .access = "rw", .uid = 1 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *advice = advise(cases[i].refusal, &world, 1024);

		if (!strstr(advice, cases[i].advice))
			fail_msg("'%s': '%s'", cases[i].refusal, advice);
	}
	assert_string_equal(advise("the moon is in the wrong house", &world, 1024), "");
}

/* A path is as long as its maker wants it to be. */
static void advice_that_does_not_fit_is_cut(void **state)
{
	char path[900];
	struct denial_world world = {
		.path = path, .access = "rw", .uid = 64055, .model = "apparmor"
	};
	size_t room;

	(void)state;
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = 0;
	for (room = 1; room <= 1024; room++)
		(void)advise(permission, &world, room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(permission_names_the_user),
		cmocka_unit_test(permission_names_apparmor),
		cmocka_unit_test(what_the_domain_lacks),
		cmocka_unit_test(advice_that_does_not_fit_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
