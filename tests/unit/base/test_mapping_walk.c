/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random walks: a mapping and a model of its pages do the same steps and must
 * always show the same bytes.  VMSECT_SEED repeats a run.
 */
#include "unit/base/mapping_bed.h"

#include <time.h>

#define PAGES_MAX 64u
#define TIME_LIMIT_S 120

struct model_page {
	enum mapping_mode mode;
	bool is_private, is_lost, is_there;
	unsigned char own; /* what the private or the lost page has */
	unsigned char file;
};

struct walk {
	struct bed bed;
	struct model_page pages[PAGES_MAX];
	uint64_t count; /* of the view */
	uint64_t room;
	uint64_t random;
};

static uint64_t roll(struct walk *walk, uint64_t below)
{
	walk->random ^= walk->random << 13;
	walk->random ^= walk->random >> 7;
	walk->random ^= walk->random << 17;
	return below ? walk->random % below : 0;
}

static int model_read(const struct model_page *page)
{
	if (page->mode == MAPPING_NONE)
		return -EFAULT;
	if (page->is_private || page->is_lost)
		return page->own;
	return page->is_there ? page->file : -EFAULT;
}

static int model_write(struct model_page *page, unsigned char byte)
{
	if (page->mode == MAPPING_NONE || page->mode == MAPPING_READ)
		return -EFAULT;
	if (page->is_private || page->is_lost) {
		page->own = byte;
		return 0;
	}
	if (!page->is_there)
		return -EFAULT;
	if (page->mode == MAPPING_WRITE) {
		page->file = byte;
		return 0;
	}
	page->is_private = true;
	page->own = byte;
	return 0;
}

static void step_write(struct walk *walk, uint64_t at, uint64_t pages)
{
	for (uint64_t i = at; i < at + pages && i < at + 3; i++) {
		unsigned char byte = (unsigned char)roll(walk, 256);

		assert_int_equal(bed_write(&walk->bed, i, byte),
				 model_write(&walk->pages[i], byte));
	}
}

static void step_protect(struct walk *walk, uint64_t at, uint64_t pages)
{
	enum mapping_mode mode = (enum mapping_mode)roll(walk, 4);

	assert_int_equal(bed_protect(&walk->bed, at, pages, mode), 0);
	for (uint64_t i = at; i < at + pages; i++)
		walk->pages[i].mode = mode;
}

static void step_reset(struct walk *walk, uint64_t at, uint64_t pages)
{
	uint64_t page = walk->bed.page;

	assert_int_equal(mapping_reset(&walk->bed.mapping, at * page, pages * page), 0);
	for (uint64_t i = at; i < at + pages; i++)
		walk->pages[i].is_private = false;
}

static void step_bury(struct walk *walk, uint64_t at, uint64_t pages)
{
	uint64_t page = walk->bed.page;

	assert_int_equal(mapping_bury(&walk->bed.mapping, at * page, pages * page), 0);
	for (uint64_t i = at; i < at + pages; i++) {
		if (!walk->pages[i].is_lost)
			walk->pages[i].own = 0;
		walk->pages[i].is_lost = true;
		walk->pages[i].is_private = false;
	}
}

static void step_restore(struct walk *walk, uint64_t at, uint64_t pages)
{
	uint64_t page = walk->bed.page, lost = 0, ret_lost = POISON;

	assert_int_equal(mapping_restore(&walk->bed.mapping, at * page, pages * page, &ret_lost),
			 0);
	for (uint64_t i = at; i < at + pages; i++) {
		if (walk->pages[i].is_there)
			walk->pages[i].is_lost = false;
		lost += walk->pages[i].is_lost;
	}
	assert_int_equal(ret_lost, lost);
}

/* Another writer of the file: through a mapping of its own. */
static void step_other(struct walk *walk, uint64_t at, uint64_t pages)
{
	unsigned char byte = (unsigned char)roll(walk, 256);

	(void)pages;
	if (!walk->pages[at].is_there)
		return;
	bed_fill(&walk->bed, LEAD_PAGES + at, byte);
	walk->pages[at].file = byte;
}

static void step_commit(struct walk *walk, uint64_t at, uint64_t pages)
{
	if (pages > 4)
		return;
	for (uint64_t i = at; i < at + pages; i++) {
		bed_commit(&walk->bed, i);
		walk->pages[i].is_there = true;
	}
}

static void step_grow(struct walk *walk, uint64_t at, uint64_t pages)
{
	uint64_t count = walk->count + 1;

	(void)at;
	if (pages > 1 || count > walk->room)
		return;
	assert_int_equal(mapping_grow(&walk->bed.mapping, count * walk->bed.page), 0);
	walk->pages[walk->count].mode = walk->bed.spec.mode;
	walk->count = count;
}

