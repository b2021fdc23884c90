/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See section_impl.h.  The attachments of the VM's configuration: handles and
 * views like the driver's, but they are there before it and stay after it.
 */
#include "dev/section_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	uint32_t access;
	uint32_t protection;
} modes[] = {
	[SECTION_ATTACH_RO] = { VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ,
				VMSECT_DEV_PROT_READONLY },
	[SECTION_ATTACH_RW] = { VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE,
				VMSECT_DEV_PROT_READWRITE },
	[SECTION_ATTACH_COW] = { VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ,
				 VMSECT_DEV_PROT_WRITECOPY },
};

/* What went wrong, for a person; where the broker said no, in its words. */
static const char *explain(const struct section_dev *dev, struct section_answer answer)
{
	switch (answer.status) {
	case VMSECT_S_EEXIST:
		return "its place in the window is taken";
	case VMSECT_S_ENOSPC:
		return "the window has no room for it";
	case VMSECT_S_EINVAL:
		if (answer.detail == VMSECT_D_ALIGNMENT)
			return "its place in the window is not a multiple of 2 MiB";
		if (answer.detail == VMSECT_D_WINDOW)
			return "it reaches past the end of the window";
		return vmsect_client_error(dev->env.client);
	case VMSECT_S_EACCES:
		return "its protection does not allow that";
	case VMSECT_S_EIO:
		return "the host cannot map it";
	case VMSECT_S_ENOMEM:
		return "the host has no memory for it";
	default:
		return vmsect_client_error(dev->env.client);
	}
}

static int complain(const struct section_error *error, int result, const char *name,
		    const char *why)
{
	(void)snprintf(error->text, error->room, "section %s: %s", name, why);
	return result;
}

/* Page-file sections that were made to grow do so in the VM as well. */
static bool can_grow(const struct vmsect_section *section)
{
	const struct vmsect_section_info *info = vmsect_section_info(section);

	return info->backing != VMSECT_BACKING_FILE && info->max_bytes > info->size_bytes &&
	       section_protection_mode((uint32_t)info->protection) == WINDOW_READWRITE;
}

/* With room for all that the section can become, or, where there is none, as it is. */
static struct section_answer attach_place(struct section_dev *dev, uint32_t id,
					  struct section_place *place, uint32_t *ret_view)
{
	struct section_answer answer = section_view_place(dev, id, place, ret_view);

	if (!place->flags || answer.status == VMSECT_S_OK)
		return answer;
	place->flags = 0;
	answer = section_view_place(dev, id, place, ret_view);
	if (answer.status == VMSECT_S_OK)
		log_info("view %u does not grow: the window has no room for that",
			 (unsigned int)*ret_view);
	return answer;
}

/*
 * Whoever may write may, by mode, notify as well; where a grant gives less the VM
 * does without.  A doorbell needs it in any mode.
 */
static int open_attached(struct section_dev *dev, const struct section_attach *attach,
			 struct vmsect_section **ret_section)
{
	uint32_t access = modes[attach->mode].access;
	int result = -EACCES;

	if (attach->mode == SECTION_ATTACH_RW || attach->vectors)
		result = vmsect_section_open(dev->env.client, attach->name,
					     access | VMSECT_ACCESS_NOTIFY, ret_section);
	if (result == -EACCES)
		result = vmsect_section_open(dev->env.client, attach->name, access, ret_section);
	return result;
}

/* The view of one that has a device: all of the device's window is for it. */
static int place_for_device(struct section_dev *dev, const struct section_attach *attach,
			    const struct vmsect_section *section, struct section_place *place)
{
	place->window_offset = 0;
	return section_device_window(dev, attach, vmsect_section_info(section)->size_bytes,
				     &place->window);
}

static int attach_one(struct section_dev *dev, const struct section_attach *attach, uint32_t id,
		      const struct section_error *error)
{
	struct section_place place = {
		.protection = modes[attach->mode].protection,
		.window_offset = attach->at,
	};
	struct vmsect_section *section = NULL;
	struct section_answer answer;
	uint32_t view;
	int result = open_attached(dev, attach, &section);

	if (result < 0)
		return complain(error, result, attach->name, vmsect_client_error(dev->env.client));
	section_handle_set(dev, id, section);
	dev->handles[id - 1].is_attachment = true;
	if (attach->as != SECTION_AS_NATIVE)
		result = place_for_device(dev, attach, section, &place);
	else if (can_grow(section))
		place.flags = VMSECT_VIEW_F_GROWABLE;
	if (result < 0)
		return complain(error, result, attach->name, "the host cannot reserve its window");
	answer = attach_place(dev, id, &place, &view);
	if (answer.status != VMSECT_S_OK)
		return complain(error, -(int)answer.status, attach->name, explain(dev, answer));
	dev->views[view - 1].is_attachment = true;
	dev->views[view - 1].cow_quota = attach->cow_quota;
	return 0;
}

static int attach_native(struct section_dev *dev, const struct section_attach *attach,
			 const struct section_error *error)
{
	int result = attach_one(dev, attach, dev->attachments + 1, error);

	dev->attachments += result == 0;
	return result;
}

static int attach_device(struct section_dev *dev, const struct section_attach *attach,
			 const struct section_error *error)
{
	uint32_t index = dev->attachments + dev->devices;
	int result;

	if (dev->devices == SECTION_DEVICES_MAX)
		return complain(error, -ENOSPC, attach->name, "the PCI bus has no slot for it");
	result = attach_one(dev, attach, index + 1, error);
	if (result < 0)
		return result;
	dev->handles[index].has_device = dev->views[index].has_device = true;
	dev->shown[dev->devices++].attach = attach;
	return 0;
}

int section_attach_all(struct section_dev *dev, const struct section_attach *attach, size_t count,
		       const struct section_error *error)
{
	if (count == 0)
		return 0;
	if (!dev->env.client)
		return complain(error, -EPIPE, attach[0].name, "there is no broker");
	if (count > SECTION_HANDLES_MAX)
		return complain(error, -EDQUOT, attach[SECTION_HANDLES_MAX].name,
				"more sections than a VM can have");
	/*
	 * The first handles and views are all free, so ids follow the configuration:
	 * first the sections that the driver is told of, then the others.
	 */
	for (uint32_t i = 0; i < 2 * count; i++) {
		const struct section_attach *one = &attach[i % count];
		bool is_native = one->as == SECTION_AS_NATIVE;
		int result = 0;

		if (is_native && i < count)
			result = attach_native(dev, one, error);
		else if (!is_native && i >= count)
			result = attach_device(dev, one, error);
		if (result < 0)
			return result;
	}
	return 0;
}
