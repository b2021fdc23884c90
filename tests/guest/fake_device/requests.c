// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See fake.h.  Requests of the software device.
 *
 * LIST returns three good attachments between many bad ones.  What the driver
 * makes beside them is honest and small: FAKE_HANDLES handles of the attachments'
 * sections, FAKE_VIEWS views of at most 2 MiB, each with memory of its own.  Lies
 * are told by poking values into replies.
 */
#include <linux/module.h>
#include <linux/string.h>

#include "fake.h"

static bool hang;
module_param(hang, bool, 0644);
static uint status;
module_param(status, uint, 0644);
static int written = -1;
module_param(written, int, 0644);
static ulong grown;
module_param(grown, ulong, 0644);
static bool gone;
module_param(gone, bool, 0644);
static uint lost;
module_param(lost, uint, 0644);

/* A value that replies to one operation have, whatever is true. */
static struct {
	u32 op; /* 0: none */
	u32 offset;
	u32 bytes;
	u64 value;
} poke;
static DEFINE_MUTEX(poke_lock);

static int poke_set(const char *text, const struct kernel_param *param)
{
	u32 op = 0, offset = 0, bytes = 0;
	s64 value = 0;
	int count = sscanf(text, "%u,%u,%u,%lli", &op, &offset, &bytes, &value);

	if ((count != 4 && (count != 1 || op)) || bytes > sizeof(value))
		return -EINVAL;
	mutex_lock(&poke_lock);
	poke.op = op;
	poke.offset = offset;
	poke.bytes = bytes;
	poke.value = value;
	mutex_unlock(&poke_lock);
	return 0;
}

static const struct kernel_param_ops poke_ops = { .set = poke_set };
module_param_cb(poke, &poke_ops, NULL, 0200);

static void poke_apply(u32 op, void *out, u32 room)
{
	mutex_lock(&poke_lock);
	if (poke.op == op && poke.offset <= room && poke.bytes <= room - poke.offset) {
		__le64 value = cpu_to_le64(poke.value);

		memcpy(out + poke.offset, &value, poke.bytes);
	}
	mutex_unlock(&poke_lock);
}

struct fake_attachment {
	const char *name;
	u64 window_offset;
	u64 length;
	u32 protection;
	u64 room;
};

#define RO VMSECT_DEV_PROT_READONLY
#define RW VMSECT_DEV_PROT_READWRITE
#define COW VMSECT_DEV_PROT_WRITECOPY

/* The good ones are 1, 6 and 11. */
static const struct fake_attachment attachments[] = {
	{ "ctl", 0x1000000, 0x1000, RO },
	{ "good.ro", 0, 0x2ff000, RO, 0x380000 },
	{ ".hidden", 0x1000000, 0x1000, RO },
	{ "a/b", 0x1000000, 0x1000, RO },
	{ "", 0x1000000, 0x1000, RO },
	{ "good.ro", 0x1000000, 0x1000, RO },
	{ "good-rw", 0x400000, 0x400000, RW },
	{ "overlaps-rw", 0x600000, 0x1000, RW },
	{ "in-a-unit-of-ro", 0x3ff000, 0x1000, RW },
	{ "past-the-window", 0x4000000, 0x1000, RW },
	{ "wraps", 0x1000000, 0xfffffffffffff000, RW },
	{ "cow@1:2+3", 0x800000, 0x5000, COW },
	{ "empty", 0x1000000, 0, RW },
	{ "odd-length", 0x1000000, 0x1001, RW },
	{ "odd-place", 0x1000001, 0x1000, RW },
	{ "at-the-top", 0xfffffffffffff000, 0x1000, RW },
	{ "reaches-past", 0x3fff000, 0x2000, RW },
	{ "noaccess", 0x1000000, 0x1000, VMSECT_DEV_PROT_NOACCESS },
	{ "unknown-protection", 0x1000000, 0x1000, 99 },
	{ "ctl17", 0x1000000, 0x1000, RO },
	{ "-dash", 0x1000000, 0x1000, RO },
	{ "sp ace", 0x1000000, 0x1000, RO },
	{ "esc\033", 0x1000000, 0x1000, RO },
	{ "room-past", 0x3e00000, 0x1000, RW, 0x201000 },
	{ "room-over-rw", 0xa00000, 0x1000, RW, 0xfffffffffffff000 },
	{ "room-odd", 0x1000000, 0x1000, RW, 0x1800 },
	{ "room-over-cow", 0xc00000, 0x1000, RW, 0x4000000 },
	{ NULL, 0x1000000, 0x1000, RO }, /* 128 bytes without an end */
};

