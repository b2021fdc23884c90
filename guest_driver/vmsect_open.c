// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * New handles and views, as descriptors: OPEN, CREATE, DUPLICATE, VIEW.
 *
 * What the device has given is given back on every way out but the last.  The
 * device's limits count what the reaper has not given back yet, so a refusal for
 * want of room is asked once more after it has run.
 */
#include <linux/fs.h>
#include <linux/string.h>

#include "vmsect_core.h"
#include "vmsect_file.h"

/* A name ends in NUL inside its field, with nothing behind. */
static bool name_is_padded(const char *name, size_t room)
{
	size_t length = strnlen(name, room);

	return length < room && !memchr_inv(name + length, 0, room - length);
}

static bool is_full(int err)
{
	return err == -EDQUOT || err == -ENOSPC || err == -EEXIST;
}

/* What makes a handle at the device. */
struct open_call {
	struct vmsect_device *vd;
	const struct vmsect_open *open; /* one of these three */
	struct vmsect_create *create;
	struct vmsect_handle *duplicate;
	u32 access;
};

static int open_ask(const struct open_call *call, struct vmsect_rsp_open *ret_rsp)
{
	struct vmsect_ctl *ctl = &call->vd->ctl;
	bool existed;
	int err;

	if (call->open)
		return vmsect_req_open(ctl, call->open, ret_rsp);
	if (call->duplicate)
		return vmsect_req_duplicate(ctl, call->duplicate->id, call->access, ret_rsp);
	err = vmsect_req_create(ctl, call->create, ret_rsp, &existed);
	if (!err)
		call->create->existed = existed;
	return err;
}

/* The handle, counted, or -errno. */
static struct vmsect_handle *open_try(const struct open_call *call)
{
	struct vmsect_device *vd = call->vd;
	struct vmsect_handle *handle = NULL;
	struct vmsect_rsp_open rsp;
	int err;

	down_read(&vd->restart_lock);
	err = open_ask(call, &rsp);
	if (!err && !rsp.handle)
		err = -EIO;
	if (!err) {
		handle = vmsect_handle_new(vd, le32_to_cpu(rsp.handle), false, &rsp.section);
		if (!handle) {
			vmsect_req_close(&vd->ctl, le32_to_cpu(rsp.handle));
			err = -ENOMEM;
		}
	}
	up_read(&vd->restart_lock);
	return err ? ERR_PTR(err) : handle;
}

static int open_install(const struct open_call *call)
{
	struct vmsect_handle *handle = open_try(call);

	if (IS_ERR(handle) && is_full(PTR_ERR(handle)) && vmsect_reap_now(call->vd))
		handle = open_try(call);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	return vmsect_file_install(vmsect_file_section(handle));
}

/* VMSECT_IOC_OPEN. */
int vmsect_open_section(struct vmsect_device *vd, const struct vmsect_open *open)
{
	if (open->reserved || !open->name[0] || !name_is_padded(open->name, sizeof(open->name)))
		return -EINVAL;
	return open_install(&(struct open_call){ .vd = vd, .open = open });
}

/* VMSECT_IOC_CREATE; `existed` is filled in. */
int vmsect_open_created(struct vmsect_device *vd, struct vmsect_create *create)
{
	if (create->reserved || !name_is_padded(create->name, sizeof(create->name)))
		return -EINVAL;
	if (!vmsect_device_can(vd, VMSECT_F_CREATE))
		return -EOPNOTSUPP;
	return open_install(&(struct open_call){ .vd = vd, .create = create });
}

/* VMSECT_IOC_DUPLICATE. */
int vmsect_open_duplicate(struct vmsect_handle *handle, u32 access)
{
	const struct open_call call = {
		.vd = handle->vd,
		.duplicate = handle,
		.access = access,
	};
	int fd, err = vmsect_handle_error(handle);

	if (err)
		return err;
	if (!vmsect_device_can(handle->vd, VMSECT_F_PROTECT))
		return -EOPNOTSUPP;
	fd = open_install(&call);
	if (fd == -EBADF)
		vmsect_handle_take(handle);
	return fd == -EBADF ? -EACCES : fd;
}

/* The view, live and counted, or -errno. */
static struct vmsect_view *view_try(struct vmsect_handle *handle,
				    const struct vmsect_view_request *request)
{
	struct vmsect_device *vd = handle->vd;
	struct vmsect_view *view = vmsect_view_new(vd, handle, false);
	struct vmsect_dev_view dv;
	int err;

	if (!view)
		return ERR_PTR(-ENOMEM);
	down_read(&vd->restart_lock);
	err = vmsect_handle_error(handle);
	if (!err)
		err = vmsect_req_map(&vd->ctl, handle->id, request, &dv);
	if (!err)
		err = vmsect_view_accept(view, &dv);
	up_read(&vd->restart_lock);
	if (!err)
		return view;
	vmsect_view_put(view);
	return ERR_PTR(err);
}

/* VMSECT_IOC_VIEW. */
int vmsect_open_view(struct vmsect_handle *handle, const struct vmsect_view_request *request)
{
	struct vmsect_view *view = view_try(handle, request);

	if (IS_ERR(view) && is_full(PTR_ERR(view)) && vmsect_reap_now(handle->vd))
		view = view_try(handle, request);
	if (view == ERR_PTR(-EBADF))
		vmsect_handle_take(handle);
	if (IS_ERR(view))
		return PTR_ERR(view) == -EBADF ? -EACCES : PTR_ERR(view);
	return vmsect_file_install(vmsect_file_view(view));
}
