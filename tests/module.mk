# SPDX-License-Identifier: GPL-2.0-or-later
# The test beds.  Each folder below has its own part.
include $(wildcard tests/*/module.mk)