static bool is_good(u32 i)
{
	return i == 1 || i == 6 || i == 11;
}

/* The second device has other names for what is good. */
static void section_describe(const struct fake *fake, u32 i, struct vmsect_dev_section *s)
{
	const struct fake_attachment *a = &attachments[i];

	memset(s, 0, sizeof(*s));
	s->section_id = cpu_to_le64(100 + i);
	s->generation = cpu_to_le64(1);
	s->size_bytes = cpu_to_le64(a->length - 7);
	s->protection = cpu_to_le32(a->protection);
	s->backing = cpu_to_le32(VMSECT_DEV_BACKING_FILE);
	s->page_shift = cpu_to_le32(12);
	s->access = cpu_to_le32(VMSECT_DEV_ACCESS_READ);
	if (a->name)
		memcpy(s->name, a->name, strlen(a->name));
	else
		memset(s->name, 'x', sizeof(s->name));
	if (fake->number && is_good(i))
		s->name[0]++;
}

u32 fake_attachments(void)
{
	return ARRAY_SIZE(attachments);
}

static void view_describe(u32 i, struct vmsect_dev_view *v)
{
	const struct fake_attachment *a = &attachments[i];

	memset(v, 0, sizeof(*v));
	v->view = cpu_to_le32(200 + i);
	v->handle = cpu_to_le32(300 + i);
	v->protection = cpu_to_le32(a->protection);
	v->cache = cpu_to_le32(VMSECT_DEV_CACHE_WRITE_BACK);
	v->window_offset = cpu_to_le64(a->window_offset);
	v->length = cpu_to_le64(a->length);
	v->room = cpu_to_le64(a->room);
}

static u32 reply_list(const struct fake *fake, const struct vmsect_req_list *req,
		      struct vmsect_rsp_list *rsp, u32 room)
{
	u32 i = le32_to_cpu(req->cursor), count = 0;
	u32 fits = (room - sizeof(*rsp)) / sizeof(rsp->entries[0]);

	memset(rsp, 0, sizeof(*rsp));
	for (; i < ARRAY_SIZE(attachments) && count < fits; i++, count++) {
		section_describe(fake, i, &rsp->entries[count].section);
		view_describe(i, &rsp->entries[count].view);
	}
	rsp->count = cpu_to_le32(count);
	rsp->next = cpu_to_le32(i < ARRAY_SIZE(attachments) ? i : 0);
	return struct_size(rsp, entries, count);
}

/* Numbers: of attachments below, of what the driver makes above. */
#define VIEW_OF_ATTACHMENT 200
#define HANDLE_OF_ATTACHMENT 300
#define HANDLE_MADE 1000
#define VIEW_MADE 2000
/* Made views have the window's units from here on, one each. */
#define FIRST_UNIT 9

/* The attachment whose section a handle is of, or -1. */
static int handle_find(const struct fake *fake, u32 id)
{
	if (id >= HANDLE_OF_ATTACHMENT && id < HANDLE_OF_ATTACHMENT + ARRAY_SIZE(attachments))
		return id - HANDLE_OF_ATTACHMENT;
	if (id < HANDLE_MADE || id >= HANDLE_MADE + FAKE_HANDLES ||
	    !fake->handles[id - HANDLE_MADE].open)
		return -1;
	return fake->handles[id - HANDLE_MADE].attachment;
}

