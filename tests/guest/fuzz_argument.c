// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments of ioctls: filled in as a program would do it, with some numbers
 * that are edges; then, now and then, with a word of garbage, or garbage
 * throughout; and not always where the kernel can read or write.
 */
#include "guest/fuzz.h"

#include <string.h>
#include <sys/mman.h>

#include "vmsect_ioctl.h"

#define PAGE 4096

/* Pages that can be read only, and none behind a page. */
static uint8_t *readonly, *before_end;
/* All threads fill this one in, while the kernel copies it. */
static _Alignas(8) uint8_t raced[FUZZ_ARGUMENT_MAX];

uint64_t fuzz_number(struct chance *chance)
{
	static const uint64_t edges[] = {
		0,	    1,
		4095,	    4096,
		4097,	    2 << 20,
		INT32_MAX,  UINT32_MAX,
		INT64_MAX,  (uint64_t)INT64_MAX + 1,
		UINT64_MAX, UINT64_MAX - 4095,
	};
	const uint32_t count = sizeof(edges) / sizeof(edges[0]);

	switch (chance_below(chance, 3)) {
	case 0:
		return edges[chance_below(chance, count)];
	case 1:
		return chance_next(chance) >> chance_below(chance, 64);
	default:
		return (uint64_t)chance_below(chance, 1024) * PAGE;
	}
}

/* Mostly pages within a few MiB. */
static uint64_t pages(struct chance *chance)
{
	return chance_below(chance, 8) ? (uint64_t)chance_below(chance, 1024) * PAGE
				       : fuzz_number(chance);
}

static uint32_t protection(struct chance *chance)
{
	return chance_below(chance, 10);
}

static void name_fill(struct chance *chance, char *name)
{
	strncpy(name, fuzz_name_any(chance), VMSECT_GUEST_NAME_MAX);
}

static void fill_nothing(struct fuzz_thread *t, void *argument)
{
	(void)t;
	(void)argument;
}

static void fill_list(struct fuzz_thread *t, void *argument)
{
	struct vmsect_list *list = argument;

	list->index = chance_below(&t->chance, 8);
}

static void fill_open(struct fuzz_thread *t, void *argument)
{
	struct vmsect_open *arg = argument;

	arg->access = chance_below(&t->chance, 0x80);
	name_fill(&t->chance, arg->name);
}

static void fill_create(struct fuzz_thread *t, void *argument)
{
	struct vmsect_create *arg = argument;

	arg->size_bytes = PAGE + (uint64_t)chance_below(&t->chance, 64) * PAGE;
	arg->max_bytes = chance_below(&t->chance, 2) ? 0 : 2 * arg->size_bytes;
	arg->backing = chance_below(&t->chance, 4) ? VMSECT_BACKING_SHMEM
						   : chance_below(&t->chance, 6);
	arg->protection = protection(&t->chance);
	arg->flags = chance_below(&t->chance, 0x80);
	if (chance_below(&t->chance, 2))
		arg->flags = VMSECT_GUEST_CREATE_F_OPEN_IF;
	if (chance_below(&t->chance, 2))
		name_fill(&t->chance, arg->name);
}

static void fill_view(struct fuzz_thread *t, void *argument)
{
	struct vmsect_view_request *arg = argument;

	arg->offset = pages(&t->chance);
	arg->length = pages(&t->chance);
	arg->protection = protection(&t->chance);
	arg->flags = chance_below(&t->chance, 8) ? 0 : chance_below(&t->chance, 8);
	if (arg->flags & VMSECT_GUEST_VIEW_F_GROWABLE)
		arg->room = pages(&t->chance);
	if (!chance_below(&t->chance, 8))
		arg->commit = pages(&t->chance);
}

static void fill_extend(struct fuzz_thread *t, void *argument)
{
	struct vmsect_extend *arg = argument;

	arg->size_bytes = pages(&t->chance);
}

static void fill_notify(struct fuzz_thread *t, void *argument)
{
	struct vmsect_notify *arg = argument;

	arg->value = chance_next(&t->chance);
	arg->peer = chance_below(&t->chance, 3);
}

static void fill_events(struct fuzz_thread *t, void *argument)
{
	struct vmsect_events_request *arg = argument;

	arg->mask = (uint32_t)chance_next(&t->chance) & (chance_below(&t->chance, 4) ? 0x3ff : ~0u);
}

static void fill_duplicate(struct fuzz_thread *t, void *argument)
{
	struct vmsect_duplicate *arg = argument;

	arg->access = chance_below(&t->chance, 0x90);
}

static void fill_range(struct fuzz_thread *t, void *argument)
{
	struct vmsect_range *arg = argument;

	arg->offset = pages(&t->chance);
	arg->length = pages(&t->chance);
}

