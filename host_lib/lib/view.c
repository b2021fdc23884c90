/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Views: of this process (mapped here) and of a VM (registered only).
 *
 * The broker is asked before anything is mapped, and it wants to know where.
 * So the range of addresses is reserved first; the section then takes the
 * reservation's place.  A range never covers what it does not own: between
 * giving up the reservation and mapping, another thread may take the place,
 * and then the view is tried again elsewhere.
 *
 * A view is unmapped before the broker hears of it: what the broker lists is
 * never less than what there is.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/sys.h"
#include "lib/options.h"
#include "lib/section.h"

#define HUGE_ALIGN (UINT64_C(2) << 20)
#define PLACE_ATTEMPTS 4

#define VIEW_E_AGAIN 1 /* outcome of one attempt: the place or the length was not right */

struct vmsect_view {
	struct vmsect_client *client; /* borrowed; outlives the view */
	uint64_t id;
	uint64_t length;
	void *address; /* owned; NULL: registered, mapped by the caller */
};

static uint64_t section_page(const struct vmsect_section *section)
{
	return UINT64_C(1) << section->info.page_shift;
}

/* Rounded up to the section's page; 0 if it wraps. */
static uint64_t round_to_page(const struct vmsect_section *section, uint64_t length)
{
	uint64_t page = section_page(section);

	if (__builtin_add_overflow(length, page - 1, &length))
		return 0;
	return length & ~(page - 1);
}

/*
 * How many bytes of addresses the view will need, as far as is known here.
 * What does not fit the section as it was at open will be refused, or it has
 * grown: a page is enough to hear which.
 */
static uint64_t length_guess(const struct vmsect_section *section,
			     const struct vmsect_map_options *options)
{
	uint64_t size = section->info.size_bytes;
	uint64_t room = options->offset < size ? size - options->offset : 0;
	uint64_t length = options->length ? options->length : room;

	if (!length || length > room)
		return section_page(section);
	return round_to_page(section, length);
}

/* Asks the broker for the view.  0 and its id and length, or an error. */
static int map_call(struct vmsect_section *section, const struct vmsect_map_options *options,
		    uint64_t place, struct vmsect_rep_map *ret_reply)
{
	struct vmsect_req_map map = {
		.handle = section->handle,
		.protection = options->protection,
		.offset = options->offset,
		.length = options->length,
		.place = place,
	};
	struct client_request request = { VMSECT_OP_MAP, &map.hdr, sizeof(map), NULL, 0 };
	struct vmsect_rep_map data;
	struct client_reply reply = { .data = &data, .size = sizeof(data) };
	uint64_t end;
	int r;

	r = client_call(section->client, &request, &reply);
	if (r < 0)
		return r;
	if (!data.view || !data.length || data.length & (section_page(section) - 1) ||
	    __builtin_add_overflow(options->offset, data.length, &end) || end > INT64_MAX ||
	    (options->length && data.length != round_to_page(section, options->length)))
		return client_break_protocol(section->client, "a view that is none");
	*ret_reply = data;
	return 0;
}

static void unmap_call(struct vmsect_client *client, uint64_t id)
{
	struct vmsect_req_unmap unmap = { .view = id };
	struct client_request request = { VMSECT_OP_UNMAP, &unmap.hdr, sizeof(unmap), NULL, 0 };

	/* If the broker has gone, so has its note of the view. */
	if (!client->broken)
		(void)client_call_simple(client, &request);
}

static void range_release(unsigned char *start, uint64_t length)
{
	if (length)
		(void)munmap(start, length);
}

/*
 * Reserves `length` bytes of addresses that agree with `offset` modulo the
 * section's page, and modulo 2 MiB where that lets huge pages be used.
 */
