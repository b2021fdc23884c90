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
 * A call that needs the broker waits for it, at most 5 s; one that may wait for
 * a disk (create, extend, commit, flush, publish) as long as that takes.  When
 * the broker is replaced the library connects to the new one by itself, with
 * all handles and views: in vmsect_client_next_event(), and in every call that
 * needs the broker, which waits for that as long as `reconnect_ms` says.
 * Beside the errors that are listed each such call can fail with -EPIPE, no
 * broker has come back in that time; -ETIMEDOUT, it does not answer; -ESTALE, it
 * has come back without our handles and views, for good; -EAGAIN (RECOVERY), it
 * has not got the section's memory back in that time; -EPROTO, its answer is
 * none, for good; with -ENOMEM, or with -EMFILE where a descriptor would come.
 *
 * Two refusals stay apart: -EPERM, the handle lacks the right; -EACCES, the
 * section's protection (or, at open, its owner) forbids it.
 */
#ifndef VMSECT_H
#define VMSECT_H

#include <stddef.h>
#include <stdint.h>

#include <vmsect/vmsect_detail.h>
#include <vmsect/vmsect_types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VMSECT_API __attribute__((visibility("default")))

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
 * Blocks at most about 10 s.  On failure `error` of the options has the
 * sentence, as much of it as fits.
 *
 * Errors: -ENOENT no broker, and none to start; -ECONNREFUSED no broker
 * listens, or it could not be started; -EACCES not allowed to connect;
 * -EPROTONOSUPPORT it speaks another version; -EDQUOT it has too many clients
 * of this user; -ETIMEDOUT it does not answer; -EPIPE it has gone before it
 * answered; -ENAMETOOLONG the path of the socket; -EINVAL options; -ENOMEM.
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
 * Returns 1 with an event, 0 if there is none.  This is also where the library
 * does what the broker asks for: views that were revoked go, growable ones
 * grow, a new broker is connected to; so call it when the descriptor is
 * readable, and do not wait long.  After DISCONNECTED views go on working;
 * RECONNECTED follows when a broker is there.  At most 256 events wait; then
 * the oldest are lost, NOTIFIED last, and LOST says how many (what they ask for
 * was done).  After LOST a program looks at the state that it depends on.
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
 * A right is worth what the section's protection allows: a handle of a
 * read-only section may have WRITE, and still maps no writable view.
 *
 * Errors: -ENOENT; -EACCES the owner does not allow that access, or the section
 * is sealed; -EINVAL (NAME, ACCESS); -EDQUOT; -EPIPE, -ETIMEDOUT.
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
 * forbids it; -EINVAL (PROTECTION, ALIGNMENT, VIEW_SIZE, COMMIT, ATTR); -EEXIST
 * (RANGE) something is at `address`; -EOPNOTSUPP a RESERVE section where the
 * kernel gives no userfaultfd; -ENOMEM; -EDQUOT; -EPIPE, -ETIMEDOUT.
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
 * @private_pages: of its overlay now, 0 without one
 */
VMSECT_API int vmsect_view_report(struct vmsect_view *view, uint64_t denied_writes,
				  uint64_t private_pages);

/** vmsect_view_unmap() - unmap and free; NULL is fine; returns NULL. */
VMSECT_API struct vmsect_view *vmsect_view_unmap(struct vmsect_view *view);

/**
 * vmsect_section_handle_id() - the handle's number, as VMSECT_EVENT_HANDLE_REVOKED names it.
 */
VMSECT_API uint64_t vmsect_section_handle_id(const struct vmsect_section *section);

/**
 * vmsect_section_duplicate() - a second handle, with no more access.
 * @access: a part of the handle's; 0 is legal and makes a handle without rights
 * @ret_section: free with vmsect_section_close()
 *
 * Errors: -EPERM the handle has not all of @access; -EDQUOT.
 */
VMSECT_API int vmsect_section_duplicate(struct vmsect_section *section, uint32_t access,
					struct vmsect_section **ret_section);

/**
 * vmsect_section_pass() - offer a handle to another peer.
 * @access: a part of the handle's, not 0
 * @expires_ms: from now on, after which offer, handle and its views end; 0: never
 * @ret_offer: the peer hears VMSECT_EVENT_OFFERED with it
 *
 * Errors: -EPERM; -ENXIO no such peer; -EDQUOT too many offers wait.
 */
