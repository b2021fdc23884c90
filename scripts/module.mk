# SPDX-License-Identifier: GPL-2.0-or-later
# Test beds as a whole, checks, installation, demo.  The parts of tests/ say
# which programs a bed has: UNIT_TESTS, INTEGRATION_TESTS, KVM_TESTS, INTEROP_TESTS, FUZZERS.

RUN_TESTS = $(Q)scripts/run-tests -o $(B)/results/$@

unit: $(UNIT_TESTS) $(INTEGRATION_TESTS) $(UNIT_NEEDS)
	$(RUN_TESTS) $(UNIT_TESTS) $(INTEGRATION_TESTS)

# Few at a time: each test drives several VMs on busy vCPUs.
kvm: $(KVM_TESTS) $(KVM_NEEDS)
	$(RUN_TESTS) -j 1 -t 300 $(KVM_TESTS)

# One at a time: each test has several machines.
interop: $(INTEROP_TESTS) $(KVM_NEEDS)
	$(RUN_TESTS) -j 1 -t 600 $(INTEROP_TESTS) $(INTEROP_SCRIPTS)

# Each scenario file with processes, and with VMs, as its actors.
conformance: $(CONFORMANCE_RUNS) $(CONFORMANCE_NEEDS)
	$(RUN_TESTS) -t 300 $(CONFORMANCE_RUNS)

# Some hundred runs under strace, each of them short.  FAULTS_ALL=1: some thousand.
faults: $(FAULTS_TEST)
	$(RUN_TESTS) -t 1800 $(FAULTS_TEST)

# Some twenty searches of spin, one after the other.
model: $(MODEL_TEST)
	$(RUN_TESTS) -t 900 $(MODEL_TEST)

FUZZ_SECONDS ?= 60
fuzz: $(FUZZERS)
	$(Q)scripts/fuzz -s $(FUZZ_SECONDS) -o $(B)/results/fuzz $(FUZZERS)

# Each scripts/check-NAME is one case; check-commits is for people.
CHECKS := $(filter-out scripts/check-commits,$(wildcard scripts/check-*))
# Flags as words: the quotes that the shell would take off go here.
CHECK_ENV = B='$(B)' CC='$(CC)' CFLAGS_ALL='$(CFLAGS_ALL)' CPP_COMMON='$(subst ',,$(CPP_COMMON))' \
	$(foreach part,host_lib tests guest_driver,CPP_$(part)='$(CPP_$(part))') \
	CPP_vmm='$(CPP_vmm) -I$(ACPI_DIR)'
CHECK_NEEDS := $(ACPI_HEX) $(LIBVMSECT_SO)

check: $(CHECK_NEEDS)
	$(Q)$(CHECK_ENV) scripts/run-tests -t 900 -o $(B)/results/$@ $(CHECKS)

check-%: scripts/check-% $(CHECK_NEEDS)
	$(Q)$(CHECK_ENV) $<

compile_commands.json: scripts/compile-commands
	$(Q)$(CHECK_ENV) $< > $@

install-deps:
	$(Q)scripts/install-deps

test: install-deps
	$(Q)scripts/test-all '$(B)'

# A prompt where the host cannot run Linux guests; see README.md.
shell: lab-files
	$(Q)scripts/lab --shell -b '$(B)'

demo:
	$(Q)scripts/demo '$(B)'

install: all
	$(Q)scripts/install '$(B)' '$(DESTDIR)' '$(prefix)' '$(VERSION)'
