// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Nodes: one per attached section, with its attributes in sysfs.
 *
 * A node is made at probe from what LIST says.  Nothing in there is trusted:
 * the name must be a plain file name, the range must lie in the window and in
 * no other view's units; an entry that breaks a rule is left out with one
 * message.  At remove nodes are hidden (no new opens), revoked and dropped;
 * files that are still open keep the struct, not the pages.
 *
 * Names are unique in the guest, since nodes of all devices share /dev/vmsect:
 * names_lock is held from the check to the registration.
 */
#include <linux/ctype.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "vmsect_core.h"
#include "compat.h"

/* Between two messages about pages that somebody still holds. */
#define PIN_WARN_INTERVAL (10 * HZ)
#define PIN_POLL_MIN_MS 5
#define PIN_POLL_MAX_MS 500

static DEFINE_MUTEX(names_lock);

static struct vmsect_node *to_node(struct device *dev)
{
	return container_of(dev, struct vmsect_node, dev);
}

static const char *mode_name(u32 mode)
{
	switch (mode) {
	case VMSECT_MODE_RO:
		return "ro";
	case VMSECT_MODE_RW:
		return "rw";
	case VMSECT_MODE_COW:
		return "cow";
	default:
		return "none";
	}
}

static const char *backing_name(u32 backing)
{
	switch (backing) {
	case VMSECT_BACKING_FILE:
		return "file";
	case VMSECT_BACKING_SHMEM:
		return "shmem";
	case VMSECT_BACKING_HUGETLB:
		return "hugetlb";
	case VMSECT_BACKING_DIRECTORY:
		return "directory";
	default:
		return "unknown";
	}
}

static const char *cache_name(u32 cache)
{
	switch (cache) {
	case VMSECT_CACHE_WRITE_BACK:
		return "write-back";
	case VMSECT_CACHE_OTHER:
		return "other";
	default:
		return "unknown";
	}
}

static ssize_t size_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct vmsect_section s;

	vmsect_node_fill(to_node(dev), &s);
	return sysfs_emit(buf, "%llu\n", s.size_bytes);
}
static DEVICE_ATTR_RO(size);

static ssize_t generation_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct vmsect_section s;

	vmsect_node_fill(to_node(dev), &s);
	return sysfs_emit(buf, "%llu\n", s.generation);
}
static DEVICE_ATTR_RO(generation);

static ssize_t mode_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", mode_name(to_node(dev)->view.mode));
}
static DEVICE_ATTR_RO(mode);

static ssize_t cache_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", cache_name(to_node(dev)->view.cache));
}
static DEVICE_ATTR_RO(cache);

static ssize_t backing_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", backing_name(to_node(dev)->backing));
}
static DEVICE_ATTR_RO(backing);

static ssize_t has_pages_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", to_node(dev)->view.has_pages);
}
static DEVICE_ATTR_RO(has_pages);

static ssize_t peers_joined_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lld\n", atomic64_read(&to_node(dev)->peers_joined));
}
static DEVICE_ATTR_RO(peers_joined);

static ssize_t peers_left_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lld\n", atomic64_read(&to_node(dev)->peers_left));
}
static DEVICE_ATTR_RO(peers_left);

static ssize_t page_errors_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lld\n", atomic64_read(&to_node(dev)->page_errors));
}
static DEVICE_ATTR_RO(page_errors);

static ssize_t revoked_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(to_node(dev)->view.taken));
}
static DEVICE_ATTR_RO(revoked);

static struct attribute *node_attrs[] = {
	&dev_attr_size.attr,
	&dev_attr_generation.attr,
	&dev_attr_mode.attr,
	&dev_attr_cache.attr,
	&dev_attr_backing.attr,
	&dev_attr_has_pages.attr,
	&dev_attr_peers_joined.attr,
	&dev_attr_peers_left.attr,
	&dev_attr_page_errors.attr,
	&dev_attr_revoked.attr,
	NULL,
};
ATTRIBUTE_GROUPS(node);

/* Where the node appears and who may open it; udev may narrow that. */
static char *node_devnode(VMSECT_DEVNODE_CONST struct device *dev, umode_t *mode)
{
	const struct vmsect_node *node = container_of(dev, const struct vmsect_node, dev);

	if (mode)
		*mode = node->view.mode == VMSECT_MODE_RO ? 0444 : 0666;
	return kasprintf(GFP_KERNEL, "vmsect/%s", node->name);
}

