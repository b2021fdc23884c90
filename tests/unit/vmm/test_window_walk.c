/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A random walk of protect, grow, reset, truncate, restore and revoke on one
 * view, against a model of each of its pages: what the guest reads, what its
 * writes do, and which slots there are; without a VM and, where there is
 * /dev/kvm, in one without vCPUs.  VMSECT_SEED repeats a run.
 */
#include <errno.h>
#include <string.h>

#include "kvm/vm.h"
#include "mem/window_impl.h"
#include "unit/vmm/window_bed.h"

#define TIME_LIMIT_S 120
#define STEPS 6000
#define LIVES 12
#define PAGES_MAX 160

struct page {
	enum window_mode mode;
	bool is_private, is_lost;
	uint64_t word; /* of the private page or of the tombstone */
};

struct walk {
	struct bed *bed;
	struct vm *vm; /* NULL: none */
	unsigned int seed;
	uint64_t place, pages;
	enum window_mode mode; /* at map time, and of what grows */
	struct page page[PAGES_MAX];
	uint64_t file[PAGES_MAX]; /* the first word of each page */
	uint64_t file_pages;
};

static uint64_t pick(struct walk *walk, uint64_t limit)
{
	return (uint64_t)rand_r(&walk->seed) % limit;
}

static struct window_range pick_range(struct walk *walk)
{
	uint64_t first = pick(walk, walk->pages);
	uint64_t pages = 1 + pick(walk, pick(walk, 4) ? 4 : walk->pages);

	if (pages > walk->pages - first)
		pages = walk->pages - first;
	return (struct window_range){ first * PAGE, pages * PAGE };
}

static void walk_map(struct walk *walk)
{
	walk->pages = 1 + pick(walk, PAGES_MAX / 2);
	walk->mode = (enum window_mode)pick(walk, 4);
	walk->place = roomy_view(walk->bed, walk->pages * PAGE, PAGES_MAX * PAGE, walk->mode);
	memset(walk->page, 0, sizeof(walk->page));
	for (uint64_t i = 0; i < walk->pages; i++)
		walk->page[i].mode = walk->mode;
}

static void step_protect(struct walk *walk)
{
	const struct window_range range = pick_range(walk);
	enum window_mode mode = (enum window_mode)pick(walk, 4);

	assert_int_equal(
		window_protect(walk->bed->window, walk->place, &range, mode, pick(walk, 2)), 0);
	for (uint64_t i = 0; i < range.bytes / PAGE; i++)
		walk->page[range.offset / PAGE + i].mode = mode;
}

static void step_grow(struct walk *walk)
{
	uint64_t pages = walk->pages + pick(walk, 3);

	if (pages > PAGES_MAX)
		pages = PAGES_MAX;
	assert_int_equal(window_grow(walk->bed->window, walk->place, pages * PAGE), 0);
	for (; walk->pages < pages; walk->pages++)
		walk->page[walk->pages] = (struct page){ .mode = walk->mode };
}

static void step_reset(struct walk *walk)
{
	const struct window_range range = pick_range(walk);

	assert_int_equal(window_reset(walk->bed->window, walk->place, &range), 0);
	for (uint64_t i = 0; i < range.bytes / PAGE; i++)
		walk->page[range.offset / PAGE + i].is_private = false;
}

/* The kernel takes private pages beyond the end away as well. */
static void step_truncate(struct walk *walk)
{
	uint64_t pages = PAGES_MAX - pick(walk, 40);

	if (pages > walk->file_pages)
		return;
	assert_int_equal(ftruncate(walk->bed->fd, (off_t)(pages * PAGE)), 0);
	walk->file_pages = pages;
	for (uint64_t i = pages; i < PAGES_MAX; i++) {
		walk->file[i] = 0;
		walk->page[i].is_private = false;
	}
	(void)window_sweep_sizes(walk->bed->window);
	for (uint64_t i = pages; i < walk->pages; i++)
		if (walk->page[i].mode != WINDOW_NOACCESS && !walk->page[i].is_lost) {
			walk->page[i].is_lost = true;
			walk->page[i].word = 0;
		}
}

