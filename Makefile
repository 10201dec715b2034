# SPDX-License-Identifier: BSD-2-Clause
# `make run` boots a guest under Farbus, `make test` runs the tests. README.md lists the words.

BUILD ?= build
MAKEFLAGS += --no-builtin-rules

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
	gcc $(CFLAGS) -c -o $@ $<

$(BUILD)/kernel/%.asm.o: %.asm
	@mkdir -p $(@D)
	nasm -f elf32 -g -I. -MD $(@:.o=.d) -o $@ $<

$(BUILD)/farbus.elf: $(KERNEL_OBJ) linker.ld
	ld -m elf_i386 -T linker.ld -o $@ $(KERNEL_OBJ) $$(gcc -m32 -print-libgcc-file-name)

-include $(KERNEL_OBJ:.o=.d)
