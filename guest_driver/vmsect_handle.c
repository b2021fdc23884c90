// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A handle's life, what the device said of its section last, and its default view.
 *
 * The last reference lets the default view go, which gives its place back in its
 * own time, and takes the handle with it to the device (vmsect_view_free()).
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "vmsect_core.h"
#include "vmsect_file.h"
#include "vmsect_ivshmem.h"
#include "compat.h"

static void handle_set(struct vmsect_handle *handle, const struct vmsect_dev_section *section)
{
	handle->section_id = le64_to_cpu(section->section_id);
	handle->backing = le32_to_cpu(section->backing);
	handle->page_shift = le32_to_cpu(section->page_shift);
	handle->access = le32_to_cpu(section->access);
	handle->protection = le32_to_cpu(section->protection);
	handle->max_bytes = le64_to_cpu(section->max_bytes);
	/* Of opened sections the name is only shown; a node checks its own before. */
	strscpy(handle->name, (const char *)section->name, sizeof(handle->name));
}

/**
 * vmsect_handle_new - a handle that the device has given
 * @vd: its device
 * @id: its number there
 * @attached: whether it belongs to the VM's configuration
 * @section: what it is of, a private copy
 *
 * Return: a handle with one reference and a default view without a place; NULL
 * without memory: the device's handle is the caller's to close then.
 */
struct vmsect_handle *vmsect_handle_new(struct vmsect_device *vd, u32 id, bool attached,
					const struct vmsect_dev_section *section)
{
	struct vmsect_handle *handle = kzalloc(sizeof(*handle), GFP_KERNEL_ACCOUNT);

	if (!handle)
		return NULL;
	kref_init(&handle->ref);
	mutex_init(&handle->map_lock);
	spin_lock_init(&handle->state_lock);
	init_waitqueue_head(&handle->changed);
	INIT_LIST_HEAD(&handle->listeners);
	INIT_LIST_HEAD(&handle->reap_entry);
	handle->id = id;
	handle->attached = attached;
	handle_set(handle, section);
	handle->inode = attached ? NULL : vmsect_file_inode();
	if (!IS_ERR(handle->inode))
		handle->view = vmsect_view_new(vd, handle, true);
	if (!handle->view) {
		if (!IS_ERR(handle->inode))
			iput(handle->inode);
		kfree(handle);
		return NULL;
	}
	handle->vd = vmsect_device_get(vd);
	vmsect_handle_update(handle, section);
	mutex_lock(&vd->lock);
	list_add_tail(&handle->entry, &vd->handles);
	mutex_unlock(&vd->lock);
	return handle;
}

struct vmsect_handle *vmsect_handle_get(struct vmsect_handle *handle)
{
	kref_get(&handle->ref);
	return handle;
}

/* The last step: neither view nor device know it any more. */
void vmsect_handle_free(struct vmsect_handle *handle)
{
	struct vmsect_device *vd = handle->vd;

	iput(handle->inode);
	kfree(handle);
	vmsect_device_put(vd);
}

static void handle_unreferenced(struct kref *ref)
{
	struct vmsect_handle *handle = container_of(ref, struct vmsect_handle, ref);

	mutex_lock(&handle->vd->lock);
	list_del(&handle->entry);
	mutex_unlock(&handle->vd->lock);
	vmsect_view_put(handle->view);
}

/* Does not sleep for the device. */
void vmsect_handle_put(struct vmsect_handle *handle)
{
	if (handle)
		kref_put(&handle->ref, handle_unreferenced);
}

/* Why nothing can be asked of the handle; 0: it can. */
int vmsect_handle_error(const struct vmsect_handle *handle)
{
	unsigned long state = READ_ONCE(handle->state);

	if (state & BIT(HANDLE_GONE))
		return -ENODEV;
	return state & BIT(HANDLE_TAKEN) ? -EACCES : 0;
}

/* What the device says of the section now. */
void vmsect_handle_update(struct vmsect_handle *handle, const struct vmsect_dev_section *section)
{
	u64 size = le64_to_cpu(section->size_bytes);

	spin_lock(&handle->state_lock);
	handle->generation = le64_to_cpu(section->generation);
	handle->size_bytes = size;
	handle->committed_bytes = le64_to_cpu(section->committed_bytes);
	handle->section_flags = le32_to_cpu(section->section_flags);
	handle->io_error = le32_to_cpu(section->io_error);
	/* For stat(2). */
	if (handle->inode)
		i_size_write(handle->inode, min_t(u64, size, S64_MAX));
	spin_unlock(&handle->state_lock);
}

