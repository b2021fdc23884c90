/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From rows and columns to libsmartcols and out.
 */
#include "cli/table.h"

#include <ctype.h>
#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "cli/cli.h"

const char table_options_help[] =
	" -J, --json           JSON; sizes are in bytes\n"
	" -r, --raw            columns apart by one blank, nothing aligned\n"
	" -P, --pairs          NAME=\"value\" pairs\n"
	" -n, --noheadings     no line with the names of the columns\n"
	" -b, --bytes          sizes in bytes\n"
	" -o, --output LIST    these columns; +LIST: these as well\n"
	"     --output-all     all columns\n";

void table_init(struct table *table, const struct listing *listing)
{
	size_t i;

	*table = (struct table){ .listing = listing };
	for (i = 0; i < listing->count; i++) {
		if (listing->columns[i].is_default)
			table->chosen[table->chosen_count++] = i;
	}
}

static void table_choose_index(struct table *table, size_t index)
{
	size_t i;

	for (i = 0; i < table->chosen_count; i++) {
		if (table->chosen[i] == index)
			return;
	}
	table->chosen[table->chosen_count++] = index;
}

bool table_choose(struct table *table, const char *name, size_t length)
{
	size_t i;

	for (i = 0; i < table->listing->count; i++) {
		const char *column = table->listing->columns[i].name;

		if (strlen(column) == length && !strncasecmp(column, name, length)) {
			table_choose_index(table, i);
			return true;
		}
	}
	return false;
}

void table_choose_all(struct table *table)
{
	size_t i;

	for (i = 0; i < table->listing->count; i++)
		table_choose_index(table, i);
}

/* "A,B" or "+A,B". */
static int table_choose_list(struct table *table, const struct invocation *invocation,
			     const char *list)
{
	table->is_chosen_by_user = true;
	if (*list == '+')
		list++;
	else
		table->chosen_count = 0;
	for (;;) {
		size_t length = strcspn(list, ",");

		if (!table_choose(table, list, length))
			return cli_usage_error(invocation, "there is no column '%.*s'", (int)length,
					       list);
		if (!list[length])
			return 0;
		list += length + 1;
	}
}

static int table_set_format(struct table *table, const struct invocation *invocation,
			    enum table_format format)
{
	if (table->format != TABLE_TEXT && table->format != format)
		return cli_usage_error(invocation,
				       "only one of --json, --raw and --pairs is possible");
	table->format = format;
	return 0;
}

int table_option(struct table *table, struct invocation *invocation, int option)
{
	int status = 0;

	switch (option) {
	case 'J':
		status = table_set_format(table, invocation, TABLE_JSON);
		break;
	case 'r':
		status = table_set_format(table, invocation, TABLE_RAW);
		break;
	case 'P':
		status = table_set_format(table, invocation, TABLE_PAIRS);
		break;
	case 'n':
		table->no_headings = true;
		break;
	case 'b':
		table->bytes = true;
		break;
	case 'o':
		status = table_choose_list(table, invocation, optarg);
		break;
	case OPTION_OUTPUT_ALL:
		table->is_chosen_by_user = true;
		table_choose_all(table);
		break;
	default:
		return option;
	}
	return status ? option_stop(invocation, status) : 0;
}

int table_options(struct table *table, struct invocation *invocation)
{
	static const struct option options[] = {
		TABLE_LONG_OPTIONS,
		CLI_LONG_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = option_next(invocation, ":h" TABLE_SHORT_OPTIONS, options)) !=
	       OPTION_END) {
		if (table_option(table, invocation, option))
			return OPTION_STOP;
	}
	return 0;
}

static enum cell_form table_form(const struct table *table)
{
	if (table->format == TABLE_JSON)
		return CELL_JSON;
	return table->bytes ? CELL_BYTES : CELL_PEOPLE;
}

static void table_unref_cleanup(struct libscols_table **scols)
{
	scols_unref_table(*scols);
}
#define AUTO_SCOLS AUTO(table_unref_cleanup) struct libscols_table *

static int scols_add_columns(struct libscols_table *scols, const struct table *table)
{
	static const int json_types[] = {
		[COLUMN_STRING] = SCOLS_JSON_STRING,
		[COLUMN_NUMBER] = SCOLS_JSON_NUMBER,
		[COLUMN_BOOLEAN] = SCOLS_JSON_BOOLEAN,
	};
	size_t i;
	int r = 0;

	for (i = 0; i < table->chosen_count && !r; i++) {
		const struct column *column = &table->listing->columns[table->chosen[i]];
		struct libscols_column *added;

		added = scols_table_new_column(scols, column->name, column->width,
					       column->type == COLUMN_NUMBER ? SCOLS_FL_RIGHT : 0);
		r = added ? scols_column_set_json_type(added, json_types[column->type]) : -ENOMEM;
	}
	return r;
}

