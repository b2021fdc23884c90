/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvmsect: sections for host programs and for VMMs.
 *
 * A client is one connection to the broker.  A section is one handle, opened
 * with an access mask that is checked once.  A view is a range of a section,
 * mapped with a protection.  All three are opaque; each has one owner, the
 * caller, and is freed by the call named at its constructor.
 *
 * Every call returns 0 (or what it says) or -errno and leaves `ret_` values
 * untouched on failure; vmsect_client_error() has the sentence that belongs to
 * the last failure.  The library owns no thread, no signal and no global.  One
 * client and all that came from it belong to one thread at a time, and to one
 * process: after fork() the child calls nothing for what was made before.
 *
 * A call that needs the broker waits for it, at most 5 s.  Beside the errors
 * that are listed, each such call can end the connection: -EPIPE the broker has
 * gone, -ETIMEDOUT it does not answer, -EPROTO its answer is none; and can fail
 * with -ENOMEM, or with -EMFILE where a descriptor would come.
 *
 * Two refusals stay apart: -EPERM, the handle lacks the right; -EACCES, the
 * section's protection (or, at open, its owner) forbids it.
 */
#ifndef VMSECT_H
#define VMSECT_H

#include <stddef.h>
#include <stdint.h>

#include <vmsect/vmsect_detail.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VMSECT_API __attribute__((visibility("default")))

struct vmsect_client;
struct vmsect_section;
struct vmsect_view;

/* Rights of a handle.  Copy-on-write has none of its own: it needs READ. */
#define VMSECT_ACCESS_QUERY 0x01u
#define VMSECT_ACCESS_READ 0x02u
#define VMSECT_ACCESS_WRITE 0x04u
#define VMSECT_ACCESS_EXECUTE 0x08u
#define VMSECT_ACCESS_EXTEND 0x10u
#define VMSECT_ACCESS_NOTIFY 0x20u
#define VMSECT_ACCESS_GRANT 0x40u
#define VMSECT_ACCESS_ALL 0x7fu

/* Protection of a section (the most that a view may have) or of a view. */
enum vmsect_protection {
	VMSECT_PROT_NOACCESS = 1,
	VMSECT_PROT_READONLY = 2,
	VMSECT_PROT_READWRITE = 3,
	VMSECT_PROT_WRITECOPY = 4,
	VMSECT_PROT_EXECUTE = 5,
	VMSECT_PROT_EXECUTE_READ = 6,
	VMSECT_PROT_EXECUTE_READWRITE = 7,
	VMSECT_PROT_EXECUTE_WRITECOPY = 8,
};

enum vmsect_backing {
	VMSECT_BACKING_FILE = 1, /* a data file, in place */
	VMSECT_BACKING_SHMEM = 2, /* page file: a memfd, goes to swap */
	VMSECT_BACKING_HUGETLB = 3, /* page file: huge pages, never swapped */
	VMSECT_BACKING_DIRECTORY = 4, /* page file: unlinked file, not yet offered */
};

/* Flags of a section. */
#define VMSECT_SECTION_PERMANENT 0x1u /* lives until it is removed */

/* Flags of vmsect_section_create(). */
#define VMSECT_CREATE_PERMANENT 0x1u
#define VMSECT_CREATE_OPEN_IF 0x2u /* the name exists: open that section */

/*
 * Options structs start with their size, so that they can grow.  Structs that
 * the library fills in end in `reserved`, which is zero: later versions take
 * new fields out of it, and sizes stay.
 */
struct vmsect_connect_options {
	size_t size; /* sizeof(struct vmsect_connect_options) */
	const char *socket_path; /* NULL: the usual places, see below */
	const char *name; /* who this is; NULL: the program's name */
	int no_start; /* 1: do not start a broker */
	int is_vm; /* 1: a VMM that speaks for a VM */
	uint32_t cpus; /* VM: its vCPUs */
	uint64_t memory_bytes; /* VM: its RAM */
};

