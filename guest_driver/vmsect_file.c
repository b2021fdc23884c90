// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Section and view files: how they come to be, and what poll and mmap do.
 * vmsect_file.h has what they are.
 */
#include <linux/cdev.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "vmsect_core.h"
#include "vmsect_file.h"
#include "compat.h"

static const struct file_operations section_fops;
static const struct file_operations view_fops;

static struct vmsect_file *file_new(struct vmsect_handle *handle, struct vmsect_view *view)
{
	struct vmsect_file *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);

	if (f) {
		f->handle = handle;
		f->view = view;
		f->is_view = view != handle->view;
	}
	return f;
}

static void file_use_mapping(struct file *file, const struct vmsect_view *view)
{
	file->f_mapping = view->inode->i_mapping;
	file->f_wb_err = filemap_sample_wb_err(file->f_mapping);
}

static int node_open(struct inode *inode, struct file *file)
{
	struct vmsect_node *node = container_of(inode->i_cdev, struct vmsect_node, cdev);
	struct vmsect_handle *handle = node->handle;
	struct vmsect_file *f;
	int err = vmsect_view_error(handle->view);

	if (err)
		return err;
	if (handle->view->mode == VMSECT_MODE_RO && (file->f_mode & FMODE_WRITE))
		return -EACCES;
	/* A new program is a good moment: the file may be whole again.  Else it stays lost. */
	err = vmsect_view_repair(handle->view);
	if (err == -EINTR || err == -ENODEV)
		return err;
	f = file_new(handle, handle->view);
	if (!f)
		return -ENOMEM;
	vmsect_handle_get(handle);
	file->private_data = f;
	file_use_mapping(file, handle->view);
	return 0;
}

static int file_release(struct inode *inode, struct file *file)
{
	struct vmsect_file *f = file->private_data;

	if (f->is_view)
		vmsect_view_put(f->view);
	else
		vmsect_handle_put(f->handle);
	kfree(f);
	return 0;
}

/* That the file's view is live: 0, or why not.  Sleeps for the device the first time. */
int vmsect_file_ready(struct vmsect_file *f)
{
	return f->is_view ? vmsect_view_error(f->view) : vmsect_handle_map(f->handle);
}

static int file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct vmsect_file *f = file->private_data;
	int err = vmsect_file_ready(f);

	return err ? err : vmsect_view_mmap(f->view, vma);
}

static unsigned long file_unmapped_area(struct file *file, unsigned long addr, unsigned long len,
					unsigned long pgoff, unsigned long flags)
{
	struct vmsect_file *f = file->private_data;
	int err = vmsect_file_ready(f);

	return err ? err : vmsect_view_unmapped_area(f->view, file, addr, len, pgoff, flags);
}

static __poll_t file_poll(struct file *file, poll_table *wait)
{
	struct vmsect_file *f = file->private_data;

	poll_wait(file, &f->handle->changed, wait);
	if (vmsect_view_error(f->view) || (!f->is_view && vmsect_handle_error(f->handle)))
		return EPOLLERR | EPOLLHUP;
	return EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM;
}

#define FILE_OPERATIONS                                                                            \
	.owner = THIS_MODULE, .release = file_release, .mmap = file_mmap, .poll = file_poll,       \
	.get_unmapped_area = file_unmapped_area, .read_iter = vmsect_io_read,                      \
	.write_iter = vmsect_io_write, .llseek = vmsect_io_seek, .fsync = vmsect_io_fsync,         \
	.splice_read = vmsect_splice_read, .splice_write = iter_file_splice_write,                 \
	.unlocked_ioctl = vmsect_file_ioctl, .compat_ioctl = compat_ptr_ioctl

const struct file_operations vmsect_node_fops = { FILE_OPERATIONS, .open = node_open };
static const struct file_operations section_fops = { FILE_OPERATIONS,
						     .fallocate = vmsect_io_fallocate };
static const struct file_operations view_fops = { FILE_OPERATIONS };

