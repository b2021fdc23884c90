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

/* The uid of its QEMU, from the label that libvirt has given it; -1 if it has none. */
int64_t domain_uid(const struct domain *domain);

/* The uid with which its QEMU opens files: a session's is the caller's. */
uint32_t domain_user(const struct domain *domain);

/* True if commands have been given to its monitor before: libvirt notes that. */
bool domain_is_tainted(const struct domain *domain);

/* What libvirt said last; never NULL. */
const char *libvirt_error(void);

#endif
