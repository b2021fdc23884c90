// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests to the device, and what its errors are called elsewhere. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/actor/clock.h"
#include "conformance/actor/hex.h"
#include "conformance/actor/names.h"
#include "conformance/vm/vm.h"

#define REQUEST_MAX 512u
#define NO_ANSWER 1001u /* as the agent says it */
#define BROKER_MS 5000 /* as long as libvmsect waits for a new broker */
#define AGAIN_MS 20

static const char *detail_name(struct vm_result result)
{
	static const char *const names[] = {
		[VMSECT_D_FORMAT] = "FORMAT",
		[VMSECT_D_RESERVED] = "ATTR",
		[VMSECT_D_NAME] = "NAME",
		[VMSECT_D_ACCESS] = "ACCESS",
		[VMSECT_D_PROTECTION] = "PROTECTION",
		[VMSECT_D_ALIGNMENT] = "ALIGNMENT",
		[VMSECT_D_VIEW_SIZE] = "VIEW_SIZE",
		[VMSECT_D_WINDOW] = "RANGE",
		[VMSECT_D_ATTACHMENT] = "STATE",
		[VMSECT_D_HANDLES] = "LIMIT",
		[VMSECT_D_VIEWS] = "LIMIT",
		[VMSECT_D_CURSOR] = "CURSOR",
		[VMSECT_D_QUOTA] = "LIMIT",
		[VMSECT_D_SIZE] = "SIZE",
		[VMSECT_D_ATTR] = "ATTR",
		[VMSECT_D_RANGE] = "RANGE",
		[VMSECT_D_COMMIT] = "COMMIT",
		[VMSECT_D_EXTEND] = "EXTEND",
		[VMSECT_D_IO] = "IO",
		[VMSECT_D_REVOKED] = "REVOKED",
		[VMSECT_D_PENDING] = "LIMIT",
		[VMSECT_D_HANDLE] = "HANDLE",
	};

	/* The device says by the status alone what these are. */
	if (result.detail == VMSECT_D_NONE && result.status == VMSECT_S_EEXIST)
		return "RANGE";
	if (result.detail == VMSECT_D_NONE && result.status == VMSECT_S_EBADF)
		return "HANDLE";
	if (result.detail == VMSECT_D_NONE && result.status == VMSECT_S_EFBIG)
		return "SIZE";
	if (result.detail >= sizeof(names) / sizeof(names[0]) || !names[result.detail])
		return "NONE";
	return names[result.detail];
}

bool vm_answer(struct reply *reply, struct vm_result result)
{
	char sentence[64];

	reply_ok(reply, "%s", "");
	if (result.status == VMSECT_S_OK)
		return true;
	if (result.status >= NO_ANSWER) {
		reply_bad(reply, "the device has not answered, or not well: %u/%u", result.status,
			  result.detail);
		return false;
	}
	(void)snprintf(sentence, sizeof(sentence), "status %u, detail %u", result.status,
		       result.detail);
	reply_error(reply, result.status == VMSECT_S_EHOSTDOWN ? EPIPE : (int)result.status,
		    detail_name(result), sentence);
	return false;
}

/* The bytes behind `bytes=` of the agent's answer; what is missing stays. */
static void from_hex(const char *answer, unsigned char *bytes, size_t count)
{
	const char *at = strstr(answer, "bytes=");

	at = at ? at + 6 : "";
	for (size_t i = 0; i < count && hex_byte(at + 2 * i, &bytes[i]); i++)
		;
}

static struct vm_result request_once(struct vm_actor *actor, const void *req, size_t req_bytes,
				     void *rsp, size_t *rsp_bytes)
{
	struct vm_result result = { NO_ANSWER, 0 };
	char hex[2 * REQUEST_MAX + 1];
	uint64_t number;
	const char *answer;

	(void)hex_put(hex, req, req_bytes);
	answer = vm_ask(actor->vm, "raw %s %zu", hex, *rsp_bytes);
	if (vm_find_number(answer, "status", &number))
		result.status = (uint32_t)number;
	if (vm_find_number(answer, "detail", &number))
		result.detail = (uint32_t)number;
	if (result.status != VMSECT_S_OK || !vm_find_number(answer, "used", &number))
		return result;
	memset(rsp, 0, *rsp_bytes);
	from_hex(answer, rsp, *rsp_bytes);
	*rsp_bytes = (size_t)number;
	return result;
}

/* Where there is no broker for the moment, a guest tries again, as libvmsect does. */
struct vm_result vm_request(struct vm_actor *actor, const void *req, size_t req_bytes, void *rsp,
			    size_t *rsp_bytes)
{
	int64_t until = clock_ms() + BROKER_MS;
	struct vm_result result;

	do {
		result = request_once(actor, req, req_bytes, rsp, rsp_bytes);
		if (result.status != VMSECT_S_EHOSTDOWN)
			break;
		clock_pause_ms(AGAIN_MS);
	} while (clock_ms() < until);
	return result;
}

struct vm_result vm_call(struct vm_actor *actor, const void *req, size_t req_bytes, void *rsp,
			 size_t rsp_bytes)
{
	size_t got = rsp_bytes;
	struct vm_result result = vm_request(actor, req, req_bytes, rsp, &got);

	if (result.status == VMSECT_S_OK && got != rsp_bytes)
		result = (struct vm_result){ NO_ANSWER, (uint32_t)got };
	return result;
}
