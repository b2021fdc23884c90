/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The column tables: each column is complete, can be chosen by its name, and
 * has a cell for any row in any form.
 */
#include "cli/listings.h"
#include "cli/views.h"

#include "lib/check.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <vmsect/vmsect.h>

static const struct {
	const struct listing *listing;
	size_t row_size;
} rows[] = {
	{ &sections_listing, sizeof(struct vmsect_section_info) },
	{ &views_listing, sizeof(struct view_row) },
	{ &peers_listing, sizeof(struct vmsect_peer_info) },
	{ &vms_listing, sizeof(struct vmsect_peer_info) },
};

static void check_column(const struct listing *listing, size_t at, const void *row)
{
	const struct column *column = &listing->columns[at];
	struct table table;
	int form;

	assert_true(strlen(column->name) > 0 && strlen(column->help) > 0);
	table_init(&table, listing);
	table.chosen_count = 0;
	assert_true(table_choose(&table, column->name, strlen(column->name)));
	assert_true(table_choose(&table, column->name, strlen(column->name))); /* once only */
	assert_int_equal(table.chosen_count, 1);
	assert_int_equal(table.chosen[0], at);
	for (form = CELL_PEOPLE; form <= CELL_JSON; form++) {
		char *text = NULL;

		assert_int_equal(listing->cell(row, at, (enum cell_form)form, &text), 0);
		if (text && form == CELL_JSON && column->type == COLUMN_NUMBER)
			assert_true(isdigit((unsigned char)text[0]));
		free(text);
	}
}

static void columns(void **state)
{
	size_t i, at;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		void *row = calloc(1, rows[i].row_size);

		assert_non_null(row);
		assert_true(rows[i].listing->count <= TABLE_COLUMNS_MAX);
		for (at = 0; at < rows[i].listing->count; at++)
			check_column(rows[i].listing, at, row);
		free(row);
	}
}

static void choosing(void **state)
{
	struct table table;
	size_t defaults;

	(void)state;
	table_init(&table, &sections_listing);
	defaults = table.chosen_count;
	assert_true(defaults > 0 && defaults < sections_listing.count);
	assert_false(table_choose(&table, "PAT", 3));
	assert_false(table_choose(&table, "NAMES", 5));
	assert_false(table_choose(&table, "", 0));
	assert_true(table_choose(&table, "NAMES", 4));
	assert_int_equal(table.chosen_count, defaults);
	assert_true(table_choose(&table, "generation", 10));
	assert_int_equal(table.chosen_count, defaults + 1);
	table_choose_all(&table);
	assert_int_equal(table.chosen_count, sections_listing.count);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns),
		cmocka_unit_test(choosing),
	};

	return cmocka_run_group_tests_name("cli_listings", tests, NULL, NULL);
}
