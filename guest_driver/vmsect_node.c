// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Nodes: /dev/vmsect/NAME, one per attached section.
 *
 * A node is made at probe from what LIST says.  Nothing in there is trusted:
 * the name must be a plain file name, the range must lie in the window and in
 * no other view's units; an entry that breaks a rule is left out with one
 * message.  At remove nodes are hidden (no new opens) and dropped; files that are
 * still open hold the handle, not the node.
 *
 * Names are unique in the guest, since nodes of all devices share /dev/vmsect:
 * names_lock is held from the check to the registration.
 */
#include <linux/ctype.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "vmsect_core.h"
#include "vmsect_file.h"
#include "vmsect_ivshmem.h"
#include "compat.h"

#define NODE_MINORS (MINORMASK + 1)

static dev_t node_devt;
static DEFINE_IDA(node_minors);
static DEFINE_MUTEX(names_lock);

static const struct vmsect_node *to_node(const struct device *dev)
{
	return container_of(dev, struct vmsect_node, dev);
}

/* Where the node appears and who may open it; udev may narrow that. */
static char *node_devnode(VMSECT_DEVNODE_CONST struct device *dev, umode_t *mode)
{
	const struct vmsect_handle *handle = to_node(dev)->handle;

	if (mode)
		*mode = handle->view->mode == VMSECT_MODE_RO ? 0444 : 0666;
	return kasprintf(GFP_KERNEL, "vmsect/%s", handle->name);
}

/* What udev makes links and permissions of. */
static int node_uevent(VMSECT_DEVNODE_CONST struct device *dev, struct kobj_uevent_env *env)
{
	const struct vmsect_handle *handle = to_node(dev)->handle;
	const struct vmsect_ivshmem *iv = handle->vd->ivshmem;
	const bool ro = handle->view->mode == VMSECT_MODE_RO;
	const bool cow = handle->view->mode == VMSECT_MODE_COW;
	int err = add_uevent_var(env, "VMSECT_NAME=%s", handle->name);

	if (!err)
		err = add_uevent_var(env, "VMSECT_MODE=%s", ro ? "ro" : cow ? "cow" : "rw");
	if (!err && iv)
		err = add_uevent_var(env, "VMSECT_IVSHMEM=%d", iv->index);
	return err;
}

static struct class node_class = {
	.name = "vmsect",
	.dev_groups = vmsect_node_groups,
	.devnode = node_devnode,
	.dev_uevent = node_uevent,
};

static void node_release(struct device *dev)
{
	struct vmsect_node *node = container_of(dev, struct vmsect_node, dev);

	if (node->dev.devt)
		ida_free(&node_minors, MINOR(node->dev.devt));
	vmsect_handle_put(node->handle);
	kfree(node);
}

/* The control nodes' names: ctl, ctl1, ctl2 ... */
static bool name_is_reserved(const char *name)
{
	if (strncmp(name, "ctl", 3))
		return false;
	return !name[3 + strspn(name + 3, "0123456789")];
}

static bool name_is_safe(const char *name)
{
	const char *c;

	if (!name[0] || name[0] == '.' || name[0] == '-')
		return false;
	for (c = name; *c; c++)
		if (!isascii(*c) || (!isalnum(*c) && !strchr("._+@:-", *c)))
			return false;
	return !name_is_reserved(name);
}

static int node_set_number(struct vmsect_node *node)
{
	int minor = ida_alloc_max(&node_minors, NODE_MINORS - 1, GFP_KERNEL);

	if (minor < 0)
		return minor;
	node->dev.devt = MKDEV(MAJOR(node_devt), minor);
	cdev_init(&node->cdev, &vmsect_node_fops);
	node->cdev.owner = THIS_MODULE;
	return 0;
}

/* A node that put_device() frees; takes the handle over, also on failure. */
static struct vmsect_node *node_new(struct vmsect_device *vd, struct vmsect_handle *handle)
{
	struct vmsect_node *node = kzalloc(sizeof(*node), GFP_KERNEL);

	if (!node) {
		vmsect_handle_put(handle);
		return NULL;
	}
	node->handle = handle;
	device_initialize(&node->dev);
	node->dev.class = &node_class;
	node->dev.parent = vd->dev;
	node->dev.release = node_release;
	if (!node_set_number(node) && !dev_set_name(&node->dev, "%s", handle->name))
		return node;
	put_device(&node->dev);
	return NULL;
}

