/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How members come: by a connection, whose peer credentials decide, or by a
 * handle that has NOTIFY.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "broker/credentials.h"
#include "broker/doorbell_internal.h"
#include "broker/rights.h"

#define SECTION_BYTES_MIN 4096u
#define ACCESS_OUTSIDE (ACCESS_QUERY | ACCESS_READ | ACCESS_WRITE | ACCESS_NOTIFY)

static int check_memory(const struct section *section, struct refusal *refusal)
{
	uint64_t bytes = section->backing.size_bytes;
	struct stat st;

	if (section->reserve && commit_map_missing(&section->committed, 0, bytes))
		return refuse(refusal, -EOPNOTSUPP, VMSECT_DETAIL_COMMIT,
			      "an ivshmem client writes where it likes: commit all of the section "
			      "first");
	if (fstat(section->backing.rw_fd, &st) < 0)
		return refuse(refusal, -errno, VMSECT_DETAIL_NONE,
			      "the section's memory cannot be looked at");
	if ((uint64_t)st.st_size != bytes)
		return refuse(refusal, -EOPNOTSUPP, VMSECT_DETAIL_SIZE,
			      "an ivshmem client maps all of the memory, which is larger than the "
			      "section (0x%" PRIx64 ", 0x%" PRIx64 "): make one that does not grow",
			      (uint64_t)st.st_size, bytes);
	return 0;
}

int doorbell_check_section(const struct section *section, struct refusal *refusal)
{
	uint64_t bytes = section->backing.size_bytes;

	if (section->missing)
		return refuse(refusal, -EAGAIN, VMSECT_DETAIL_RECOVERY,
			      "the section's memory has not been handed back yet");
	if (section->backing.rw_fd < 0 || !rights_can_write(ACCESS_WRITE, section->protection))
		return refuse(refusal, -EACCES, VMSECT_DETAIL_ACCESS,
			      "an ivshmem client always writes, and the section is read-only");
	if (bytes < SECTION_BYTES_MIN || bytes & (bytes - 1))
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_SIZE,
			      "the size of an ivshmem device is a power of two, at least 4096; the "
			      "section has 0x%" PRIx64 " bytes",
			      bytes);
	return check_memory(section, refusal);
}

/* What its program is called, as far as it can be shown. */
static void read_name(pid_t pid, char name[VMSECT_NAME_MAX + 1])
{
	char path[sizeof("/proc//comm") + 12];
	AUTO_FD int fd = -1;
	ssize_t size;
	char *at;

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : sys_retry(read(fd, name, VMSECT_NAME_MAX));
	(void)snprintf(size > 0 ? name + size : name, sizeof("ivshmem"), "%s",
		       size > 0 ? "" : "ivshmem");
	name[strcspn(name, "\n")] = '\0';
	for (at = name; *at; at++) {
		if (*at < ' ' || *at > '~')
			*at = '?';
	}
}

static int check_outside(struct doorbell_member *member, const struct section *section,
			 struct refusal *refusal)
{
	int r = policy_check_open(&member->party, &section->ownership, ACCESS_OUTSIDE, refusal);

	return r < 0 ? r : doorbell_check_section(section, refusal);
}

static int open_view(struct doorbell_member *member, struct section *section,
		     struct refusal *refusal)
{
	const struct view_spec spec = {
		.protection = PROTECTION_READWRITE,
		.length = section->backing.size_bytes,
	};
	struct registry *registry = member->hub->doorbells->options.registry;
	struct handle *handle = NULL;
	struct view *view = NULL;
	int r;

	r = party_open(&member->party, section, ACCESS_OUTSIDE, &handle, refusal);
	if (r < 0)
		return r;
	member->handle = handle->id;
	r = registry_map(registry, handle, &spec, &view, refusal);
	if (r < 0)
		return r;
	member->view = view->id;
	r = backing_open(&section->backing, true, &member->memory_fd);
	if (r < 0)
		return refuse(refusal, r, VMSECT_DETAIL_NONE, "no descriptor of the section: %s",
			      strerror(-r));
	return 0;
}

static int enter_registry(struct doorbell_member *member, struct section *section,
			  struct refusal *refusal)
{
	struct registry *registry = member->hub->doorbells->options.registry;
	int r;

	r = account_charge(&registry->account, member->uid, RESOURCE_CLIENTS, 1, refusal);
	if (r < 0)
		return r;
	member->is_client = true;
	r = registry_add_party(registry, &member->party, refusal);
	if (r < 0)
		return r;
	member->id = member->party.id;
	member->serial = member->party.serial;
	return open_view(member, section, refusal);
}

static int enter(struct doorbell_member *member, struct section *section, struct refusal *refusal)
{
	struct party *party = &member->party;
	int r;

	member->is_outside = true;
	r = credentials_read(member->fd, &party->subject);
	if (r < 0)
		return refuse(refusal, r, VMSECT_DETAIL_NONE, "its peer is not known: %s",
			      strerror(-r));
	member->uid = party->subject.uid;
	party->kind = VMSECT_PEER_IVSHMEM;
	read_name(party->subject.pid, party->name);
	r = check_outside(member, section, refusal);
	if (!r)
		r = enter_registry(member, section, refusal);
	if (r < 0)
		return r;
	doorbell_natives_settle(member->hub);
	r = doorbell_member_prepare(member, refusal);
	return r < 0 ? r : doorbell_member_enter(member, refusal);
}

