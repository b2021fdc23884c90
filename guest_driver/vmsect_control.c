// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control node, /dev/vmsect/ctl: INFO, LIST, OPEN, CREATE.
 *
 * An open file of it holds the device; after the device has gone all commands give
 * ENODEV.  Who may open it to write may open any section that the VM may, whatever
 * the mode of its node says: so by default that is root.
 */
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include "vmsect_core.h"

static DEFINE_IDA(control_indices);

static int control_open(struct inode *inode, struct file *file)
{
	/* The misc core stored the miscdevice and keeps it registered during this call. */
	struct vmsect_device *vd = container_of(file->private_data, struct vmsect_device, misc);

	file->private_data = vmsect_device_get(vd);
	return 0;
}

static int control_release(struct inode *inode, struct file *file)
{
	vmsect_device_put(file->private_data);
	return 0;
}

static long control_info(struct vmsect_device *vd, void __user *arg)
{
	struct vmsect_info info = {
		.window_bytes = vd->window_bytes,
		.max_views = vd->max_views,
		.peer_id = vd->peer_id,
		.align_shift = vd->align_shift,
	};

	mutex_lock(&vd->lock);
	info.sections = vd->node_count;
	mutex_unlock(&vd->lock);
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static int control_list_fill(struct vmsect_device *vd, struct vmsect_list *list)
{
	int err = -ENOENT;

	mutex_lock(&vd->lock);
	if (list->index < vd->node_count) {
		u32 index = array_index_nospec(list->index, vd->node_count);

		vmsect_handle_fill(vd->nodes[index]->handle, &list->section);
		err = 0;
	}
	mutex_unlock(&vd->lock);
	return err;
}

static long control_list(struct vmsect_device *vd, void __user *arg)
{
	struct vmsect_list list;
	int err;

	if (copy_from_user(&list, arg, offsetof(struct vmsect_list, section)))
		return -EFAULT;
	if (list.reserved)
		return -EINVAL;
	err = control_list_fill(vd, &list);
	if (err)
		return err;
	return copy_to_user(arg, &list, sizeof(list)) ? -EFAULT : 0;
}

static long control_open_section(struct vmsect_device *vd, const void __user *arg)
{
	struct vmsect_open open;

	return copy_from_user(&open, arg, sizeof(open)) ? -EFAULT : vmsect_open_section(vd, &open);
}

static long control_create(struct vmsect_device *vd, void __user *arg)
{
	struct vmsect_create __user *user = arg;
	struct vmsect_create create;
	int fd;

	if (copy_from_user(&create, user, sizeof(create)))
		return -EFAULT;
	if (create.existed)
		return -EINVAL;
	/* It is 0: nothing is made for a program that cannot be answered. */
	if (put_user(0U, &user->existed))
		return -EFAULT;
	fd = vmsect_open_created(vd, &create);
	/* One that takes its struct away meanwhile has only itself to blame. */
	if (fd >= 0 && put_user(create.existed, &user->existed))
		return -EFAULT;
	return fd;
}

static long control_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vmsect_device *vd = file->private_data;
	void __user *user = (void __user *)arg;
	bool writable = file->f_mode & FMODE_WRITE;

	if (READ_ONCE(vd->gone))
		return -ENODEV;
	switch (cmd) {
	case VMSECT_IOC_INFO:
		return control_info(vd, user);
	case VMSECT_IOC_LIST:
		return control_list(vd, user);
	case VMSECT_IOC_OPEN:
		return writable ? control_open_section(vd, user) : -EBADF;
	case VMSECT_IOC_CREATE:
		return writable ? control_create(vd, user) : -EBADF;
	default:
		return -ENOTTY;
	}
}

static const struct file_operations control_fops = {
	.owner = THIS_MODULE,
	.open = control_open,
	.release = control_release,
	.unlocked_ioctl = control_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

/* vmsect/ctl for the first device of the guest, vmsect/ctl1 for the next. */
static void control_set_names(struct vmsect_device *vd)
{
	if (vd->index)
		snprintf(vd->ctl_nodename, sizeof(vd->ctl_nodename), "vmsect/ctl%d", vd->index);
	else
		strscpy(vd->ctl_nodename, "vmsect/ctl", sizeof(vd->ctl_nodename));
	snprintf(vd->ctl_name, sizeof(vd->ctl_name), "vmsect-ctl%d", vd->index);
}

int vmsect_control_add(struct vmsect_device *vd)
{
	int err;

	vd->index = ida_alloc(&control_indices, GFP_KERNEL);
	if (vd->index < 0)
		return vd->index;
	control_set_names(vd);
	vd->misc = (struct miscdevice){
		.minor = MISC_DYNAMIC_MINOR,
		.name = vd->ctl_name,
		.nodename = vd->ctl_nodename,
		.mode = 0644,
		.fops = &control_fops,
		.parent = vd->dev,
		.groups = vmsect_control_groups,
	};
	err = misc_register(&vd->misc);
	if (err)
		ida_free(&control_indices, vd->index);
	return err;
}

void vmsect_control_del(struct vmsect_device *vd)
{
	misc_deregister(&vd->misc);
	ida_free(&control_indices, vd->index);
}