static void check_private(const struct walk *walk)
{
	uint64_t page = walk->bed.page, at = 0, offset, length, count = 0;
	int r;

	while ((r = mapping_next_private(&walk->bed.mapping, at, &offset, &length)) > 0) {
		for (; at < offset; at += page)
			assert_false(walk->pages[at / page].is_private);
		for (; at < offset + length; at += page, count++)
			assert_true(walk->pages[at / page].is_private);
	}
	assert_int_equal(r, 0);
	for (; at < walk->count * page; at += page)
		assert_false(walk->pages[at / page].is_private);
	assert_int_equal(mapping_private_pages(&walk->bed.mapping), count);
}

static void check_pages(const struct walk *walk)
{
	for (uint64_t i = 0; i < walk->count; i++) {
		const struct model_page *page = &walk->pages[i];
		uint64_t offset = i * walk->bed.page;
		struct mapping_run run = mapping_run_at(&walk->bed.mapping, offset);

		assert_int_equal(run.mode, page->mode);
		assert_true(run.offset <= offset && offset < run.offset + run.length);
		assert_int_equal(mapping_is_lost(&walk->bed.mapping, offset), page->is_lost);
		assert_int_equal(mapping_is_committed(&walk->bed.mapping, offset), page->is_there);
		assert_int_equal(bed_read(&walk->bed, i), model_read(page));
	}
	/* The rest of the room is without access. */
	for (uint64_t i = walk->count; i < walk->room; i++)
		assert_int_equal(bed_read(&walk->bed, i), -EFAULT);
}

static void walk_step(struct walk *walk)
{
	static void (*const steps[])(struct walk *, uint64_t, uint64_t) = {
		step_write,   step_write, step_write,  step_protect, step_protect, step_reset,
		step_restore, step_bury,  step_commit, step_other,   step_grow,
	};
	uint64_t at = roll(walk, walk->count);
	uint64_t pages = 1 + roll(walk, walk->count - at);

	/* Short ranges are the rule. */
	if (pages > 4 && roll(walk, 4))
		pages = 1 + roll(walk, 4);
	steps[roll(walk, ARRAY_SIZE(steps))](walk, at, pages);
}

static void walk_init(struct walk *walk, enum bed_store store, uint64_t pages, bool reserve)
{
	const char *text = getenv("VMSECT_SEED");

	walk->random = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL) << 8 | 1;
	print_message("VMSECT_SEED=%llu\n", (unsigned long long)walk->random);
	bed_init(&walk->bed, store, pages / 2, pages);
	walk->bed.spec.reserve = reserve;
	walk->count = pages / 2;
	walk->room = pages;
	for (uint64_t i = 0; i < pages; i++) {
		walk->pages[i].is_there = !reserve;
		walk->pages[i].file = reserve ? 0 : bed_byte(LEAD_PAGES + i);
	}
	if (!reserve)
		bed_fill_all(&walk->bed);
}

static void walk_mode(struct walk *walk, enum mapping_mode mode, int steps)
{
	for (uint64_t i = 0; i < walk->room; i++) {
		walk->pages[i].mode = mode;
		walk->pages[i].is_private = walk->pages[i].is_lost = false;
	}
	walk->count = walk->room / 2;
	bed_begin(&walk->bed, mode);
	while (steps--) {
		walk_step(walk);
		check_pages(walk);
		check_private(walk);
	}
	bed_end(&walk->bed);
}

static void walk_all(enum bed_store store, uint64_t pages, bool reserve, int steps)
{
	static struct walk walk;

	memset(&walk, 0, sizeof(walk));
	walk_init(&walk, store, pages, reserve);
	for (int mode = MAPPING_NONE; mode <= MAPPING_COPY; mode++)
		walk_mode(&walk, (enum mapping_mode)mode, steps);
	bed_deinit(&walk.bed);
}

static void on_shmem(void **state)
{
	(void)state;
	walk_all(STORE_SHMEM, PAGES_MAX, false, 400);
}

static void on_a_file(void **state)
{
	(void)state;
	walk_all(STORE_FILE, PAGES_MAX, false, 400);
}

static void on_reserved_shmem(void **state)
{
	(void)state;
	walk_all(STORE_SHMEM, PAGES_MAX, true, 400);
}

static void on_huge_pages(void **state)
{
	struct huge_pages huge = HUGE_PAGES_NONE;
	bool have = huge_pages_take(&huge, 64);

	(void)state;
	if (!have)
		skip();
	walk_all(STORE_HUGE, 8, false, 150);
	walk_all(STORE_HUGE, 8, true, 150);
	huge_pages_give_back(&huge);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_shmem),
		cmocka_unit_test(on_a_file),
		cmocka_unit_test(on_reserved_shmem),
		cmocka_unit_test(on_huge_pages),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests_name("base_mapping_walk", tests, NULL, NULL);
}
