// SPDX-License-Identifier: GPL-2.0-or-later
/* The tracepoints of vmsect_trace.h, made here once. */
#ifndef __CHECKER__
#define CREATE_TRACE_POINTS
#include "vmsect_trace.h"
#endif