static struct class node_class = {
	.name = "vmsect",
	.dev_groups = node_groups,
	.devnode = node_devnode,
};

static void node_release(struct device *dev)
{
	struct vmsect_node *node = to_node(dev);

	vmsect_view_put_inode(&node->view);
	vmsect_chrdev_release(node);
	vmsect_device_put(node->vd);
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

static bool node_overlaps(const struct vmsect_device *vd, const struct vmsect_view *view)
{
	unsigned int i;

	for (i = 0; i < vd->node_count; i++) {
		const struct range *other = &vd->nodes[i]->view.cover;

		if (view->cover.start <= other->end && other->start <= view->cover.end)
			return true;
	}
	return false;
}

/* Copies the device's words; nothing here is used without a check. */
static void node_copy(struct vmsect_node *node, const struct vmsect_attachment *at)
{
	node->section_id = le64_to_cpu(at->section.section_id);
	node->generation = le64_to_cpu(at->section.generation);
	node->size_bytes = le64_to_cpu(at->section.size_bytes);
	node->backing = le32_to_cpu(at->section.backing);
	node->page_shift = le32_to_cpu(at->section.page_shift);
	node->access = le32_to_cpu(at->section.access);
	node->handle = le32_to_cpu(at->view.handle);
	node->view_id = le32_to_cpu(at->view.view);
	node->offset = le64_to_cpu(at->view.offset);
	node->denied_writes = le64_to_cpu(at->view.denied_writes);
}

/* A node that put_device() frees. */
static struct vmsect_node *node_new(struct vmsect_device *vd, const char *name)
{
	struct vmsect_node *node = kzalloc(sizeof(*node), GFP_KERNEL);

	if (!node)
		return NULL;
	spin_lock_init(&node->lock);
	strscpy(node->name, name, sizeof(node->name));
	node->vd = vmsect_device_get(vd);
	device_initialize(&node->dev);
	node->dev.class = &node_class;
	node->dev.parent = &vd->vdev->dev;
	node->dev.release = node_release;
	if (!vmsect_chrdev_prepare(node) && !dev_set_name(&node->dev, "%s", name))
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
	other = class_find_device_by_name(&node_class, node->name);
	put_device(other);
	err = other ? -EEXIST : cdev_device_add(&node->cdev, &node->dev);
	mutex_unlock(&names_lock);
	node->registered = !err;
	return err;
}

static int node_setup(struct vmsect_node *node, const struct vmsect_attachment *at)
{
	struct vmsect_device *vd = node->vd;
	int err;

	node_copy(node, at);
	err = vmsect_view_set_range(&node->view, vd, &at->view);
	if (err)
		return err;
	if (node_overlaps(vd, &node->view))
		return -EADDRINUSE;
	err = vmsect_view_init(&node->view, &vd->vdev->dev, vmsect_super());
	if (err)
		return err;
	err = node_register(node);
	if (err)
		vmsect_view_release(&node->view);
	return err;
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
	struct vmsect_node *node;
	int err;

	if (vd->node_count == vd->node_room)
		return -ENOSPC;
	if (strscpy(name, (const char *)at->section.name, sizeof(name)) < 0 || !name_is_safe(name))
		return -EINVAL;
	node = node_new(vd, name);
	if (!node)
		return -ENOMEM;
	err = node_setup(node, at);
	if (err) {
		put_device(&node->dev);
		return err;
	}
	mutex_lock(&vd->nodes_lock);
	vd->nodes[vd->node_count++] = node;
	mutex_unlock(&vd->nodes_lock);
	return 0;
}

int vmsect_node_refresh(struct vmsect_node *node)
{
	struct vmsect_dev_section section;
	struct vmsect_dev_view view;
	int err = vmsect_ctl_query_view(&node->vd->ctl, node->view_id, &view);

	if (err)
		return err;
	/* First, as the handle of a view that was revoked answers nothing. */
	if (le32_to_cpu(view.view_flags) & VMSECT_VIEW_F_REVOKED)
		vmsect_view_take(&node->view);
	err = vmsect_ctl_query_section(&node->vd->ctl, node->handle, &section);
	if (err)
		return err;
	spin_lock(&node->lock);
	vmsect_view_grow(&node->view, le64_to_cpu(view.length));
	node->denied_writes = le64_to_cpu(view.denied_writes);
	node->generation = le64_to_cpu(section.generation);
	node->size_bytes = le64_to_cpu(section.size_bytes);
	spin_unlock(&node->lock);
	return 0;
}

/**
 * vmsect_node_repair - get lost pages back
 * @node: the node
 *
 * Return: 0, also if the backing still is not whole; else -errno of the request.
 */
int vmsect_node_repair(struct vmsect_node *node)
{
	struct vmsect_losses *losses = &node->view.losses;
	struct vmsect_pages pages;
	unsigned int index = 0, added;
	u64 lost;
	int err;

	if (!node->vd->can_remap)
		return 0;
	while (vmsect_losses_get(losses, index, &pages, &added)) {
		err = vmsect_ctl_range(&node->vd->ctl, VMSECT_REQ_REMAP, node->view_id, &pages,
				       &lost);
		if (err)
			return err;
		if (lost || !vmsect_losses_repaired(losses, &pages, added))
			index++;
	}
	return 0;
}

void vmsect_node_fill(struct vmsect_node *node, struct vmsect_section *ret_section)
{
	memset(ret_section, 0, sizeof(*ret_section));
	ret_section->section_id = node->section_id;
	ret_section->offset = node->offset;
	ret_section->length = (u64)READ_ONCE(node->view.pages) << PAGE_SHIFT;
	ret_section->mode = node->view.mode;
	ret_section->backing = node->backing;
	ret_section->cache = node->view.cache;
	ret_section->page_shift = node->page_shift;
	ret_section->access = node->access;
	ret_section->has_pages = node->view.has_pages;
	strscpy(ret_section->name, node->name, sizeof(ret_section->name));
	spin_lock(&node->lock);
	ret_section->generation = node->generation;
	ret_section->size_bytes = node->size_bytes;
	ret_section->denied_writes = node->denied_writes;
	spin_unlock(&node->lock);
}

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

static void nodes_zap(struct vmsect_device *vd)
{
	unsigned int i;

	for (i = 0; i < vd->node_count; i++)
		vmsect_view_zap(&vd->nodes[i]->view);
}

void vmsect_nodes_revoke(struct vmsect_device *vd)
{
	unsigned int i;

	for (i = 0; i < vd->node_count; i++)
		WRITE_ONCE(vd->nodes[i]->view.revoked, true);
	synchronize_srcu(&vmsect_srcu);
	nodes_zap(vd);
}

/* One grace period for all views, however many there are. */
static struct vmsect_node *nodes_find_busy(struct vmsect_device *vd)
{
	unsigned int i;

	nodes_zap(vd);
	synchronize_rcu();
	for (i = 0; i < vd->node_count; i++)
		if (!vmsect_view_is_idle(&vd->nodes[i]->view))
			return vd->nodes[i];
	return NULL;
}

/* As long as it takes: pages that a device writes to cannot be taken away. */
static void nodes_wait_idle(struct vmsect_device *vd)
{
	unsigned long warn = jiffies + PIN_WARN_INTERVAL;
	unsigned int ms = PIN_POLL_MIN_MS;
	struct vmsect_node *busy;

	while ((busy = nodes_find_busy(vd))) {
		if (time_after(jiffies, warn)) {
			dev_warn(&vd->vdev->dev, "waiting for pinned pages of section %s\n",
				 busy->name);
			warn = jiffies + PIN_WARN_INTERVAL;
		}
		msleep(ms);
		ms = min_t(unsigned int, 2 * ms, PIN_POLL_MAX_MS);
	}
}

void vmsect_nodes_drop(struct vmsect_device *vd)
{
	unsigned int i, count;

	nodes_wait_idle(vd);
	mutex_lock(&vd->nodes_lock);
	count = vd->node_count;
	vd->node_count = 0;
	mutex_unlock(&vd->nodes_lock);
	for (i = 0; i < count; i++) {
		vmsect_view_release(&vd->nodes[i]->view);
		put_device(&vd->nodes[i]->dev);
	}
}

int vmsect_nodes_init(void)
{
	return class_register(&node_class);
}

void vmsect_nodes_exit(void)
{
	class_unregister(&node_class);
}