struct vmsect_create_options {
	size_t size;
	const char *name; /* NULL: anonymous */
	enum vmsect_backing backing;
	enum vmsect_protection protection;
	uint64_t size_bytes; /* file: 0 = its length */
	const char *path; /* file: opened by this process, with its rights */
	uint32_t flags; /* VMSECT_CREATE_ */
	uint32_t access; /* of the handle; 0: all that protection allows, but GRANT */
	uint32_t mode; /* who else: 0600 and the like; 0: 0600 */
	uint32_t page_shift; /* hugetlb: 0 or 21 */
};

struct vmsect_map_options {
	size_t size;
	enum vmsect_protection protection;
	uint64_t offset; /* a multiple of the section's page */
	uint64_t length; /* 0: to the end */
};

/* What a VMM has counted in its VM's window, in all; see vmsect_client_report(). */
struct vmsect_vm_counters {
	size_t size;
	uint64_t denied_writes; /* to views that do not allow them */
	uint64_t hole_accesses; /* where there is no view */
	uint64_t undecodable_stores; /* that KVM could not emulate */
	uint64_t lost_pages; /* whose backing has gone; zeros took their place */
};

struct vmsect_section_info {
	uint64_t id;
	uint64_t generation;
	uint64_t size_bytes;
	uint64_t allocated_bytes;
	enum vmsect_backing backing;
	enum vmsect_protection protection;
	uint32_t flags;
	uint32_t page_shift;
	uint32_t uid;
	uint32_t gid;
	uint32_t mode;
	uint32_t handles;
	uint32_t views;
	char name[128]; /* empty: anonymous or removed */
	char path[1024]; /* data file; empty for the page file */
	uint64_t reserved[8];
};

struct vmsect_view_info {
	uint64_t id;
	uint64_t section_id;
	uint64_t offset;
	uint64_t length;
	uint64_t place; /* process: address; VM: offset in its window */
	uint64_t denied_writes;
	uint32_t peer_id;
	enum vmsect_protection protection;
	uint32_t access;
	int peer_is_vm;
	int32_t pid;
	uint32_t uid;
	char section_name[128];
	char peer_name[128];
	uint64_t reserved[8];
};

struct vmsect_peer_info {
	uint64_t memory_bytes;
	uint64_t denied_writes; /* from here four of a VM, see struct vmsect_vm_counters */
	uint64_t hole_accesses;
	uint64_t undecodable_stores;
	uint64_t lost_pages;
	uint32_t id;
	int is_vm;
	uint32_t cpus;
	int32_t pid;
	uint32_t uid;
	uint32_t gid;
	uint32_t handles;
	uint32_t views;
	char name[128];
	uint64_t reserved[8];
};

enum vmsect_event_type {
	VMSECT_EVENT_PEER_JOINED = 1,
	VMSECT_EVENT_PEER_LEFT = 2,
	VMSECT_EVENT_DISCONNECTED = 64, /* the connection to the broker is over */
	VMSECT_EVENT_LOST = 65, /* `value` older events were not fetched in time */
};

struct vmsect_event {
	enum vmsect_event_type type;
	uint32_t peer_id;
	uint64_t section_id;
	uint64_t value;
	uint64_t offset;
	uint64_t length;
};

/**
 * vmsect_version() - the library's version, "MAJOR.MINOR.PATCH".
 */
VMSECT_API const char *vmsect_version(void);

/**
 * vmsect_connect() - connect to the broker, starting one if there is none.
 * @options: NULL for the defaults; borrowed
 * @ret_client: the client; free it with vmsect_client_free()
 *
 * Without socket_path: $VMSECT_SOCKET; else the user's own broker in
 * $XDG_RUNTIME_DIR/vmsect (without that variable /run/user/UID, then
 * /tmp/vmsect-UID); else the system's in /run/vmsect, which is the first
 * choice of root.  A folder of the user that someone else owns or may write in
 * is refused.  If none answers and neither no_start nor $VMSECT_SOCKET is
 * given, a broker is started: at socket_path, else at the user's own place.
 * Blocks at most about 10 s.
 *
 * Errors: -ENOENT no broker, and none to start; -ECONNREFUSED no broker
 * listens, or it could not be started; -EACCES not allowed to connect;
 * -EPROTONOSUPPORT it speaks another version; -EDQUOT it has too many clients
 * of this user; -ETIMEDOUT it does not answer; -ENAMETOOLONG the path of the
 * socket; -EINVAL options; -ENOMEM.
 */
