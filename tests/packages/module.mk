# SPDX-License-Identifier: GPL-2.0-or-later
# The guest driver's Debian packages, in clean roots that are made once: one that
# builds them, one that has a kernel's headers and dkms.

ROOT_build := build-essential debhelper dh-dkms lintian
ROOT_clean := dkms linux-headers-cloud-amd64 systemd-standalone-sysusers udev

$(B)/roots/%.stamp: tests/packages/make-root tests/packages/module.mk
	$(call say,ROOT,$(@D)/$*)tests/packages/make-root $(@D)/$* $(ROOT_$*) && touch $@

packages-test: $(B)/roots/build.stamp $(B)/roots/clean.stamp
	$(Q)B='$(abspath $(B))' VERSION='$(VERSION)' \
		scripts/run-tests -t 900 -o $(B)/results/packages tests/packages/test-dkms

deb-dkms:
	$(Q)scripts/deb-dkms '$(B)' '$(VERSION)'
.PHONY: packages-test deb-dkms