static void step_enlarge(struct walk *walk)
{
	assert_int_equal(ftruncate(walk->bed->fd, (off_t)(PAGES_MAX * PAGE)), 0);
	walk->file_pages = PAGES_MAX;
}

static void step_restore(struct walk *walk)
{
	const struct window_range range = pick_range(walk);
	int64_t lost = 0;

	for (uint64_t i = 0; i < range.bytes / PAGE; i++) {
		uint64_t at = range.offset / PAGE + i;

		lost += walk->page[at].is_lost && at >= walk->file_pages;
		walk->page[at].is_lost = walk->page[at].is_lost && at >= walk->file_pages;
	}
	assert_int_equal(window_restore(walk->bed->window, walk->place, &range), lost);
}

static uint64_t model_word(const struct walk *walk, uint64_t at)
{
	const struct page *page = &walk->page[at];

	return page->is_lost || page->is_private ? page->word : walk->file[at];
}

static void model_write(struct walk *walk, uint64_t at, uint64_t word)
{
	struct page *page = &walk->page[at];

	if (page->mode == WINDOW_WRITECOPY && !page->is_lost)
		page->is_private = true;
	if (page->is_lost || page->is_private)
		page->word = word;
	else
		walk->file[at] = word;
}

/* Beyond the end of the file an access finds the page lost, with all behind it. */
static void model_touch(struct walk *walk, uint64_t at)
{
	if (at < walk->file_pages || walk->page[at].is_lost)
		return;
	for (uint64_t i = walk->file_pages; i < walk->pages; i++)
		if (walk->page[i].mode != WINDOW_NOACCESS && !walk->page[i].is_lost) {
			walk->page[i].is_lost = true;
			walk->page[i].word = 0;
		}
}

static void check_page(struct walk *walk, uint64_t at)
{
	uint64_t value = 0, word = (uint64_t)rand_r(&walk->seed) << 20 | at;
	enum window_mode mode = walk->page[at].mode;
	bool is_there = at < walk->file_pages || walk->page[at].is_lost;
	enum window_fault done = is_there ? WINDOW_FAULT_RACE : WINDOW_FAULT_LOST;

	if (mode == WINDOW_NOACCESS) {
		check_hole(walk->bed, walk->place + at * PAGE);
		return;
	}
	assert_int_equal(guest_read(walk->bed, walk->place + at * PAGE, &value), done);
	model_touch(walk, at);
	assert_int_equal(value, model_word(walk, at));
	if (mode == WINDOW_READONLY) {
		assert_int_equal(guest_write(walk->bed, walk->place + at * PAGE, word),
				 WINDOW_FAULT_DENIED);
		return;
	}
	assert_int_equal(guest_write(walk->bed, walk->place + at * PAGE, word), WINDOW_FAULT_RACE);
	model_write(walk, at, word);
	if (at < walk->file_pages)
		assert_int_equal(file_word(walk->bed, at * PAGE), walk->file[at]);
}

static void check_query(struct walk *walk, uint64_t at)
{
	const struct page *page = &walk->page[at];
	struct window_pages pages;

	assert_int_equal(window_query(walk->bed->window, walk->place, at * PAGE, &pages), 0);
	assert_int_equal(pages.offset, at * PAGE);
	assert_int_equal(pages.mode, page->mode);
	assert_int_equal(pages.is_lost, page->is_lost);
	if (!page->is_lost)
		assert_int_equal(pages.is_private, page->is_private);
	for (uint64_t i = at; i < at + pages.bytes / PAGE; i++) {
		assert_int_equal(walk->page[i].mode, page->mode);
		assert_int_equal(walk->page[i].is_lost, page->is_lost);
	}
}