static struct fake_view *view_find(struct fake *fake, u32 id)
{
	if (id < VIEW_MADE || id >= VIEW_MADE + FAKE_VIEWS || !fake->views[id - VIEW_MADE].open)
		return NULL;
	return &fake->views[id - VIEW_MADE];
}

static u64 view_length(struct fake *fake, u32 id)
{
	const struct fake_view *view = view_find(fake, id);

	return view ? view->length : attachments[id - VIEW_OF_ATTACHMENT].length;
}

static bool view_exists(struct fake *fake, u32 id)
{
	return view_find(fake, id) ||
	       (id >= VIEW_OF_ATTACHMENT && id < VIEW_OF_ATTACHMENT + ARRAY_SIZE(attachments));
}

static void made_describe(struct fake *fake, u32 id, struct vmsect_dev_view *v)
{
	const struct fake_view *view = view_find(fake, id);

	memset(v, 0, sizeof(*v));
	v->view = cpu_to_le32(id);
	v->handle = cpu_to_le32(view->handle);
	v->protection = cpu_to_le32(view->protection);
	v->protection_now = cpu_to_le32(view->protection);
	v->cache = cpu_to_le32(VMSECT_DEV_CACHE_WRITE_BACK);
	v->window_offset = cpu_to_le64((FIRST_UNIT + id - VIEW_MADE) * FAKE_UNIT);
	v->offset = cpu_to_le64(view->offset);
	v->length = cpu_to_le64(view->length);
}

static int refuse(void *out, u32 why)
{
	struct vmsect_rsp_hdr *hdr = out;

	hdr->status = cpu_to_le32(why);
	hdr->detail = 0;
	return sizeof(*hdr);
}

static int reply_section(struct fake *fake, const void *in, void *out)
{
	const struct vmsect_req_query_section *req = in;
	struct vmsect_rsp_query_section *rsp = out;
	int i = handle_find(fake, le32_to_cpu(req->handle));

	if (i < 0)
		return refuse(out, VMSECT_S_EBADF);
	section_describe(fake, i, &rsp->section);
	rsp->hdr.status = cpu_to_le32(status);
	rsp->hdr.detail = 0;
	return written >= 0 ? written : sizeof(*rsp);
}

static int reply_view(struct fake *fake, const void *in, void *out)
{
	const struct vmsect_req_query_view *req = in;
	struct vmsect_rsp_query_view *rsp = out;
	u32 id = le32_to_cpu(req->view);

	if (hang)
		return -1;
	if (!view_exists(fake, id))
		return refuse(out, VMSECT_S_ENXIO);
	if (view_find(fake, id))
		made_describe(fake, id, &rsp->view);
	else
		view_describe(id - VIEW_OF_ATTACHMENT, &rsp->view);
	if (grown)
		rsp->view.length = cpu_to_le64(grown);
	if (gone)
		rsp->view.view_flags = cpu_to_le32(VMSECT_VIEW_F_REVOKED);
	rsp->hdr.status = cpu_to_le32(status);
	rsp->hdr.detail = 0;
	return written >= 0 ? written : sizeof(*rsp);
}

static int handle_make(struct fake *fake, u32 attachment, u32 access, void *out)
{
	struct vmsect_rsp_open *rsp = out;
	u32 i;

	for (i = 0; i < FAKE_HANDLES && fake->handles[i].open; i++)
		continue;
	if (i == FAKE_HANDLES)
		return refuse(out, VMSECT_S_EDQUOT);
	fake->handles[i] = (struct fake_handle){ true, attachment };
	memset(rsp, 0, sizeof(*rsp));
	rsp->handle = cpu_to_le32(HANDLE_MADE + i);
	section_describe(fake, attachment, &rsp->section);
	rsp->section.access = cpu_to_le32(access);
	return sizeof(*rsp);
}

