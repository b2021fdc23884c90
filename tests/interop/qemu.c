/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See qemu.h. */
#include "interop/qemu.h"

#include "lib/check.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvm/bed.h"
#include "kvm/vm_fixture.h"

#define QEMU "qemu-system-x86_64"
#define SKIPPED 77
#define ALL_WORDS_MAX (QEMU_WORDS_MAX + 20)

/* An emulated guest next to others that are busy. */
#define ANSWER_MS 120000
/*
 * On an emulated host with KVM (the lab's) one machine in six has hung in its first
 * instructions, in an exception that it cannot have had: docs/decisions/010.
 */
#define START_MS 30000
#define START_TRIES 3u

/* In any folder of PATH. */
static bool is_installed(void)
{
	const char *folder = getenv("PATH");
	char path[PATH_MAX];

	while (folder && *folder) {
		size_t length = strcspn(folder, ":");

		(void)snprintf(path, sizeof(path), "%.*s/" QEMU, (int)length, folder);
		if (access(path, X_OK) == 0)
			return true;
		folder += length + (folder[length] == ':');
	}
	return false;
}

int interop_begin(unsigned int seconds)
{
	if (!is_installed()) {
		(void)printf("1..0 # SKIP there is no " QEMU "\n");
		return SKIPPED;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)alarm(seconds);
	return 0;
}

bool interop_has_kvm(void)
{
	return access("/dev/kvm", R_OK | W_OK) == 0;
}

struct vm_fixture *qemu_start(struct bed *bed, const char *name, const char *const *words)
{
	/* Without arch-capabilities: not every KVM has their MSR. */
	const char *all[ALL_WORDS_MAX + 1] = {
		QEMU,
		"-nodefaults",
		"-no-reboot",
		"-display",
		"none",
		"-serial",
		"stdio",
		"-m",
		"64",
		"-M",
		"pc",
		"-cpu",
		"max,-arch-capabilities",
		"-accel",
		"kvm",
		"-accel",
		"tcg",
		"-kernel",
		bed->agent_path,
	};
	const struct vm_config config = {
		.name = name,
		.command = all,
		.answer_ms = ANSWER_MS,
		.silent = true,
	};
	struct vm_fixture *vm;
	size_t count = 0;

	while (all[count])
		count++;
	while (*words && count < ALL_WORDS_MAX)
		all[count++] = *words++;
	assert_null(*words);
	for (unsigned int tries = START_TRIES;; tries--) {
		vm = vm_start(bed, &config);
		/* Its firmware may speak first. */
		if (vm_says(vm, "agent ready", START_MS))
			return vm;
		if (tries == 1)
			fail_msg("QEMU machine %s: its guest does not start", name);
		print_message("# QEMU machine %s hangs before its guest starts; once more\n", name);
		vm_kill(vm);
	}
}
