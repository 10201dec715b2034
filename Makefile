# SPDX-License-Identifier: BSD-2-Clause
# `make run` boots a guest under Farbus, `make test` runs the tests. README.md lists the words.

BUILD ?= build
PYTHON := /usr/bin/python3
MAKEFLAGS += --no-builtin-rules

# The words of `make run` and `make image`; images/run.py reads them from its environment.
export BUILD GUESTS HOST GUEST DISK FLOPPY CDROM KERNEL INITRD APPEND FIRMWARE CPU RAM HEADLESS \
       CONFIG BDISK BCD PCAP SLOWER

KERNEL_DIRS := boot lib cpu devices net-ne2000
KERNEL_C    := $(shell find $(KERNEL_DIRS) -name '*.c' 2>/dev/null)
KERNEL_ASM  := $(shell find $(KERNEL_DIRS) -name '*.asm' 2>/dev/null)
KERNEL_OBJ  := $(KERNEL_C:%.c=$(BUILD)/kernel/%.o) $(KERNEL_ASM:%.asm=$(BUILD)/kernel/%.asm.o)

WARN   := -Wall -Wextra -Werror
CFLAGS := -m32 -march=i586 -std=gnu11 -O2 -g -ffreestanding -fno-pic -fno-stack-protector \
          -fno-strict-aliasing -fno-delete-null-pointer-checks -fno-asynchronous-unwind-tables \
          -mno-mmx -mno-sse -mno-80387 -fomit-frame-pointer -MMD -MP $(WARN) -I.

.PHONY: all
all: $(BUILD)/farbus.elf

$(BUILD)/kernel/%.o: %.c
	@mkdir -p $(@D)
	@echo "CC $<"
	@gcc $(CFLAGS) -c -o $@ $<

$(BUILD)/kernel/%.asm.o: %.asm
	@mkdir -p $(@D)
	@echo "AS $<"
	@nasm -f elf32 -g -I. -MD $(@:.o=.d) -o $@ $<

# With symbols for gdb and addr2line, and without them for the boot loader.
$(BUILD)/farbus.sym.elf: $(KERNEL_OBJ) linker.ld
	@echo "LD $@"
	@ld -m elf_i386 -T linker.ld -o $@ $(KERNEL_OBJ) $$(gcc -m32 -print-libgcc-file-name)

$(BUILD)/farbus.elf: $(BUILD)/farbus.sym.elf
	objcopy --strip-all $< $@

-include $(KERNEL_OBJ:.o=.d)

# --- unit tests ---

# The CPU's tests are 32-bit programs that compare with the real CPU. Like the kernel, the code
# under test must not touch the FPU by itself: the guest's state is in it.
UNIT32       := $(BUILD)/unit/32
UNIT32_FLAGS := -m32 -march=i586 -std=gnu11 -O2 -g -fno-pic -no-pie -fno-strict-aliasing \
                -fno-delete-null-pointer-checks -MMD -MP $(WARN) -I.
UNIT32_SRC   := $(shell find cpu -name '*.c') lib/fmt.c
UNIT32_ASM   := $(shell find cpu -name '*.asm')
UNIT32_OBJ   := $(UNIT32_SRC:%.c=$(UNIT32)/%.o) $(UNIT32_ASM:%.asm=$(UNIT32)/%.asm.o) \
                $(patsubst %.c,$(UNIT32)/%.o,$(wildcard tests/unit/cpu/support*.c))
