// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Character devices: the control node and the section nodes.
 *
 * An open file of a section node holds the node (through the cdev) and the
 * module; its f_mapping is the view's own address space, so that revocation
 * finds every mapping whichever inode the program opened.  An open file of the
 * control node holds the device.  After the device has gone all commands give
 * ENODEV.  ioctls only copy; what they ask for is done elsewhere.
 */
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/pagemap.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>

#include "vmsect_core.h"

#define NODE_MINORS (MINORMASK + 1)

static dev_t node_devt;
static DEFINE_IDA(node_minors);
static DEFINE_IDA(control_indices);

/* What is left to ask about a view: -ENODEV, -EACCES or 0. */
static int node_check(const struct vmsect_node *node)
{
	if (READ_ONCE(node->view.revoked))
		return -ENODEV;
	return READ_ONCE(node->view.taken) ? -EACCES : 0;
}

static int node_open(struct inode *inode, struct file *file)
{
	struct vmsect_node *node = container_of(inode->i_cdev, struct vmsect_node, cdev);
	int err = node_check(node);

	if (err)
		return err;
	if (node->view.mode == VMSECT_MODE_RO && (file->f_mode & FMODE_WRITE))
		return -EACCES;
	/* A new program is a good moment: the file may be whole again.  Else it stays lost. */
	err = vmsect_node_repair(node);
	if (err == -EINTR || err == -ENODEV)
		return err;
	file->private_data = node;
	file->f_mapping = node->view.inode->i_mapping;
	file->f_wb_err = filemap_sample_wb_err(file->f_mapping);
	return 0;
}

static int node_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct vmsect_node *node = file->private_data;

	return vmsect_view_mmap(&node->view, vma);
}

static long node_query(struct vmsect_node *node, void __user *arg)
{
	struct vmsect_section section;
	int err = vmsect_node_refresh(node);

	/* The refusal may be for the view that has just gone: say so. */
	if (err && node_check(node))
		err = node_check(node);
	if (err)
		return err;
	vmsect_node_fill(node, &section);
	return copy_to_user(arg, &section, sizeof(section)) ? -EFAULT : 0;
}

/* The pages of a range of bytes; 0, or -EINVAL past the view. */
static int node_pages(const struct vmsect_node *node, u64 offset, u64 length,
		      struct vmsect_pages *ret_pages)
{
	u64 bytes = (u64)READ_ONCE(node->view.pages) << PAGE_SHIFT;

	if (offset >= bytes || length > bytes - offset)
		return -EINVAL;
	if (!length)
		length = bytes - offset;
	ret_pages->first = offset >> PAGE_SHIFT;
	ret_pages->end = (offset + length + PAGE_SIZE - 1) >> PAGE_SHIFT;
	return 0;
}

/*
 * Private pages are dropped under the programs that map them: the host changes
 * what is behind the guest's page tables, which therefore stay as they are.
 */
static long node_reset(struct file *file, void __user *arg)
{
	struct vmsect_node *node = file->private_data;
	struct vmsect_range range;
	struct vmsect_pages pages;
	u64 value;
	int err;

	/* It takes pages away from every program of this VM. */
	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (copy_from_user(&range, arg, sizeof(range)))
		return -EFAULT;
	err = node_check(node);
	if (err)
		return err;
	if (!node->vd->can_reset)
		return -EOPNOTSUPP;
	err = node_pages(node, range.offset, range.length, &pages);
	if (err)
		return err;
	return vmsect_ctl_range(&node->vd->ctl, VMSECT_REQ_RESET, node->view_id, &pages, &value);
}

/* fsync(), fdatasync(), msync(MS_SYNC) of a mapping; end is inclusive. */
static int node_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	struct vmsect_node *node = file->private_data;
	struct vmsect_pages pages;
	u64 bytes = (u64)READ_ONCE(node->view.pages) << PAGE_SHIFT;
	int err = node_check(node);

	if (err)
		return err;
	if (!node->vd->can_flush)
		return -EOPNOTSUPP;
	if (start < 0 || end < start || start >= bytes)
		return 0;
	pages.first = start >> PAGE_SHIFT;
	pages.end = (min_t(u64, end, bytes - 1) >> PAGE_SHIFT) + 1;
	return vmsect_ctl_flush(&node->vd->ctl, node->view_id, &pages);
}

