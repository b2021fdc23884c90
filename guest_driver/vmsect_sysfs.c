// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The attributes of section nodes and of control nodes, one value per file.
 * docs/abi/sysfs-class-vmsect describes each.
 *
 * What is shown is what the device said last; nothing here waits for it.
 */
#include <linux/sysfs.h>

#include "vmsect_core.h"
#include "vmsect_ivshmem.h"

static struct vmsect_handle *to_handle(struct device *dev)
{
	return container_of(dev, struct vmsect_node, dev)->handle;
}

static struct vmsect_device *to_device(struct device *dev)
{
	struct miscdevice *misc = dev_get_drvdata(dev);

	return container_of(misc, struct vmsect_device, misc);
}

/* A name out of a table; what is not in it is unknown. */
static const char *name_of(const char *const *names, size_t count, u32 value)
{
	return value < count && names[value] ? names[value] : "unknown";
}
#define NAME_OF(names, value) name_of(names, ARRAY_SIZE(names), value)

static const char *const mode_names[] = { "none", "ro", "rw", "cow" };
static const char *const cache_names[] = { "unknown", "write-back", "other" };
static const char *const backing_names[] = { NULL, "file", "shmem", "hugetlb", "directory" };
static const char *const protection_names[] = {
	NULL,	   "noaccess",	   "readonly",		"readwrite",	     "writecopy",
	"execute", "execute-read", "execute-readwrite", "execute-writecopy",
};

/* Reads one field of what VMSECT_IOC_LIST shows. */
#define SECTION_ATTR(file, format, value)                                                          \
	static ssize_t file##_show(struct device *dev, struct device_attribute *attr, char *buf)   \
	{                                                                                          \
		struct vmsect_section s;                                                           \
                                                                                                   \
		vmsect_handle_fill(to_handle(dev), &s);                                            \
		return sysfs_emit(buf, format "\n", value);                                        \
	}                                                                                          \
	static DEVICE_ATTR_RO(file)

SECTION_ATTR(name, "%s", s.name);
SECTION_ATTR(section_id, "%llu", s.section_id);
SECTION_ATTR(size, "%llu", s.size_bytes);
SECTION_ATTR(generation, "%llu", s.generation);
SECTION_ATTR(access, "%#x", s.access);
SECTION_ATTR(mode, "%s", NAME_OF(mode_names, s.mode));
SECTION_ATTR(protection, "%s", NAME_OF(protection_names, s.protection));
SECTION_ATTR(cache, "%s", NAME_OF(cache_names, s.cache));
SECTION_ATTR(backing, "%s", NAME_OF(backing_names, s.backing));
SECTION_ATTR(has_pages, "%u", s.has_pages);
SECTION_ATTR(huge_shift, "%u", s.huge_shift);

#define COUNT_ATTR(file)                                                                           \
	static ssize_t file##_show(struct device *dev, struct device_attribute *attr, char *buf)   \
	{                                                                                          \
		return sysfs_emit(buf, "%lld\n", atomic64_read(&to_handle(dev)->counts.file));     \
	}                                                                                          \
	static DEVICE_ATTR_RO(file)

COUNT_ATTR(peers_joined);
COUNT_ATTR(peers_left);
COUNT_ATTR(page_errors);
COUNT_ATTR(quota_events);
COUNT_ATTR(faults);
COUNT_ATTR(huge_faults);

static ssize_t views_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", atomic_read(&to_handle(dev)->counts.views));
}
static DEVICE_ATTR_RO(views);

static ssize_t revoked_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", test_bit(VIEW_TAKEN, &to_handle(dev)->view->state));
}
static DEVICE_ATTR_RO(revoked);

static ssize_t transport_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", to_handle(dev)->vd->ivshmem ? "ivshmem" : "virtio");
}
static DEVICE_ATTR_RO(transport);

static struct attribute *node_attrs[] = {
	&dev_attr_name.attr,	   &dev_attr_section_id.attr,  &dev_attr_size.attr,
	&dev_attr_generation.attr, &dev_attr_access.attr,      &dev_attr_mode.attr,
	&dev_attr_protection.attr, &dev_attr_cache.attr,       &dev_attr_backing.attr,
	&dev_attr_has_pages.attr,  &dev_attr_huge_shift.attr,  &dev_attr_peers_joined.attr,
	&dev_attr_peers_left.attr, &dev_attr_page_errors.attr, &dev_attr_quota_events.attr,
	&dev_attr_faults.attr,	   &dev_attr_huge_faults.attr, &dev_attr_views.attr,
	&dev_attr_revoked.attr,	   &dev_attr_transport.attr,   NULL,
};

static const struct attribute_group node_group = { .attrs = node_attrs };

/* What the control node tells of other devices. */
static ssize_t own_peer_id_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", to_handle(dev)->vd->peer_id);
}
static struct device_attribute dev_attr_own_peer_id = __ATTR(peer_id, 0444, own_peer_id_show, NULL);

static ssize_t vectors_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", to_handle(dev)->vd->ivshmem->vectors);
}
static DEVICE_ATTR_RO(vectors);

static struct attribute *node_attrs_ivshmem[] = {
	&dev_attr_own_peer_id.attr,
	&dev_attr_vectors.attr,
	NULL,
};

static umode_t ivshmem_is_visible(struct kobject *kobj, struct attribute *attr, int index)
{
	return to_handle(kobj_to_dev(kobj))->vd->ivshmem ? attr->mode : 0;
}

static const struct attribute_group ivshmem_group = {
	.attrs = node_attrs_ivshmem,
	.is_visible = ivshmem_is_visible,
};
const struct attribute_group *vmsect_node_groups[] = { &node_group, &ivshmem_group, NULL };

static ssize_t window_bytes_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", to_device(dev)->window_bytes);
}
static DEVICE_ATTR_RO(window_bytes);

static ssize_t peer_id_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", to_device(dev)->peer_id);
}
static DEVICE_ATTR_RO(peer_id);

static ssize_t events_lost_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lld\n", atomic64_read(&to_device(dev)->events.lost));
}
static DEVICE_ATTR_RO(events_lost);

static ssize_t events_ignored_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lld\n", atomic64_read(&to_device(dev)->events.ignored));
}
static DEVICE_ATTR_RO(events_ignored);

static ssize_t device_views_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct vmsect_device *vd = to_device(dev);
	struct vmsect_view *view;
	unsigned long id;
	int count = 0;

	mutex_lock(&vd->lock);
	xa_for_each (&vd->views, id, view)
		count++;
	mutex_unlock(&vd->lock);
	return sysfs_emit(buf, "%d\n", count);
}
static struct device_attribute dev_attr_device_views = __ATTR(views, 0444, device_views_show, NULL);

static ssize_t views_pending_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", atomic_read(&to_device(dev)->views_pending));
}
static DEVICE_ATTR_RO(views_pending);

static ssize_t resets_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", atomic_read(&to_device(dev)->resets));
}
static DEVICE_ATTR_RO(resets);

static struct attribute *control_attrs[] = {
	&dev_attr_window_bytes.attr, &dev_attr_peer_id.attr,
	&dev_attr_events_lost.attr,  &dev_attr_events_ignored.attr,
	&dev_attr_device_views.attr, &dev_attr_views_pending.attr,
	&dev_attr_resets.attr,	     NULL,
};

static const struct attribute_group control_group = { .attrs = control_attrs };
const struct attribute_group *vmsect_control_groups[] = { &control_group, NULL };
