/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvmsect's constants and structs; programs include <vmsect/vmsect.h>.
 *
 * Constants that the protocol has as well have its values.
 */
#ifndef VMSECT_TYPES_H
#define VMSECT_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

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
	VMSECT_BACKING_DIRECTORY = 4, /* page file: unlinked file in the broker's directory */
};

/* Flags of a section. */
#define VMSECT_SECTION_PERMANENT 0x1u /* lives until it is removed */
#define VMSECT_SECTION_RESERVE 0x2u /* pages are there once they are committed */
#define VMSECT_SECTION_SEALABLE 0x4u
#define VMSECT_SECTION_SEALED 0x8u /* nobody can write it any more */
#define VMSECT_SECTION_EXPORTABLE 0x10u /* its memory can have a path; its size is not sealed */

/* Flags of vmsect_section_create(). */
#define VMSECT_CREATE_PERMANENT 0x1u
#define VMSECT_CREATE_OPEN_IF 0x2u /* the name exists: open that section */
#define VMSECT_CREATE_COMMIT 0x4u /* all pages are committed: the default */
#define VMSECT_CREATE_RESERVE 0x8u /* shmem, hugetlb: none is; a file: no effect */
#define VMSECT_CREATE_ALLOCATE 0x10u /* page file: take the memory now */
#define VMSECT_CREATE_SEALABLE 0x20u /* shmem, hugetlb: vmsect_section_seal() may come */
#define VMSECT_CREATE_EXACT 0x40u /* no default: one of COMMIT and RESERVE is given */
#define VMSECT_CREATE_EXPORTABLE 0x80u /* shmem, hugetlb: vmsect_section_export() may come */

/* Flags of a view, and of vmsect_view_map(). */
#define VMSECT_VIEW_GROWABLE 0x1u /* grows with the section, up to its room */
#define VMSECT_VIEW_NO_CHANGE 0x2u /* its protection is fixed */
#define VMSECT_VIEW_REVOKED 0x4u /* was told to go, and is still there */

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
	int reconnect_ms; /* calls wait so long for a new broker; 0: 5000, -1: not at all */
	char *error; /* NULL, or where the sentence of a failed vmsect_connect() goes */
	size_t error_room; /* its bytes */
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
	uint64_t max_bytes; /* page file: extend may go so far; 0: not at all.  File: 0 */
};

struct vmsect_map_options {
	size_t size;
	enum vmsect_protection protection;
	uint64_t offset; /* a multiple of the section's page */
	uint64_t length; /* 0: to the end */
	uint32_t flags; /* VMSECT_VIEW_GROWABLE, _NO_CHANGE */
	uint64_t room; /* GROWABLE: bytes of addresses to keep; 0: for max_bytes */
	uint64_t commit; /* RESERVE section: bytes to commit from the view's start on */
	void *address; /* wanted; NULL: anywhere */
};

/* A range of bytes, of a view or of a section. */
struct vmsect_range {
	uint64_t offset;
	uint64_t length;
};

/* Bytes to publish at an offset of a section. */
struct vmsect_patch {
	uint64_t offset;
	uint64_t length;
	const void *bytes; /* borrowed */
};

/* A run of pages of a view that are alike. */
struct vmsect_view_pages {
	uint64_t offset; /* of the run, in the view */
	uint64_t length;
	enum vmsect_protection map_protection; /* with which the view was mapped */
	enum vmsect_protection protection; /* now; a copied page of a writecopy view: READWRITE */
	int is_committed;
	int is_private; /* copied on write: part of the overlay */
	int is_lost; /* its backing has gone */
	uint64_t reserved[4];
};

/* Who a grant is for; vmsect_proto.h says which of several decides. */
enum vmsect_grant_to {
	VMSECT_GRANT_UID = 1,
	VMSECT_GRANT_GID = 2,
	VMSECT_GRANT_VM = 3, /* of that name, run by uid `id` */
};

struct vmsect_grant {
	enum vmsect_grant_to to;
	uint32_t id; /* uid or gid */
	uint32_t access; /* VMSECT_ACCESS_; 0: nothing, whatever the mode says */
	char name[128]; /* VM: its name; else empty */
};

