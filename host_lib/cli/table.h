/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables: what can be listed is one table of columns, and that table is the
 * help, the parser of --output and the order of the cells.  libsmartcols
 * prints it, as text or as JSON, and escapes what a terminal would obey.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 32u

struct invocation;
struct option;

enum column_type {
	COLUMN_STRING,
	COLUMN_NUMBER,
	COLUMN_BOOLEAN,
};

struct column {
	const char *name;
	double width; /* hint: below 1 a part of the terminal, else characters */
	enum column_type type; /* in JSON; numbers also go to the right */
	bool is_default;
	const char *help;
};

/* How a cell is wanted. */
enum cell_form {
	CELL_PEOPLE, /* 16M, 0x7f0000000000 */
	CELL_BYTES, /* sizes in bytes */
	CELL_JSON, /* numbers as JSON has them */
};

struct listing {
	const char *name; /* the array's, in JSON */
	const struct column *columns;
	size_t count;
	/* Text of a cell, malloc()ed; NULL in *ret_text: it has none.  0 or -ENOMEM. */
	int (*cell)(const void *row, size_t column, enum cell_form form, char **ret_text);
};

enum table_format {
	TABLE_TEXT,
	TABLE_JSON,
	TABLE_RAW,
	TABLE_PAIRS,
};

/* What is printed and how; has a listing's default columns after table_init(). */
struct table {
	const struct listing *listing; /* borrowed */
	size_t chosen[TABLE_COLUMNS_MAX]; /* columns, in order */
	size_t chosen_count;
	enum table_format format;
	bool is_chosen_by_user; /* by --output or --output-all */
	bool no_headings;
	bool bytes;
};

/* Rows of one type, borrowed. */
struct rows {
	const void *first;
	size_t size; /* of one */
	size_t count;
};

#define TABLE_SHORT_OPTIONS "JrPnbo:"
#define TABLE_LONG_OPTIONS                                                                         \
	{ "json", no_argument, NULL, 'J' }, { "raw", no_argument, NULL, 'r' },                     \
		{ "pairs", no_argument, NULL, 'P' }, { "noheadings", no_argument, NULL, 'n' },     \
		{ "bytes", no_argument, NULL, 'b' }, { "output", required_argument, NULL, 'o' },   \
	{                                                                                          \
		"output-all", no_argument, NULL, OPTION_OUTPUT_ALL                                 \
	}

extern const char table_options_help[];

void table_init(struct table *table, const struct listing *listing);

/* Carries out one option of TABLE_SHORT_OPTIONS.  0 or OPTION_STOP. */
int table_option(struct table *table, struct invocation *invocation, int option);

/* Takes all options of a verb that has only those of tables.  0 or OPTION_STOP. */
int table_options(struct table *table, struct invocation *invocation);

/* Adds a column by name if it is not chosen yet.  False: there is none of that name. */
bool table_choose(struct table *table, const char *name, size_t length);

void table_choose_all(struct table *table);

/* Prints to stdout.  0, or -errno after a message. */
int table_print(const struct table *table, const struct rows *rows);

/* Prints one row to stdout as lines of "Name: value". */
int table_print_record(const struct table *table, const void *row);

/* Prints several tables as one JSON object to stdout. */
struct table_part {
	const struct table *table;
	struct rows rows;
};
int table_print_json(const struct table_part *parts, size_t count);

#endif
