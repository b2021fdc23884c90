# SPDX-License-Identifier: GPL-2.0-or-later
# vmsect-vmm; everything but main.c is an archive, so that tests can link it.

VMM_SRCS := $(wildcard vmm/*.c vmm/*/*.c)
VMM_A := $(B)/libvmm.a
VMM_LIBS := -levent_core -ljansson
ALL += $(B)/bin/vmsect-vmm

$(eval $(call archive,$(VMM_A),$(call obj,$(filter-out vmm/main.c,$(VMM_SRCS)))))
$(eval $(call program,$(B)/bin/vmsect-vmm,$(call obj,vmm/main.c) $(VMM_A) $(LIBVMSECT_A) $(BASE_A),$(VMM_LIBS)))

# ACPI tables: source -> C preprocessor (layout.h) -> iasl -> a C array that
# boot/acpi.c includes.
IASL ?= iasl
ACPI_DIR := $(B)/gen/vmm/boot
ACPI_HEX := $(addprefix $(ACPI_DIR)/,dsdt.hex fadt.hex madt.hex)

$(B)/obj/vmm/boot/acpi.o: $(ACPI_HEX)
$(B)/obj/vmm/boot/acpi.o: CPPFLAGS += -I$(ACPI_DIR)

define iasl
@mkdir -p $(@D)
$(call say,IASL,$<)$(CC) -E -P -undef -x c -Ivmm $< -o $(basename $@).in && \
	$(IASL) -ve -vs -tc -p $(basename $@) $(basename $@).in >$(basename $@).log 2>&1 || \
	{ cat $(basename $@).log >&2; exit 1; }
endef

$(ACPI_DIR)/%.hex: vmm/boot/%.asl vmm/mem/layout.h
	$(iasl)
$(ACPI_DIR)/%.hex: vmm/boot/%.aslt vmm/mem/layout.h
	$(iasl)
