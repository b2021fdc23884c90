// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loads and stores of a guest, and how they end.
 *
 * Nothing in a VM fails by a signal.  A store that the host discards leaves the
 * bytes as they were, and the view's count of denied writes grows.  Where there
 * is no view that can be read, loads give ones, and the host counts a hole: it
 * tells of these once a second, so they are looked at in the end (`counted`).
 * On a lost page loads give zeros and stores go nowhere, and the device says
 * that the page is lost.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/actor/hex.h"
#include "conformance/vm/vm.h"
#include "kvm/guests/pattern.h"

/* Bytes of one command of the agent. */
#define GET_BYTES 2048u
#define PUT_BYTES 1024u

/* One command's worth. */
static bool get_part(struct vm_actor *actor, uint64_t place, unsigned char *bytes, uint64_t count)
{
	const char *answer = vm_ask(actor->vm, "get 0x%" PRIx64 " %" PRIu64, place, count);
	const char *at = strstr(answer, "bytes=");
	uint64_t alike;

	if (vm_find_number(answer, "all", &alike)) {
		memset(bytes, (int)alike, count);
		return true;
	}
	at = at ? at + 6 : "";
	for (uint64_t i = 0; i < count; i++)
		if (!hex_byte(at + 2 * i, &bytes[i]))
			return false;
	return true;
}

static bool get(struct vm_actor *actor, uint64_t place, unsigned char *bytes, uint64_t count)
{
	uint64_t part;

	for (uint64_t done = 0; done < count; done += part) {
		part = count - done < GET_BYTES ? count - done : GET_BYTES;
		if (!get_part(actor, place + done, bytes + done, part))
			return false;
	}
	return true;
}

static bool put(struct vm_actor *actor, uint64_t place, const unsigned char *bytes, uint64_t count)
{
	char hex[2 * PUT_BYTES + 1];
	const char *answer;
	uint64_t part;

	for (uint64_t done = 0; done < count; done += part) {
		part = count - done < PUT_BYTES ? count - done : PUT_BYTES;
		(void)hex_put(hex, bytes + done, part);
		answer = vm_ask(actor->vm, "put 0x%" PRIx64 " %s", place + done, hex);
		if (strncmp(answer, "ok", 2) != 0)
			return false;
	}
	return true;
}

static bool all_are(const unsigned char *bytes, uint64_t count, unsigned char byte)
{
	for (uint64_t i = 0; i < count; i++)
		if (bytes[i] != byte)
			return false;
	return true;
}

static unsigned char *new_bytes(uint64_t count)
{
	unsigned char *bytes = count < UINT32_MAX ? malloc(count + 1) : NULL;

	if (!bytes)
		exit(1);
	return bytes;
}

/* What loads gave must agree with what the place is.  True: they are the section's bytes. */
static bool judge_load(struct vm_actor *actor, const struct vm_span *span,
		       const unsigned char *bytes, struct reply *reply)
{
	switch (vm_span_place(actor, span)) {
	case PLACE_THERE:
		return true;
	case PLACE_HOLE:
		actor->holes += span->count;
		reply_word(reply, "fault");
		if (!all_are(bytes, span->count, 0xff))
			reply_bad(reply, "a hole that does not read as ones");
		break;
	case PLACE_LOST:
		reply_word(reply, "lost");
		break;
	case PLACE_BAD:
		reply_bad(reply, "the device does not say what the pages are");
		break;
	}
	return false;
}

/* Loads bytes of a view; false: the reply is complete. */
static bool load(struct vm_actor *actor, const struct vm_span *span, unsigned char *bytes,
		 struct reply *reply)
{
	if (get(actor, vm_span_address(span), bytes, span->count))
		return judge_load(actor, span, bytes, reply);
	reply_bad(reply, "%.200s", actor->vm->reply);
	return false;
}

static void do_read(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	static unsigned char bytes[ARGS_READ_MAX];
	struct vm_span span;

	if (!vm_take_span(actor, args, reply, &span))
		return;
	if (span.count > sizeof(bytes))
		reply_bad(reply, "at most %u bytes", ARGS_READ_MAX);
	else if (load(actor, &span, bytes, reply))
		reply_data(reply, vm_span_offset(&span), bytes, span.count);
}

static bool try_store(struct vm_actor *actor, const struct vm_span *span,
		      const unsigned char *bytes, unsigned char *before, unsigned char *after)
{
	uint64_t address = vm_span_address(span);

	return get(actor, address, before, span->count) &&
	       put(actor, address, bytes, span->count) && get(actor, address, after, span->count);
}

/* On a view that can be read the bytes say what became of the store. */
static void store(struct vm_actor *actor, const struct vm_span *span, const unsigned char *bytes,
		  struct reply *reply)
{
	unsigned char *before = new_bytes(span->count);
	unsigned char *after = new_bytes(span->count);
	uint64_t denied = vm_denied(actor, span->variable);
	bool is_answered = try_store(actor, span, bytes, before, after);

	denied = vm_denied(actor, span->variable) - denied;
	if (!is_answered)
		reply_bad(reply, "%.200s", actor->vm->reply);
	else if (judge_load(actor, span, after, reply))
		vm_judge_store(reply, denied, !memcmp(after, bytes, span->count),
			       !memcmp(after, before, span->count));
	free(before);
	free(after);
}

static void do_write(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	struct vm_span span;

	if (!vm_take_span(actor, args, reply, &span) || args->count < 3)
		return;
	span.count = args_bytes(args->word[2]);
	store(actor, &span, (const unsigned char *)args->word[2], reply);
}

/* Bytes of a pattern of the section, or one byte. */
static unsigned char *make_bytes(const struct args *args, uint64_t at, uint64_t count)
{
	uint64_t seed = args_number(args, "pattern", 0);
	unsigned char *bytes = new_bytes(count);

	for (uint64_t i = 0; i < count; i++)
		bytes[i] = args_has(args, "pattern") ? pattern_byte(seed, at + i)
						     : (unsigned char)args_number(args, "byte", 0);
	return bytes;
}

static void do_fill(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	struct vm_span span;
	unsigned char *bytes;

	if (!vm_take_span(actor, args, reply, &span))
		return;
	if (vm_is_bulk(&span)) {
		vm_bulk_fill(actor, &span, args, reply);
		return;
	}
	bytes = make_bytes(args, vm_span_offset(&span), span.count);
	store(actor, &span, bytes, reply);
	free(bytes);
}

static void compare(const unsigned char *bytes, const unsigned char *expected, uint64_t count,
		    struct reply *reply)
{
	uint64_t same = 0;

	while (same < count && bytes[same] == expected[same])
		same++;
	if (same == count)
		reply_ok(reply, "%s", "");
	else
		reply_different(reply, same);
}

static void do_compare(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	unsigned char *expected;
	unsigned char *bytes;
	struct vm_span span;

	if (!vm_take_span(actor, args, reply, &span))
		return;
	if (vm_is_bulk(&span)) {
		vm_bulk_compare(actor, &span, args, reply);
		return;
	}
	bytes = new_bytes(span.count);
	expected = make_bytes(args, vm_span_offset(&span), span.count);
	if (load(actor, &span, bytes, reply))
		compare(bytes, expected, span.count, reply);
	free(bytes);
	free(expected);
}

const struct vm_op memory_ops[] = {
	{ "read", do_read },
	{ "write", do_write },
	{ "fill", do_fill },
	{ "compare", do_compare },
	{ 0 },
};