/* It has no mode, owner, times or size of its own to set. */
static int section_setattr(VMSECT_SETATTR_ARG struct dentry *dentry, struct iattr *attr)
{
	return -EPERM;
}

static const struct inode_operations section_iops = { .setattr = section_setattr };

/* Of a section that is not attached. */
struct inode *vmsect_file_inode(void)
{
	struct inode *inode = alloc_anon_inode(vmsect_mount()->mnt_sb);

	if (!IS_ERR(inode)) {
		inode->i_mode |= S_IFREG;
		inode->i_op = &section_iops;
	}
	return inode;
}

/* An open file on an inode of ours; takes nothing over after an error. */
static struct file *file_open(struct inode *inode, const char *name, int flags,
			      const struct file_operations *fops)
{
	struct file *file;

	__module_get(THIS_MODULE);
	ihold(inode);
	file = alloc_file_pseudo(inode, vmsect_mount(), name, flags, fops);
	if (IS_ERR(file)) {
		iput(inode);
		module_put(THIS_MODULE);
		return file;
	}
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	return file;
}

static struct file *file_make(struct vmsect_file *f, struct inode *inode, const char *name,
			      int flags)
{
	struct file *file = file_open(inode, name, flags, f->is_view ? &view_fops : &section_fops);

	if (IS_ERR(file)) {
		kfree(f);
		return file;
	}
	file->private_data = f;
	file_use_mapping(file, f->view);
	return file;
}

/* How a section file is open, by the rights of its handle; O_ACCMODE: for neither. */
static int section_flags(u32 access)
{
	bool reads = access & (VMSECT_DEV_ACCESS_READ | VMSECT_DEV_ACCESS_EXECUTE);

	if (access & VMSECT_DEV_ACCESS_WRITE)
		return reads ? O_RDWR : O_WRONLY;
	return reads ? O_RDONLY : O_ACCMODE;
}

/**
 * vmsect_file_section - a file for a handle that is not attached
 * @handle: taken over by the file, also on failure
 */
struct file *vmsect_file_section(struct vmsect_handle *handle)
{
	struct vmsect_file *f = file_new(handle, handle->view);
	struct file *file;

	if (!f) {
		vmsect_handle_put(handle);
		return ERR_PTR(-ENOMEM);
	}
	file = file_make(f, handle->inode, "[vmsect-section]", section_flags(handle->access));
	if (IS_ERR(file))
		vmsect_handle_put(handle);
	return file;
}

/**
 * vmsect_file_view - a file for a view
 * @view: live, taken over by the file, also on failure
 */
struct file *vmsect_file_view(struct vmsect_view *view)
{
	bool writes = vmsect_protection_writes(view->protection);
	struct vmsect_file *f = file_new(view->handle, view);
	struct file *file;

	if (!f) {
		vmsect_view_put(view);
		return ERR_PTR(-ENOMEM);
	}
	file = file_make(f, view->inode, "[vmsect-view]", writes ? O_RDWR : O_RDONLY);
	if (IS_ERR(file))
		vmsect_view_put(view);
	return file;
}

/* The descriptor of a new file, which it takes over. */
int vmsect_file_install(struct file *file)
{
	int fd;

	if (IS_ERR(file))
		return PTR_ERR(file);
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		fput(file);
	else
		fd_install(fd, file);
	return fd;
}

static bool is_section_file(const struct file *file)
{
	return file->f_op == &vmsect_node_fops || file->f_op == &section_fops;
}

/* The handle of a section descriptor that is open to write, counted; else NULL. */
struct vmsect_handle *vmsect_file_writer(int fd)
{
	struct file *file = fget(fd);
	struct vmsect_handle *handle = NULL;

	if (!file)
		return NULL;
	if (is_section_file(file) && file->f_mode & FMODE_WRITE) {
		const struct vmsect_file *f = file->private_data;

		handle = vmsect_handle_get(f->handle);
	}
	fput(file);
	return handle;
}
