# SPDX-License-Identifier: GPL-2.0-or-later
# vmsect: one non-recursive build.  `make help` tells the targets.
#
# B=DIR     where everything built goes (default build, build/san-X with SAN=X)
# SAN=X     address (with undefined), thread: sanitized user-space build
# CC=clang  the other compiler
# V=1       show the commands

VERSION := 0.1.0
SAN ?=
B ?= build$(if $(SAN),/san-$(SAN))
V ?= 0
comma := ,
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' "$(1)" "$(2)";)

ifeq ($(origin CC),default)
CC := gcc
endif
PKG_CONFIG ?= pkg-config
prefix ?= /usr/local
DESTDIR ?=

WARN := -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes \
	-Wimplicit-fallthrough -Wcast-qual -Wformat=2 -Wnull-dereference -Wconversion
WERROR ?= -Werror
OPT ?= $(if $(SAN),-O1,-O2) -g
HARDEN := -fstack-protector-strong -fstack-clash-protection -fcf-protection
FORTIFY := $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN)$(if $(filter address,$(SAN)),$(comma)undefined) \
	-fno-sanitize-recover=all -fno-omit-frame-pointer)
CFLAGS_ALL := -std=gnu17 $(OPT) $(WARN) $(WERROR) $(HARDEN) $(FORTIFY) $(SANFLAGS) \
	-fvisibility=hidden -pthread $(CFLAGS)
LDFLAGS_ALL := -Wl,-z,relro,-z,now $(if $(SAN),,-Wl$(comma)-z$(comma)defs) \
	-Wl,--as-needed $(SANFLAGS) -pthread $(LDFLAGS)
CPP_COMMON := -D_GNU_SOURCE -DVMSECT_VERSION='"$(VERSION)"'

# Include paths, the layer table of docs/architecture.md in flags.
CPP_host_lib := -Ihost_lib -Ihost_lib/include $(shell $(PKG_CONFIG) --cflags-only-I libxml-2.0 2>/dev/null)
CPP_vmm := -Ivmm -Ihost_lib -Ihost_lib/include -Iguest_driver/uapi
CPP_tests := $(CPP_vmm) -I. -Itests -Iguest_driver/lib
CPP_guest_driver := -Iguest_driver/uapi -Iguest_driver/lib

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
# Promised for later; until then they fail.
LATER := bench deb
.PHONY: all help clean test check unit kvm interop conformance faults model lab lab-files shell demo fuzz guest \
	install install-deps compile_commands.json $(LATER)

define compile
$(call say,CC,$<)$(CC) $(CPP_COMMON) $(CPP_$(firstword $(subst /, ,$*))) $(CPPFLAGS) \
	$(CFLAGS_ALL) $(1) -MMD -MP -c $< -o $@
endef

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call compile,-fPIE)
$(B)/pic/%.o: %.c
	@mkdir -p $(@D)
	$(call compile,-fPIC)

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
pic = $(patsubst %.c,$(B)/pic/%.o,$(1))

# $(call archive,FILE,OBJECTS)
define archive
$(1): $(2)
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(call say,AR,$$@)$$(AR) rcs $$@ $$^
endef

# $(call program,FILE,OBJECTS AND ARCHIVES,LIBRARIES)
define program
$(1): $(2)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)$$(CC) -pie $$(LDFLAGS_ALL) $(2) $(3) -o $$@
endef

include $(wildcard host_lib/module.mk vmm/module.mk guest_driver/module.mk tests/module.mk scripts/module.mk)

all: $(ALL)

clean:
	$(Q)rm -rf build

help:
	@sed -n 's/^#: //p' Makefile

$(LATER):
	@echo "$@: not there yet" >&2; exit 1

# Clean roots, kernel headers and debug kernels have files of their own that are called so.
-include $(shell find $(B) \( -path $(B)/roots -o -path $(B)/headers -o -path $(B)/debug-kernel \) \
	-prune -o -name '*.d' -type f -print 2>/dev/null)

#: make              build everything into build/
#: make demo         three Debian guests share a section; installs what is missing
#: make test         install what is missing, build, run every test
#: make check        formatting, static analysis, layers, headers, man pages
#: make check-NAME   one of them: format tidy cppcheck shell layers headers house ...
#: make unit         unit and integration tests; no KVM, no root
#: make kvm          flat guests on /dev/kvm
#: make conformance  scenarios, with processes and with VMs as their actors
#: make interop      sections in QEMU and libvirt, both real
#: make faults       every system call fails once, and is the last one once
#: make model        spin searches the models of the ring, right and with mistakes
#: make shell        a prompt in the lab's host, to try vmsect by hand
#: make guest-fake   the guest driver against a device in software that lies
#: make guest-ivshmem  the guest driver on ivshmem devices of QEMU
#: make lab          stock Debian guests; LAB_STORIES="NAME ..." selects,
#:                   LAB_FLAGS=--direct runs them on this host's KVM
#: make lab-debug    the driver's stories under a debug kernel, which is built once
#: make fuzz         every fuzzer for FUZZ_SECONDS each (default 60)
#: make guest        the guest driver and the guest programs
#: make guest-kernels  the driver for installed kernels and the newest of each
#:                   later series of Debian; GUEST_KERNELS=all: every release
#: make deb-dkms     the driver's Debian packages, vmsect-dkms and vmsect-guest-dev,
#:                   into build/deb; needs debhelper and dh-dkms
#: make packages-test  builds, installs and removes them in clean Debian roots (root)
#: make install      into $(DESTDIR)$(prefix), default /usr/local
#: make install-deps the Debian packages that are missing (root)
#: make compile_commands.json   for editors
#: make clean
#: bench, deb: not there yet
#:
#: B=DIR build there   SAN=address|thread sanitized   CC=clang   V=1 show commands
