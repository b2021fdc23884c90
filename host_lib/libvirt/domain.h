/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A running domain of a QEMU on this host, and what its XML says.
 *
 * Owned by main(), one thread.  The XML is that of the moment of domain_open()
 * or domain_reload().
 */
#ifndef VMSECT_LIBVIRT_DOMAIN_H
#define VMSECT_LIBVIRT_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>

#include <libvirt/libvirt.h>
#include <libxml/xpath.h>

struct request;

/* libxml2 has its own type of character. */
static inline const xmlChar *xml_text(const char *text)
{
	return (const xmlChar *)text;
}

struct domain_user {
	uint32_t uid;
	uint32_t gid;
};

struct domain {
	const char *name; /* borrowed from argv */
	virConnectPtr connection; /* owned */
	virDomainPtr handle; /* owned */
	xmlDocPtr xml; /* owned */
	xmlXPathContextPtr xpath; /* owned, of xml */
};

/*
 * Connects and finds it; it must be running, and on this host.  0, or -errno
 * after a message.
 */
int domain_open(struct domain *domain, const struct request *request);

/* Cleanup attribute of a domain; fine for one that is all zero. */
void domain_close(struct domain *domain);

/* Reads its XML again.  0, or -errno after a message. */
int domain_reload(struct domain *domain);

/* The nodes that an XPath of ours finds; free with xmlXPathFreeObject().  NULL: no memory. */
xmlXPathObjectPtr domain_find(const struct domain *domain, const char *path);

/* True if an XPath of ours finds something. */
bool domain_has(const struct domain *domain, const char *path);

/* True if there is a <shmem> of that alias. */
bool domain_has_alias(const struct domain *domain, const char *alias);

/* As whom its QEMU opens files, by the label that libvirt gave it; else as the caller. */
struct domain_user domain_user(const struct domain *domain);

/* True if libvirt's QEMU can copy from a file that it may only read: from 8.2 on. */
bool domain_copies_readonly(const struct domain *domain);

/* True if commands have been given to its monitor before: libvirt notes that. */
bool domain_is_tainted(const struct domain *domain);

/* What libvirt said last; never NULL. */
const char *libvirt_error(void);

#endif