/* Slots have the pages' modes, all of them, and the VM has those and no others. */
static void check_slots(struct walk *walk)
{
	const struct window_slots *slots = &window_view_at(walk->bed->window, walk->place)->slots;
	static const enum window_mode modes[] = {
		[MAPPING_READ] = WINDOW_READONLY,
		[MAPPING_WRITE] = WINDOW_READWRITE,
		[MAPPING_COPY] = WINDOW_WRITECOPY,
	};
	uint64_t at = 0;
	uint32_t used = 0;

	for (size_t i = 0; i < slots->count; i++) {
		const struct window_slot *slot = &slots->slots[i];

		for (; at < slot->offset / PAGE; at++)
			assert_int_equal(walk->page[at].mode, WINDOW_NOACCESS);
		assert_int_equal(slot->is_live, walk->vm != NULL);
		for (; at < (slot->offset + slot->bytes) / PAGE; at++)
			assert_int_equal(walk->page[at].mode, modes[slot->mode]);
	}
	for (; at < walk->pages; at++)
		assert_int_equal(walk->page[at].mode, WINDOW_NOACCESS);
	for (uint32_t i = 0; walk->vm && i < walk->vm->max_slots; i++)
		used += (uint32_t)(walk->vm->slot_used[i / 64] >> i % 64 & 1);
	assert_int_equal(used, walk->vm ? slots->count : 0);
}

static void check_private(struct walk *walk)
{
	int64_t pages = 0;

	for (uint64_t i = 0; i < walk->pages; i++)
		pages += walk->page[i].is_private && !walk->page[i].is_lost;
	assert_int_equal(window_private_pages(walk->bed->window, walk->place), pages);
}

static void walk_step(struct walk *walk)
{
	static void (*const steps[])(struct walk * walk) = {
		step_protect, step_protect, step_protect,  step_protect, step_protect, step_grow,
		step_reset,   step_restore, step_truncate, step_enlarge, step_restore,
	};

	steps[pick(walk, ARRAY_SIZE(steps))](walk);
	for (int i = 0; i < 4; i++)
		check_page(walk, pick(walk, walk->pages));
	check_query(walk, pick(walk, walk->pages));
	check_slots(walk);
	if (pick(walk, 8) == 0)
		check_private(walk);
}

static void walk_end(struct walk *walk)
{
	if (pick(walk, 2)) {
		assert_int_equal(window_revoke(walk->bed->window, walk->place), 0);
		check_hole(walk->bed, walk->place + pick(walk, walk->pages) * PAGE);
	}
	window_unmap(walk->bed->window, walk->place);
	check_hole(walk->bed, walk->place);
}

static void walk_all(struct walk *walk)
{
	for (uint64_t i = 0; i < PAGES_MAX; i++)
		walk->file[i] = file_word(walk->bed, i * PAGE);
	assert_int_equal(ftruncate(walk->bed->fd, (off_t)(PAGES_MAX * PAGE)), 0);
	walk->file_pages = PAGES_MAX;
	for (int life = 0; life < LIVES; life++) {
		walk_map(walk);
		for (int step = 0; step < STEPS / LIVES; step++)
			walk_step(walk);
		walk_end(walk);
	}
}

static void test_walk(void **state)
{
	struct walk walk = { .bed = *state, .seed = seed_of_run() };

	walk_all(&walk);
}

static void test_walk_in_a_vm(void **state)
{
	struct bed *bed = *state;
	struct vm vm;
	struct walk walk = { .bed = bed, .vm = &vm, .seed = seed_of_run() };

	if (access("/dev/kvm", R_OK | W_OK) < 0)
		skip();
	assert_int_equal(vm_init(&vm), 0);
	assert_null(window_free(bed->window));
	assert_int_equal(window_new(&vm, WINDOW_BYTES, &bed->window), 0);
	assert_int_equal(window_set_base(bed->window, BASE), 0);
	walk_all(&walk);
	assert_null(window_free(bed->window));
	vm_deinit(&vm);
	assert_int_equal(window_new(NULL, WINDOW_BYTES, &bed->window), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_walk, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_walk_in_a_vm, window_setup, window_teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
