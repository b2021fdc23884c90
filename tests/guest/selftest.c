// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmsect-selftest: the driver's interface, case by case, inside a guest.
 *
 *     vmsect-selftest [GROUP...]
 *
 * Without arguments all groups run but those that want a VM made for them.
 * Uses the first section of each mode that the VM has; a mode that it has not
 * is skipped.  What it writes to shared views, in their last page, it restores.
 * Cases that need more make sections of their own, where the VM may
 * (--allow-create).
 */
#include "guest/selftest.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIME_LIMIT_S 480

/* What is refused comes first. */
static const struct tap_group *const usual[] = {
	&group_refused, &group_command, &group_described, &group_control, &group_create,
	&group_view,	&group_viewmap, &group_mapped,	  &group_io,	  &group_splice,
	&group_protect, &group_durable, &group_cow,	  &group_publish, &group_grow,
	&group_commit,	&group_events,	&group_memory,	  &group_huge,	  &group_pins,
	&group_process,
};
static const struct tap_group *const by_name[] = { &group_many, &group_refusal, &group_budget };

#define USUAL (sizeof(usual) / sizeof(usual[0]))
#define BY_NAME (sizeof(by_name) / sizeof(by_name[0]))

static void subjects_find(int ctl)
{
	struct vmsect_section section;
	uint32_t i;

	for (i = 0; !vmsect_guest_list(ctl, i, &section); i++)
		if (section.mode < 4 && !subjects[section.mode].name[0])
			subjects[section.mode] = section;
}

static const struct tap_group *group_find(const char *name)
{
	size_t i;

	for (i = 0; i < USUAL; i++)
		if (!strcmp(usual[i]->name, name))
			return usual[i];
	for (i = 0; i < BY_NAME; i++)
		if (!strcmp(by_name[i]->name, name))
			return by_name[i];
	return NULL;
}

static int run_named(char **names, size_t count)
{
	const struct tap_group *groups[USUAL + BY_NAME];
	size_t i;

	if (count > USUAL + BY_NAME)
		return 2;
	for (i = 0; i < count; i++) {
		groups[i] = group_find(names[i]);
		if (!groups[i]) {
			fprintf(stderr, "vmsect-selftest: no group %s\n", names[i]);
			return 2;
		}
	}
	return tap_run_groups(groups, count);
}

int main(int argc, char **argv)
{
	int ctl;
	int err = vmsect_guest_open(VMSECT_GUEST_CTL, O_RDONLY, &ctl);

	alarm(TIME_LIMIT_S);
	if (err) {
		printf("Bail out! /dev/vmsect/ctl: %d\n", err);
		return EXIT_FAILURE;
	}
	subjects_find(ctl);
	close(ctl);
	return argc > 1 ? run_named(argv + 1, (size_t)argc - 1) : tap_run_groups(usual, USUAL);
}