UNIT32_BIN   := $(patsubst tests/unit/cpu/%.c,$(UNIT32)/%, \
                $(filter-out tests/unit/cpu/support%,$(wildcard tests/unit/cpu/*.c)))

# Devices and the pure parts of boot/ build as they are on the machine we are on, with cmocka.
UNIT64       := $(BUILD)/unit/64
UNIT64_FLAGS := -std=gnu11 -O2 -g -fno-strict-aliasing -MMD -MP $(WARN) -I.
DEVICES_OBJ  := $(patsubst %.c,$(UNIT64)/%.o,$(wildcard devices/*.c) cpu/physmem.c lib/fmt.c \
                $(wildcard tests/unit/devices/support*.c))
DEVICES_BIN  := $(patsubst tests/unit/%.c,$(UNIT64)/bin/%,$(wildcard tests/unit/devices/test_*.c))
BOOT_OBJ     := $(patsubst %.c,$(UNIT64)/%.o,$(wildcard boot/config*.c boot/console_*.c boot/vga_watch.c) \
                devices/trace.c \
                $(wildcard cpu/disasm*.c) lib/fmt.c $(wildcard net-ne2000/profile*.c) \
                $(wildcard tests/unit/boot/support*.c))
BOOT_BIN     := $(patsubst tests/unit/%.c,$(UNIT64)/bin/%,$(wildcard tests/unit/boot/test_*.c))
NET_OBJ      := $(patsubst %.c,$(UNIT64)/%.o,$(wildcard net-ne2000/*.c) lib/fmt.c \
                $(wildcard tests/unit/net/support*.c))
NET_BIN      := $(patsubst tests/unit/%.c,$(UNIT64)/bin/%, \
                $(filter-out tests/unit/net/test_fuzz%,$(wildcard tests/unit/net/test_*.c)))

# The network's tests with the address and undefined behaviour sanitizers; `make test` runs those
# with mutated frames, `make sanitize` all.
SAN          := $(BUILD)/unit/sanitize
# The sanitizers' code confuses some of gcc's warnings; the builds without them have those.
SAN_FLAGS    := $(UNIT64_FLAGS) -fsanitize=address,undefined -fno-sanitize-recover=all \
                -Wno-stringop-overread
SAN_OBJ      := $(patsubst $(UNIT64)/%,$(SAN)/%,$(sort $(NET_OBJ) $(DEVICES_OBJ)))
SAN_BIN      := $(patsubst tests/unit/%.c,$(SAN)/bin/%,$(wildcard tests/unit/net/test_*.c))
FUZZ_BIN     := $(filter $(SAN)/bin/net/test_fuzz%,$(SAN_BIN))

# What the Linux program is made of, with the sanitizers.
SERVE_BIN    := $(patsubst tests/unit/%.c,$(SAN)/bin/%,$(wildcard tests/unit/host/test_*.c))

UNIT_BIN := $(UNIT32_BIN) $(DEVICES_BIN) $(BOOT_BIN) $(NET_BIN) $(FUZZ_BIN) $(SERVE_BIN)

$(UNIT32)/cpu/%.o: UNIT32_FLAGS += -mno-mmx -mno-sse -mno-80387

$(UNIT32)/%.o: %.c
	@mkdir -p $(@D)
	@echo "CC $<"
	@gcc $(UNIT32_FLAGS) -c -o $@ $<

$(UNIT32)/%.asm.o: %.asm
	@mkdir -p $(@D)
	@echo "AS $<"
	@nasm -f elf32 -g -I. -MD $(@:.o=.d) -o $@ $<

$(UNIT32_BIN): $(UNIT32)/%: $(UNIT32)/tests/unit/cpu/%.o $(UNIT32_OBJ)
	@echo "LD $@"
	@gcc -m32 -no-pie -o $@ $^

$(UNIT64)/%.o: %.c
	@mkdir -p $(@D)
	@echo "CC $<"
	@gcc $(UNIT64_FLAGS) -c -o $@ $<

$(DEVICES_BIN): $(UNIT64)/bin/%: $(UNIT64)/tests/unit/%.o $(DEVICES_OBJ)
	@mkdir -p $(@D)
	@echo "LD $@"
	@gcc -o $@ $^ -lcmocka

$(BOOT_BIN): $(UNIT64)/bin/%: $(UNIT64)/tests/unit/%.o $(BOOT_OBJ)
	@mkdir -p $(@D)
	@echo "LD $@"
	@gcc -o $@ $^ -lcmocka

# Objects stay, so that a header's change is seen through their dependency files.
.SECONDARY:

# With the chips: guests' drivers use them through remote routes.
$(NET_BIN): $(UNIT64)/bin/%: $(UNIT64)/tests/unit/%.o $(sort $(NET_OBJ) $(DEVICES_OBJ))
	@mkdir -p $(@D)
	@echo "LD $@"
	@gcc -o $@ $^ -lcmocka

$(SAN)/%.o: %.c
	@mkdir -p $(@D)
	@echo "CC $<"
	@gcc $(SAN_FLAGS) -c -o $@ $<

$(SAN_BIN): $(SAN)/bin/%: $(SAN)/tests/unit/%.o $(SAN_OBJ)
	@mkdir -p $(@D)
	@echo "LD $@"
	@gcc -fsanitize=address,undefined -o $@ $^ -lcmocka

.PHONY: unit fuzz sanitize
unit: $(UNIT_BIN)

# Ten million frames; `make test` takes a million of them.
fuzz: $(FUZZ_BIN) $(filter %/test_fuzz_serve,$(SERVE_BIN))
	@set -e; for test in $^; do $$test 10000000; done

sanitize: $(SAN_BIN)
	@set -e; for test in $^; do echo "$$test"; $$test; done

-include $(shell find $(BUILD)/unit -name '*.d' 2>/dev/null)

# --- the Linux program ---

# Shares protocol and chip models with the kernel.
HOST_DIR := $(BUILD)/host
HOST_OBJ := $(patsubst %.c,$(HOST_DIR)/%.o,$(wildcard host/*.c net-ne2000/*.c devices/*.c) \
            boot/console_ansi.c boot/console_cp437.c boot/console_screen.c \
            cpu/physmem.c lib/fmt.c)

.PHONY: host
host: $(BUILD)/farbus

$(HOST_DIR)/%.o: %.c
	@mkdir -p $(@D)
	@echo "CC $<"
	@gcc $(UNIT64_FLAGS) -c -o $@ $<

$(BUILD)/farbus: $(HOST_OBJ)
	@echo "LD $@"
	@gcc -o $@ $^

-include $(HOST_OBJ:.o=.d)

SERVE_OBJ := $(patsubst $(HOST_DIR)/%,$(SAN)/%,$(filter-out %/host/main.o,$(HOST_OBJ))) \
             $(patsubst %.c,$(SAN)/%.o,$(wildcard tests/unit/host/support*.c))

# Its clock is the test's.
$(SAN)/bin/host/test_fuzz_serve: SERVE_LINK := -Wl,--wrap=wire_now

$(SERVE_BIN): $(SAN)/bin/%: $(SAN)/tests/unit/%.o $(SERVE_OBJ)
	@mkdir -p $(@D)
	@echo "LD $@"
	@gcc -fsanitize=address,undefined $(SERVE_LINK) -o $@ $^ -lcmocka

# --- tiny guests ---

# Each tests/guests/*.c is a 64 KB ROM that starts at the reset vector (tests/guests/rt/).
TINY       := $(BUILD)/tiny
TINY_FLAGS := $(filter-out -g -O2,$(CFLAGS)) -O1
TINY_RT    := $(TINY)/tests/guests/rt/start.asm.o $(TINY)/tests/guests/rt/traps.asm.o \
              $(TINY)/tests/guests/rt/rt.o $(TINY)/tests/guests/rt/real.o $(TINY)/lib/fmt.o
TINY_ROM   := $(patsubst tests/guests/%.c,$(TINY)/%.rom,$(wildcard tests/guests/*.c))

# OBJECT, ROM
define TINY_LINK
ld -m elf_i386 -z noexecstack -T tests/guests/rt/guest.ld -o $(basename $(2)).elf $(TINY_RT) $(1) \
    $$(gcc -m32 -print-libgcc-file-name) && \
    objcopy -O binary -j .text -j .reset --gap-fill 0 --pad-to 0x10000 $(basename $(2)).elf $(2)
endef

$(TINY)/%.o: %.c
	@mkdir -p $(@D)
	@echo "CC $<"
	@gcc $(TINY_FLAGS) -c -o $@ $<

$(TINY)/%.asm.o: %.asm
	@mkdir -p $(@D)
	@echo "AS $<"
	@nasm -f elf32 -I. -MD $(@:.o=.d) -o $@ $<

$(TINY_ROM): $(TINY)/%.rom: $(TINY)/tests/guests/%.o $(TINY_RT) tests/guests/rt/guest.ld
	@echo "ROM $@"
	@$(call TINY_LINK,$<,$@)

# tests/guests/hostile: a ROM of its own making.
HOSTILE_OBJ := $(TINY)/tests/guests/hostile/entry.asm.o $(TINY)/lib/fmt.o $(TINY)/lib/str.o \
               $(patsubst %.c,$(TINY)/%.o,$(wildcard tests/guests/hostile/*.c))

$(TINY)/hostile.rom: $(HOSTILE_OBJ) tests/guests/rt/guest.ld
	@echo "ROM $@"
	@ld -m elf_i386 -z noexecstack -T tests/guests/rt/guest.ld -o $(TINY)/hostile.elf $(HOSTILE_OBJ) \
	    $$(gcc -m32 -print-libgcc-file-name)
	@objcopy -O binary -j .text -j .reset --gap-fill 0 --pad-to 0x10000 $(TINY)/hostile.elf $@

.PHONY: tiny
tiny: $(TINY_ROM) $(TINY)/hostile.rom

-include $(shell find $(TINY) -name '*.d' 2>/dev/null)

# --- running ---

.PHONY: deps image run run-remote test test-all bench bench-overhead bench-counts bench-translate bench-exits bench-remote bench-shadow bench-serve bench-tag clean

deps:
	@sh images/deps.sh

# Standard output of `run` belongs to the guest: everything else says its say on standard error.
run: deps
	@$(MAKE) --no-print-directory all >&2
	@exec $(PYTHON) images/run.py

run-remote: deps
	@$(MAKE) --no-print-directory all >&2
	@exec $(PYTHON) images/remote.py

image: deps
	@$(MAKE) --no-print-directory all >&2
	@$(PYTHON) images/run.py --image $(BUILD)/farbus.img

test test-all: deps
	@$(MAKE) --no-print-directory -j2 all unit tiny host
	@$(PYTHON) tests/run.py $(if $(filter test-all,$@),--all) $(UNIT_BIN)

# What remote routes cost, counted; it needs no emulator.
COUNTS_BIN := $(filter $(UNIT64)/bin/net/test_counts_%,$(NET_BIN))

bench-counts: deps
	@$(MAKE) --no-print-directory $(COUNTS_BIN) >&2
	@$(PYTHON) tests/bench/counts.py $(COUNTS_BIN)

# What they cost between two emulated PCs; PART=latency or PART=disk is one half of it.
bench-remote: deps
	@$(MAKE) --no-print-directory all >&2
	@$(PYTHON) tests/bench/remote.py $(PART)

# What the tag of a frame costs, built as the kernel and as the Linux program are.
TAG_SRC := tests/bench/tag.c $(addprefix net-ne2000/,proto.c siphash.c blake2s.c session.c)

$(BUILD)/bench/tag32: $(TAG_SRC)
	@mkdir -p $(@D)
	@gcc $(filter-out -MMD -MP,$(UNIT32_FLAGS)) -o $@ $^

$(BUILD)/bench/tag64: $(TAG_SRC)
	@mkdir -p $(@D)
	@gcc $(filter-out -MMD -MP,$(UNIT64_FLAGS)) -o $@ $^

bench-tag: $(BUILD)/bench/tag32 $(BUILD)/bench/tag64
	@$(BUILD)/bench/tag32
	@$(BUILD)/bench/tag64

# Instructions of the host's for each thing that leaves translated code.
EXITS_ROM := $(TINY)/exits.rom

$(EXITS_ROM): $(TINY)/tests/bench/exits.o $(TINY_RT) tests/guests/rt/guest.ld
	@echo "ROM $@"
	@$(call TINY_LINK,$<,$@)

bench-exits: deps
	@$(MAKE) --no-print-directory all $(EXITS_ROM) >&2
	@$(PYTHON) tests/bench/exits.py

# Programs and boots under Farbus against the bare emulated PC; PART=programs or PART=boots is one
# half of it.
bench-overhead: deps
	@$(MAKE) --no-print-directory all >&2
	@$(PYTHON) tests/bench/overhead.py $(PART)

# The same in Bochs, which counts by itself: each instruction is a tick of its clock.
.PHONY: bench-bochs
bench-bochs: deps
	@$(MAKE) --no-print-directory all $(EXITS_ROM) >&2
	@$(PYTHON) tests/bench/exits.py bochs
	@$(PYTHON) tests/bench/overhead.py bochs $(PART)

# How the cost of shadow page tables grows.
bench-shadow: deps
	@$(MAKE) --no-print-directory all >&2
	@$(PYTHON) tests/bench/scaling.py

# What translated code costs on this machine's CPU, in cycles; it needs no emulator.
bench-translate: deps
	@$(MAKE) --no-print-directory $(UNIT32)/bench_translate >&2
	@$(UNIT32)/bench_translate 100

# What `farbus serve` carries out in a second, against a bare echo; it needs no emulator.
BENCH_LOAD := $(BUILD)/bench/serve_load

$(BENCH_LOAD): $(HOST_DIR)/tests/bench/serve_load.o $(filter-out %/host/main.o,$(HOST_OBJ))
	@mkdir -p $(@D)
	@echo "LD $@"
	@gcc -o $@ $^

bench-serve: deps
	@$(MAKE) --no-print-directory host $(BENCH_LOAD) >&2
	@$(PYTHON) tests/bench/serve.py

# What the port trace costs, counted in instructions.
.PHONY: bench-trace
bench-trace: deps
	@$(MAKE) --no-print-directory all >&2
	@$(PYTHON) tests/bench/trace.py

bench: bench-counts bench-translate bench-exits bench-overhead bench-bochs bench-shadow bench-tag bench-trace bench-remote bench-serve
	@$(MAKE) --no-print-directory all >&2
	@$(PYTHON) tests/bench/bench.py

clean:
	rm -rf $(BUILD)

include host/package/package.mk
