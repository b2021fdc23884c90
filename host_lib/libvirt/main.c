/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect-libvirt: sections for running libvirt domains.  `vmsect attach` and
 * `vmsect detach` run it: libvirt is not to be a dependency of vmsect.
 *
 * One thread.  First all that can be refused without touching the domain, then
 * the change.
 */
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "libvirt/domain.h"
#include "libvirt/plug_monitor.h"
#include "libvirt/plug_shmem.h"
#include "libvirt/reach.h"
#include "libvirt/request.h"
#include "libvirt/say.h"
#include "libvirt/source.h"

/*
 * BAR2 is as large as the memory.  QEMU does not check: it aborts, and the
 * running guest is lost.
 */
static int check_size(const struct source *source, const struct request *request)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	if (request->device != DEVICE_IVSHMEM && request->device != DEVICE_DOORBELL)
		return 0;
	if (source->size >= page && !(source->size & (source->size - 1)))
		return 0;
	say_error("section '%s' has %llu bytes, and ivshmem needs a power of two; --device pmem "
		  "and --device nvdimm take other sizes",
		  source->name, (unsigned long long)source->size);
	return -EINVAL;
}

/* By which way the domain has the section. */
enum attachment {
	ATTACHED_NOT,
	ATTACHED_SHMEM,
	ATTACHED_MONITOR,
};

static int find_attachment(const struct domain *domain, const char *section,
			   enum attachment *ret_attachment)
{
	bool by_monitor = false;
	int r = 0;

	*ret_attachment = ATTACHED_NOT;
	if (shmem_is_attached(domain, section)) {
		*ret_attachment = ATTACHED_SHMEM;
		return 0;
	}
	/* Only to ask would taint the domain; what the monitor plugs has done so. */
	if (domain_is_tainted(domain))
		r = monitor_is_attached(domain, section, &by_monitor);
	if (!r && by_monitor)
		*ret_attachment = ATTACHED_MONITOR;
	return r;
}

static int plug(const struct domain *domain, const struct source *source,
		const struct request *request)
{
	const char *cannot = shmem_cannot(source, request);
	int r;

	if (!cannot)
		return shmem_attach(domain, source);
	r = monitor_attach(domain, source, request);
	if (!r)
		say_note("plugged by QEMU's monitor, since libvirt's <shmem> cannot say %s; domain "
			 "'%s' is marked as tainted, and its XML does not show the device",
			 cannot, domain->name);
	return r;
}

static int attach(const struct domain *domain, const struct request *request)
{
	AUTO(source_close) struct source source = { 0 };
	enum attachment attachment = ATTACHED_NOT;
	int r = find_attachment(domain, request->section, &attachment);

	if (r)
		return r;
	if (attachment != ATTACHED_NOT) {
		say_error("section '%s' is attached to domain '%s' already", request->section,
			  domain->name);
		return -EEXIST;
	}
	r = source_open(&source, request, domain);
	if (!r)
		r = check_size(&source, request);
	if (!r)
		r = reach_check(domain, &source);
	if (!r)
		r = plug(domain, &source, request);
	if (!r)
		source_keep(&source);
	return r;
}

static int detach(const struct domain *domain, const struct request *request)
{
	enum attachment attachment = ATTACHED_NOT;
	int r = find_attachment(domain, request->section, &attachment);

	if (r < 0)
		return r;
	if (attachment == ATTACHED_SHMEM)
		return shmem_detach(domain, request);
	if (attachment == ATTACHED_MONITOR)
		return monitor_detach(domain, request);
	say_error("section '%s' is not attached to domain '%s' by 'vmsect attach'",
		  request->section, domain->name);
	return -ENOENT;
}

int main(int argc, char **argv)
{
	AUTO(domain_close) struct domain domain = { 0 };
	struct request request;
	int r;

	switch (request_parse(&request, argc, argv)) {
	case REQUEST_STOP:
		return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
	case REQUEST_WRONG:
		return EXIT_USAGE;
	case REQUEST_OK:
		break;
	}
	r = domain_open(&domain, &request);
	if (!r)
		r = request.verb == VERB_ATTACH ? attach(&domain, &request)
						: detach(&domain, &request);
	return r < 0 ? EXIT_FAILED : EXIT_DONE;
}
