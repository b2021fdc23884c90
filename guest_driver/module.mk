# SPDX-License-Identifier: GPL-2.0-or-later
# vmsect.ko for each kernel whose headers are given or installed, and the
# library for guest programs.
#
# make guest          $(B)/guest/RELEASE/vmsect.ko, $(B)/guest/libvmsect_guest.a
# make guest-check    sparse as well
# make guest-kernels  both for every installed kernel and for the newest release of each
#                     newer series that Debian has; GUEST_KERNELS=all: each release
# GUEST_KDIRS=DIRS    kernel build trees (default: all /usr/src/linux-headers-*-amd64)

GUEST_KDIRS ?= $(sort $(wildcard /usr/src/linux-headers-*-amd64))
GUEST_KERNELS ?= newest
# Debian's linux-headers-NAME of the next kernel that the lab boots; its headers
# are fetched, not installed, since they would bring an image with them.
GUEST_NEXT := 6.12-cloud-amd64
GUEST_HEADERS := $(B)/headers
GUEST_MODULE_SRCS := $(addprefix guest_driver/,Kbuild) $(wildcard guest_driver/*.[ch])
GUEST_UAPI := $(wildcard guest_driver/uapi/*.h)
GUEST_LIB_A := $(B)/guest/libvmsect_guest.a

# Kbuild writes beside the sources, so it sees a farm of links.  It must not
# inherit our command line (CC, B, V and so on).  BTF would need a vmlinux, which
# header packages do not have.
# $(call guest_farm,DIR)
define guest_farm
	@mkdir -p $(1)
	$(Q)ln -sfn $(abspath $(GUEST_MODULE_SRCS) guest_driver/uapi) $(1)/
endef
guest_kbuild = env -u MAKEFLAGS -u MAKEOVERRIDES -u MFLAGS $(MAKE) -C $(1) M=$(abspath $(2)) \
	W=1 KCFLAGS="$(WERROR)" CONFIG_DEBUG_INFO_BTF_MODULES= $(3) $(if $(filter 1,$(V)),V=1,-s) modules

# A name's link is a build tree; the stamp is as old as what it leads to.
$(GUEST_HEADERS)/%.stamp: scripts/fetch-headers
	$(call say,HEADERS,$*)scripts/fetch-headers $(@D) $* && touch $@
.PRECIOUS: $(GUEST_HEADERS)/%.stamp

# sparse looks at what was built: C=2 checks files that need no compiling.
# $(call guest_module,RELEASE,KDIR)
define guest_module
$(B)/guest/$(1)/vmsect.ko: $(GUEST_MODULE_SRCS) $(GUEST_UAPI) guest_driver/module.mk \
		$(patsubst $(GUEST_HEADERS)/%,$(GUEST_HEADERS)/%.stamp,$(filter $(GUEST_HEADERS)/%,$(2)))
	$$(call say,KBUILD,$$@)true
	$(call guest_farm,$(B)/guest/$(1)/src)
	$$(Q)$(call guest_kbuild,$(2),$(B)/guest/$(1)/src)
	$$(Q)cp $(B)/guest/$(1)/src/vmsect.ko $$@
$(B)/guest/$(1)/sparse.stamp: $(B)/guest/$(1)/vmsect.ko
	$$(call say,SPARSE,$(1))true
	$$(Q)$(call guest_kbuild,$(2),$(B)/guest/$(1)/src,C=2 CHECK=sparse) 2>$$@.log || \
		{ cat $$@.log; exit 1; }
	$$(Q)if grep -E 'warning:|error:' $$@.log; then exit 1; fi
	$$(Q)touch $$@
endef

guest_release = $(patsubst linux-headers-%,%,$(notdir $(patsubst %/build,%,$(patsubst %/,%,$(1)))))
$(foreach d,$(sort $(GUEST_KDIRS) $(GUEST_HEADERS)/$(GUEST_NEXT)),$(eval \
	$(call guest_module,$(call guest_release,$(d)),$(d))))
GUEST_MODULES := $(foreach d,$(GUEST_KDIRS),$(B)/guest/$(call guest_release,$(d))/vmsect.ko)
GUEST_MODULE_NEXT := $(B)/guest/$(GUEST_NEXT)/vmsect.ko

$(eval $(call archive,$(GUEST_LIB_A),$(call obj,$(wildcard guest_driver/lib/*.c))))
# The examples' cores, which tests are linked with; tests/guest/module.mk has their programs.
GUEST_EXAMPLES_A := $(B)/guest/libexamples.a
$(eval $(call archive,$(GUEST_EXAMPLES_A),$(call obj,$(addprefix guest_driver/examples/,frames.c kv_table.c))))
ALL += $(GUEST_LIB_A)

.PHONY: guest guest-check
guest: $(GUEST_MODULES) $(GUEST_LIB_A)
	$(if $(GUEST_MODULES),,$(error no kernel headers: install linux-headers-cloud-amd64 or set GUEST_KDIRS))
guest-check: $(GUEST_MODULES:%/vmsect.ko=%/sparse.stamp)
