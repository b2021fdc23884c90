/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See proto.h.  One row per operation; a check per operation that has fields to check. */
#include "broker/proto.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/parse.h"

_Static_assert(NAME_LENGTH_MAX == VMSECT_NAME_MAX, "names of base and protocol");
_Static_assert(offsetof(struct vmsect_req_resume, version) ==
		       offsetof(struct vmsect_req_hello, version),
	       "one place for the version");

struct operation {
	const char *name;
	size_t size;
	bool takes_fds;
	int (*check)(const struct request *request, struct refusal *refusal);
};

static int refuse_format(struct refusal *refusal, const char *what)
{
	(void)refuse(refusal, -EINVAL, VMSECT_DETAIL_FORMAT, "%s", what);
	return PROTO_E_REFUSED;
}

static int refuse_reserved(struct refusal *refusal)
{
	return refuse_format(refusal, "a reserved field is not zero");
}

/* A connection that cannot be trusted any more. */
static int refuse_end(struct refusal *refusal, const char *what)
{
	(void)refuse(refusal, -EPROTO, VMSECT_DETAIL_FORMAT, "%s", what);
	return PROTO_E_END;
}

/* A name field; `may_be_empty` where the protocol gives that a meaning. */
static int check_name(const char *name, bool may_be_empty, struct refusal *refusal)
{
	size_t length = 0;

	if (name_field_length(name, VMSECT_NAME_MAX + 1, &length) < 0) {
		(void)refuse(refusal, -EINVAL, VMSECT_DETAIL_NAME,
			     "a name does not end or has bytes after its end");
		return PROTO_E_REFUSED;
	}
	if ((!length && may_be_empty) || name_is_legal(name, length))
		return 0;
	(void)refuse(refusal, -EINVAL, VMSECT_DETAIL_NAME, "'%s' is not a legal name", name);
	return PROTO_E_REFUSED;
}

/* A process may call itself as its file is called: any printable ASCII. */
static int check_process_name(const char *name, struct refusal *refusal)
{
	size_t length = 0, i;

	if (name_field_length(name, VMSECT_NAME_MAX + 1, &length) < 0 || !length)
		return check_name(name, false, refusal);
	for (i = 0; i < length; i++) {
		if (name[i] < ' ' || name[i] > '~')
			return check_name(name, false, refusal);
	}
	return 0;
}

static int check_hello(const struct request *request, struct refusal *refusal)
{
	const struct vmsect_req_hello *hello = &request->hello;

	if (hello->reserved)
		return refuse_reserved(refusal);
	switch (hello->kind) {
	case VMSECT_PEER_PROCESS:
		if (hello->memory_bytes || hello->cpus)
			return refuse_format(refusal, "a process has no memory_bytes and cpus");
		return check_process_name(hello->name, refusal);
	case VMSECT_PEER_VM:
		return check_name(hello->name, false, refusal);
	default:
		return refuse_format(refusal, "the kind of peer is unknown");
	}
}

static int check_create(const struct request *request, struct refusal *refusal)
{
	return check_name(request->create.name, true, refusal);
}

static int check_open(const struct request *request, struct refusal *refusal)
{
	if (request->open.reserved)
		return refuse_reserved(refusal);
	return check_name(request->open.name, false, refusal);
}

static int check_handle(const struct request *request, struct refusal *refusal)
{
	return request->handle.reserved ? refuse_reserved(refusal) : 0;
}

static int check_remove(const struct request *request, struct refusal *refusal)
{
	return check_name(request->remove.name, false, refusal);
}

static int check_view_stats(const struct request *request, struct refusal *refusal)
{
	const struct vmsect_req_view_stats *stats = &request->view_stats;

	return stats->reserved ? refuse_reserved(refusal) : 0;
}

static int check_peer_stats(const struct request *request, struct refusal *refusal)
{
	const struct vmsect_req_peer_stats *stats = &request->peer_stats;

	return stats->reserved[0] || stats->reserved[1] ? refuse_reserved(refusal) : 0;
}

