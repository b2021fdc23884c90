/* SPDX-License-Identifier: GPL-2.0-or-later */
/* section_runs.c against an array with a protection for each page. */
#include "lib/check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dev/section_runs.h"
#include "lib/leak.h"

#define PAGE UINT64_C(4096)
#define PAGES 64
#define PAGES_MAX 96

struct model {
	uint8_t protection[PAGES_MAX];
	size_t pages;
};

static void check(const struct section_runs *runs, const struct model *model)
{
	uint64_t end = runs->items[runs->count - 1].end;
	uint32_t first = model->protection[0];
	bool same = true;

	assert_int_equal(end, model->pages * PAGE);
	for (size_t i = 0; i < model->pages; i++) {
		size_t index = section_runs_at(runs, i * PAGE);

		assert_in_range(i * PAGE, section_runs_start(runs, index),
				runs->items[index].end - 1);
		assert_int_equal(runs->items[index].protection, model->protection[i]);
		same &= model->protection[i] == first;
	}
	for (size_t i = 1; i < runs->count; i++)
		assert_int_not_equal(runs->items[i].protection, runs->items[i - 1].protection);
	assert_int_equal(section_runs_protection(runs), same ? first : 0);
}

static void set(struct section_runs *runs, struct model *model, size_t page, size_t count,
		uint32_t protection)
{
	const struct window_range range = { page * PAGE, count * PAGE };
	struct section_runs with;

	assert_int_equal(section_runs_with(runs, &range, protection, &with), 0);
	check(runs, model); /* untouched */
	section_runs_deinit(runs);
	*runs = with;
	memset(model->protection + page, (int)protection, count);
	if (page + count > model->pages)
		model->pages = page + count;
	check(runs, model);
}

static void begin(struct section_runs *runs, struct model *model)
{
	*model = (struct model){ .pages = PAGES };
	memset(model->protection, 3, PAGES);
	assert_int_equal(section_runs_init(runs, PAGES * PAGE, 3), 0);
	check(runs, model);
}

static void test_ranges(void **state)
{
	struct section_runs runs;
	struct model model;

	(void)state;
	begin(&runs, &model);
	set(&runs, &model, 10, 5, 2); /* in the middle */
	assert_int_equal(runs.count, 3);
	set(&runs, &model, 0, 1, 1); /* at both ends */
	set(&runs, &model, PAGES - 1, 1, 1);
	assert_int_equal(runs.count, 5);
	set(&runs, &model, 10, 5, 3); /* neighbours become one again */
	assert_int_equal(runs.count, 3);
	set(&runs, &model, 0, PAGES, 4);
	assert_int_equal(runs.count, 1);
	set(&runs, &model, PAGES, 8, 4); /* grown */
	assert_int_equal(runs.count, 1);
	set(&runs, &model, PAGES + 8, 8, 2);
	assert_int_equal(runs.count, 2);
	section_runs_deinit(&runs);
	assert_null(runs.items);
}

static unsigned int take_seed(void)
{
	const char *text = getenv("VMSECT_SEED");
	unsigned int seed = text ? (unsigned int)strtoul(text, NULL, 0) : (unsigned int)getpid();

	print_message("VMSECT_SEED=%u\n", seed);
	return seed;
}

static void test_random(void **state)
{
	unsigned int seed = take_seed();
	struct section_runs runs;
	struct model model;

	(void)state;
	begin(&runs, &model);
	for (int turn = 0; turn < 3000; turn++) {
		size_t page = (size_t)rand_r(&seed) % PAGES;
		size_t count = 1 + (size_t)rand_r(&seed) % (PAGES - page);

		set(&runs, &model, page, count, 1 + (uint32_t)rand_r(&seed) % 8);
	}
	section_runs_deinit(&runs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ranges, leak_setup, leak_teardown),
		cmocka_unit_test_setup_teardown(test_random, leak_setup, leak_teardown),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