VMSECT_API int vmsect_section_pass(struct vmsect_section *section, uint32_t peer_id,
				   uint32_t access, uint64_t expires_ms, uint64_t *ret_offer);

/**
 * vmsect_section_accept() - take what another peer has offered to this client.
 *
 * Errors: -ENOENT no such offer, or it has ended; -EDQUOT.
 */
VMSECT_API int vmsect_section_accept(struct vmsect_client *client, uint64_t offer,
				     struct vmsect_section **ret_section);

/**
 * vmsect_section_grant() - say what someone may do with the section.
 * @flags: VMSECT_GRANT_REVOKE_LIVE or 0
 * @ret_views: live views that were told to go; NULL is fine
 *
 * Grants are looked at when a section is opened.  With REVOKE_LIVE handles that
 * the new grants no longer allow end now, and their views become inaccessible,
 * whether or not the guest helps; their programs get SIGBUS.  A view is away
 * when vmsect_list_views() no longer shows it.
 *
 * Errors: -EPERM the handle has no GRANT; -EINVAL (ACCESS, NAME); -EDQUOT.
 */
#define VMSECT_GRANT_REVOKE_LIVE 0x2u
VMSECT_API int vmsect_section_grant(struct vmsect_section *section,
				    const struct vmsect_grant *grant, uint32_t flags,
				    uint32_t *ret_views);

/** vmsect_section_take_back() - remove a grant's entry; as above.  -ENOENT. */
VMSECT_API int vmsect_section_take_back(struct vmsect_section *section,
					const struct vmsect_grant *grant, uint32_t flags,
					uint32_t *ret_views);

/** vmsect_section_grants() - an array of *ret_count; free with free().  -EPERM no QUERY. */
VMSECT_API int vmsect_section_grants(struct vmsect_section *section, struct vmsect_grant **ret_list,
				     size_t *ret_count);

/**
 * vmsect_section_export() - let programs that do not know the broker reach it.
 * @path: where they find it; NULL is fine
 * @room: bytes of @path; 1024 are enough for all
 *
 * AS_PATH: a file that is the section's memory, for QEMU's memory-backend-file and
 * the like; page file needs to be made EXPORTABLE, and gets owner and mode; a data
 * file has its path, which is told, and keeps its own.  AS_DOORBELL: a socket that
 * speaks the ivshmem server protocol.  An export ends with the section's name.
 * Exporting again changes owner and mode.
 *
 * Errors: -EPERM the handle has no GRANT, or (FILE) the broker cannot give files
 * to that owner; -EOPNOTSUPP (ATTR) not made EXPORTABLE; -EINVAL; -EEXIST (NAME)
 * something else is at the path; -EACCES (PROTECTION) a mode that lets others
 * write what is not to be written; -ESTALE (FILE) the data file was moved;
 * -ERANGE no room for the path (the section is exported).
 */
VMSECT_API int vmsect_section_export(struct vmsect_section *section,
				     const struct vmsect_export_options *options, char *path,
				     size_t room);

/**
 * vmsect_section_unexport() - take the path or the socket away.
 *
 * Who has opened it keeps what he has.  Errors: -EPERM no GRANT; -ENOENT.
 */
VMSECT_API int vmsect_section_unexport(struct vmsect_section *section, enum vmsect_export_as as);

/**
 * vmsect_section_extend() - make it larger, in place.
 * @ret_bytes: the size in effect; a smaller @size_bytes changes nothing
 *
 * Growable views grow, guests hear RESIZED.  Errors: -EPERM the handle has no
 * EXTEND; -EOPNOTSUPP (EXTEND) a page-file section without max_bytes; -EFBIG
 * more than max_bytes; -EACCES a file that is not to be written; -ENOSPC;
 * -EDQUOT; -ENOMEM.
 */
VMSECT_API int vmsect_section_extend(struct vmsect_section *section, uint64_t size_bytes,
				     uint64_t *ret_bytes);

/**
 * vmsect_section_seal() - from now on nobody can write it.
 *
 * A writecopy view of it is then a true snapshot.  The handle loses WRITE and
 * EXTEND.  Errors: -EPERM the handle lacks WRITE or GRANT; -EOPNOTSUPP (SEAL)
 * not made SEALABLE; -EBUSY (WRITERS) somebody else can still write.
 */
