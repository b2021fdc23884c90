// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Long fills and compares: the agent does them word by word, and tells a sum.
 */
#include <inttypes.h>
#include <string.h>

#include "conformance/vm/vm.h"

#define SHORT_BYTES 64u
#define HOLE_BYTES 65536u /* each access is an exit */

bool vm_is_bulk(const struct vm_span *span)
{
	return span->count > SHORT_BYTES && !((vm_span_address(span) | span->count) & 7);
}

/* A number of the agent's answer to what it was just asked. */
static bool number(struct vm_actor *actor, const char *key, uint64_t *ret_number,
		   struct reply *reply)
{
	if (!strncmp(actor->vm->reply, "ok", 2) &&
	    vm_find_number(actor->vm->reply, key, ret_number))
		return true;
	reply_bad(reply, "%.200s", actor->vm->reply);
	return false;
}

static bool sum(struct vm_actor *actor, const struct vm_span *span, uint64_t *ret_sum,
		struct reply *reply)
{
	(void)vm_ask(actor->vm, "sum 0x%" PRIx64 " %" PRIu64, vm_span_address(span), span->count);
	return number(actor, "sum", ret_sum, reply);
}

struct difference {
	uint64_t wrong; /* words, or bytes */
	uint64_t first;
};

static bool differ(struct vm_actor *actor, const struct vm_span *span, const struct args *args,
		   struct difference *ret_difference, struct reply *reply)
{
	uint64_t address = vm_span_address(span);
	bool is_pattern = args_has(args, "pattern");

	if (is_pattern)
		(void)vm_ask(actor->vm, "check 0x%" PRIx64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
			     address, span->count, args_number(args, "pattern", 0),
			     vm_span_offset(span));
	else
		(void)vm_ask(actor->vm, "differ 0x%" PRIx64 " %" PRIu64 " %" PRIu64, address,
			     span->count, args_number(args, "byte", 0));
	return number(actor, is_pattern ? "wrong" : "count", &ret_difference->wrong, reply) &&
	       number(actor, "first", &ret_difference->first, reply);
}

static void fill(struct vm_actor *actor, const struct vm_span *span, const struct args *args)
{
	uint64_t address = vm_span_address(span);

	if (args_has(args, "pattern"))
		(void)vm_ask(actor->vm, "fill 0x%" PRIx64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
			     address, span->count, args_number(args, "pattern", 0),
			     vm_span_offset(span));
	else
		(void)vm_ask(actor->vm, "set 0x%" PRIx64 " %" PRIu64 " %" PRIu64, address,
			     span->count, args_number(args, "byte", 0));
}

/* A fill, or a compare that only reads, where nothing is: there are ones. */
static void judge_hole(struct vm_actor *actor, const struct vm_span *span, const struct args *args,
		       struct reply *reply)
{
	uint64_t wrong = 0;

	if (span->count > HOLE_BYTES) {
		reply_bad(reply, "at most %u bytes where nothing is", HOLE_BYTES);
		return;
	}
	if (!strcmp(args->op, "fill"))
		fill(actor, span, args);
	(void)vm_ask(actor->vm, "differ 0x%" PRIx64 " %" PRIu64 " 255", vm_span_address(span),
		     span->count);
	actor->holes += span->count;
	if (!number(actor, "count", &wrong, reply))
		return;
	reply_word(reply, "fault");
	if (wrong)
		reply_bad(reply, "a hole that does not read as ones");
}

/* False: the reply is complete. */
static bool is_readable(struct vm_actor *actor, const struct vm_span *span, const struct args *args,
			struct reply *reply)
{
	switch (vm_span_place(actor, span)) {
	case PLACE_THERE:
		return true;
	case PLACE_HOLE:
		judge_hole(actor, span, args, reply);
		return false;
	case PLACE_LOST:
		reply_word(reply, "lost");
		return false;
	case PLACE_BAD:
		break;
	}
	reply_bad(reply, "the device does not say what the pages are");
	return false;
}

void vm_bulk_fill(struct vm_actor *actor, const struct vm_span *span, const struct args *args,
		  struct reply *reply)
{
	uint64_t denied = vm_denied(actor, span->variable);
	struct difference difference;
	uint64_t before;
	uint64_t after;

	if (!is_readable(actor, span, args, reply) || !sum(actor, span, &before, reply))
		return;
	fill(actor, span, args);
	denied = vm_denied(actor, span->variable) - denied;
	if (sum(actor, span, &after, reply) && differ(actor, span, args, &difference, reply) &&
	    is_readable(actor, span, args, reply))
		vm_judge_store(reply, denied, !difference.wrong, before == after);
}

void vm_bulk_compare(struct vm_actor *actor, const struct vm_span *span, const struct args *args,
		     struct reply *reply)
{
	struct difference difference;

	if (!differ(actor, span, args, &difference, reply) ||
	    !is_readable(actor, span, args, reply))
		return;
	reply_ok(reply, "%s", "");
	if (difference.wrong)
		reply_different(reply, difference.first);
}