static int check_list_sections(const struct request *request, struct refusal *refusal)
{
	if (request->list.section)
		return refuse_format(refusal, "sections are listed by name, not by id");
	return check_name(request->list.name, true, refusal);
}

static int check_list(const struct request *request, struct refusal *refusal)
{
	int r = check_name(request->list.name, true, refusal);

	if (r)
		return r;
	return request->list.name[0] ? refuse_format(refusal, "only sections are listed by name")
				     : 0;
}

static int check_map(const struct request *request, struct refusal *refusal)
{
	return request->map.reserved ? refuse_reserved(refusal) : 0;
}

static int check_pass(const struct request *request, struct refusal *refusal)
{
	return request->pass.reserved ? refuse_reserved(refusal) : 0;
}

static int check_grant(const struct request *request, struct refusal *refusal)
{
	const struct vmsect_req_grant *grant = &request->grant;
	bool is_vm = grant->grant.grantee == VMSECT_GRANTEE_VM;

	if (grant->grant.reserved)
		return refuse_reserved(refusal);
	if (grant->grant.grantee < VMSECT_GRANTEE_UID || grant->grant.grantee > VMSECT_GRANTEE_VM)
		return refuse_format(refusal, "the kind of grantee is unknown");
	if (grant->flags & ~(VMSECT_GRANT_TAKE_BACK | VMSECT_GRANT_REVOKE))
		return refuse_format(refusal, "a flag of the grant is unknown");
	if (!is_vm && grant->grant.name[0])
		return refuse_format(refusal, "only VMs are granted rights by name");
	return check_name(grant->grant.name, !is_vm, refusal);
}

static int check_extend(const struct request *request, struct refusal *refusal)
{
	return request->extend.reserved ? refuse_reserved(refusal) : 0;
}

static int check_protect(const struct request *request, struct refusal *refusal)
{
	return request->protect.reserved ? refuse_reserved(refusal) : 0;
}

static int check_flush(const struct request *request, struct refusal *refusal)
{
	const struct vmsect_req_flush *flush = &request->flush;

	if (flush->flags & ~VMSECT_FLUSH_DURABLE)
		return refuse_format(refusal, "a flag of the flush is unknown");
	if (flush->handle && flush->view)
		return refuse_format(refusal, "a flush is of a handle or of a view");
	return 0;
}

static int check_file(const struct request *request, struct refusal *refusal)
{
	const struct vmsect_req_file *file = &request->file;

	if (file->reserved)
		return refuse_reserved(refusal);
	if (file->action < VMSECT_FILE_QUERY || file->action > VMSECT_FILE_REMOVE)
		return refuse_format(refusal, "the action is unknown");
	if (file->size_bytes && file->action != VMSECT_FILE_TRUNCATE)
		return refuse_format(refusal, "only TRUNCATE has a size");
	return 0;
}

static int check_export_kind(uint32_t kind, struct refusal *refusal)
{
	if (kind == VMSECT_EXPORT_PATH || kind == VMSECT_EXPORT_DOORBELL)
		return 0;
	return refuse_format(refusal, "the kind of export is unknown");
}

static int check_export(const struct request *request, struct refusal *refusal)
{
	const struct vmsect_req_export *export = &request->export;

	if (export->kind == VMSECT_EXPORT_PATH && export->vectors)
		return refuse_format(refusal, "a path has no vectors");
	return check_export_kind(export->kind, refusal);
}

static int check_unexport(const struct request *request, struct refusal *refusal)
{
	return check_export_kind(request->unexport.kind, refusal);
}