/* Shows the node under its name, unless the name is taken. */
static int node_register(struct vmsect_node *node)
{
	struct device *other;
	int err;

	mutex_lock(&names_lock);
	other = class_find_device_by_name(&node_class, node->handle->name);
	put_device(other);
	err = other ? -EEXIST : cdev_device_add(&node->cdev, &node->dev);
	mutex_unlock(&names_lock);
	node->registered = !err;
	return err;
}

/* The handle of an attachment, with its view live. */
static int node_handle(struct vmsect_device *vd, const struct vmsect_attachment *at,
		       struct vmsect_handle **ret_handle)
{
	u32 protection = le32_to_cpu(at->view.protection);
	struct vmsect_handle *handle;
	int err;

	if (!vmsect_protection_reads(protection))
		return -EACCES;
	handle = vmsect_handle_new(vd, le32_to_cpu(at->view.handle), true, &at->section);
	if (!handle)
		return -ENOMEM;
	handle->denied_writes = le64_to_cpu(at->view.denied_writes);
	err = vmsect_view_place(handle->view, &at->view);
	if (err)
		vmsect_handle_put(handle);
	else
		*ret_handle = handle;
	return err;
}

static int node_show(struct vmsect_device *vd, struct vmsect_handle *handle,
		     struct vmsect_node **ret_node)
{
	struct vmsect_node *node = node_new(vd, handle);
	int err;

	if (!node)
		return -ENOMEM;
	err = node_register(node);
	if (err)
		put_device(&node->dev);
	else
		*ret_node = node;
	return err;
}

/* Before the first is added, once. */
int vmsect_nodes_prepare(struct vmsect_device *vd, unsigned int room)
{
	vd->nodes = kvcalloc(max(room, 1U), sizeof(*vd->nodes), GFP_KERNEL);
	if (!vd->nodes)
		return -ENOMEM;
	vd->node_room = room;
	return 0;
}

/**
 * vmsect_node_add - make the node of one attachment
 * @vd: the device, in probe
 * @at: its entry in LIST, a private copy
 *
 * Return: 0; -EINVAL for a name or a range that breaks the rules; -EEXIST for
 * a name that is taken; -EADDRINUSE for a range that is; -EACCES for a view
 * that gives nothing to map; -ENOSPC when there is no room for more nodes; else
 * what the kernel refused.
 */
int vmsect_node_add(struct vmsect_device *vd, const struct vmsect_attachment *at)
{
	char name[VMSECT_DEV_NAME_MAX + 1];
	struct vmsect_handle *handle;
	struct vmsect_node *node;
	int err;

	if (vd->node_count == vd->node_room)
		return -ENOSPC;
	if (strscpy(name, (const char *)at->section.name, sizeof(name)) < 0 || !name_is_safe(name))
		return -EINVAL;
	err = node_handle(vd, at, &handle);
	if (!err)
		err = node_show(vd, handle, &node);
	if (err)
		return err;
	mutex_lock(&vd->lock);
	vd->nodes[vd->node_count++] = node;
	mutex_unlock(&vd->lock);
	return 0;
}

/* No new opens, no sysfs. */
void vmsect_nodes_hide(struct vmsect_device *vd)
{
	unsigned int i;

	for (i = 0; i < vd->node_count; i++) {
		struct vmsect_node *node = vd->nodes[i];

		if (node->registered)
			cdev_device_del(&node->cdev, &node->dev);
		node->registered = false;
	}
}

void vmsect_nodes_drop(struct vmsect_device *vd)
{
	unsigned int i, count;

	mutex_lock(&vd->lock);
	count = vd->node_count;
	vd->node_count = 0;
	mutex_unlock(&vd->lock);
	for (i = 0; i < count; i++)
		put_device(&vd->nodes[i]->dev);
}

int vmsect_nodes_init(void)
{
	int err = alloc_chrdev_region(&node_devt, 0, NODE_MINORS, "vmsect");

	if (err)
		return err;
	err = class_register(&node_class);
	if (err)
		unregister_chrdev_region(node_devt, NODE_MINORS);
	return err;
}

void vmsect_nodes_exit(void)
{
	class_unregister(&node_class);
	unregister_chrdev_region(node_devt, NODE_MINORS);
	ida_destroy(&node_minors);
}
