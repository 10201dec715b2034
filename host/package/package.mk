# SPDX-License-Identifier: BSD-2-Clause
# `make install` and `make deb`: the Linux program with what belongs to it.

VERSION    := 0.1
PREFIX     ?= /usr/local
SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
INSTALL    := install -D -m 644
DISSECTOR  := $(wildcard host/farbus.lua)
TO         := $(DESTDIR)$(PREFIX)

.PHONY: install install-boot deb

install: $(BUILD)/farbus
	install -D -m 755 $(BUILD)/farbus $(TO)/sbin/farbus
	$(INSTALL) host/farbus.8 $(TO)/share/man/man8/farbus.8
	$(INSTALL) host/farbus.bash $(TO)/share/bash-completion/completions/farbus
	$(INSTALL) host/package/sysusers.conf $(TO)/lib/sysusers.d/farbus.conf
	$(INSTALL) host/package/serve.example $(DESTDIR)$(SYSCONFDIR)/farbus/serve.example
	$(if $(DISSECTOR),$(INSTALL) $(DISSECTOR) $(TO)/share/farbus/farbus.lua)
	install -d $(TO)/share/doc/farbus $(TO)/lib/systemd/system
	install -m 644 README.md docs/*.md docs/*.png $(TO)/share/doc/farbus
	sed -e 's,@sbindir@,$(PREFIX)/sbin,' -e 's,@sysconfdir@,$(SYSCONFDIR),' \
	    host/package/farbus.service.in > $(TO)/lib/systemd/system/farbus.service

# What a PC boots: a stick's image that runs the system on the PC's own first disk, and the kernel
# for a boot menu of one's own (docs/config.md).
install-boot: $(BUILD)/farbus.elf
	$(INSTALL) $(BUILD)/farbus.elf $(TO)/lib/farbus/farbus.elf
	$(PYTHON) host/package/boot_image.py $(TO)/lib/farbus/farbus.img

deb: deps
	@$(MAKE) --no-print-directory -j2 all host >&2
	@sh host/package/deb.sh $(BUILD) $(VERSION)