static int range_reserve(const struct vmsect_section *section, uint64_t offset, uint64_t length,
			 unsigned char **ret_start)
{
	uint64_t align = section_page(section);
	uint64_t total, skip;
	unsigned char *start;

	if (length >= HUGE_ALIGN && align < HUGE_ALIGN)
		align = HUGE_ALIGN;
	if (!length || __builtin_add_overflow(length, align, &total))
		return -ENOMEM;
	start = mmap(NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (start == MAP_FAILED)
		return -errno;
	skip = (offset - (uintptr_t)start) & (align - 1);
	range_release(start, skip);
	range_release(start + skip + length, align - skip);
	*ret_start = start + skip;
	return 0;
}

struct mapping {
	int prot;
	int flags;
};

/* How a protection is mapped; false: not offered to processes. */
static bool protection_mapping(enum vmsect_protection protection, struct mapping *ret_mapping)
{
	switch (protection) {
	case VMSECT_PROT_NOACCESS:
		*ret_mapping = (struct mapping){ PROT_NONE, 0 };
		return true;
	case VMSECT_PROT_READONLY:
		*ret_mapping = (struct mapping){ PROT_READ, MAP_SHARED };
		return true;
	case VMSECT_PROT_READWRITE:
		*ret_mapping = (struct mapping){ PROT_READ | PROT_WRITE, MAP_SHARED };
		return true;
	case VMSECT_PROT_WRITECOPY:
		*ret_mapping = (struct mapping){ PROT_READ | PROT_WRITE, MAP_PRIVATE };
		return true;
	default:
		return false;
	}
}

/* Maps the section at `start`.  0, VIEW_E_AGAIN: another thread has taken the place, -errno. */
static int range_map(const struct vmsect_section *section, unsigned char *start, uint64_t length,
		     const struct vmsect_map_options *options)
{
	struct mapping mapping;
	void *address;

	/* A view without access is the reservation itself. */
	if (!protection_mapping(options->protection, &mapping) || mapping.prot == PROT_NONE)
		return 0;
	range_release(start, length);
	address = mmap(start, length, mapping.prot, mapping.flags | MAP_FIXED_NOREPLACE,
		       section->fd, (off_t)options->offset);
	if (address != MAP_FAILED)
		return 0;
	return errno == EEXIST ? VIEW_E_AGAIN : -errno;
}

/*
 * One attempt.  *length is what to reserve, and what to reserve instead if the
 * outcome is VIEW_E_AGAIN.  On 0 the view has its id, address and length.
 */
static int view_try(struct vmsect_view *view, struct vmsect_section *section,
		    const struct vmsect_map_options *options, uint64_t *length)
{
	struct vmsect_rep_map reply = { 0 };
	unsigned char *start = NULL;
	int r;

	r = range_reserve(section, options->offset, *length, &start);
	if (r < 0)
		return client_fail(view->client, r, VMSECT_DETAIL_NONE,
				   "no room for a view of %llu bytes: %s",
				   (unsigned long long)*length, error_words(r));
	r = map_call(section, options, (uintptr_t)start, &reply);
	if (r < 0) {
		range_release(start, *length);
		return r;
	}
	if (reply.length > *length) { /* the section has grown since it was opened */
		unmap_call(view->client, reply.view);
		range_release(start, *length);
		*length = reply.length;
		return VIEW_E_AGAIN;
	}
	range_release(start + reply.length, *length - reply.length);
	r = range_map(section, start, reply.length, options);
	if (r)
		unmap_call(view->client, reply.view);
	if (r < 0)
		return client_fail(view->client, r, VMSECT_DETAIL_NONE, "cannot map the view: %s",
				   error_words(r));
	if (r)
		return r;
	view->id = reply.view;
	view->length = reply.length;
	view->address = start;
	return 0;
}

static int view_map(struct vmsect_view *view, struct vmsect_section *section,
		    const struct vmsect_map_options *options)
{
	uint64_t length = length_guess(section, options);
	int attempt, r;

	for (attempt = 0; attempt < PLACE_ATTEMPTS; attempt++) {
		r = view_try(view, section, options, &length);
		if (r != VIEW_E_AGAIN)
			return r;
	}
	return client_fail(view->client, -ENOMEM, VMSECT_DETAIL_NONE,
			   "no place for the view stays free");
}

static int map_options_copy(struct vmsect_section *section,
			    const struct vmsect_map_options *user_options,
			    struct vmsect_map_options *options)
{
	if (options_copy(options, sizeof(*options), user_options) < 0)
		return client_fail(section->client, -EINVAL, VMSECT_DETAIL_FORMAT,
				   "the options have a size that is not theirs");
	return 0;
}

/* An empty view of the section's client, or NULL. */
static struct vmsect_view *view_new(struct vmsect_section *section)
{
	struct vmsect_view *view = calloc(1, sizeof(*view));

	if (view)
		view->client = section->client;
	else
		client_fail(section->client, -ENOMEM, VMSECT_DETAIL_NONE, "no memory");
	return view;
}

int vmsect_view_map(struct vmsect_section *section, const struct vmsect_map_options *user_options,
		    struct vmsect_view **ret_view)
{
	struct vmsect_map_options options;
	struct vmsect_view *view;
	int r;

	r = map_options_copy(section, user_options, &options);
	if (r < 0)
		return r;
	if (options.protection >= VMSECT_PROT_EXECUTE &&
	    options.protection <= VMSECT_PROT_EXECUTE_WRITECOPY)
		return client_fail(section->client, -EOPNOTSUPP, VMSECT_DETAIL_PROTECTION,
				   "executable views are not offered to processes");
	view = view_new(section);
	if (!view)
		return -ENOMEM;
	r = view_map(view, section, &options);
	if (r < 0) {
		free(view);
		return r;
	}
	*ret_view = view;
	return 0;
}

int vmsect_view_register(struct vmsect_section *section,
			 const struct vmsect_map_options *user_options, uint64_t place,
			 struct vmsect_view **ret_view)
{
	struct vmsect_map_options options;
	struct vmsect_rep_map reply = { 0 };
	struct vmsect_view *view;
	int r;

	r = map_options_copy(section, user_options, &options);
	if (r < 0)
		return r;
	view = view_new(section);
	if (!view)
		return -ENOMEM;
	r = map_call(section, &options, place, &reply);
	if (r < 0) {
		free(view);
		return r;
	}
	view->id = reply.view;
	view->length = reply.length;
	*ret_view = view;
	return 0;
}

void *vmsect_view_address(const struct vmsect_view *view)
{
	return view->address;
}

uint64_t vmsect_view_length(const struct vmsect_view *view)
{
	return view->length;
}

uint64_t vmsect_view_id(const struct vmsect_view *view)
{
	return view->id;
}

int vmsect_view_report(struct vmsect_view *view, uint64_t denied_writes)
{
	struct vmsect_req_view_stats stats = { .view = view->id, .denied_writes = denied_writes };
	struct client_request request = { VMSECT_OP_VIEW_STATS, &stats.hdr, sizeof(stats), NULL,
					  0 };

	return client_call_simple(view->client, &request);
}

struct vmsect_view *vmsect_view_unmap(struct vmsect_view *view)
{
	if (!view)
		return NULL;
	if (view->address)
		range_release(view->address, view->length);
	unmap_call(view->client, view->id);
	free(view);
	return NULL;
}