VMSECT_API int vmsect_connect(const struct vmsect_connect_options *options,
			      struct vmsect_client **ret_client);

/**
 * vmsect_client_free() - end the connection.
 * @client: NULL is fine
 *
 * Sections and views of the client are freed first by their owner.  Returns
 * NULL.
 */
VMSECT_API struct vmsect_client *vmsect_client_free(struct vmsect_client *client);

/** vmsect_client_error() - the last failure as a sentence; borrowed. */
VMSECT_API const char *vmsect_client_error(const struct vmsect_client *client);

/** vmsect_client_detail() - enum vmsect_detail of the last failure. */
VMSECT_API uint32_t vmsect_client_detail(const struct vmsect_client *client);

/** vmsect_client_peer_id() - this client's number among the peers. */
VMSECT_API uint32_t vmsect_client_peer_id(const struct vmsect_client *client);

/**
 * vmsect_client_fd() - a descriptor to poll for reading; borrowed.
 *
 * When it is readable, or after any other call, call
 * vmsect_client_next_event() until it returns 0.
 */
VMSECT_API int vmsect_client_fd(const struct vmsect_client *client);

/**
 * vmsect_client_next_event() - take the next event; never blocks.
 *
 * Returns 1 with an event, 0 if there is none.  DISCONNECTED comes once;
 * after it every call that needs the broker fails with -EPIPE, and views go
 * on working.  The descriptor then stays readable: stop to poll it.  At most
 * 256 events wait; then the oldest are lost, and LOST says how many.
 */
VMSECT_API int vmsect_client_next_event(struct vmsect_client *client,
					struct vmsect_event *ret_event);

/**
 * vmsect_client_report() - report what a VMM has counted.
 * @counters: in all, not since the last report; borrowed
 *
 * For VMMs; vmsect_list_peers() shows it to everyone.  Errors: -EINVAL the size,
 * or (detail STATE) this client did not connect as a VM; -EPIPE, -ETIMEDOUT.
 */
VMSECT_API int vmsect_client_report(struct vmsect_client *client,
				    const struct vmsect_vm_counters *counters);

/**
 * vmsect_section_create() - make a section and open it.
 * @ret_section: free with vmsect_section_close()
 *
 * Returns 0, or 1 if OPEN_IF found a section of that name.
 *
 * Errors: -EINVAL (detail: NAME, PROTECTION, SIZE, ATTR, ACCESS); -EEXIST the
 * name is taken; -ENODATA the file is empty; -EFBIG larger than a file that is
 * not to be written, or absurd; -ENODEV not a regular file; -EPERM the
 * descriptor or the handle lacks the right; -EACCES the file or an existing
 * section refuses; -ENOSPC the disk is full; -ENOMEM too few huge pages (detail
 * HUGEPAGES) or no memory; -EDQUOT a limit (detail LIMIT); -EPIPE, -ETIMEDOUT
 * the broker.
 */
VMSECT_API int vmsect_section_create(struct vmsect_client *client,
				     const struct vmsect_create_options *options,
				     struct vmsect_section **ret_section);

/**
 * vmsect_section_open() - open a section by name.
 * @access: VMSECT_ACCESS_ bits, not 0
 * @ret_section: free with vmsect_section_close()
 *
 * Errors: -ENOENT; -EACCES the owner or the section's protection does not
 * allow that access; -EINVAL (NAME, ACCESS); -EDQUOT; -EPIPE, -ETIMEDOUT.
 */
VMSECT_API int vmsect_section_open(struct vmsect_client *client, const char *name, uint32_t access,
				   struct vmsect_section **ret_section);

/**
 * vmsect_section_close() - give the handle back.
 *
 * Views made through it stay and keep the memory alive.  A temporary section
 * loses its name with its last handle.  NULL is fine; returns NULL.
 */
VMSECT_API struct vmsect_section *vmsect_section_close(struct vmsect_section *section);

/**
 * vmsect_section_fd() - the handle's descriptor; borrowed, -1 without one.
 *
 * It can do no more than the handle: read-only unless access has WRITE.
 */
VMSECT_API int vmsect_section_fd(const struct vmsect_section *section);

/** vmsect_section_access() - the handle's access mask. */
VMSECT_API uint32_t vmsect_section_access(const struct vmsect_section *section);

