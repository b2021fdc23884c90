// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ioctls of section and view files: copying, and the checks that need nothing but
 * the file.  What they ask for is done elsewhere.
 *
 * Each command's struct is read once into a private copy.  Those that answer write
 * it back as a whole.  A table says what each command needs.
 */
#include <linux/fs.h>
#include <linux/uaccess.h>

#include "vmsect_core.h"
#include "vmsect_file.h"

union file_arg {
	struct vmsect_section section;
	struct vmsect_view_request request;
	struct vmsect_view_info info;
	struct vmsect_range range;
	struct vmsect_protect protect;
	struct vmsect_page_run run;
	struct vmsect_diff diff;
	struct vmsect_publish publish;
	struct vmsect_flush flush;
	struct vmsect_extend extend;
	struct vmsect_notify notify;
	struct vmsect_duplicate duplicate;
	struct vmsect_events_request events;
};

static long do_query(struct vmsect_file *f, union file_arg *arg)
{
	int err = vmsect_handle_refresh(f->handle);
	u64 private_bytes = 0;

	/* The refusal may be for the view that has just gone: say so. */
	if (err && vmsect_view_error(f->view))
		err = vmsect_view_error(f->view);
	if (!err && test_bit(VIEW_LIVE, &f->view->state))
		err = vmsect_view_private_bytes(f->view, &private_bytes);
	if (err)
		return err;
	vmsect_handle_fill(f->handle, &arg->section);
	arg->section.private_bytes = private_bytes;
	return 0;
}

static bool view_request_valid(const struct vmsect_view_request *request)
{
	const u32 flags = VMSECT_GUEST_VIEW_F_GROWABLE | VMSECT_GUEST_VIEW_F_NO_CHANGE;

	return !(request->flags & ~flags) && !request->reserved[0] && !request->reserved[1];
}

/* Writecopy is the program's own memory; readwrite is everybody's. */
static bool view_request_needs_write(u32 protection)
{
	return protection == VMSECT_GUEST_PROT_READWRITE ||
	       protection == VMSECT_GUEST_PROT_EXECUTE_READWRITE;
}

static long do_view(struct vmsect_file *f, union file_arg *arg, fmode_t mode)
{
	if (!view_request_valid(&arg->request))
		return -EINVAL;
	if (view_request_needs_write(arg->request.protection) && !(mode & FMODE_WRITE))
		return -EBADF;
	return vmsect_open_view(f->handle, &arg->request);
}

static long do_extend(struct vmsect_file *f, union file_arg *arg)
{
	return vmsect_io_extend(f->handle, &arg->extend.size_bytes);
}

static long do_notify(struct vmsect_file *f, union file_arg *arg)
{
	int err = vmsect_handle_error(f->handle);

	if (arg->notify.reserved)
		return -EINVAL;
	return err ? err : f->handle->vd->ops->notify(f->handle, &arg->notify);
}

static long do_events(struct vmsect_file *f, union file_arg *arg)
{
	return arg->events.reserved ? -EINVAL : vmsect_listen(f->handle, &arg->events);
}

static long do_duplicate(struct vmsect_file *f, union file_arg *arg)
{
	return arg->duplicate.reserved ? -EINVAL
				       : vmsect_open_duplicate(f->handle, arg->duplicate.access);
}

static long do_query_view(struct vmsect_file *f, union file_arg *arg)
{
	struct vmsect_view *view = f->view;
	struct vmsect_dev_view dv;
	u64 private_bytes;
	int err = vmsect_view_refresh(view, &dv);

	if (!err)
		err = vmsect_view_private_bytes(view, &private_bytes);
	if (err)
		return err;
	arg->info = (struct vmsect_view_info){
		.offset = view->offset,
		.length = vmsect_view_bytes(view),
		.room = view->flags & VMSECT_VIEW_F_GROWABLE ? (u64)view->room << PAGE_SHIFT : 0,
		.denied_writes = le64_to_cpu(dv.denied_writes),
		.private_bytes = private_bytes,
		.protection = view->protection,
		.protection_now = le32_to_cpu(dv.protection_now),
		.flags = le32_to_cpu(dv.view_flags),
		.cache = view->cache,
		.has_pages = view->has_pages,
		.huge_shift = vmsect_pages_can_be_huge(view) ? 21 : PAGE_SHIFT,
	};
	return 0;
}

static long do_protect(struct vmsect_file *f, union file_arg *arg)
{
	return arg->protect.old ? -EINVAL : vmsect_view_protect(f->view, &arg->protect);
}

static long do_commit(struct vmsect_file *f, union file_arg *arg)
{
	return arg->protect.old ? -EINVAL : vmsect_view_commit(f->view, &arg->protect);
}

