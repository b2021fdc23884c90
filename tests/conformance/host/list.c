// SPDX-License-Identifier: GPL-2.0-or-later
/* Names, lists, and files through the broker. */
#include <string.h>

#include "base/cleanup.h"
#include "conformance/host/host.h"

static void do_remove(struct host *host, struct args *args, struct reply *reply)
{
	char *name = args->word[0];

	(void)args_bytes(name);
	host_answer(host, reply, vmsect_section_remove(host->client, name));
}

/* The one section of that name. */
static int find_section(struct host *host, struct args *args, struct vmsect_section_info *ret_info)
{
	AUTO_FREE struct vmsect_section_info *list = NULL;
	size_t count = 0;
	int r;

	(void)args_bytes(args->word[0]);
	r = vmsect_list_sections(host->client, args->word[0], &list, &count);
	if (r >= 0 && count)
		*ret_info = list[0];
	return r;
}

static void do_list(struct host *host, struct args *args, struct reply *reply)
{
	struct vmsect_section_info info = { 0 };
	int r = find_section(host, args, &info);

	host_answer(host, reply, r);
	if (r >= 0)
		host_answer_section(reply, &info, 0);
}

static void do_sections(struct host *host, struct args *args, struct reply *reply)
{
	AUTO_FREE struct vmsect_section_info *list = NULL;
	size_t count = 0;
	int r = vmsect_list_sections(host->client, NULL, &list, &count);

	(void)args;
	host_answer(host, reply, r);
	if (r >= 0)
		reply_ok(reply, "count=%zu", count);
}

static void do_views(struct host *host, struct args *args, struct reply *reply)
{
	AUTO_FREE struct vmsect_view_info *list = NULL;
	struct vmsect_section_info info = { 0 };
	size_t count = 0;
	int r = find_section(host, args, &info);

	if (r >= 0)
		r = vmsect_list_views(host->client, info.id, &list, &count);
	host_answer(host, reply, r);
	if (r >= 0)
		reply_ok(reply, "count=%zu", count);
}

static void do_peers(struct host *host, struct args *args, struct reply *reply)
{
	AUTO_FREE struct vmsect_peer_info *list = NULL;
	struct vmsect_section_info info = { 0 };
	size_t count = 0;
	int r = find_section(host, args, &info);

	if (r >= 0)
		r = vmsect_list_section_peers(host->client, info.id, &list, &count);
	host_answer(host, reply, r);
	if (r >= 0)
		reply_ok(reply, "count=%zu", count);
}

static void do_file_query(struct host *host, struct args *args, struct reply *reply)
{
	struct vmsect_file_info info;
	int r = vmsect_file_query(host->client, args_word(args, 0), &info);

	host_answer(host, reply, r);
	if (r >= 0)
		reply_ok(reply, "size=%llu sections=%u handles=%u views=%u writers=%u",
			 (unsigned long long)info.size_bytes, info.sections, info.handles,
			 info.views, info.writers);
}

static void do_file_truncate(struct host *host, struct args *args, struct reply *reply)
{
	host_answer(
		host, reply,
		vmsect_file_truncate(host->client, args_word(args, 0), args_word_number(args, 1)));
}

static void do_file_remove(struct host *host, struct args *args, struct reply *reply)
{
	host_answer(host, reply, vmsect_file_remove(host->client, args_word(args, 0)));
}

const struct host_op list_ops[] = {
	{ "remove", do_remove },
	{ "list", do_list },
	{ "sections", do_sections },
	{ "views", do_views },
	{ "peers", do_peers },
	{ "file_query", do_file_query },
	{ "file_truncate", do_file_truncate },
	{ "file_remove", do_file_remove },
	{ 0 },
};
