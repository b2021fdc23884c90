/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A random walk: several clients do what comes to mind with sections, and a
 * small model says what must come of it.  After each step one view is read,
 * every byte of it; now and then all are, and the broker is killed and replaced.
 *
 * VMSECT_SEED repeats a walk, VMSECT_STEPS says how long it is.
 */
#include "lib/client_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "lib/model.h"

#define ACTORS 3
#define STEPS 100000u
#define WALK_SECONDS 600
#define RESTART_EVERY 5000u
#define LOOK_AT_ALL_EVERY 256u

struct walk {
	struct box *box;
	struct model model;
	struct vmsect_client *clients[ACTORS];
	struct vmsect_section *handles[MODEL_HANDLES];
	struct vmsect_view *views[MODEL_VIEWS];
	uint64_t random;
	unsigned int step;
	unsigned int files; /* made so far */
	uint64_t counts[2]; /* steps that succeeded, and that were refused */
};

/* xorshift64*: good enough, and the same everywhere. */
static uint32_t pick(struct walk *walk, uint32_t below)
{
	walk->random ^= walk->random >> 12;
	walk->random ^= walk->random << 25;
	walk->random ^= walk->random >> 27;
	return (uint32_t)((walk->random * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % below;
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

/* A slot of handles (or views) that is in use, or free; -1: none found. */
static int pick_handle(struct walk *walk, bool used)
{
	int tries;

	for (tries = 0; tries < 2 * MODEL_HANDLES; tries++) {
		int slot = (int)pick(walk, MODEL_HANDLES);

		if ((walk->handles[slot] != NULL) == used)
			return slot;
	}
	return -1;
}

static int pick_view(struct walk *walk, bool used)
{
	int tries;

	for (tries = 0; tries < 2 * MODEL_VIEWS; tries++) {
		int slot = (int)pick(walk, MODEL_VIEWS);

		if ((walk->views[slot] != NULL) == used)
			return slot;
	}
	return -1;
}

/* What the model knows of a page, for who looks for the mistake. */
static const char *describe(const struct walk *walk, int slot, unsigned int page)
{
	const struct model_view *view = &walk->model.views[slot];
	const struct model_section *section = view->section;
	static char text[128];

	(void)snprintf(text, sizeof(text), "view %d page %u: %s%s%s, mapped %d, now %d%s%s", slot,
		       page, section->is_file ? "file" : "memory", section->sealed ? " sealed" : "",
		       section->committed[view->first + page] ? "" : " not committed", view->bound,
		       view->protection[page], view->grows ? ", grows" : "",
		       view->copy[page] ? ", private" : "");
	return text;
}

/* The library and the model say the same. */
static void agree(struct walk *walk, const char *what, int got, int expected)
{
	int i;

	walk->counts[got < 0]++;
	for (i = 0; got != expected && i < ACTORS; i++)
		print_error("actor %d: %s\n", i, vmsect_client_error(walk->clients[i]));
	if (got != expected)
		fail_msg("step %u: %s answered %d (%s), the model says %d (%s)", walk->step, what,
			 got, strerror(abs(got)), expected, strerror(abs(expected)));
}

static void name_text(int name, char *text, size_t room)
{
	(void)snprintf(text, room, "walk-%d", name);
}

static uint32_t pick_access(struct walk *walk)
{
	static const uint32_t masks[] = {
		VMSECT_ACCESS_READ,
		VMSECT_ACCESS_WRITE,
		VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE,
		VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE | VMSECT_ACCESS_EXTEND,
		VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE | VMSECT_ACCESS_GRANT,
		VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ,
	};

	return masks[pick(walk, ARRAY_SIZE(masks))];
}

static enum vmsect_protection pick_protection(struct walk *walk)
{
	return (enum vmsect_protection)(VMSECT_PROT_NOACCESS + pick(walk, 4));
}

static void step_create(struct walk *walk)
{
	int slot = pick_handle(walk, false), actor = (int)pick(walk, ACTORS);
	struct model_create create = {
		.name = pick(walk, 4) ? (int)pick(walk, MODEL_NAMES) : -1,
		.is_file = pick(walk, 3) == 0,
		.protection = pick(walk, 4) ? VMSECT_PROT_READWRITE : VMSECT_PROT_READONLY,
		.pages = 1 + pick(walk, MODEL_PAGES),
		.access = pick_access(walk) | VMSECT_ACCESS_READ,
	};
	char name[16], path[16];
	struct vmsect_create_options options = { .size = sizeof(options) };
	int r;

	if (slot < 0)
		return;
	create.open_if = create.name >= 0 && pick(walk, 2);
	create.reserve = !create.is_file && pick(walk, 3) == 0;
	create.sealable = !create.is_file && pick(walk, 2);
	if (!create.is_file && pick(walk, 2))
		create.max = create.pages + pick(walk, MODEL_PAGES + 1 - create.pages);
	if (create.max == create.pages)
		create.max = 0;
	name_text(create.name, name, sizeof(name));
	options.name = create.name >= 0 ? name : NULL;
	options.backing = create.is_file ? VMSECT_BACKING_FILE : VMSECT_BACKING_SHMEM;
	options.protection = create.protection;
	options.size_bytes = (uint64_t)create.pages * MODEL_PAGE;
	options.max_bytes = (uint64_t)create.max * MODEL_PAGE;
	options.flags = (create.open_if ? VMSECT_CREATE_OPEN_IF : 0) |
			(create.reserve ? VMSECT_CREATE_RESERVE : 0) |
			(create.sealable ? VMSECT_CREATE_SEALABLE : 0);
	options.access = create.access;
	if (create.is_file) {
		(void)snprintf(path, sizeof(path), "f%u", walk->files++);
		close(open(box_path(walk->box, path), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
		assert_int_equal(truncate(box_path(walk->box, path), (off_t)options.size_bytes), 0);
		options.path = box_path(walk->box, path);
	}
	r = vmsect_section_create(walk->clients[actor], &options, &walk->handles[slot]);
	agree(walk, "create", r < 0 ? r : 0, model_create(&walk->model, actor, &create, slot));
	if (create.is_file)
		(void)unlink(options.path);
}

static void step_open(struct walk *walk)
{
	int slot = pick_handle(walk, false), actor = (int)pick(walk, ACTORS);
	int name = (int)pick(walk, MODEL_NAMES);
	uint32_t access = pick_access(walk);
	char text[16];

	if (slot < 0)
		return;
	name_text(name, text, sizeof(text));
	agree(walk, "open",
	      vmsect_section_open(walk->clients[actor], text, access, &walk->handles[slot]),
	      model_open(&walk->model, actor, name, access, slot));
}

static void step_duplicate(struct walk *walk)
{
	int from = pick_handle(walk, true), slot = pick_handle(walk, false);
	uint32_t access = pick_access(walk);

	if (from < 0 || slot < 0)
		return;
	agree(walk, "duplicate",
	      vmsect_section_duplicate(walk->handles[from], access, &walk->handles[slot]),
	      model_duplicate(&walk->model, from, access, slot));
}

static void step_close(struct walk *walk)
{
	int slot = pick_handle(walk, true);

	if (slot < 0)
		return;
	walk->handles[slot] = vmsect_section_close(walk->handles[slot]);
	model_close(&walk->model, slot);
}

static void step_remove(struct walk *walk)
{
	int name = (int)pick(walk, MODEL_NAMES);
	char text[16];

	name_text(name, text, sizeof(text));
	agree(walk, "remove", vmsect_section_remove(walk->clients[pick(walk, ACTORS)], text),
	      model_remove(&walk->model, name));
}

/* Other clients' views grow when these hear of it. */
static void wait_for_growth(struct walk *walk)
{
	int i;

	for (i = 0; i < MODEL_VIEWS; i++) {
		const struct model_view *view = &walk->model.views[i];

		while (walk->views[i] &&
		       vmsect_view_length(walk->views[i]) < (uint64_t)view->pages * MODEL_PAGE) {
			struct vmsect_client *client = walk->clients[view->actor];
			struct pollfd ready = { .fd = vmsect_client_fd(client), .events = POLLIN };
			struct vmsect_event event;

			if (vmsect_client_next_event(client, &event) == 0)
				assert_int_not_equal(poll(&ready, 1, 10000), 0);
		}
	}
}

static void step_extend(struct walk *walk)
{
	int slot = pick_handle(walk, true);
	unsigned int pages = 1 + pick(walk, MODEL_PAGES);
	uint64_t bytes;

	if (slot < 0)
		return;
	agree(walk, "extend",
	      vmsect_section_extend(walk->handles[slot], (uint64_t)pages * MODEL_PAGE, &bytes),
	      model_extend(&walk->model, slot, pages));
	wait_for_growth(walk);
}

static void step_seal(struct walk *walk)
{
	int slot = pick_handle(walk, true);

	if (slot < 0 || pick(walk, 4))
		return;
	agree(walk, "seal", vmsect_section_seal(walk->handles[slot]),
	      model_seal(&walk->model, slot));
}

static void step_map(struct walk *walk)
{
	int handle = pick_handle(walk, true), slot = pick_view(walk, false);
	struct model_map map = {
		.protection = pick_protection(walk),
		.first = pick(walk, MODEL_PAGES),
		.pages = pick(walk, MODEL_PAGES),
	};
	struct vmsect_map_options options = { .size = sizeof(options) };

	if (handle < 0 || slot < 0)
		return;
	if (pick(walk, 2) == 0)
		map.first = 0;
	map.grows = pick(walk, 3) == 0 && map.first + map.pages <= MODEL_PAGES;
	options.protection = map.protection;
	options.offset = (uint64_t)map.first * MODEL_PAGE;
	options.length = (uint64_t)map.pages * MODEL_PAGE;
	options.room = map.grows ? (uint64_t)(MODEL_PAGES - map.first) * MODEL_PAGE : 0;
	options.flags = map.grows ? VMSECT_VIEW_GROWABLE : 0;
	agree(walk, "map", vmsect_view_map(walk->handles[handle], &options, &walk->views[slot]),
	      model_map(&walk->model, handle, &map, slot));
}

static void step_unmap(struct walk *walk)
{
	int slot = pick_view(walk, true);

	if (slot < 0)
		return;
	walk->views[slot] = vmsect_view_unmap(walk->views[slot]);
	model_unmap(&walk->model, slot);
}

/* Some pages of a view. */
static void pick_range(struct walk *walk, int slot, unsigned int *first, unsigned int *pages)
{
	unsigned int all = walk->model.views[slot].pages;

	*first = pick(walk, all);
	*pages = 1 + pick(walk, all - *first);
}

static void step_protect(struct walk *walk)
{
	int slot = pick_view(walk, true);
	enum vmsect_protection protection = pick_protection(walk);
	unsigned int first, pages;

	if (slot < 0)
		return;
	pick_range(walk, slot, &first, &pages);
	agree(walk, "protect",
	      vmsect_view_protect(walk->views[slot], first * MODEL_PAGE, pages * MODEL_PAGE,
				  protection, NULL),
	      model_protect(&walk->model, slot, first, pages, protection));
}

static void step_commit(struct walk *walk)
{
	int slot = pick_view(walk, true);
	unsigned int first, pages;

	if (slot < 0)
		return;
	pick_range(walk, slot, &first, &pages);
	agree(walk, "commit",
	      vmsect_view_commit(walk->views[slot], first * MODEL_PAGE, pages * MODEL_PAGE, 0),
	      model_commit(&walk->model, slot, first, pages));
}

static void step_reset(struct walk *walk)
{
	int slot = pick_view(walk, true);
	unsigned int first, pages;

	if (slot < 0)
		return;
	pick_range(walk, slot, &first, &pages);
	agree(walk, "reset",
	      vmsect_view_reset(walk->views[slot], first * MODEL_PAGE, pages * MODEL_PAGE), 0);
	model_reset(&walk->model, slot, first, pages);
}

static void check_diff(struct walk *walk, int slot)
{
	const struct model_view *view = &walk->model.views[slot];
	bool private[MODEL_PAGES] = { false };
	struct vmsect_range *list = NULL;
	size_t count = 0, i;
	unsigned int page;

	agree(walk, "diff", vmsect_view_diff(walk->views[slot], &list, &count), 0);
	for (i = 0; i < count; i++) {
		for (page = 0; page < list[i].length / MODEL_PAGE; page++)
		private[list[i].offset / MODEL_PAGE + page] = true;
	}
	for (page = 0; page < view->pages; page++) {
		if (private[page] != (view->copy[page] != NULL))
			fail_msg("step %u: page %u of view %d is %sprivate", walk->step, page, slot,
				 private[page] ? "" : "not ");
	}
	free(list);
}

static void step_publish(struct walk *walk)
{
	int view = pick_view(walk, true), handle = pick_handle(walk, true);

	if (view < 0 || handle < 0)
		return;
	check_diff(walk, view);
	if (walk->model.views[view].section != walk->model.handles[handle].section ||
	    walk->model.views[view].actor != walk->model.handles[handle].actor)
		return;
	agree(walk, "publish", vmsect_view_publish(walk->views[view], walk->handles[handle]),
	      model_publish(&walk->model, view, handle));
}

static void step_flush(struct walk *walk)
{
	int slot = pick_view(walk, true);

	if (slot >= 0)
		agree(walk, "flush",
		      vmsect_view_flush(walk->views[slot], 0, 0,
					pick(walk, 8) ? 0 : VMSECT_FLUSH_TO_DISK, NULL),
		      0);
}

/* The kernel's own answer to an access, without a signal. */
static bool touch(struct vmsect_view *view, uint64_t offset, const struct iovec *local,
		  bool is_write)
{
	char *address = (char *)vmsect_view_address(view) + offset;
	struct iovec remote = { address, local->iov_len };
	ssize_t done = is_write ? process_vm_writev(getpid(), local, 1, &remote, 1, 0)
				: process_vm_readv(getpid(), local, 1, &remote, 1, 0);

	return done == (ssize_t)local->iov_len;
}

static void step_write(struct walk *walk)
{
	int slot = pick_view(walk, true);
	unsigned int page, offset;
	unsigned char *to;
	uint64_t value;
	const struct iovec local = { &value, sizeof(value) };
	bool done;

	if (slot < 0)
		return;
	page = pick(walk, walk->model.views[slot].pages);
	offset = pick(walk, MODEL_PAGE / 8) * 8;
	value = ((uint64_t)walk->step << 32) | pick(walk, UINT32_MAX);
	done = touch(walk->views[slot], page * MODEL_PAGE + offset, &local, true);
	to = model_page_to_write(&walk->model, slot, page);
	agree(walk, describe(walk, slot, page), done ? 0 : -EFAULT, to ? 0 : -EFAULT);
	if (to)
		memcpy(to + offset, &value, sizeof(value));
}

static void check_view(struct walk *walk, int slot)
{
	unsigned char bytes[MODEL_PAGE];
	const struct iovec local = { bytes, sizeof(bytes) };
	unsigned int page;

	for (page = 0; page < walk->model.views[slot].pages; page++) {
		const unsigned char *expected = model_page(&walk->model, slot, page);
		bool done = touch(walk->views[slot], page * MODEL_PAGE, &local, false);

		if (done != (expected != NULL))
			fail_msg("step %u: can%s be read: %s", walk->step, done ? "" : "not",
				 describe(walk, slot, page));
		if (expected && memcmp(bytes, expected, sizeof(bytes)) != 0)
			fail_msg("step %u: other bytes: %s", walk->step,
				 describe(walk, slot, page));
	}
}

static void check_all(struct walk *walk)
{
	int i;

	for (i = 0; i < MODEL_VIEWS; i++) {
		if (walk->views[i])
			check_view(walk, i);
	}
}

static void take_events(struct walk *walk)
{
	struct vmsect_event event;
	int i;

	for (i = 0; i < ACTORS; i++) {
		while (vmsect_client_next_event(walk->clients[i], &event) == 1)
			continue;
	}
}

/* All clients come back: each may have the memory that another one needs. */
static void restart_broker(struct walk *walk)
{
	struct vmsect_event event;
	int i;

	broker_fixture_kill(&walk->box->broker);
	broker_fixture_start(&walk->box->broker, NULL);
	for (i = 0; i < ACTORS; i++) {
		event = box_wait_event_of(walk->clients[i], VMSECT_EVENT_RECONNECTED);
		assert_int_equal(event.status, 0);
	}
}

static void (*const steps[])(struct walk *walk) = {
	step_create,  step_create, step_open,	 step_duplicate, step_close,  step_close,
	step_remove,  step_extend, step_seal,	 step_map,	 step_map,    step_map,
	step_unmap,   step_unmap,  step_protect, step_protect,	 step_commit, step_reset,
	step_publish, step_flush,  step_write,	 step_write,	 step_write,  step_write,
};

static void walk_step(struct walk *walk)
{
	int slot;

	steps[pick(walk, ARRAY_SIZE(steps))](walk);
	slot = pick_view(walk, true);
	if (slot >= 0)
		check_view(walk, slot);
	if (walk->step % LOOK_AT_ALL_EVERY == 0) {
		take_events(walk);
		check_all(walk);
	}
	if (walk->step % RESTART_EVERY == RESTART_EVERY - 1)
		restart_broker(walk);
}

static void walk_end(struct walk *walk)
{
	int i;

	check_all(walk);
	for (i = 0; i < MODEL_VIEWS; i++) {
		if (walk->views[i])
			model_unmap(&walk->model, i);
		walk->views[i] = vmsect_view_unmap(walk->views[i]);
	}
	for (i = 0; i < MODEL_HANDLES; i++)
		walk->handles[i] = vmsect_section_close(walk->handles[i]);
}

/* With nothing open no section is left: nothing leaks in the broker. */
static void expect_nothing(struct walk *walk)
{
	struct vmsect_section_info *list = NULL;
	size_t count = 1;

	assert_int_equal(vmsect_list_sections(walk->clients[0], NULL, &list, &count), 0);
	free(list);
	assert_int_equal(count, 0);
}

static void random_walk(void **state)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	uint64_t seed = number_of("VMSECT_SEED", (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32);
	unsigned int count = (unsigned int)number_of("VMSECT_STEPS", STEPS);
	int i;

	assert_non_null(walk);
	alarm(WALK_SECONDS);
	print_message("# VMSECT_SEED=%llu\n", (unsigned long long)seed);
	walk->box = *state;
	walk->random = seed | 1;
	for (i = 0; i < ACTORS; i++)
		walk->clients[i] = box_connect(walk->box, "walker");
	for (walk->step = 1; walk->step <= count; walk->step++)
		walk_step(walk);
	walk_end(walk);
	expect_nothing(walk);
	print_message("# %llu steps succeeded, %llu were refused\n",
		      (unsigned long long)walk->counts[0], (unsigned long long)walk->counts[1]);
	for (i = 0; i < ACTORS; i++)
		walk->clients[i] = vmsect_client_free(walk->clients[i]);
	free(walk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(random_walk, box_setup, box_teardown),
	};

	return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
