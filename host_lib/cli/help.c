/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Usage texts.  Nothing here is written twice: names, arguments and summaries
 * are the verb table's, columns are those of the listing.
 */
#include "cli/help.h"

#include "cli/cli.h"
#include "cli/table.h"

static const char common_options[] = "     --socket PATH    the broker's socket\n"
				     " -h, --help           this text\n";

void help_program(FILE *stream)
{
	const struct verb *verb;

	(void)fputs("Usage: vmsect [--socket PATH] COMMAND [OPTION...] [ARGUMENT...]\n\n"
		    "Memory sections that virtual machines and processes share.\n\nCommands:\n",
		    stream);
	for (verb = verbs; verb->name; verb++)
		(void)fprintf(stream, " %-8s %s\n", verb->name, verb->summary);
	(void)fputs("\nOptions:\n"
		    "     --socket PATH    the broker's socket\n"
		    " -V, --version        the program's version\n"
		    " -h, --help           this text\n\n"
		    "'vmsect COMMAND --help' says more.  See vmsect(1) and vmsect-section(7).\n",
		    stream);
}

static void help_columns(FILE *stream, const struct listing *listing)
{
	size_t i;

	(void)fputs("\nColumns (those with * are shown by default):\n", stream);
	for (i = 0; i < listing->count; i++) {
		const struct column *column = &listing->columns[i];

		(void)fprintf(stream, " %c %-10s %s\n", column->is_default ? '*' : ' ',
			      column->name, column->help);
	}
}

void help_verb(FILE *stream, const struct verb *verb)
{
	(void)fprintf(stream, "Usage: vmsect %s%s%s\n\n%s.\n\nOptions:\n", verb->name,
		      *verb->arguments ? " " : "", verb->arguments, verb->summary);
	if (verb->options)
		(void)fputs(verb->options, stream);
	if (verb->listing)
		(void)fputs(table_options_help, stream);
	(void)fputs(common_options, stream);
	if (verb->listing)
		help_columns(stream, verb->listing);
}
