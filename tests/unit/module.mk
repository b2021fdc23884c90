# SPDX-License-Identifier: GPL-2.0-or-later
# Unit and integration tests.  tests/unit/PART/test_NOUN.c becomes the program
# unit-PART-NOUN, tests/integration/test_STORY.c becomes story-STORY: names are
# one flat list in the results.  tests/lib is linked into all.

TESTLIB_A := $(B)/libtest.a
TESTLIB_SRCS := $(wildcard tests/lib/*.c)
$(eval $(call archive,$(TESTLIB_A),$(call obj,$(TESTLIB_SRCS))))

# What a part's tests are linked with.
UNIT_WITH_base := $(BASE_A)
UNIT_WITH_broker := $(BROKER_A) $(BASE_A)
UNIT_WITH_lib := $(LIBVMSECT_A) $(BASE_A)
UNIT_WITH_cli := $(CLI_A) $(LIBVMSECT_A) $(BASE_A)
UNIT_WITH_libvirt := $(LIBVIRT_A) $(LIBVMSECT_A) $(BASE_A)
UNIT_WITH_vmm := $(VMM_A) $(LIBVMSECT_A) $(BASE_A)
UNIT_WITH_guest := $(call obj,tests/unit/guest/ring_bed.c) $(TESTLIB_A) $(GUEST_EXAMPLES_A) \
	$(GUEST_LIB_A)
TEST_LIBS := -lcmocka -levent_core -ljansson -lsmartcols -lz $(LIBVIRT_LIBS)

unit_part = $(word 3,$(subst /, ,$(1)))
unit_program = $(B)/tests/unit-$(call unit_part,$(1))-$(patsubst test_%.c,%,$(notdir $(1)))
story_program = $(B)/tests/story-$(patsubst test_%.c,%,$(notdir $(1)))

UNIT_SRCS := $(filter-out $(if $(LIBVIRT_LIBS),,tests/unit/libvirt/%),\
	$(wildcard tests/unit/*/test_*.c))
STORY_SRCS := $(wildcard tests/integration/test_*.c)
UNIT_TESTS += $(foreach src,$(UNIT_SRCS),$(call unit_program,$(src)))
INTEGRATION_TESTS += $(foreach src,$(STORY_SRCS),$(call story_program,$(src)))
# Programs that stories start.
UNIT_NEEDS += $(B)/bin/vmsectd $(B)/bin/vmsect $(EXAMPLES)

$(foreach src,$(UNIT_SRCS),$(eval $(call program,$(call unit_program,$(src)),\
	$(call obj,$(src)) $(TESTLIB_A) $(UNIT_WITH_$(call unit_part,$(src))),$(TEST_LIBS))))
$(foreach src,$(STORY_SRCS),$(eval $(call program,$(call story_program,$(src)),\
	$(call obj,$(src)) $(TESTLIB_A) $(CLI_A) $(LIBVMSECT_A) $(BROKER_A) $(BASE_A),$(TEST_LIBS))))

# Allocations that fail on demand.
$(B)/tests/unit-broker-registry_memory: LDFLAGS_ALL += -Wl,--wrap=malloc -Wl,--wrap=calloc
# System calls that fail, and processes that die at them, on demand.
$(B)/tests/unit-broker-flush_error: LDFLAGS_ALL += -Wl,--wrap=fdatasync
$(B)/tests/unit-broker-publish_crash: LDFLAGS_ALL += -Wl,--wrap=pwrite -Wl,--wrap=fsync \
	-Wl,--wrap=fdatasync -Wl,--wrap=renameat -Wl,--wrap=unlinkat -Wl,--wrap=fallocate
# The driver's answers, as the test wants them.
$(B)/tests/unit-guest-guest_lib: LDFLAGS_ALL += -Wl,--wrap=ioctl
