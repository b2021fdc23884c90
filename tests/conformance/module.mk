# SPDX-License-Identifier: GPL-2.0-or-later
# The conformance suite: the interpreter of scenarios, and its two kinds of
# actors.  Each scenario file is run with both; one of scripts/run-tests'
# programs is one file with one kind.

CONFORMANCE := $(B)/tests/conformance
CONFORMANCE_HOST := $(B)/tests/conformance-host
CONFORMANCE_VM := $(B)/tests/conformance-vm
CONFORMANCE_ACTOR_SRCS := $(wildcard tests/conformance/actor/*.c)
SCENARIOS := $(sort $(wildcard tests/conformance/scenarios/*.scn))
CONFORMANCE_RUNS := $(patsubst tests/conformance/scenarios/%.scn,$(B)/conformance/host-%,$(SCENARIOS)) \
	$(patsubst tests/conformance/scenarios/%.scn,$(B)/conformance/vm-%,$(SCENARIOS))
# KVM_NEEDS is known later.
CONFORMANCE_NEEDS = $(CONFORMANCE) $(CONFORMANCE_HOST) $(CONFORMANCE_VM) $(KVM_NEEDS)

CONFORMANCE_A := $(B)/libconformance.a
$(eval $(call archive,$(CONFORMANCE_A),$(call obj,$(CONFORMANCE_ACTOR_SRCS) \
	$(filter-out %/main.c,$(wildcard tests/conformance/*.c)))))
$(eval $(call program,$(CONFORMANCE),$(call obj,tests/conformance/main.c) $(CONFORMANCE_A) \
	$(B)/libtest.a $(LIBVMSECT_A) $(BASE_A),-lcmocka))
$(eval $(call program,$(CONFORMANCE_HOST),$(call obj,$(wildcard tests/conformance/host/*.c) \
	$(CONFORMANCE_ACTOR_SRCS)) $(LIBVMSECT_A),))
$(eval $(call program,$(CONFORMANCE_VM),$(call obj,$(wildcard tests/conformance/vm/*.c) \
	$(CONFORMANCE_ACTOR_SRCS) $(filter-out tests/kvm/test_%.c,$(wildcard tests/kvm/*.c))) \
	$(B)/libtest.a $(LIBVMSECT_A) $(BASE_A),-lcmocka -ljansson))

# A run as a program without arguments.
$(B)/conformance/host-%: tests/conformance/scenarios/%.scn
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nexec %s --actors host %s\n' '$(abspath $(CONFORMANCE))' '$<' >$@ && chmod +x $@
$(B)/conformance/vm-%: tests/conformance/scenarios/%.scn
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nexec %s --actors vm %s\n' '$(abspath $(CONFORMANCE))' '$<' >$@ && chmod +x $@

# Its own tests: the parser, and that a wrong outcome is "not ok".
UNIT_WITH_conformance := $(CONFORMANCE_A) $(LIBVMSECT_A) $(BASE_A)
UNIT_NEEDS += $(CONFORMANCE) $(CONFORMANCE_HOST)

# The same with VMs.
$(B)/tests/kvm-conformance: | $(CONFORMANCE) $(CONFORMANCE_VM)
