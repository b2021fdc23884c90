/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect show NAME: the section as lines of "Name: value", then its views, its
 * peers and its exports as tables; with --json the four in one object.
 */
#include "cli/verbs.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/listings.h"
#include "cli/views.h"

const char verb_show_options[] = " -J, --json           JSON; sizes are in bytes\n"
				 " -b, --bytes          sizes in bytes\n";

/* All that is shown of one section. */
struct picture {
	struct vmsect_section_info *sections; /* owned, as all lists */
	struct view_rows views;
	struct vmsect_peer_info *peers;
	struct vmsect_export_info *exports;
	size_t section_count; /* 1 */
	size_t peer_count;
	size_t export_count;
};

static void picture_deinit(struct picture *picture)
{
	free(picture->sections);
	view_rows_deinit(&picture->views);
	free(picture->peers);
	free(picture->exports);
}

static int picture_fetch(struct picture *picture, struct vmsect_client *client, const char *name)
{
	int r;

	r = vmsect_list_sections(client, name, &picture->sections, &picture->section_count);
	if (!r)
		r = vmsect_list_section_peers(client, picture->sections[0].id, &picture->peers,
					      &picture->peer_count);
	if (!r)
		r = vmsect_list_exports(client, picture->sections[0].id, &picture->exports,
					&picture->export_count);
	if (r < 0) {
		cli_error("cannot show section '%s': %s", name, vmsect_client_error(client));
		return r;
	}
	return view_rows_fetch(&picture->views, client, picture->sections[0].id, picture->sections,
			       1);
}

static void init_table(struct table *table, const struct listing *listing,
		       const struct table *model)
{
	table_init(table, listing);
	table->format = model->format;
	table->bytes = model->bytes;
}

static int print_text(const struct table_part *parts, size_t count)
{
	size_t i;
	int r;

	r = table_print_record(parts[0].table, parts[0].rows.first);
	for (i = 1; i < count && !r; i++) {
		if (!parts[i].rows.count) {
			(void)printf("\nno %s\n", parts[i].table->listing->name);
			continue;
		}
		(void)printf("\n%s:\n", parts[i].table->listing->name);
		r = table_print(parts[i].table, &parts[i].rows);
	}
	return r;
}

/* `model` has all columns of sections chosen, and the format. */
static int picture_print(const struct picture *picture, const struct table *model)
{
	struct table views, peers, exports;
	const struct table_part parts[] = {
		{ model, { picture->sections, sizeof(*picture->sections), 1 } },
		{ &views,
		  { picture->views.list, sizeof(*picture->views.list), picture->views.count } },
		{ &peers, { picture->peers, sizeof(*picture->peers), picture->peer_count } },
		{ &exports,
		  { picture->exports, sizeof(*picture->exports), picture->export_count } },
	};
	size_t count = sizeof(parts) / sizeof(parts[0]);

	init_table(&views, &views_listing, model);
	init_table(&peers, &peers_listing, model);
	init_table(&exports, &exports_listing, model);
	(void)table_choose(&peers, "KIND", 4);
	if (model->format == TABLE_JSON) {
		table_choose_all(&views);
		table_choose_all(&exports);
		return table_print_json(parts, count);
	}
	return print_text(parts, count);
}

static int parse(struct table *table, struct invocation *invocation)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'J' },
						 { "bytes", no_argument, NULL, 'b' },
						 CLI_LONG_OPTIONS,
						 { NULL, 0, NULL, 0 } };
	int option;

	while ((option = option_next(invocation, ":hJb", options)) != OPTION_END) {
		if (table_option(table, invocation, option))
			return OPTION_STOP;
	}
	return arguments_check(invocation, 1, 1);
}

int verb_show(struct invocation *invocation)
{
	AUTO(client_cleanup) struct vmsect_client *client = NULL;
	AUTO(picture_deinit) struct picture picture = { 0 };
	struct table table;
	const char *name;
	int r;

	table_init(&table, &sections_listing);
	table_choose_all(&table);
	if (parse(&table, invocation))
		return invocation->status;
	name = invocation->argv[optind];
	r = cli_connect(invocation, false, &client);
	if (r == CLI_E_NO_BROKER)
		return cli_no_broker(name);
	if (!r)
		r = picture_fetch(&picture, client, name);
	if (r < 0)
		return CLI_FAILED;
	view_rows_note(&picture.views);
	return picture_print(&picture, &table) < 0 ? CLI_FAILED : CLI_OK;
}