static long do_reset(struct vmsect_file *f, union file_arg *arg)
{
	return vmsect_view_reset(f->view, &arg->range);
}

static long do_query_pages(struct vmsect_file *f, union file_arg *arg)
{
	return arg->run.length ? -EINVAL : vmsect_view_query_pages(f->view, &arg->run);
}

static long do_diff(struct vmsect_file *f, union file_arg *arg)
{
	if (arg->diff.more || !arg->diff.count)
		return -EINVAL;
	return vmsect_view_diff(f->view, &arg->diff);
}

static long do_publish(struct vmsect_file *f, union file_arg *arg)
{
	struct vmsect_handle *through;
	int err;

	if (arg->publish.reserved)
		return -EINVAL;
	through = vmsect_file_writer(arg->publish.section_fd);
	if (!through)
		return -EBADF;
	err = vmsect_view_publish(f->view, through);
	vmsect_handle_put(through);
	return err;
}

static long do_flush(struct vmsect_file *f, union file_arg *arg)
{
	if (arg->flush.reserved || arg->flush.flags & ~VMSECT_GUEST_FLUSH_F_DURABLE)
		return -EINVAL;
	return vmsect_view_flush(f->view, &arg->flush);
}

/* What a command needs: a section file, a file that is open to write, a live view. */
#define NEEDS_SECTION 1
#define NEEDS_WRITE 2
#define NEEDS_VIEW 4

static const struct file_command {
	unsigned int cmd;
	unsigned int needs;
	long (*run)(struct vmsect_file *f, union file_arg *arg);
} commands[] = {
	{ VMSECT_IOC_QUERY, NEEDS_SECTION, do_query },
	{ VMSECT_IOC_EXTEND, NEEDS_SECTION | NEEDS_WRITE, do_extend },
	{ VMSECT_IOC_NOTIFY, NEEDS_SECTION | NEEDS_WRITE, do_notify },
	{ VMSECT_IOC_EVENTS, NEEDS_SECTION, do_events },
	{ VMSECT_IOC_DUPLICATE, NEEDS_SECTION, do_duplicate },
	{ VMSECT_IOC_QUERY_VIEW, NEEDS_VIEW, do_query_view },
	{ VMSECT_IOC_PROTECT, NEEDS_VIEW | NEEDS_WRITE, do_protect },
	{ VMSECT_IOC_COMMIT, NEEDS_VIEW | NEEDS_WRITE, do_commit },
	{ VMSECT_IOC_RESET, NEEDS_VIEW | NEEDS_WRITE, do_reset },
	{ VMSECT_IOC_QUERY_PAGES, NEEDS_VIEW, do_query_pages },
	{ VMSECT_IOC_DIFF, NEEDS_VIEW, do_diff },
	{ VMSECT_IOC_PUBLISH, NEEDS_VIEW, do_publish },
	{ VMSECT_IOC_FLUSH, NEEDS_VIEW, do_flush },
};

static const struct file_command *command_find(const struct vmsect_file *f, unsigned int cmd)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].cmd == cmd)
			return f->is_view && commands[i].needs & NEEDS_SECTION ? NULL
									       : &commands[i];
	return NULL;
}

static int command_prepare(const struct file_command *command, struct file *file,
			   union file_arg *arg, const void __user *user)
{
	if (command->needs & NEEDS_WRITE && !(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (_IOC_DIR(command->cmd) & _IOC_WRITE &&
	    copy_from_user(arg, user, _IOC_SIZE(command->cmd)))
		return -EFAULT;
	return command->needs & NEEDS_VIEW ? vmsect_file_ready(file->private_data) : 0;
}

static long file_view(struct file *file, const void __user *user)
{
	union file_arg arg;

	if (copy_from_user(&arg.request, user, sizeof(arg.request)))
		return -EFAULT;
	return do_view(file->private_data, &arg, file->f_mode);
}

long vmsect_file_ioctl(struct file *file, unsigned int cmd, unsigned long argument)
{
	struct vmsect_file *f = file->private_data;
	void __user *user = (void __user *)argument;
	const struct file_command *command;
	union file_arg arg;
	long result;

	if (cmd == VMSECT_IOC_VIEW && !f->is_view)
		return file_view(file, user);
	command = command_find(f, cmd);
	if (!command)
		return -ENOTTY;
	memset(&arg, 0, sizeof(arg));
	result = command_prepare(command, file, &arg, user);
	if (!result)
		result = command->run(f, &arg);
	if (result >= 0 && _IOC_DIR(cmd) & _IOC_READ && copy_to_user(user, &arg, _IOC_SIZE(cmd)))
		return -EFAULT;
	return result;
}
