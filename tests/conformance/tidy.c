// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See tidy.h.  Host actors end.  VMs give back what they have and stay.  Then
 * every name goes, and the broker's lists must become empty.
 */
#include "conformance/tidy.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <vmsect/vmsect.h>

#include "base/cleanup.h"

#define TIDY_MS 5000
#define AGAIN_MS 1

static void reset_actor(struct run *run, struct actor *actor)
{
	if (actor->is_vm && actor->pid && !actor_ask(actor, "renew", run->until_ms) &&
	    !strncmp(actor->reply.text, "ok", 2))
		return;
	if (actor->is_vm && actor->pid)
		(void)run_fail(run, "# %s cannot be renewed: %.300s", actor->name,
			       actor->reply.text);
	actor_kill(actor);
}

static void reset_actors(struct run *run)
{
	struct actor **at = &run->actors;

	while (*at) {
		struct actor *actor = *at;

		reset_actor(run, actor);
		if (actor->pid) {
			at = &actor->next;
			continue;
		}
		*at = actor->next;
		actor_free(actor);
	}
}

/* Takes every name away; how many sections there were. */
static int remove_names(struct vmsect_client *client, char *text, size_t room)
{
	AUTO_FREE struct vmsect_section_info *list = NULL;
	size_t count = 0;

	if (vmsect_list_sections(client, NULL, &list, &count) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(text, room, "section '%s' with %u handles, %u views", list[i].name,
			       list[i].handles, list[i].views);
		if (list[i].name[0])
			(void)vmsect_section_remove(client, list[i].name);
	}
	return (int)count;
}

static struct vmsect_client *connect_broker(const struct run *run)
{
	const struct vmsect_connect_options options = {
		.size = sizeof(options),
		.socket_path = run->broker.socket_path,
		.name = "conformance",
		.no_start = 1,
	};
	struct vmsect_client *client = NULL;

	return vmsect_connect(&options, &client) < 0 ? NULL : client;
}

/* The broker hears of the end of an actor when it hears of it. */
static bool wait_empty(struct run *run, struct vmsect_client *client)
{
	char text[256] = "";
	int count;

	while ((count = remove_names(client, text, sizeof(text))) != 0) {
		if (count < 0)
			return run_fail(run, "# list: %s", vmsect_client_error(client));
		if (clock_ms() >= run->until_ms)
			return run_fail(run, "# left behind: %s", text);
		clock_pause_ms(AGAIN_MS);
	}
	return true;
}

static void remove_files(const struct run *run)
{
	DIR *dir = opendir(run->files);
	const struct dirent *item;

	while (dir && (item = readdir(dir)))
		if (item->d_name[0] != '.')
			(void)unlinkat(dirfd(dir), item->d_name, 0);
	if (dir)
		(void)closedir(dir);
}

bool tidy_case(struct run *run)
{
	struct vmsect_client *client;
	bool had_failed = run->why[0];
	bool is_empty;

	run->until_ms = clock_ms() + TIDY_MS;
	if (!run->broker.pid)
		run_start_broker(run);
	reset_actors(run);
	client = connect_broker(run);
	is_empty = client && wait_empty(run, client);
	if (!client)
		(void)run_fail(run, "# the broker has gone");
	vmsect_client_free(client);
	remove_files(run);
	return is_empty && (had_failed || !run->why[0]);
}