static bool name_is_legal(const char *name)
{
	return *name && *name != '.' && *name != '-' && !strpbrk(name, "/ ") && strcmp(name, "ctl");
}

static int reply_open(struct fake *fake, const void *in, void *out)
{
	const struct vmsect_req_open *req = in;
	u32 i;

	if (!name_is_legal(req->name))
		return refuse(out, VMSECT_S_EINVAL);
	for (i = 0; i < ARRAY_SIZE(attachments); i++)
		if (is_good(i) && !strncmp(req->name, attachments[i].name, sizeof(req->name)))
			return handle_make(fake, i, le32_to_cpu(req->access), out);
	return refuse(out, VMSECT_S_ENOENT);
}

static int reply_duplicate(struct fake *fake, const void *in, void *out)
{
	const struct vmsect_req_duplicate *req = in;
	int i = handle_find(fake, le32_to_cpu(req->handle));

	return i < 0 ? refuse(out, VMSECT_S_EBADF)
		     : handle_make(fake, i, le32_to_cpu(req->access), out);
}

static int reply_close(struct fake *fake, const void *in, void *out)
{
	u32 id = le32_to_cpu(((const struct vmsect_req_close *)in)->handle);

	if (id < HANDLE_MADE || handle_find(fake, id) < 0)
		return refuse(out, VMSECT_S_EBADF);
	fake->handles[id - HANDLE_MADE].open = false;
	return refuse(out, VMSECT_S_OK);
}

static int reply_map(struct fake *fake, const void *in, void *out)
{
	const struct vmsect_req_map *req = in;
	struct vmsect_rsp_map *rsp = out;
	int attachment = handle_find(fake, le32_to_cpu(req->handle));
	u64 length = le64_to_cpu(req->length);
	u32 i;

	if (attachment < 0)
		return refuse(out, VMSECT_S_EBADF);
	for (i = 0; i < FAKE_VIEWS && fake->views[i].open; i++)
		continue;
	if (i == FAKE_VIEWS)
		return refuse(out, VMSECT_S_EDQUOT);
	if (!length)
		length = attachments[attachment].length;
	fake->views[i] = (struct fake_view){
		.open = true,
		.attachment = attachment,
		.handle = le32_to_cpu(req->handle),
		.protection = le32_to_cpu(req->protection),
		.offset = le64_to_cpu(req->offset),
		.length = min_t(u64, (length + 4095) & ~4095ULL, FAKE_UNIT),
	};
	memset(rsp, 0, sizeof(*rsp));
	made_describe(fake, VIEW_MADE + i, &rsp->view);
	return sizeof(*rsp);
}

static int reply_unmap(struct fake *fake, const void *in, void *out)
{
	struct fake_view *view =
		view_find(fake, le32_to_cpu(((const struct vmsect_req_unmap *)in)->view));

	if (!view)
		return refuse(out, VMSECT_S_ENXIO);
	view->open = false;
	return refuse(out, VMSECT_S_OK);
}

/* Ranges of views, which have no private pages; of REMAP alone it says what is lost. */
static int reply_range(struct fake *fake, const void *in, void *out)
{
	const struct vmsect_req_range *req = in;
	struct vmsect_rsp_value *rsp = out;
	u32 op = le32_to_cpu(req->hdr.op);

	if (!view_exists(fake, le32_to_cpu(req->view)))
		return refuse(out, VMSECT_S_ENXIO);
	memset(rsp, 0, sizeof(*rsp));
	if (op == VMSECT_REQ_REMAP)
		rsp->value = cpu_to_le64(lost);
	if (op == VMSECT_REQ_PROTECT)
		rsp->value = cpu_to_le64(VMSECT_DEV_PROT_READWRITE);
	return sizeof(*rsp);
}

