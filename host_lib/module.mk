# SPDX-License-Identifier: GPL-2.0-or-later
# base (static, internal), libvmsect (shared and static), vmsectd, vmsect.

BASE_SRCS := $(wildcard host_lib/base/*.c)
LIB_SRCS := $(wildcard host_lib/lib/*.c)
BROKER_SRCS := $(wildcard host_lib/broker/*.c)
CLI_SRCS := $(wildcard host_lib/cli/*.c)
# libvmsect takes only these of base.
LIB_BASE_SRCS := host_lib/base/fdmsg.c host_lib/base/parse.c $(wildcard host_lib/base/mapping*.c)
LIB_MAP := host_lib/lib/libvmsect.map

BASE_A := $(B)/libbase.a
BROKER_A := $(B)/libbroker.a
CLI_A := $(B)/libcli.a
LIBVMSECT_A := $(B)/lib/libvmsect.a
LIBVMSECT_SO := $(B)/lib/libvmsect.so.1
# Programs as users write them: nothing but the public header and the library.
EXAMPLE_SRCS := $(wildcard host_lib/examples/*.c)
EXAMPLES := $(patsubst host_lib/examples/%.c,$(B)/examples/%,$(EXAMPLE_SRCS))
ALL += $(LIBVMSECT_A) $(LIBVMSECT_SO) $(B)/lib/libvmsect.so $(B)/lib/pkgconfig/libvmsect.pc \
	$(B)/bin/vmsectd $(B)/bin/vmsect $(EXAMPLES)

$(eval $(call archive,$(BASE_A),$(call obj,$(BASE_SRCS))))
$(eval $(call archive,$(BROKER_A),$(call obj,$(filter-out %/main.c,$(BROKER_SRCS)))))
$(eval $(call archive,$(LIBVMSECT_A),$(call pic,$(LIB_SRCS) $(LIB_BASE_SRCS))))
$(eval $(call program,$(B)/bin/vmsectd,$(call obj,host_lib/broker/main.c) $(BROKER_A) $(BASE_A),-levent_core -ljansson -lz))
$(eval $(call archive,$(CLI_A),$(call obj,$(filter-out %/main.c,$(CLI_SRCS)))))
$(eval $(call program,$(B)/bin/vmsect,$(call obj,host_lib/cli/main.c) $(CLI_A) $(LIBVMSECT_A) $(BASE_A),-lsmartcols -ljansson))

$(LIBVMSECT_SO): $(call pic,$(LIB_SRCS) $(LIB_BASE_SRCS)) $(LIB_MAP)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -shared $(LDFLAGS_ALL) -Wl,-soname,libvmsect.so.1 \
		-Wl,--version-script=$(LIB_MAP) $(filter %.o,$^) -o $@

$(B)/lib/libvmsect.so: $(LIBVMSECT_SO)
	$(Q)ln -sf libvmsect.so.1 $@

$(B)/lib/pkgconfig/libvmsect.pc: host_lib/lib/libvmsect.pc.in Makefile
	@mkdir -p $(@D)
	$(Q)sed -e 's,@prefix@,$(prefix),' -e 's,@version@,$(VERSION),' $< > $@

# Where the library looks for an installed broker.
$(B)/pic/host_lib/lib/start.o: CPPFLAGS += -DVMSECT_SBINDIR='"$(prefix)/sbin"'

$(B)/examples/%: host_lib/examples/%.c $(B)/lib/libvmsect.so $(wildcard host_lib/include/vmsect/*.h)
	@mkdir -p $(@D)
	$(call say,CCLD,$@)$(CC) $(CPP_COMMON) -Ihost_lib/include $(CPPFLAGS) $(CFLAGS_ALL) -fPIE -pie \
		$(LDFLAGS_ALL) $< -L$(B)/lib -lvmsect -Wl,-rpath,'$$ORIGIN/../lib' -o $@

# Sections for libvirt's domains: a program of its own, where libvirt-dev is.
LIBVIRT_PACKAGES := libvirt libvirt-qemu libxml-2.0
LIBVIRT_LIBS := $(shell $(PKG_CONFIG) --exists $(LIBVIRT_PACKAGES) && \
	$(PKG_CONFIG) --libs $(LIBVIRT_PACKAGES))
ifneq ($(LIBVIRT_LIBS),)
LIBVIRT_SRCS := $(wildcard host_lib/libvirt/*.c)
LIBVIRT_A := $(B)/libvirtverbs.a
ALL += $(B)/bin/vmsect-libvirt
UNIT_NEEDS += $(B)/bin/vmsect-libvirt
$(eval $(call archive,$(LIBVIRT_A),$(call obj,$(filter-out %/main.c,$(LIBVIRT_SRCS)))))
$(eval $(call program,$(B)/bin/vmsect-libvirt,$(call obj,host_lib/libvirt/main.c) $(LIBVIRT_A) \
	$(LIBVMSECT_A) $(BASE_A),$(LIBVIRT_LIBS) -ljansson))
endif