VMSECT_API int vmsect_section_seal(struct vmsect_section *section);

/**
 * vmsect_section_notify() - wake a peer that has the section open, with a value.
 * @peer_id: who, one's own number included; 0: all others, be there any or not
 * @ret_ticket: NULL: wait; else return at once, VMSECT_EVENT_DONE tells the outcome
 *
 * They hear VMSECT_EVENT_NOTIFIED: once, with the newest value and the number
 * of all, for those of one sender that they have not fetched.  Success says that
 * it is on its way.  One that was asked for when the broker was replaced may be
 * counted twice, and what the old broker had not passed on is lost: whoever
 * waits looks at the memory that it waits for after RECONNECTED, and sleeps with
 * a time limit.  Errors: -EPERM no NOTIFY; -ENXIO no such peer of the section;
 * -EAGAIN (RATE) too many at a time, see --limit in vmsectd(8); -EDQUOT too many
 * tickets.
 */
VMSECT_API int vmsect_section_notify(struct vmsect_section *section, uint32_t peer_id,
				     uint64_t value, uint64_t *ret_ticket);

/**
 * vmsect_section_doorbell() - become a member of the section's doorbells.
 * @vectors: 1 to 64, the same for all members of a section
 * @ret_fd: a stream socket, non-blocking and close-on-exec, to be closed by the caller
 *
 * For VMMs with an ivshmem device.  The broker speaks version 0 of the ivshmem
 * server protocol on the stream, without the message that has the memory; the
 * client's ID is vmsect_client_peer_id().  Nothing may be written to it.  It ends
 * with the handle and with the broker: ask again after RECONNECTED.  Asking again
 * ends the stream before.  Notifications for this client then ring its doorbell,
 * and are events only if it has another handle of the section.  Errors: -EPERM no
 * NOTIFY; -EINVAL not 1 to 64 vectors; -EBUSY (STATE) another number of vectors is
 * in use, or the client has the doorbells by another handle; -EDQUOT; -EMFILE.
 */
VMSECT_API int vmsect_section_doorbell(struct vmsect_section *section, uint32_t vectors,
				       int *ret_fd);

/**
 * vmsect_section_flush() - write a range back to the data file.
 * @length: bytes, 0: to the end
 * @flags: 0: start it; VMSECT_FLUSH_TO_DISK: until data and metadata are on disk
 * @ret_ticket: NULL: wait; else return at once, VMSECT_EVENT_DONE tells the outcome
 *
 * For the page file it does nothing and succeeds.  Errors: -EPERM neither READ
 * nor WRITE; -EIO or -ENOSPC (IO) a write-back failed: then or ever before;
 * -EINVAL (RANGE); -EDQUOT too many wait.
 */
#define VMSECT_FLUSH_TO_DISK 0x1u
VMSECT_API int vmsect_section_flush(struct vmsect_section *section, uint64_t offset,
				    uint64_t length, uint32_t flags, uint64_t *ret_ticket);

/**
 * vmsect_section_publish() - write bytes into the section, all or nothing.
 * @patches: ascending, apart, whole pages of the section
 * @ret_ticket: as flush has it; the bytes are copied before the call returns
 *
 * After a crash at any point, once a broker is back, the section has all of it
 * or none.  Durable for data files.  Errors: -EPERM no WRITE; -EINVAL (RANGE);
 * -EACCES sealed, or the section's protection; -ENOSPC; -EIO; -EDQUOT.
 */
VMSECT_API int vmsect_section_publish(struct vmsect_section *section,
				      const struct vmsect_patch *patches, size_t count,
				      uint64_t *ret_ticket);

/**
 * vmsect_view_protect() - change the protection of a live view.
 * @offset, @length: of the view; rounded out to pages; length 0: to the end
 * @ret_old: the protection of the first page before; NULL is fine
 *
 * Bounded by the protection with which the view was mapped; all or nothing.
 * Private pages stay.  Errors: -EACCES beyond that bound; -EINVAL (PROTECTION)
 * no protection, or a NO_CHANGE view; -EINVAL (RANGE); -EINVAL (COMMIT) a page
 * is not committed; -ENXIO (REVOKED); -EDQUOT too many ranges.
 */
VMSECT_API int vmsect_view_protect(struct vmsect_view *view, uint64_t offset, uint64_t length,
				   enum vmsect_protection protection,
				   enum vmsect_protection *ret_old);