/* Gives one cell its text; the line takes it. */
static int scols_set_cell(struct libscols_line *line, size_t at, char *text)
{
	int r;

	if (!text)
		return 0;
	r = scols_line_refer_data(line, at, text);
	if (r < 0)
		free(text);
	return r;
}

static int scols_add_row(struct libscols_table *scols, const struct table *table, const void *row)
{
	struct libscols_line *line = scols_table_new_line(scols, NULL);
	size_t i;
	int r = line ? 0 : -ENOMEM;

	for (i = 0; i < table->chosen_count && !r; i++) {
		char *text = NULL;

		r = table->listing->cell(row, table->chosen[i], table_form(table), &text);
		if (!r)
			r = scols_set_cell(line, i, text);
	}
	return r;
}

static int scols_set_format(struct libscols_table *scols, const struct table *table)
{
	int r = scols_table_enable_noheadings(scols, table->no_headings);

	if (r)
		return r;
	switch (table->format) {
	case TABLE_JSON:
		r = scols_table_set_name(scols, table->listing->name);
		return r ? r : scols_table_enable_json(scols, 1);
	case TABLE_RAW:
		return scols_table_enable_raw(scols, 1);
	case TABLE_PAIRS:
		return scols_table_enable_export(scols, 1);
	default:
		return 0;
	}
}

/* Fills an empty libsmartcols table. */
static int scols_fill(struct libscols_table *scols, const struct table *table,
		      const struct rows *rows)
{
	const unsigned char *row = rows->first;
	size_t i;
	int r;

	r = scols_set_format(scols, table);
	if (!r)
		r = scols_add_columns(scols, table);
	for (i = 0; i < rows->count && !r; i++)
		r = scols_add_row(scols, table, row + i * rows->size);
	return r;
}

static int print_result(int r)
{
	if (r)
		cli_error("cannot print the table: %s", strerror(r < 0 ? -r : r));
	return r ? -EIO : 0;
}

int table_print(const struct table *table, const struct rows *rows)
{
	AUTO_SCOLS scols = scols_new_table();
	int r = scols ? scols_fill(scols, table, rows) : -ENOMEM;

	if (!r)
		r = scols_print_table(scols);
	return print_result(r);
}

/* "Name:" of a column called NAME. */
static char *record_label(const char *name)
{
	char *label = NULL;
	char *at;

	if (asprintf(&label, "%s:", name) < 0)
		return NULL;
	for (at = label + 1; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return label;
}

static int record_add(struct libscols_table *scols, const struct table *table, size_t column,
		      const void *row)
{
	struct libscols_line *line = scols_table_new_line(scols, NULL);
	char *label = record_label(table->listing->columns[column].name);
	char *text = NULL;
	int r;

	if (!line || !label) {
		free(label);
		return -ENOMEM;
	}
	r = scols_set_cell(line, 0, label);
	if (!r)
		r = table->listing->cell(row, column, table_form(table), &text);
	return r ? r : scols_set_cell(line, 1, text);
}

int table_print_record(const struct table *table, const void *row)
{
	AUTO_SCOLS scols = scols_new_table();
	size_t i;
	int r = scols ? scols_table_enable_noheadings(scols, 1) : -ENOMEM;

	if (!r && (!scols_table_new_column(scols, "NAME", 0, 0) ||
		   !scols_table_new_column(scols, "VALUE", 0, 0)))
		r = -ENOMEM;
	for (i = 0; i < table->chosen_count && !r; i++)
		r = record_add(scols, table, table->chosen[i], row);
	if (!r)
		r = scols_print_table(scols);
	return print_result(r);
}

/* Prints what stands between the braces of one table's JSON object. */
static int print_json_part(const struct table_part *part)
{
	AUTO_SCOLS scols = scols_new_table();
	AUTO_FREE char *text = NULL;
	char *start, *end;
	int r = scols ? scols_fill(scols, part->table, &part->rows) : -ENOMEM;

	if (!r)
		r = scols_print_table_to_string(scols, &text);
	if (r)
		return r;
	start = text ? strchr(text, '{') : NULL;
	end = start ? strrchr(start, '}') : NULL;
	if (!end)
		return -EIO;
	while (end > start + 1 && isspace((unsigned char)end[-1]))
		end--;
	*end = 0;
	return fputs(start + 1, stdout) < 0 ? -EIO : 0;
}

int table_print_json(const struct table_part *parts, size_t count)
{
	size_t i;
	int r = 0;

	(void)fputs("{", stdout);
	for (i = 0; i < count && !r; i++) {
		if (i)
			(void)fputs(",", stdout);
		r = print_json_part(&parts[i]);
	}
	(void)fputs("\n}\n", stdout);
	return print_result(r);
}