#define REQUEST(type) sizeof(struct vmsect_req_##type)
static const struct operation operations[] = {
	[VMSECT_OP_HELLO] = { "HELLO", REQUEST(hello), false, check_hello },
	[VMSECT_OP_CREATE] = { "CREATE", REQUEST(create), true, check_create },
	[VMSECT_OP_OPEN] = { "OPEN", REQUEST(open), false, check_open },
	[VMSECT_OP_CLOSE] = { "CLOSE", REQUEST(handle), false, check_handle },
	[VMSECT_OP_REMOVE] = { "REMOVE", REQUEST(remove), false, check_remove },
	[VMSECT_OP_QUERY] = { "QUERY", REQUEST(handle), false, check_handle },
	[VMSECT_OP_MAP] = { "MAP", REQUEST(map), false, check_map },
	[VMSECT_OP_UNMAP] = { "UNMAP", REQUEST(unmap), false, NULL },
	[VMSECT_OP_VIEW_STATS] = { "VIEW_STATS", REQUEST(view_stats), false, check_view_stats },
	[VMSECT_OP_LIST_SECTIONS] = { "LIST_SECTIONS", REQUEST(list), false, check_list_sections },
	[VMSECT_OP_LIST_VIEWS] = { "LIST_VIEWS", REQUEST(list), false, check_list },
	[VMSECT_OP_LIST_PEERS] = { "LIST_PEERS", REQUEST(list), false, check_list },
	[VMSECT_OP_PEER_STATS] = { "PEER_STATS", REQUEST(peer_stats), false, check_peer_stats },
	[VMSECT_OP_RESUME] = { "RESUME", REQUEST(resume), false, NULL },
	[VMSECT_OP_HAND_BACK] = { "HAND_BACK", REQUEST(hand_back), true, NULL },
	[VMSECT_OP_DUPLICATE] = { "DUPLICATE", REQUEST(duplicate), false, NULL },
	[VMSECT_OP_PASS] = { "PASS", REQUEST(pass), false, check_pass },
	[VMSECT_OP_ACCEPT] = { "ACCEPT", REQUEST(accept), false, NULL },
	[VMSECT_OP_GRANT] = { "GRANT", REQUEST(grant), false, check_grant },
	[VMSECT_OP_LIST_GRANTS] = { "LIST_GRANTS", REQUEST(handle), false, check_handle },
	[VMSECT_OP_EXTEND] = { "EXTEND", REQUEST(extend), false, check_extend },
	[VMSECT_OP_COMMIT] = { "COMMIT", REQUEST(commit), false, NULL },
	[VMSECT_OP_PROTECT] = { "PROTECT", REQUEST(protect), false, check_protect },
	[VMSECT_OP_FLUSH] = { "FLUSH", REQUEST(flush), false, check_flush },
	[VMSECT_OP_PUBLISH] = { "PUBLISH", REQUEST(publish), true, NULL },
	[VMSECT_OP_SEAL] = { "SEAL", REQUEST(handle), false, check_handle },
	[VMSECT_OP_REVOKED] = { "REVOKED", REQUEST(unmap), false, NULL },
	[VMSECT_OP_FILE] = { "FILE", REQUEST(file), true, check_file },
	[VMSECT_OP_NOTIFY] = { "NOTIFY", REQUEST(notify), false, NULL },
	[VMSECT_OP_DOORBELL] = { "DOORBELL", REQUEST(doorbell), false, NULL },
	[VMSECT_OP_EXPORT] = { "EXPORT", REQUEST(export), false, check_export },
	[VMSECT_OP_UNEXPORT] = { "UNEXPORT", REQUEST(unexport), false, check_unexport },
	[VMSECT_OP_LIST_EXPORTS] = { "LIST_EXPORTS", REQUEST(list), false, check_list },
};
#define OPERATION_COUNT (sizeof(operations) / sizeof(operations[0]))

/* NULL for an operation that this broker does not know. */
static const struct operation *operation_find(uint16_t op)
{
	if (op >= OPERATION_COUNT || !operations[op].name)
		return NULL;
	return &operations[op];
}