/* It has grown; for handles without the right to ask. */
void vmsect_handle_resized(struct vmsect_handle *handle, u64 size)
{
	spin_lock(&handle->state_lock);
	if (size > handle->size_bytes) {
		handle->size_bytes = size;
		if (handle->inode)
			i_size_write(handle->inode, min_t(u64, size, S64_MAX));
	}
	spin_unlock(&handle->state_lock);
}

u64 vmsect_handle_size(struct vmsect_handle *handle)
{
	u64 size;

	spin_lock(&handle->state_lock);
	size = handle->size_bytes;
	spin_unlock(&handle->state_lock);
	return size;
}

static int handle_refresh_view(struct vmsect_handle *handle)
{
	struct vmsect_dev_view dv;
	int err = vmsect_view_refresh(handle->view, &dv);

	if (err)
		return err;
	spin_lock(&handle->state_lock);
	handle->denied_writes = le64_to_cpu(dv.denied_writes);
	spin_unlock(&handle->state_lock);
	return 0;
}

/**
 * vmsect_handle_refresh - ask the device for what may have changed
 * @handle: the handle
 *
 * The view first, as the handle of one that was revoked answers nothing.
 * Return: 0, or -errno.
 */
int vmsect_handle_refresh(struct vmsect_handle *handle)
{
	struct vmsect_dev_section section;
	int err = 0;

	if (test_bit(VIEW_LIVE, &handle->view->state))
		err = handle_refresh_view(handle);
	if (!err)
		err = vmsect_handle_error(handle);
	if (!err)
		err = handle->vd->ops->query_section(handle, &section);
	/* A number that we hold and the device does not know: it was revoked. */
	if (err == -EBADF)
		vmsect_handle_take(handle);
	if (!err)
		vmsect_handle_update(handle, &section);
	return err == -EBADF ? -EACCES : err;
}

/* The protection of the default view: all that rights and section allow; 0: nothing. */
static u32 handle_default_protection(const struct vmsect_handle *handle)
{
	bool runs = handle->protection >= VMSECT_DEV_PROT_EXECUTE &&
		    handle->access & VMSECT_DEV_ACCESS_EXECUTE;
	bool reads = handle->protection != VMSECT_DEV_PROT_EXECUTE &&
		     handle->access & VMSECT_DEV_ACCESS_READ;
	bool writes = (handle->protection == VMSECT_DEV_PROT_READWRITE ||
		       handle->protection == VMSECT_DEV_PROT_EXECUTE_READWRITE) &&
		      handle->access & VMSECT_DEV_ACCESS_WRITE;

	if (writes)
		return runs ? VMSECT_DEV_PROT_EXECUTE_READWRITE : VMSECT_DEV_PROT_READWRITE;
	if (reads)
		return runs ? VMSECT_DEV_PROT_EXECUTE_READ : VMSECT_DEV_PROT_READONLY;
	return runs ? VMSECT_DEV_PROT_EXECUTE : 0;
}

/* Of memory that was made to grow the view grows with it. */
static bool handle_can_grow(const struct vmsect_handle *handle, u32 protection)
{
	return vmsect_device_can(handle->vd, VMSECT_F_EXTEND) &&
	       handle->max_bytes > handle->size_bytes && vmsect_protection_writes(protection);
}

static int handle_ask_map(struct vmsect_handle *handle, struct vmsect_dev_view *ret_dv)
{
	struct vmsect_view_request request = { .protection = handle_default_protection(handle) };
	int err = -ENOSPC;

	if (!request.protection)
		return -EPERM;
	if (handle_can_grow(handle, request.protection)) {
		request.flags = VMSECT_GUEST_VIEW_F_GROWABLE;
		err = vmsect_req_map(&handle->vd->ctl, handle->id, &request, ret_dv);
		request.flags = 0;
	}
	/* No room for all that it may become: then as it is. */
	if (err == -ENOSPC)
		err = vmsect_req_map(&handle->vd->ctl, handle->id, &request, ret_dv);
	return err;
}

/* Under map_lock. */
static int handle_try_map(struct vmsect_handle *handle)
{
	struct vmsect_device *vd = handle->vd;
	struct vmsect_dev_view dv;
	int err;

	down_read(&vd->restart_lock);
	err = vmsect_handle_error(handle);
	if (!err)
		err = handle_ask_map(handle, &dv);
	if (!err)
		err = vmsect_view_accept(handle->view, &dv);
	up_read(&vd->restart_lock);
	return err;
}

static int handle_map_locked(struct vmsect_handle *handle)
{
	int err = handle_try_map(handle);

	/* Views that are closed already may be in the way still. */
	if ((err == -ENOSPC || err == -EDQUOT) && vmsect_reap_now(handle->vd))
		err = handle_try_map(handle);
	if (err == -EBADF)
		vmsect_handle_take(handle);
	return err == -EBADF ? -EACCES : err;
}