/* Ways in which programs that know nothing of the broker reach a section. */
enum vmsect_export_as {
	VMSECT_EXPORT_AS_PATH = 1, /* a file that is its memory */
	VMSECT_EXPORT_AS_DOORBELL = 2, /* a socket of the ivshmem server protocol */
};

#define VMSECT_EXPORT_KEEP UINT32_MAX /* uid, gid: as the section's, where the broker can */

struct vmsect_export_options {
	size_t size;
	enum vmsect_export_as as;
	uint32_t mode; /* of the path: 0660 and the like; 0: 0600 */
	uint32_t uid; /* its owner, or VMSECT_EXPORT_KEEP */
	uint32_t gid; /* its group, or VMSECT_EXPORT_KEEP */
	uint32_t vectors; /* doorbell: 1 to 64, 0 is 1 */
};

struct vmsect_export_info {
	uint64_t id;
	uint64_t section_id;
	enum vmsect_export_as as;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t vectors;
	char section_name[128];
	char path[1024];
	uint64_t reserved[4];
};

/* What sections a data file has. */
struct vmsect_file_info {
	uint64_t size_bytes;
	uint32_t sections;
	uint32_t handles;
	uint32_t views;
	uint32_t writers; /* handles with WRITE, and writable views */
	uint64_t reserved[4];
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
	uint64_t max_bytes; /* extend reaches so far; a data file: 0, no bound */
	uint64_t committed_bytes; /* page file: charged; a data file: size_bytes */
	uint32_t io_error; /* errno of the first write-back that failed, or 0 */
	uint32_t grants;
	uint64_t reserved[5];
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
	uint64_t room; /* GROWABLE, else 0 */
	uint64_t private_pages; /* of the overlay, as its VMM last said */
	uint32_t protection_now; /* of the whole view; 0: its pages differ */
	uint32_t flags; /* VMSECT_VIEW_ */
	int peer_is_ivshmem; /* 1: a client of doorbells; the broker cannot take it away */
	uint32_t reserved_32;
	uint64_t reserved[4];
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
	int is_ivshmem; /* 1: an ivshmem client, QEMU and the like, of a section's doorbells */
	uint32_t reserved_32;
	uint64_t reserved[7];
};

enum vmsect_event_type {
	VMSECT_EVENT_PEER_JOINED = 1,
	VMSECT_EVENT_PEER_LEFT = 2,
	VMSECT_EVENT_RESIZED = 3, /* value: the size; growable views have grown (VMM: shall grow) */
	VMSECT_EVENT_COMMITTED = 4, /* offset, length: of the section */
	VMSECT_EVENT_VIEW_REVOKED = 5, /* view_id; mapped: has gone.  Registered: take it away */
	VMSECT_EVENT_HANDLE_REVOKED = 6, /* value: vmsect_section_handle_id(); it only closes now */
	VMSECT_EVENT_OFFERED = 7, /* value: for vmsect_section_accept(); peer_id; length: access */
	VMSECT_EVENT_IO_ERROR = 8, /* value: errno; a write-back of the section has failed */
	VMSECT_EVENT_NOTIFIED = 9, /* peer_id: the sender; value: its newest; length: how many */
	/* The broker has gone; the library tries again.  status -EPROTO: it does not, for good. */
	VMSECT_EVENT_DISCONNECTED = 64,
	VMSECT_EVENT_LOST = 65, /* `value` older events were not fetched, or not kept */
	VMSECT_EVENT_RECONNECTED =
		66, /* a broker is there; status -ESTALE: without what was ours */
	VMSECT_EVENT_DONE = 67, /* value: the ticket; status: 0 or -errno */
};

struct vmsect_event {
	enum vmsect_event_type type;
	uint32_t peer_id;
	uint64_t section_id;
	uint64_t view_id;
	uint64_t value;
	uint64_t offset;
	uint64_t length;
	int32_t status;
	uint32_t reserved;
};

#ifdef __cplusplus
}
#endif

#endif
