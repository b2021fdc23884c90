/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See domain.h. */
#include "libvirt/domain.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "libvirt/request.h"
#include "libvirt/say.h"

#define URI_DEFAULT "qemu:///system"

const char *libvirt_error(void)
{
	const char *text = virGetLastErrorMessage();

	return text ? text : "libvirt says nothing";
}

/* Errors are told by us; libvirt would print them too. */
static void keep_quiet(void *opaque, virErrorPtr error)
{
	(void)opaque;
	(void)error;
}

/* "qemu:///system" has nothing between its slashes, "qemu+ssh://host/system" has. */
static bool is_on_this_host(virConnectPtr connection)
{
	AUTO_FREE char *uri = virConnectGetURI(connection);
	const char *host = uri ? strstr(uri, "://") : NULL;

	return host && host[3] == '/';
}

static int check_connection(const struct domain *domain)
{
	const char *type = virConnectGetType(domain->connection);

	if (!type || strcmp(type, "QEMU") != 0)
		say_error("the domains of this connection are not QEMU's but %s's",
			  type ? type : "unknown");
	else if (!is_on_this_host(domain->connection))
		say_error("the domain is on another host, where the section is not");
	else
		return 0;
	return -EOPNOTSUPP;
}

static int domain_connect(struct domain *domain, const char *uri)
{
	virSetErrorFunc(NULL, keep_quiet);
	/* Before the connection, which then brings its events to this loop. */
	if (virEventRegisterDefaultImpl() < 0) {
		say_error("cannot make an event loop: %s", libvirt_error());
		return -ENOMEM;
	}
	domain->connection = virConnectOpen(uri);
	if (!domain->connection) {
		say_error("cannot reach libvirt at %s: %s", uri, libvirt_error());
		return -ENOTCONN;
	}
	return check_connection(domain);
}

/* A name wins over a number: domains may be called "7". */
static int domain_look_up(struct domain *domain)
{
	char *end = NULL;
	long id;

	domain->handle = virDomainLookupByName(domain->connection, domain->name);
	if (!domain->handle)
		domain->handle = virDomainLookupByUUIDString(domain->connection, domain->name);
	id = strtol(domain->name, &end, 10);
	if (!domain->handle && *domain->name && !*end && id > 0 && id <= INT32_MAX)
		domain->handle = virDomainLookupByID(domain->connection, (int)id);
	if (domain->handle)
		return 0;
	say_error("there is no domain '%s'; 'virsh list --all' lists those that there are",
		  domain->name);
	return -ENOENT;
}

static int check_running(const struct domain *domain)
{
	int state = VIR_DOMAIN_NOSTATE;

	if (virDomainGetState(domain->handle, &state, NULL, 0) < 0) {
		say_error("cannot ask about domain '%s': %s", domain->name, libvirt_error());
		return -EIO;
	}
	if (state == VIR_DOMAIN_RUNNING || state == VIR_DOMAIN_PAUSED ||
	    state == VIR_DOMAIN_BLOCKED)
		return 0;
	say_error("domain '%s' is not running; 'virsh start %s' starts it", domain->name,
		  domain->name);
	return -ENOEXEC;
}

static void domain_drop_xml(struct domain *domain)
{
	if (domain->xpath)
		xmlXPathFreeContext(domain->xpath);
	if (domain->xml)
		xmlFreeDoc(domain->xml);
	domain->xpath = NULL;
	domain->xml = NULL;
}

int domain_reload(struct domain *domain)
{
	AUTO_FREE char *text = virDomainGetXMLDesc(domain->handle, 0);

	domain_drop_xml(domain);
	if (!text) {
		say_error("cannot read the XML of domain '%s': %s", domain->name, libvirt_error());
		return -EIO;
	}
	domain->xml = xmlReadMemory(text, (int)strlen(text), "domain.xml", NULL,
				    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	domain->xpath = domain->xml ? xmlXPathNewContext(domain->xml) : NULL;
	if (domain->xpath)
		return 0;
	say_error("cannot understand the XML of domain '%s'", domain->name);
	return -EPROTO;
}

int domain_open(struct domain *domain, const struct request *request)
{
	int r;

	domain->name = request->domain;
	r = domain_connect(domain, request->uri ? request->uri : URI_DEFAULT);
	if (!r)
		r = domain_look_up(domain);
	if (!r)
		r = check_running(domain);
	return r ? r : domain_reload(domain);
}

void domain_close(struct domain *domain)
{
	domain_drop_xml(domain);
	if (domain->handle)
		(void)virDomainFree(domain->handle);
	if (domain->connection)
		(void)virConnectClose(domain->connection);
	domain->handle = NULL;
	domain->connection = NULL;
}

xmlXPathObjectPtr domain_find(const struct domain *domain, const char *path)
{
	return xmlXPathEval(xml_text(path), domain->xpath);
}

bool domain_has(const struct domain *domain, const char *path)
{
	xmlXPathObjectPtr found = domain_find(domain, path);
	bool has = found && found->nodesetval && found->nodesetval->nodeNr > 0;

	if (found)
		xmlXPathFreeObject(found);
	return has;
}

bool domain_has_alias(const struct domain *domain, const char *alias)
{
	char path[512];
	int length = snprintf(path, sizeof(path), "/domain/devices/shmem[alias/@name='%s']", alias);

	return length > 0 && (size_t)length < sizeof(path) && domain_has(domain, path);
}

/* "+64055:+107" */
struct domain_user domain_user(const struct domain *domain)
{
	struct domain_user user = { geteuid(), getegid() };
	xmlXPathObjectPtr found =
		domain_find(domain, "string(/domain/seclabel[@model='dac']/label)");
	const char *text = found && found->stringval ? (const char *)found->stringval : "";
	const char *colon = strchr(text, ':');

	if (text[0] == '+' && colon && colon[1] == '+') {
		user.uid = (uint32_t)strtoul(text + 1, NULL, 10);
		user.gid = (uint32_t)strtoul(colon + 2, NULL, 10);
	}
	if (found)
		xmlXPathFreeObject(found);
	return user;
}

#define QEMU_8_2 8002000u

bool domain_copies_readonly(const struct domain *domain)
{
	unsigned long version = 0;

	return virConnectGetVersion(domain->connection, &version) == 0 && version >= QEMU_8_2;
}

bool domain_is_tainted(const struct domain *domain)
{
	char **messages = NULL;
	int count = virDomainGetMessages(domain->handle, &messages, VIR_DOMAIN_MESSAGE_TAINTING);
	int i;

	for (i = 0; i < count; i++)
		free(messages[i]);
	free(messages);
	/* Not told: as if it were, which costs no more than a question. */
	return count != 0;
}
