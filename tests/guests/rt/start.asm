; SPDX-License-Identifier: BSD-2-Clause
; A tiny guest is a 64 KB ROM: the CPU starts in it at F000:FFF0, without any other firmware. This
; copies the program to 10000h, enters flat 32-bit protected mode at CPL 0 and calls main().

ROM_BASE  equ 0xf0000
RAM_BASE  equ 0x10000
ROM_BYTES equ 0xf000

extern main
extern guest_end
extern bss_start
extern bss_end
global _start

section .start progbits alloc exec
bits 32
_start:				; at RAM_BASE
	mov	ax, 0x10
	mov	ds, ax
	mov	es, ax
	mov	ss, ax
	mov	esp, 0x9f000
	mov	edi, bss_start
	mov	ecx, bss_end
	sub	ecx, edi
	xor	eax, eax
	cld
	rep stosb
	call	main
	jmp	guest_end

section .reset progbits alloc exec
bits 16
reset_entry:			; in the last 4 KB of the ROM, CS base F0000h or FFFF0000h
	cli
	cld
	o32 lgdt [cs:gdtr - reset_entry + 0xf000]
	mov	eax, cr0
	or	al, 1
	mov	cr0, eax
	jmp	dword 0x08:(protected - reset_entry + ROM_BASE + 0xf000)
bits 32
protected:
	mov	ax, 0x10
	mov	ds, ax
	mov	es, ax
	mov	esi, ROM_BASE
	mov	edi, RAM_BASE
	mov	ecx, ROM_BYTES / 4
	rep movsd
	mov	eax, RAM_BASE
	jmp	eax

	align	8
gdt:
	dq	0
	dq	0x00cf9b000000ffff
	dq	0x00cf93000000ffff
gdtr:
	dw	23
	dd	gdt - reset_entry + ROM_BASE + 0xf000

	times	0xff0 - ($ - reset_entry) db 0
bits 16
	jmp	0xf000:0xf000
	times	0x1000 - ($ - reset_entry) db 0
