// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmsect: the driver of the vmsect section device, a virtio device that gives a
 * VM views of named memory sections of its host, and of ivshmem devices.
 *
 * This file: the module, and the small pseudo file system whose inodes own the
 * views' mappings.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#include "vmsect_core.h"
#include "vmsect_ivshmem.h"

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

static int __init vmsect_init(void)
{
	int err;

	fs_mount = kern_mount(&fs_type);
	if (IS_ERR(fs_mount))
		return PTR_ERR(fs_mount);
	err = vmsect_nodes_init();
	if (err)
		goto err_mount;
	err = vmsect_virtio_init();
	if (err)
		goto err_nodes;
	err = vmsect_ivshmem_init();
	if (err)
		goto err_virtio;
	return 0;

err_virtio:
	vmsect_virtio_exit();
err_nodes:
	vmsect_nodes_exit();
err_mount:
	kern_unmount(fs_mount);
	return err;
}
module_init(vmsect_init);

static void __exit vmsect_exit(void)
{
	vmsect_ivshmem_exit();
	vmsect_virtio_exit();
	vmsect_nodes_exit();
	kern_unmount(fs_mount);
}
module_exit(vmsect_exit);

MODULE_DESCRIPTION("vmsect memory sections");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
