// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmsect: the driver of the vmsect section device, a virtio device that gives a
 * VM views of named memory sections of its host.
 *
 * This file: the module, the virtio driver, and the small pseudo file system
 * whose inodes own the views' mappings.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/virtio_config.h>

#include "vmsect_core.h"

/* Another device id is a build option, since an id table is constant. */
#ifndef VMSECT_DRIVER_ID
#define VMSECT_DRIVER_ID VMSECT_VIRTIO_ID
#endif

#define VMSECT_FS_MAGIC 0x764d5343 /* "vMSC" */

bool vmsect_use_pages = true;
module_param_named(struct_pages, vmsect_use_pages, bool, 0444);
MODULE_PARM_DESC(struct_pages,
		 "Give views struct pages, which O_DIRECT and pinning need (default on)");

bool vmsect_use_huge = true;
module_param_named(huge, vmsect_use_huge, bool, 0444);
MODULE_PARM_DESC(huge, "Map 2 MiB at a time where that is possible (default on)");

static struct vfsmount *fs_mount;

static int fs_init_context(struct fs_context *fc)
{
	return init_pseudo(fc, VMSECT_FS_MAGIC) ? 0 : -ENOMEM;
}

/* No owner: the module's own mount must not keep the module. */
static struct file_system_type fs_type = {
	.name = "vmsect",
	.init_fs_context = fs_init_context,
	.kill_sb = kill_anon_super,
};

struct vfsmount *vmsect_mount(void)
{
	return fs_mount;
}

static int vmsect_validate(struct virtio_device *vdev)
{
	if (!vdev->config->get) {
		dev_err(&vdev->dev, "no access to the configuration\n");
		return -EINVAL;
	}
	if (!virtio_has_feature(vdev, VIRTIO_F_VERSION_1)) {
		dev_err(&vdev->dev, "not a modern device\n");
		return -EINVAL;
	}
	return 0;
}

static int probe_start(struct vmsect_device *vd)
{
	int err = vmsect_device_start(vd);

	if (err)
		return err;
	err = vmsect_restart_watch(vd);
	if (err) {
		vmsect_control_del(vd);
		vmsect_device_stop(vd);
	}
	return err;
}

static int vmsect_probe(struct virtio_device *vdev)
{
	struct vmsect_device *vd = vmsect_device_new(vdev);
	int err;

	if (!vd)
		return -ENOMEM;
	err = probe_start(vd);
	if (err) {
		dev_err(&vdev->dev, "not started (%d)\n", err);
		vmsect_device_put(vd);
		return err;
	}
	dev_info(&vdev->dev, "%u sections, window of %llu MiB\n", vd->node_count,
		 vd->window_bytes >> 20);
	return 0;
}

static void vmsect_remove(struct virtio_device *vdev)
{
	struct vmsect_device *vd = vdev->priv;

	vmsect_restart_stop(vd);
	vmsect_control_del(vd);
	vmsect_device_stop(vd);
	vd->vdev = NULL;
	vmsect_device_put(vd);
}

/* The device is broken: requests fail until it is back, views of attachments go on. */
static void vmsect_config_changed(struct virtio_device *vdev)
{
	struct vmsect_device *vd = vdev->priv;

	if (!(vdev->config->get_status(vdev) & VIRTIO_CONFIG_S_NEEDS_RESET))
		return;
	vmsect_ctl_stop(&vd->ctl, -EIO);
	queue_work(system_freezable_wq, &vd->restart);
}

static const struct virtio_device_id vmsect_ids[] = {
	{ VMSECT_DRIVER_ID, VIRTIO_DEV_ANY_ID },
	{},
};
MODULE_DEVICE_TABLE(virtio, vmsect_ids);

static const unsigned int vmsect_features[] = {
	VMSECT_F_PROTECT, VMSECT_F_EXTEND, VMSECT_F_FLUSH,	   VMSECT_F_COW,
	VMSECT_F_NOTIFY,  VMSECT_F_CREATE, VMSECT_F_IN_PAGE_ERROR, VMSECT_F_HOLD,
};

static struct virtio_driver vmsect_driver = {
	.feature_table = vmsect_features,
	.feature_table_size = ARRAY_SIZE(vmsect_features),
	.driver.name = "vmsect",
	.driver.owner = THIS_MODULE,
	.id_table = vmsect_ids,
	.validate = vmsect_validate,
	.probe = vmsect_probe,
	.remove = vmsect_remove,
	.config_changed = vmsect_config_changed,
#ifdef CONFIG_PM_SLEEP
	.freeze = vmsect_freeze,
	.restore = vmsect_restore,
#endif
};

static int __init vmsect_init(void)
{
	int err;

	fs_mount = kern_mount(&fs_type);
	if (IS_ERR(fs_mount))
		return PTR_ERR(fs_mount);
	err = vmsect_nodes_init();
	if (err)
		goto err_mount;
	err = register_virtio_driver(&vmsect_driver);
	if (err)
		goto err_nodes;
	return 0;

err_nodes:
	vmsect_nodes_exit();
err_mount:
	kern_unmount(fs_mount);
	return err;
}
module_init(vmsect_init);

static void __exit vmsect_exit(void)
{
	unregister_virtio_driver(&vmsect_driver);
	vmsect_nodes_exit();
	kern_unmount(fs_mount);
}
module_exit(vmsect_exit);

MODULE_DESCRIPTION("vmsect memory sections");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
