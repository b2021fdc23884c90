/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The library's version, from the one place in the Makefile.
 */
#include <vmsect/vmsect.h>

const char *vmsect_version(void)
{
	return VMSECT_VERSION;
}
