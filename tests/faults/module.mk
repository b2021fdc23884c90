# SPDX-License-Identifier: GPL-2.0-or-later
# The faults bed: every system call fails once, and is the last one once.

FAULTS_TEST := $(B)/tests/faults
FAULTS_SRCS := $(wildcard tests/faults/*.c)

$(FAULTS_TEST): $(call obj,$(FAULTS_SRCS)) $(B)/libtest.a $(LIBVMSECT_A) $(BASE_A) | $(B)/bin/vmsectd
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -pie $(LDFLAGS_ALL) $(filter %.o %.a,$^) -lcmocka -o $@
