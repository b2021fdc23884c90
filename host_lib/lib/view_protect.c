/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Protections of live views, and committing their pages.
 *
 * The broker is asked first and notes what it allows; then the pages change
 * here.  If they cannot, the broker is told what they have again: each of these
 * protections it allowed before.  Should that fail, its note says more or less
 * than there is, which is what it lists and nothing that it decides by.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/view.h"

static int protect_call(struct vmsect_view *view, uint64_t offset, uint64_t length,
			enum vmsect_protection protection)
{
	struct vmsect_req_protect protect = {
		.view = view->object.id,
		.offset = offset,
		.length = length,
		.protection = protection,
	};
	struct client_request request = { VMSECT_OP_PROTECT, &protect.hdr, sizeof(protect), NULL,
					  0 };

	return client_call_simple_on(&view->object, &request);
}

/* Tells the broker what the pages have, which is not what it was told. */
static void protect_take_back(struct vmsect_view *view, uint64_t offset, uint64_t end)
{
	char error[CLIENT_ERROR_MAX];
	struct vmsect_client *client = view->object.client;
	uint32_t detail = client->detail;
	uint64_t stop;
	int r = 0;

	/* The sentence is about the failure, not about what follows from it. */
	memcpy(error, client->error, sizeof(error));
	while (!r && view->is_mapped && offset < end) {
		struct mapping_run run = mapping_run_at(&view->mapping, offset);

		stop = run.offset + run.length < end ? run.offset + run.length : end;
		r = protect_call(view, offset, stop - offset, (enum vmsect_protection)run.tag);
		offset = stop;
	}
	memcpy(client->error, error, sizeof(error));
	client->detail = detail;
}

static int protect_pages(struct vmsect_view *view, uint64_t offset, uint64_t length,
			 enum vmsect_protection protection)
{
	const struct mapping_run run = {
		.offset = offset,
		.length = length,
		.mode = protection_mode(protection),
		.execute = protection_executes(protection),
		.tag = protection,
	};
	int r = mapping_protect(&view->mapping, &run);

	if (!r)
		return 0;
	r = view_fail(view, r, "change the view's protection");
	protect_take_back(view, offset, offset + length);
	return r;
}

int vmsect_view_protect(struct vmsect_view *view, uint64_t offset, uint64_t length,
			enum vmsect_protection protection, enum vmsect_protection *ret_old)
{
	enum vmsect_protection old;
	struct mapping_run run;
	uint64_t alike;
	bool is_private;
	int r;

	r = view_check(view);
	if (!r)
		r = protect_call(view, offset, length, protection);
	if (!r)
		r = view_round(view, &offset, &length);
	if (r < 0)
		return r;
	run = mapping_run_at(&view->mapping, offset);
	if (view_private_run(view, offset, length, &is_private, &alike) < 0)
		is_private = false;
	old = view_protection(&run, is_private);
	r = protect_pages(view, offset, length, protection);
	if (!r && ret_old)
		*ret_old = old;
	return r;
}

int vmsect_view_check_protect(struct vmsect_view *view, uint64_t offset, uint64_t length,
			      enum vmsect_protection protection)
{
	return protect_call(view, offset, length, protection);
}

int vmsect_view_check_commit(struct vmsect_view *view, uint64_t offset, uint64_t length)
{
	struct vmsect_req_commit commit = {
		.view = view->object.id,
		.offset = offset,
		.length = length,
	};
	struct client_request request = { VMSECT_OP_COMMIT, &commit.hdr, sizeof(commit), NULL, 0 };

	return client_call_simple_on(&view->object, &request);
}

#define BIT(protection) (1u << (protection))
#define BITS_READ                                                                                  \
	(BIT(VMSECT_PROT_NOACCESS) | BIT(VMSECT_PROT_READONLY) | BIT(VMSECT_PROT_WRITECOPY))
#define BITS_EXECUTE (BIT(VMSECT_PROT_NOACCESS) | BIT(VMSECT_PROT_EXECUTE))
#define BITS_EXECUTE_READ                                                                          \
	(BITS_READ | BITS_EXECUTE | BIT(VMSECT_PROT_EXECUTE_READ) |                                \
	 BIT(VMSECT_PROT_EXECUTE_WRITECOPY))

/* What a view may be changed to, by the protection with which it was mapped. */
static const uint32_t changes[] = {
	[VMSECT_PROT_NOACCESS] = BIT(VMSECT_PROT_NOACCESS),
	[VMSECT_PROT_READONLY] = BITS_READ,
	[VMSECT_PROT_READWRITE] = BITS_READ | BIT(VMSECT_PROT_READWRITE),
	[VMSECT_PROT_WRITECOPY] = BITS_READ,
	[VMSECT_PROT_EXECUTE] = BITS_EXECUTE,
	[VMSECT_PROT_EXECUTE_READ] = BITS_EXECUTE_READ,
	[VMSECT_PROT_EXECUTE_READWRITE] = BITS_EXECUTE_READ | BIT(VMSECT_PROT_READWRITE) |
					  BIT(VMSECT_PROT_EXECUTE_READWRITE),
	[VMSECT_PROT_EXECUTE_WRITECOPY] = BITS_EXECUTE_READ,
};

/*
 * Will the broker allow the protection?  A commit cannot be taken back, so this
 * is asked before it; pages that are not committed the broker would refuse.
 */
static int check_change(struct vmsect_view *view, enum vmsect_protection protection)
{
	struct vmsect_client *client = view->object.client;

	if (!protection_is_legal(protection))
		return client_fail(client, -EINVAL, VMSECT_DETAIL_PROTECTION, "%u is no protection",
				   protection);
	if (view->flags & VMSECT_VIEW_NO_CHANGE && protection != view->protection)
		return client_fail(client, -EINVAL, VMSECT_DETAIL_PROTECTION,
				   "the view's protection is fixed");
	if (!(changes[view->protection] & BIT(protection)))
		return client_fail(client, -EACCES, VMSECT_DETAIL_PROTECTION,
				   "the view was mapped with protection %u, which does not allow "
				   "%u",
				   view->protection, protection);
	return 0;
}

/* Have all pages of the range this protection? */
static bool range_has(const struct vmsect_view *view, uint64_t offset, uint64_t end,
		      enum vmsect_protection protection)
{
	while (offset < end) {
		struct mapping_run run = mapping_run_at(&view->mapping, offset);

		if (run.tag != protection)
			return false;
		offset = run.offset + run.length;
	}
	return true;
}

int vmsect_view_commit(struct vmsect_view *view, uint64_t offset, uint64_t length,
		       enum vmsect_protection protection)
{
	int r = view_check(view);

	if (!r && protection)
		r = check_change(view, protection);
	if (!r)
		r = vmsect_view_check_commit(view, offset, length);
	if (!r)
		r = view_round(view, &offset, &length);
	if (r < 0)
		return r;
	if (!protection)
		protection = view->protection;
	if (range_has(view, offset, offset + length, protection))
		return 0;
	return vmsect_view_protect(view, offset, length, protection, NULL);
}
