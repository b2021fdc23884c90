// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * read, write, lseek, fsync and fallocate of section and view files.
 *
 * Bytes are copied page by page, inside vmsect_srcu, with page faults off: a fault
 * on the user's buffer can be one on the same view, which may be closed by a
 * change that waits for us.  So the buffer is faulted in outside, and again when a
 * copy was short.  A copy that meets memory which the host is just taking away
 * reads zeros or ones and writes nowhere; the next page sees the state.
 *
 * The end is the section's last byte, where the view reaches so far.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "vmsect_core.h"
#include "vmsect_file.h"
#include "compat.h"

/* How many bytes there are to read and write. */
static u64 io_end(const struct vmsect_file *f)
{
	u64 bytes = vmsect_view_bytes(f->view);
	u64 size = vmsect_handle_size(f->handle);

	if (size <= f->view->offset)
		return 0;
	return min(bytes, size - f->view->offset);
}

/* In vmsect_srcu. */
static int io_check(struct vmsect_view *view, const struct vmsect_pages *pages, bool write)
{
	int err = vmsect_view_error(view);
	u32 protection;

	if (err)
		return err;
	if (vmsect_losses_touch(&view->losses, pages))
		return -EIO;
	protection = vmsect_limits_get(&view->limits, pages->first);
	if (write ? !vmsect_protection_writes(protection) : !vmsect_protection_reads(protection))
		return -EACCES;
	return 0;
}

static size_t io_copy_atomic(void *at, size_t bytes, struct iov_iter *iter, bool write)
{
	size_t copied;

	pagefault_disable();
	copied = write ? copy_from_iter(at, bytes, iter) : copy_to_iter(at, bytes, iter);
	pagefault_enable();
	return copied;
}

/* Bytes inside one page: how many were copied, perhaps none; or -errno. */
static ssize_t io_copy(struct vmsect_view *view, u64 pos, size_t bytes, struct iov_iter *iter,
		       bool write)
{
	const struct vmsect_pages pages = { pos >> PAGE_SHIFT, (pos >> PAGE_SHIFT) + 1 };
	int err = vmsect_view_wait_open(view, &pages);
	ssize_t result;
	int idx;

	if (err)
		return err;
	idx = srcu_read_lock(&vmsect_srcu);
	err = io_check(view, &pages, write);
	if (err)
		result = err;
	else if (vmsect_view_is_closed(view, &pages))
		result = 0;
	else
		result = io_copy_atomic(view->kaddr + (view->start - view->cover.start) + pos,
					bytes, iter, write);
	srcu_read_unlock(&vmsect_srcu, idx);
	return result;
}

/* Makes the user's part of the next copy present; 0, or -EFAULT if nothing of it is. */
static int io_prepare(struct iov_iter *iter, size_t bytes, bool write)
{
	size_t missing = write ? vmsect_fault_in_readable(iter, bytes)
			       : vmsect_fault_in_writeable(iter, bytes);

	return missing == bytes ? -EFAULT : 0;
}

static ssize_t io_loop(struct vmsect_file *f, u64 pos, struct iov_iter *iter, bool write)
{
	u64 end = io_end(f), at = pos;
	ssize_t result = 0;

	while (at < end && iov_iter_count(iter)) {
		size_t bytes = min_t(u64, PAGE_SIZE - offset_in_page(at), end - at);

		bytes = min(bytes, iov_iter_count(iter));
		result = io_copy(f->view, at, bytes, iter, write);
		if (result < 0)
			break;
		at += result;
		if (!result) {
			result = fatal_signal_pending(current) ? -EINTR
							       : io_prepare(iter, bytes, write);
			if (result < 0)
				break;
		}
		cond_resched();
	}
	return at > pos ? at - pos : result;
}

static ssize_t io_transfer(struct kiocb *iocb, struct iov_iter *iter, bool write)
{
	struct vmsect_file *f = iocb->ki_filp->private_data;
	ssize_t result = vmsect_file_ready(f);

	if (result || !iov_iter_count(iter))
		return result;
	if (write && iocb->ki_pos >= io_end(f))
		return -ENOSPC;
	result = io_loop(f, iocb->ki_pos, iter, write);
	if (result > 0)
		iocb->ki_pos += result;
	return result;
}

ssize_t vmsect_io_read(struct kiocb *iocb, struct iov_iter *to)
{
	return io_transfer(iocb, to, false);
}

ssize_t vmsect_io_write(struct kiocb *iocb, struct iov_iter *from)
{
	if (iocb->ki_flags & IOCB_APPEND)
		return -EINVAL; /* there is no end to append to */
	return io_transfer(iocb, from, true);
}

loff_t vmsect_io_seek(struct file *file, loff_t offset, int whence)
{
	struct vmsect_file *f = file->private_data;
	int err = vmsect_file_ready(f);

	return err ? err : fixed_size_llseek(file, offset, whence, io_end(f));
}

/* fsync(), fdatasync(), msync(MS_SYNC) of a mapping; end is inclusive. */
int vmsect_io_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	struct vmsect_file *f = file->private_data;
	struct vmsect_flush flush = { .flags = VMSECT_GUEST_FLUSH_F_DURABLE };
	int err = vmsect_file_ready(f);
	u64 bytes;

	if (err)
		return err;
	bytes = vmsect_view_bytes(f->view);
	if (start < 0 || end < start || start >= bytes)
		return 0;
	flush.offset = start;
	flush.length = min_t(u64, end, bytes - 1) - start + 1;
	return vmsect_view_flush(f->view, &flush);
}

/**
 * vmsect_io_extend - VMSECT_IOC_EXTEND
 * @handle: whose section grows
 * @size: bytes wanted; out: in effect
 *
 * The default view has grown with it when this returns, if it can.
 * Return: 0 or -errno.
 */
int vmsect_io_extend(struct vmsect_handle *handle, u64 *size)
{
	int err = vmsect_handle_error(handle);

	if (!err && !vmsect_device_can(handle->vd, VMSECT_F_EXTEND))
		err = -EOPNOTSUPP;
	if (!err)
		err = vmsect_req_extend(&handle->vd->ctl, handle->id, *size, size);
	if (err)
		return err;
	vmsect_handle_resized(handle, *size);
	/* What it cannot say, for want of a right, does not matter here. */
	vmsect_handle_refresh(handle);
	return 0;
}

/* Mode 0 past the end is EXTEND; memory inside is the section's from the start. */
long vmsect_io_fallocate(struct file *file, int mode, loff_t offset, loff_t length)
{
	struct vmsect_file *f = file->private_data;
	u64 size = (u64)offset + length; /* the caller has checked that it does not wrap */

	if (mode)
		return -EOPNOTSUPP;
	if (size <= vmsect_handle_size(f->handle))
		return vmsect_handle_error(f->handle);
	return vmsect_io_extend(f->handle, &size);
}
