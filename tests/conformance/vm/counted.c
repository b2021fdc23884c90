// SPDX-License-Identifier: GPL-2.0-or-later
/* At the end: has the host counted what the guest did in holes? */
#include <string.h>

#include "base/cleanup.h"
#include "conformance/actor/clock.h"
#include "conformance/vm/vm.h"

#define REPORT_MS 4000 /* a VMM reports once a second */
#define AGAIN_MS 20

/* Of the VM of our name; false if there is none. */
static bool find_holes(struct vm_actor *actor, struct vmsect_client *client, uint64_t *ret_holes)
{
	AUTO_FREE struct vmsect_peer_info *list = NULL;
	size_t count = 0;
	bool is_found = false;

	if (vmsect_list_peers(client, &list, &count) < 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!list[i].is_vm || strcmp(list[i].name, actor->vm->name) != 0)
			continue;
		*ret_holes = list[i].hole_accesses;
		is_found = true;
	}
	return is_found;
}

static void wait_holes(struct vm_actor *actor, struct vmsect_client *client, struct reply *reply)
{
	int64_t until = clock_ms() + REPORT_MS;
	uint64_t holes = 0;

	do {
		if (find_holes(actor, client, &holes) && holes >= actor->holes) {
			reply_ok(reply, "holes=%llu", (unsigned long long)holes);
			return;
		}
		clock_pause_ms(AGAIN_MS);
	} while (clock_ms() < until);
	reply_bad(reply, "the host has counted %llu accesses to holes, and there were %llu",
		  (unsigned long long)holes, (unsigned long long)actor->holes);
}

static void do_counted(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	struct vmsect_client *client;

	(void)args;
	reply_ok(reply, "%s", "");
	if (!actor->holes)
		return;
	client = vm_helper(actor, reply);
	if (client)
		wait_holes(actor, client, reply);
	vmsect_client_free(client);
}

const struct vm_op counted_ops[] = {
	{ "counted", do_counted },
	{ 0 },
};