/**
 * vmsect_section_query() - what the section is now.
 *
 * Errors: -EPERM the handle lacks QUERY; -EPIPE, -ETIMEDOUT.
 */
VMSECT_API int vmsect_section_query(struct vmsect_section *section,
				    struct vmsect_section_info *ret_info);

/**
 * vmsect_section_info() - what the section was at open; never blocks.
 *
 * Size, backing, protection, page and name are known to every handle.
 */
VMSECT_API const struct vmsect_section_info *vmsect_section_info(
	const struct vmsect_section *section);

/**
 * vmsect_section_remove() - take a section's name and its permanence away.
 *
 * It lives on while handles or views do.  Errors: -ENOENT; -EACCES only its
 * owner and root may; -EINVAL (NAME); -EPIPE, -ETIMEDOUT.
 */
VMSECT_API int vmsect_section_remove(struct vmsect_client *client, const char *name);

/**
 * vmsect_view_map() - map a view into this process.
 * @ret_view: free with vmsect_view_unmap(), before its client
 *
 * The handle may be closed while the view lives.
 *
 * Errors: -EPERM the handle lacks the right; -EACCES the section's protection
 * forbids it; -EINVAL (PROTECTION, ALIGNMENT, VIEW_SIZE); -EOPNOTSUPP an
 * executable protection; -ENOMEM; -EDQUOT; -EPIPE, -ETIMEDOUT.
 */
VMSECT_API int vmsect_view_map(struct vmsect_section *section,
			       const struct vmsect_map_options *options,
			       struct vmsect_view **ret_view);

/**
 * vmsect_view_register() - tell the broker of a view that the caller maps.
 * @place: where: for a VM the offset in its window
 *
 * For VMMs.  The same checks and errors as vmsect_view_map(); the caller then
 * maps vmsect_section_fd() itself.  vmsect_view_unmap() tells the broker that
 * the view has gone and unmaps nothing.
 */
VMSECT_API int vmsect_view_register(struct vmsect_section *section,
				    const struct vmsect_map_options *options, uint64_t place,
				    struct vmsect_view **ret_view);

/** vmsect_view_address() - where it is; NULL for a registered view. */
VMSECT_API void *vmsect_view_address(const struct vmsect_view *view);

/** vmsect_view_length() - its bytes, rounded up to the section's page. */
VMSECT_API uint64_t vmsect_view_length(const struct vmsect_view *view);

/** vmsect_view_id() - the broker's number of it. */
VMSECT_API uint64_t vmsect_view_id(const struct vmsect_view *view);

/**
 * vmsect_view_report() - report what was counted on a registered view.
 * @denied_writes: in all, not since the last report
 */
VMSECT_API int vmsect_view_report(struct vmsect_view *view, uint64_t denied_writes);

/** vmsect_view_unmap() - unmap and free; NULL is fine; returns NULL. */
VMSECT_API struct vmsect_view *vmsect_view_unmap(struct vmsect_view *view);

/**
 * vmsect_list_sections() - every section that this client may see.
 * @name: only this one, or NULL
 * @ret_list: an array of *ret_count; free with free()
 *
 * Errors: -ENOENT with a name that is none; -ENOMEM; -EPIPE, -ETIMEDOUT.
 */
VMSECT_API int vmsect_list_sections(struct vmsect_client *client, const char *name,
				    struct vmsect_section_info **ret_list, size_t *ret_count);

/** vmsect_list_views() - views, of one section id or (0) of all; as above. */
VMSECT_API int vmsect_list_views(struct vmsect_client *client, uint64_t section_id,
				 struct vmsect_view_info **ret_list, size_t *ret_count);

/** vmsect_list_peers() - VMs and processes with a connection; as above. */
VMSECT_API int vmsect_list_peers(struct vmsect_client *client, struct vmsect_peer_info **ret_list,
				 size_t *ret_count);

/** vmsect_list_section_peers() - those that have a handle or view of it. */
VMSECT_API int vmsect_list_section_peers(struct vmsect_client *client, uint64_t section_id,
					 struct vmsect_peer_info **ret_list, size_t *ret_count);

#ifdef __cplusplus
}
#endif

#endif