static void note_refusal(struct doorbells *doorbells, const struct section *section,
			 const struct subject *subject, const struct refusal *refusal)
{
	uint64_t dropped;

	doorbells->options.stats->refused++;
	if (log_allowed(&doorbells->log_limit, &dropped))
		log_info("section %" PRIu64 " '%s': ivshmem client of uid %u (pid %d) refused: %s",
			 section->id, section->name, subject->uid, subject->pid, refusal->text);
}

/* Takes the descriptor. */
static int accept_into(struct doorbell_hub *hub, struct section *section, int fd)
{
	struct doorbell_member *member = NULL;
	struct refusal refusal;
	int r = doorbell_member_new_take_fd(hub, fd, &member);

	if (r < 0) {
		(void)refuse(&refusal, r, VMSECT_DETAIL_NONE, "%s", strerror(-r));
		note_refusal(hub->doorbells, section, &(struct subject){ 0 }, &refusal);
		return r;
	}
	r = enter(member, section, &refusal);
	if (r < 0) {
		note_refusal(hub->doorbells, section, &member->party.subject, &refusal);
		doorbell_member_free(member);
	}
	return r;
}

int doorbell_accept_take_fd(struct doorbells *doorbells, struct section *section, int fd)
{
	struct doorbell_hub *hub = doorbell_hub_find(doorbells, section->id);
	int r;

	if (!hub) {
		fd_close(fd);
		doorbells->options.stats->refused++;
		return -EINVAL;
	}
	hub->holds++;
	r = accept_into(hub, section, fd);
	hub->holds--;
	doorbell_hub_put(hub);
	if (doorbells->options.ended)
		doorbells->options.ended(doorbells->options.arg);
	return r;
}

/* The stream that the party has may be replaced by another of the same handle. */
static int check_former(const struct doorbell_member *former, const struct handle *handle,
			struct refusal *refusal)
{
	if (!former || former->handle == handle->id)
		return 0;
	return refuse(refusal, -EBUSY, VMSECT_DETAIL_STATE,
		      "this client has the section's doorbells by its handle %u already",
		      former->handle);
}

/* Nothing changes for anybody until nothing but memory can fail. */
static int enter_inside(struct doorbell_member *member, struct doorbell_member *former,
			struct refusal *refusal)
{
	struct doorbell_hub *hub = member->hub;
	int r;

	doorbell_natives_settle(hub);
	r = doorbell_member_prepare(member, refusal);
	if (r < 0)
		return r;
	if (former)
		doorbell_member_drop(former, DOORBELL_END_REPLACED);
	doorbell_native_forget(hub, member->id);
	return doorbell_member_enter(member, refusal);
}

static int join(struct doorbell_hub *hub, const struct handle *handle, int fd,
		struct refusal *refusal)
{
	const struct party *party = handle->attachment->party;
	struct doorbell_member *member = NULL;
	int r = doorbell_member_new_take_fd(hub, fd, &member);

	if (r < 0)
		return refuse(refusal, r, VMSECT_DETAIL_NONE, "no stream: %s", strerror(-r));
	member->id = party->id;
	member->serial = party->serial;
	member->uid = party->subject.uid;
	member->handle = handle->id;
	r = enter_inside(member, doorbell_hub_member(hub, party->id), refusal);
	if (r < 0) {
		doorbell_member_free(member);
		doorbell_hub_note(hub);
	}
	return r;
}

static int join_by_pair(struct doorbell_hub *hub, const struct handle *handle, int *ret_fd,
			struct refusal *refusal)
{
	AUTO_FD int ours = -1, theirs = -1;
	int pair[2];
	int r = sys_result(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair));

	if (r < 0)
		return refuse(refusal, r, VMSECT_DETAIL_NONE, "no stream: %s", strerror(-r));
	ours = pair[0];
	theirs = pair[1];
	r = join(hub, handle, steal_fd(&ours), refusal);
	if (!r)
		*ret_fd = steal_fd(&theirs);
	return r;
}

static int join_hub(struct doorbells *doorbells, const struct handle *handle, uint32_t vectors,
		    int *ret_fd, struct refusal *refusal)
{
	struct doorbell_hub *hub = NULL;
	int r;

	if (!(handle->access & ACCESS_NOTIFY))
		return refuse(refusal, -EPERM, VMSECT_DETAIL_ACCESS,
			      "handle %u has no right to notify", handle->id);
	r = doorbell_hub_get(doorbells, handle->attachment->section_id, vectors, &hub, refusal);
	if (r < 0)
		return r;
	hub->holds++;
	r = check_former(doorbell_hub_member(hub, handle->attachment->party->id), handle, refusal);
	if (!r)
		r = join_by_pair(hub, handle, ret_fd, refusal);
	hub->holds--;
	doorbell_hub_put(hub);
	return r;
}

int doorbell_join(struct doorbells *doorbells, const struct handle *handle, uint32_t vectors,
		  int *ret_fd, struct refusal *refusal)
{
	int r = join_hub(doorbells, handle, vectors, ret_fd, refusal);

	doorbells->options.stats->refused += r < 0;
	return r;
}