static void fill_protect(struct fuzz_thread *t, void *argument)
{
	struct vmsect_protect *arg = argument;

	arg->offset = pages(&t->chance);
	arg->length = pages(&t->chance);
	arg->protection = protection(&t->chance);
}

static void fill_page_run(struct fuzz_thread *t, void *argument)
{
	struct vmsect_page_run *arg = argument;

	arg->offset = pages(&t->chance);
}

static void fill_diff(struct fuzz_thread *t, void *argument)
{
	struct vmsect_diff *arg = argument;

	arg->after = pages(&t->chance);
	arg->ranges = chance_below(&t->chance, 4) ? (uintptr_t)t->ranges : fuzz_number(&t->chance);
	arg->count = chance_below(&t->chance, 33);
}

static void fill_publish(struct fuzz_thread *t, void *argument)
{
	struct vmsect_publish *arg = argument;

	arg->section_fd = fuzz_fd_any(&t->chance);
}

static void fill_flush(struct fuzz_thread *t, void *argument)
{
	struct vmsect_flush *arg = argument;

	arg->offset = pages(&t->chance);
	arg->length = pages(&t->chance);
	arg->flags = chance_below(&t->chance, 3);
}

const struct fuzz_command fuzz_commands[] = {
	{ "INFO", VMSECT_IOC_INFO, false, fill_nothing },
	{ "LIST", VMSECT_IOC_LIST, false, fill_list },
	{ "OPEN", VMSECT_IOC_OPEN, true, fill_open },
	{ "CREATE", VMSECT_IOC_CREATE, true, fill_create },
	{ "QUERY", VMSECT_IOC_QUERY, false, fill_nothing },
	{ "RESET", VMSECT_IOC_RESET, false, fill_range },
	{ "VIEW", VMSECT_IOC_VIEW, true, fill_view },
	{ "EXTEND", VMSECT_IOC_EXTEND, false, fill_extend },
	{ "NOTIFY", VMSECT_IOC_NOTIFY, false, fill_notify },
	{ "EVENTS", VMSECT_IOC_EVENTS, true, fill_events },
	{ "DUPLICATE", VMSECT_IOC_DUPLICATE, true, fill_duplicate },
	{ "PROTECT", VMSECT_IOC_PROTECT, false, fill_protect },
	{ "COMMIT", VMSECT_IOC_COMMIT, false, fill_protect },
	{ "QUERY_PAGES", VMSECT_IOC_QUERY_PAGES, false, fill_page_run },
	{ "DIFF", VMSECT_IOC_DIFF, false, fill_diff },
	{ "PUBLISH", VMSECT_IOC_PUBLISH, false, fill_publish },
	{ "QUERY_VIEW", VMSECT_IOC_QUERY_VIEW, false, fill_nothing },
	{ "FLUSH", VMSECT_IOC_FLUSH, false, fill_flush },
};
const size_t fuzz_command_count = sizeof(fuzz_commands) / sizeof(fuzz_commands[0]);

void fuzz_argument_init(void)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS;

	readonly = mmap(NULL, PAGE, PROT_READ, flags, -1, 0);
	before_end = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);
	mprotect(before_end + PAGE, PAGE, PROT_NONE);
}

static void fill(struct fuzz_thread *t, const struct fuzz_command *command, void *argument)
{
	uint32_t words = FUZZ_ARGUMENT_MAX / sizeof(uint32_t), i;
	uint32_t garbage = chance_below(&t->chance, 8);
	uint32_t *word = argument;

	memset(argument, 0, FUZZ_ARGUMENT_MAX);
	if (garbage > 1) {
		command->fill(t, argument);
		return;
	}
	for (i = 0; garbage == 0 && i < words; i++)
		word[i] = (uint32_t)chance_next(&t->chance);
	if (garbage == 1) {
		command->fill(t, argument);
		words = _IOC_SIZE(command->number) / sizeof(uint32_t);
		word[chance_below(&t->chance, words)] = (uint32_t)fuzz_number(&t->chance);
	}
}

/* Memory of the driver as the argument of the driver: copying it faults in there. */
static void *in_mapping(struct fuzz_thread *t)
{
	const struct fuzz_map *map = fuzz_map_any(t);

	return map ? map->addr + chance_below(&t->chance, 2) * (PAGE - 8) : NULL;
}

void *fuzz_argument(struct fuzz_thread *t, const struct fuzz_command *command)
{
	fill(t, command, t->argument);
	switch (chance_below(&t->chance, 24)) {
	case 0:
		return NULL;
	case 1:
		return (void *)(uintptr_t)(UINTPTR_MAX / 2 + 1 + 0x1000);
	case 2:
		return readonly;
	case 3:
		return before_end + PAGE - 1 - chance_below(&t->chance, 64);
	case 4:
	case 5:
		memcpy(raced, t->argument, sizeof(raced));
		return raced;
	case 6:
		return in_mapping(t);
	default:
		return t->argument;
	}
}