static int reply_pages(struct fake *fake, const void *in, void *out)
{
	const struct vmsect_req_range *req = in;
	struct vmsect_rsp_query_pages *rsp = out;
	u32 id = le32_to_cpu(req->view);

	if (!view_exists(fake, id))
		return refuse(out, VMSECT_S_ENXIO);
	memset(rsp, 0, sizeof(*rsp));
	rsp->length = cpu_to_le64(view_length(fake, id));
	rsp->protection = cpu_to_le32(VMSECT_DEV_PROT_READWRITE);
	rsp->pages = cpu_to_le32(VMSECT_PAGES_F_COMMITTED | (lost ? VMSECT_PAGES_F_LOST : 0));
	return sizeof(*rsp);
}

/* One private page, the first, of whatever view. */
static int reply_diff(struct fake *fake, const void *in, void *out, u32 room)
{
	const struct vmsect_req_diff *req = in;
	struct vmsect_rsp_diff *rsp = out;
	u32 count = !req->after && room >= struct_size(rsp, ranges, 1);

	if (!view_exists(fake, le32_to_cpu(req->view)))
		return refuse(out, VMSECT_S_ENXIO);
	memset(rsp, 0, room);
	rsp->count = cpu_to_le32(count);
	if (count)
		rsp->ranges[0].length = cpu_to_le64(4096);
	return struct_size(rsp, ranges, count);
}

static int reply_extend(struct fake *fake, const void *in, void *out)
{
	const struct vmsect_req_extend *req = in;
	struct vmsect_rsp_value *rsp = out;

	if (handle_find(fake, le32_to_cpu(req->handle)) < 0)
		return refuse(out, VMSECT_S_EBADF);
	memset(rsp, 0, sizeof(*rsp));
	rsp->value = req->size_bytes;
	return sizeof(*rsp);
}

static int reply_hold(struct fake *fake, void *out)
{
	fake->held = true;
	return refuse(out, VMSECT_S_OK);
}

static int reply(struct fake *fake, const void *in, void *out, u32 room)
{
	switch (le32_to_cpu(((const struct vmsect_req_hdr *)in)->op)) {
	case VMSECT_REQ_LIST:
		return reply_list(fake, in, out, room);
	case VMSECT_REQ_QUERY_VIEW:
		return reply_view(fake, in, out);
	case VMSECT_REQ_QUERY_SECTION:
		return reply_section(fake, in, out);
	case VMSECT_REQ_OPEN:
		return reply_open(fake, in, out);
	case VMSECT_REQ_DUPLICATE:
		return reply_duplicate(fake, in, out);
	case VMSECT_REQ_CLOSE:
		return reply_close(fake, in, out);
	case VMSECT_REQ_MAP:
		return reply_map(fake, in, out);
	case VMSECT_REQ_UNMAP:
		return reply_unmap(fake, in, out);
	case VMSECT_REQ_PROTECT:
	case VMSECT_REQ_REMAP:
		return reply_range(fake, in, out);
	case VMSECT_REQ_QUERY_PAGES:
		return reply_pages(fake, in, out);
	case VMSECT_REQ_DIFF:
		return reply_diff(fake, in, out, room);
	case VMSECT_REQ_EXTEND:
		return reply_extend(fake, in, out);
	case VMSECT_REQ_NOTIFY:
		return refuse(out, VMSECT_S_OK);
	case VMSECT_REQ_HOLD:
		return reply_hold(fake, out);
	default:
		return refuse(out, VMSECT_S_EOPNOTSUPP);
	}
}

int fake_reply(struct fake *fake, const void *in, void *out, u32 room)
{
	int bytes = reply(fake, in, out, room);

	if (bytes >= 0)
		poke_apply(le32_to_cpu(((const struct vmsect_req_hdr *)in)->op), out, room);
	return bytes;
}

void fake_forget(struct fake *fake)
{
	if (!fake->held) {
		memset(fake->handles, 0, sizeof(fake->handles));
		memset(fake->views, 0, sizeof(fake->views));
	}
	fake->held = false;
}