/**
 * vmsect_view_commit() - commit pages of a RESERVE section through a view.
 * @protection: of these pages in this view, or 0: as the view was mapped
 *
 * For all views of the section.  Committed again is fine; nothing takes it
 * back.  Errors: -EPERM a data file; -EEXIST (RANGE) past the view; -EDQUOT;
 * -ENOMEM; what vmsect_view_protect() says.
 */
VMSECT_API int vmsect_view_commit(struct vmsect_view *view, uint64_t offset, uint64_t length,
				  enum vmsect_protection protection);

/** vmsect_view_query() - the run of like pages at @offset.  -EINVAL (RANGE), -ENXIO. */
VMSECT_API int vmsect_view_query(struct vmsect_view *view, uint64_t offset,
				 struct vmsect_view_pages *ret_pages);

/**
 * vmsect_view_flush() - as vmsect_section_flush(), for a range of the view.
 * @flushed: what was flushed, rounded out to pages; NULL is fine
 */
VMSECT_API int vmsect_view_flush(struct vmsect_view *view, uint64_t offset, uint64_t length,
				 uint32_t flags, struct vmsect_range *ret_flushed);

/**
 * vmsect_view_flush_start() - the same, and does not wait.
 * @ret_ticket: VMSECT_EVENT_DONE tells the outcome
 */
VMSECT_API int vmsect_view_flush_start(struct vmsect_view *view, uint64_t offset, uint64_t length,
				       uint32_t flags, uint64_t *ret_ticket);

/**
 * vmsect_view_reset() - drop private pages: the section shows through again.
 *
 * On a view without private pages it does nothing.  -EINVAL (RANGE), -ENXIO.
 */
VMSECT_API int vmsect_view_reset(struct vmsect_view *view, uint64_t offset, uint64_t length);

/** vmsect_view_diff() - its private pages, as ranges of the view; free with free(). */
VMSECT_API int vmsect_view_diff(struct vmsect_view *view, struct vmsect_range **ret_list,
				size_t *ret_count);

/**
 * vmsect_view_publish() - publish all private pages, then drop them.
 * @section: a handle of the view's section with WRITE
 *
 * Nobody writes to the view meanwhile.  Errors: vmsect_section_publish()'s;
 * -EINVAL (HANDLE) the handle is of another section.
 */
VMSECT_API int vmsect_view_publish(struct vmsect_view *view, struct vmsect_section *section);

/** vmsect_view_prefetch() - a hint: read these pages into memory; breaks no copy-on-write. */
VMSECT_API int vmsect_view_prefetch(struct vmsect_view *view, uint64_t offset, uint64_t length);

/**
 * For VMMs, whose views are registered: what the VMM does itself is checked and
 * noted by the broker with these, before it is done.  Errors as the calls above.
 */
VMSECT_API int vmsect_view_check_protect(struct vmsect_view *view, uint64_t offset, uint64_t length,
					 enum vmsect_protection protection);
VMSECT_API int vmsect_view_check_commit(struct vmsect_view *view, uint64_t offset, uint64_t length);

/** vmsect_view_revoked() - the VMM has taken a view away that it was told to. */
VMSECT_API int vmsect_view_revoked(struct vmsect_view *view);

/** vmsect_file_query() - what sections there are of a file.  -ENOENT, -ENODEV, -EACCES. */
VMSECT_API int vmsect_file_query(struct vmsect_client *client, const char *path,
				 struct vmsect_file_info *ret_info);

/**
 * vmsect_file_truncate() - set a file's length unless a section would lose bytes.
 *
 * Errors: -ETXTBSY (MAPPED) it would shrink and a section of it has a handle or
 * a view; -ENOENT, -EACCES, -ENOSPC.
 */
VMSECT_API int vmsect_file_truncate(struct vmsect_client *client, const char *path,
				    uint64_t size_bytes);

/** vmsect_file_remove() - unlink a file.  -EBUSY (MAPPED) while a section of it lives. */
VMSECT_API int vmsect_file_remove(struct vmsect_client *client, const char *path);

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

/** vmsect_list_exports() - exports, of one section id or (0) of all; as above. */
VMSECT_API int vmsect_list_exports(struct vmsect_client *client, uint64_t section_id,
				   struct vmsect_export_info **ret_list, size_t *ret_count);

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