/**
 * vmsect_handle_map - see to it that the default view is live
 * @handle: the handle
 *
 * Sleeps for the device the first time.  Return: 0; -ENODEV, -EACCES; -EPERM if the
 * rights allow no view; what MAP refuses; -ENOMEM for struct pages.
 */
int vmsect_handle_map(struct vmsect_handle *handle)
{
	int err = vmsect_handle_error(handle);

	if (err)
		return err;
	if (test_bit(VIEW_LIVE, &handle->view->state)) {
		smp_rmb(); /* pairs with view_get_pages() */
		return vmsect_view_error(handle->view);
	}
	if (mutex_lock_killable(&handle->map_lock))
		return -EINTR;
	err = vmsect_view_error(handle->view);
	if (!err && !test_bit(VIEW_LIVE, &handle->view->state))
		err = handle_map_locked(handle);
	mutex_unlock(&handle->map_lock);
	return err;
}

static void handle_end(struct vmsect_handle *handle, unsigned int bit)
{
	if (test_and_set_bit(bit, &handle->state))
		return;
	vmsect_listeners_tell(handle, &(struct vmsect_event){ .type = VMSECT_EVENT_GONE });
	wake_up_all(&handle->changed);
}

/* The host has taken it: EACCES from now on.  Its views are taken one by one. */
void vmsect_handle_take(struct vmsect_handle *handle)
{
	const struct vmsect_event revoked = { .type = VMSECT_EVENT_REVOKED };

	/* Those of its views may come later, when nobody listens any more. */
	if (!test_bit(HANDLE_TAKEN, &handle->state))
		vmsect_listeners_tell(handle, &revoked);
	handle_end(handle, HANDLE_TAKEN);
}

/* The device has gone, or was reset: ENODEV from now on.  Its view goes by itself. */
void vmsect_handle_vanish(struct vmsect_handle *handle)
{
	handle_end(handle, HANDLE_GONE);
}

static void handle_fill_view(const struct vmsect_view *view, struct vmsect_section *ret_section)
{
	if (!test_bit(VIEW_LIVE, &view->state)) {
		ret_section->huge_shift = PAGE_SHIFT;
		return;
	}
	smp_rmb(); /* pairs with view_get_pages() */
	ret_section->offset = view->offset;
	ret_section->length = vmsect_view_bytes(view);
	ret_section->cache = view->cache;
	ret_section->has_pages = view->has_pages;
	ret_section->huge_shift = vmsect_pages_can_be_huge(view) ? VMSECT_HUGE_SHIFT : PAGE_SHIFT;
}

static u32 handle_mode(const struct vmsect_handle *handle)
{
	u32 protection;

	if (test_bit(VIEW_LIVE, &handle->view->state))
		return handle->view->mode;
	protection = handle_default_protection(handle);
	if (!protection)
		return VMSECT_MODE_NONE;
	return vmsect_protection_writes(protection) ? VMSECT_MODE_RW : VMSECT_MODE_RO;
}

/* What kind of device it is: whatever that says itself. */
static u32 handle_flags(const struct vmsect_handle *handle)
{
	u32 flags = handle->section_flags & ~VMSECT_GUEST_SECTION_F_IVSHMEM;

	return handle->vd->ivshmem ? flags | VMSECT_GUEST_SECTION_F_IVSHMEM : flags;
}

/* All that is known without asking the device. */
void vmsect_handle_fill(struct vmsect_handle *handle, struct vmsect_section *ret_section)
{
	memset(ret_section, 0, sizeof(*ret_section));
	ret_section->section_id = handle->section_id;
	ret_section->max_bytes = handle->max_bytes;
	ret_section->mode = handle_mode(handle);
	ret_section->backing = handle->backing;
	ret_section->page_shift = handle->page_shift;
	ret_section->access = handle->access;
	ret_section->protection = handle->protection;
	ret_section->peer_id = handle->vd->peer_id;
	if (handle->vd->ivshmem)
		ret_section->vectors = handle->vd->ivshmem->vectors;
	strscpy(ret_section->name, handle->name, sizeof(ret_section->name));
	handle_fill_view(handle->view, ret_section);
	spin_lock(&handle->state_lock);
	ret_section->generation = handle->generation;
	ret_section->size_bytes = handle->size_bytes;
	ret_section->committed_bytes = handle->committed_bytes;
	ret_section->denied_writes = handle->denied_writes;
	ret_section->section_flags = handle_flags(handle);
	ret_section->io_error = handle->io_error;
	spin_unlock(&handle->state_lock);
}
