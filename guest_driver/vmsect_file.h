/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Section and view files: open files whose private data is a vmsect_file.
 *
 * A section file holds its handle, a view file its view.  Both read, write, map
 * and flush a view: the handle's default view, which is made live when it is first
 * asked for, or their own.  f_mapping is always the view's own address space, so
 * that revocation finds every mapping whichever inode the program opened.
 *
 * What stat(2) shows: an attached section and a view are character devices, which
 * may be pinned for long; a section that OPEN returned is a regular file, which
 * fallocate(2) wants.
 */
#ifndef VMSECT_FILE_H
#define VMSECT_FILE_H

#include <linux/fs.h>

#include "vmsect_handle.h"
#include "vmsect_view.h"

struct vmsect_file {
	struct vmsect_handle *handle; /* counted in a section file; in a view file the view's */
	struct vmsect_view *view; /* counted in a view file; in a section file the handle's */
	bool is_view;
};

/* vmsect_file.c */
extern const struct file_operations vmsect_node_fops;
struct inode *vmsect_file_inode(void);
struct file *vmsect_file_section(struct vmsect_handle *handle);
struct file *vmsect_file_view(struct vmsect_view *view);
int vmsect_file_install(struct file *file);
int vmsect_file_ready(struct vmsect_file *f);
struct vmsect_handle *vmsect_file_writer(int fd);

/* vmsect_io.c */
ssize_t vmsect_io_read(struct kiocb *iocb, struct iov_iter *to);
ssize_t vmsect_io_write(struct kiocb *iocb, struct iov_iter *from);
loff_t vmsect_io_seek(struct file *file, loff_t offset, int whence);
int vmsect_io_fsync(struct file *file, loff_t start, loff_t end, int datasync);
long vmsect_io_fallocate(struct file *file, int mode, loff_t offset, loff_t length);
int vmsect_io_extend(struct vmsect_handle *handle, u64 *size);

/* vmsect_ioctl.c */
long vmsect_file_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif
