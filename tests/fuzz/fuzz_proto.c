/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a message to the broker: the first says how many descriptors
 * came, the rest is the datagram.  What the decoder accepts must be what its
 * head promises, and what it refuses must have a reason that can be sent.
 */
#include <stdlib.h>
#include <string.h>

#include "broker/proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char reply[PROTO_ERROR_MAX];
	struct request request;
	struct refusal refusal;
	int r;

	if (!size)
		return 0;
	r = proto_decode(data + 1, size - 1, data[0] % 4, &request, &refusal);
	if (r) {
		require(r == PROTO_E_REFUSED || r == PROTO_E_END);
		require(refusal.status < 0 && strlen(refusal.text) > 0);
		require(proto_encode_error(&request, &refusal, reply) <= sizeof(reply));
		return 0;
	}
	require(request.hdr.size == size - 1 && request.op == request.hdr.op);
	require(request.op != VMSECT_OP_OPEN ||
		(request.open.name[0] && !memchr(request.open.name, '/', VMSECT_NAME_MAX)));
	return 0;
}