static long node_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case VMSECT_IOC_QUERY:
		return node_query(file->private_data, (void __user *)arg);
	case VMSECT_IOC_RESET:
		return node_reset(file, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations node_fops = {
	.owner = THIS_MODULE,
	.open = node_open,
	.mmap = node_mmap,
	.fsync = node_fsync,
	.unlocked_ioctl = node_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

int vmsect_chrdev_prepare(struct vmsect_node *node)
{
	int minor = ida_alloc_max(&node_minors, NODE_MINORS - 1, GFP_KERNEL);

	if (minor < 0)
		return minor;
	node->dev.devt = MKDEV(MAJOR(node_devt), minor);
	cdev_init(&node->cdev, &node_fops);
	node->cdev.owner = THIS_MODULE;
	return 0;
}

void vmsect_chrdev_release(struct vmsect_node *node)
{
	if (node->dev.devt)
		ida_free(&node_minors, MINOR(node->dev.devt));
}

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

	mutex_lock(&vd->nodes_lock);
	info.sections = vd->node_count;
	mutex_unlock(&vd->nodes_lock);
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static int control_list_fill(struct vmsect_device *vd, struct vmsect_list *list)
{
	int err = -ENOENT;

	mutex_lock(&vd->nodes_lock);
	if (list->index < vd->node_count) {
		u32 index = array_index_nospec(list->index, vd->node_count);

		vmsect_node_fill(vd->nodes[index], &list->section);
		err = 0;
	}
	mutex_unlock(&vd->nodes_lock);
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

static long control_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vmsect_device *vd = file->private_data;

	if (READ_ONCE(vd->gone))
		return -ENODEV;
	switch (cmd) {
	case VMSECT_IOC_INFO:
		return control_info(vd, (void __user *)arg);
	case VMSECT_IOC_LIST:
		return control_list(vd, (void __user *)arg);
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

static struct vmsect_device *control_to_device(struct device *dev)
{
	struct miscdevice *misc = dev_get_drvdata(dev);

	return container_of(misc, struct vmsect_device, misc);
}

static ssize_t window_bytes_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", control_to_device(dev)->window_bytes);
}
static DEVICE_ATTR_RO(window_bytes);

static ssize_t peer_id_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", control_to_device(dev)->peer_id);
}
static DEVICE_ATTR_RO(peer_id);

static ssize_t events_lost_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct vmsect_events *events = &control_to_device(dev)->events;

	return sysfs_emit(buf, "%lld\n", atomic64_read(&events->lost));
}
static DEVICE_ATTR_RO(events_lost);

static ssize_t events_ignored_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct vmsect_events *events = &control_to_device(dev)->events;

	return sysfs_emit(buf, "%lld\n", atomic64_read(&events->ignored));
}
static DEVICE_ATTR_RO(events_ignored);

static struct attribute *control_attrs[] = {
	&dev_attr_window_bytes.attr,
	&dev_attr_peer_id.attr,
	&dev_attr_events_lost.attr,
	&dev_attr_events_ignored.attr,
	NULL,
};
ATTRIBUTE_GROUPS(control);

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
		.mode = 0444,
		.fops = &control_fops,
		.parent = &vd->vdev->dev,
		.groups = control_groups,
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

int vmsect_chrdev_init(void)
{
	return alloc_chrdev_region(&node_devt, 0, NODE_MINORS, "vmsect");
}

void vmsect_chrdev_exit(void)
{
	unregister_chrdev_region(node_devt, NODE_MINORS);
	ida_destroy(&node_minors);
	ida_destroy(&control_indices);
}
