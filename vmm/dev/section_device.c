/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See section_impl.h.  Attachments that have a PCI device of their own: their
 * windows, and what their devices are told.
 */
#include "dev/section_impl.h"

#include <errno.h>

#define WINDOW_BYTES_MAX (UINT64_C(1) << 46)

/* A BAR is a power of two. */
static uint64_t power_of_two(uint64_t bytes)
{
	uint64_t power = WINDOW_PAGE_BYTES;

	while (power < bytes)
		power *= 2;
	return power;
}

/* Linux takes persistent memory in units of 2 MiB (memremap_compat_align()). */
static uint64_t whole_units(uint64_t bytes)
{
	return (bytes + WINDOW_UNIT_BYTES - 1) & ~(WINDOW_UNIT_BYTES - 1);
}

int section_device_window(struct section_dev *dev, const struct section_attach *attach,
			  uint64_t bytes, struct window **ret_window)
{
	if (bytes > WINDOW_BYTES_MAX)
		return -EFBIG;
	bytes = attach->as == SECTION_AS_IVSHMEM ? power_of_two(bytes) : whole_units(bytes);
	return windows_add(dev->env.windows, bytes, ret_window);
}

bool section_dev_attached(struct section_dev *dev, size_t index,
			  struct section_attached *ret_attached)
{
	const struct section_view *view;

	if (index >= dev->devices)
		return false;
	view = &dev->views[dev->attachments + index];
	*ret_attached = (struct section_attached){
		.attach = dev->shown[index].attach,
		.window = view->window,
		.bytes = view->bytes,
		.section = dev->handles[dev->attachments + index].section,
	};
	return true;
}

void section_dev_follow(struct section_dev *dev, size_t index, const struct section_device_ops *ops,
			void *owner)
{
	dev->shown[index].ops = ops;
	dev->shown[index].owner = owner;
}

void section_dev_release(struct section_dev *dev, size_t index)
{
	uint32_t at = dev->attachments + (uint32_t)index;
	struct section_handle *handle = &dev->handles[at];

	section_dev_follow(dev, index, NULL, NULL);
	section_view_drop(dev, &dev->views[at]);
	handle->section = vmsect_section_close(handle->section);
	*handle = (struct section_handle){ 0 };
}

void section_device_revoked(struct section_dev *dev, uint32_t index)
{
	const struct section_device *device = &dev->shown[index - dev->attachments];

	if (device->ops)
		device->ops->revoked(device->owner);
}

void section_devices_reconnected(struct section_dev *dev)
{
	for (uint32_t i = 0; i < dev->devices; i++)
		if (dev->shown[i].ops)
			dev->shown[i].ops->reconnected(dev->shown[i].owner);
}