/* Is this a message at all?  What fails here ends the connection. */
static int check_message(const struct vmsect_msg_hdr *hdr, size_t size, unsigned int fds,
			 struct refusal *refusal)
{
	const struct operation *operation = operation_find(hdr->op);

	if (hdr->size != size)
		return refuse_end(refusal, "the size field is not the size of the message");
	if (hdr->fds != fds)
		return refuse_end(refusal, "the fds field is not the number of descriptors");
	if (fds && !(operation && operation->takes_fds))
		return refuse_end(refusal, "the operation takes no descriptors");
	return 0;
}

static int check_header(const struct vmsect_msg_hdr *hdr, struct refusal *refusal)
{
	if (hdr->flags || hdr->status || hdr->detail || hdr->reserved)
		return refuse_reserved(refusal);
	return 0;
}

/*
 * Another version may have another HELLO (RESUME's version is in the same place): its version is
 * looked at before its size, so that a client of the future learns what is wrong.
 */
static int check_version(const void *bytes, size_t size, struct refusal *refusal)
{
	uint32_t version = 0;

	if (size < offsetof(struct vmsect_req_hello, version) + sizeof(version))
		return refuse_end(refusal, "HELLO or RESUME has no version");
	memcpy(&version, (const char *)bytes + offsetof(struct vmsect_req_hello, version),
	       sizeof(version));
	if (version == VMSECT_PROTO_VERSION)
		return 0;
	(void)refuse(refusal, -EPROTONOSUPPORT, VMSECT_DETAIL_VERSION,
		     "the broker speaks version %u of the protocol, the client version %u",
		     VMSECT_PROTO_VERSION, version);
	return PROTO_E_END;
}

static int decode_body(const void *bytes, size_t size, struct request *request,
		       struct refusal *refusal)
{
	const struct operation *operation = operation_find(request->op);

	if (!operation) {
		(void)refuse(refusal, -EOPNOTSUPP, VMSECT_DETAIL_NONE, "operation %u is unknown",
			     request->op);
		return PROTO_E_REFUSED;
	}
	if (size != operation->size) {
		(void)refuse(refusal, -EINVAL, VMSECT_DETAIL_FORMAT,
			     "%s has %zu bytes, this one has %zu", operation->name, operation->size,
			     size);
		return PROTO_E_REFUSED;
	}
	memcpy(request->bytes, bytes, size);
	return operation->check ? operation->check(request, refusal) : 0;
}

int proto_decode(const void *bytes, size_t size, unsigned int fds, struct request *ret_request,
		 struct refusal *refusal)
{
	struct vmsect_msg_hdr hdr;
	int r;

	memset(ret_request, 0, sizeof(*ret_request));
	if (size < sizeof(hdr))
		return refuse_end(refusal, "the message is shorter than its header");
	memcpy(&hdr, bytes, sizeof(hdr));
	ret_request->op = hdr.op;
	ret_request->cookie = hdr.cookie;
	r = check_message(&hdr, size, fds, refusal);
	if (!r)
		r = check_header(&hdr, refusal);
	if (!r && (hdr.op == VMSECT_OP_HELLO || hdr.op == VMSECT_OP_RESUME))
		r = check_version(bytes, size, refusal);
	return r ? r : decode_body(bytes, size, ret_request, refusal);
}

size_t proto_encode_error(const struct request *request, const struct refusal *refusal,
			  void *buffer)
{
	size_t length = strnlen(refusal->text, VMSECT_ERROR_TEXT_MAX);
	struct vmsect_msg_hdr hdr = {
		.size = (uint32_t)(sizeof(hdr) + length),
		.op = request->op,
		.flags = VMSECT_MSG_REPLY,
		.cookie = request->cookie,
		.status = refusal->status,
		.detail = refusal->detail,
	};

	memcpy(buffer, &hdr, sizeof(hdr));
	memcpy((char *)buffer + sizeof(hdr), refusal->text, length);
	return hdr.size;
}
