; SPDX-License-Identifier: BSD-2-Clause
; A BIOS ROM that executes random bytes at CPL 0, in flat 32-bit protected mode and in real mode.
;
; Each round fills 4 KB at 10000h from a generator seeded with SEED and the round's number, which is
; kept in the CMOS so that it survives the resets that random code brings about, and jumps there.
; Exceptions and interrupts start the next round; if random code spoils that too, the CPU is reset.
; Every 256th round says so on port E9h.

%ifndef SEED
%define SEED 1
%endif

CODE	equ 0x10000
SIZE	equ 4096
STACK	equ 0x9000
IDT	equ 0x1000
CMOS	equ 0x40		; round number: two bytes of CMOS from here

	org 0xf0000
	bits 16

start:	cli
	cld
	mov ax, cs
	mov ds, ax
	; 8259s: vectors 20h and 28h.
	mov al, 0x11
	out 0x20, al
	out 0xa0, al
	mov al, 0x20
	out 0x21, al
	mov al, 0x28
	out 0xa1, al
	mov al, 4
	out 0x21, al
	mov al, 2
	out 0xa1, al
	mov al, 1
	out 0x21, al
	out 0xa1, al
	mov al, 0xfe		; the timer ends rounds that loop
	out 0x21, al
	mov al, 0xff
	out 0xa1, al
	lgdt [gdtr - start]
	mov eax, 0x11
	mov cr0, eax
	jmp dword 8:round

	bits 32
round:	cli
	mov eax, 0x11
	mov cr0, eax
	lgdt [cs:gdtr]
	mov ax, 0x10
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov fs, ax
	mov gs, ax
	mov esp, STACK
	xor eax, eax
	mov dr7, eax
	mov cr4, eax
	cld
	in al, 0x92
	or al, 2
	and al, 0xfe
	out 0x92, al

	; The timer at 1 kHz; the interrupt that may have brought us here is over.
	mov al, 0x34
	out 0x43, al
	mov al, 1193 & 0xff
	out 0x40, al
	mov al, 1193 >> 8
	out 0x40, al
	mov al, 0x20
	out 0x20, al
	out 0xa0, al

	; The next round's number into ebp.
	mov al, CMOS + 1
	out 0x70, al
	in al, 0x71
	mov ah, al
	mov al, CMOS
	out 0x70, al
	in al, 0x71
	movzx ebp, ax
	inc ebp
	mov al, CMOS
	out 0x70, al
	mov eax, ebp
	out 0x71, al
	mov al, CMOS + 1
	out 0x70, al
	mov al, ah
	out 0x71, al
	test ebp, 0xff
	jnz .quiet
	mov al, '.'
	out 0xe9, al
.quiet:

	; Interrupt table: every vector leads to the next round.
	mov edi, IDT
	mov ecx, 256
.gate:	mov eax, (8 << 16) + (trap - start)
	stosd
	mov eax, 0x000f8e00
	stosd
	loop .gate
	lidt [idtr]

	; xorshift32 from SEED and the round.
	imul eax, ebp, 2654435761
	xor eax, SEED * 0x9e3779b1 & 0xffffffff
	jnz .seeded
	inc eax
.seeded:
	mov edi, CODE
	mov ecx, SIZE / 4
.fill:	mov edx, eax
	shl edx, 13
	xor eax, edx
	mov edx, eax
	shr edx, 17
	xor eax, edx
	mov edx, eax
	shl edx, 5
	xor eax, edx
	stosd
	loop .fill

	; CLI and HLT end most rounds early: seven rounds of eight do without (CLD instead).
	test ebp, 0x38
	jz .filled
	mov edi, CODE
	mov ecx, SIZE
.byte:	mov al, [edi]
	cmp al, 0xfa
	je .tame
	cmp al, 0xf4
	jne .next
.tame:	mov byte [edi], 0xfc
.next:	inc edi
	loop .byte
.filled:

	; Registers get random values as well, but mostly ones that point somewhere.
	mov ebx, [CODE + 0x100]
	and ebx, 0x1fffff
	mov esi, [CODE + 0x104]
	and esi, 0x1fffff
	mov edi, [CODE + 0x108]
	and edi, 0x1fffff
	mov ecx, [CODE + 0x10c]
	and ecx, 0xff
	mov edx, [CODE + 0x110]
	test ebp, 3
	jz real
	sti
	jmp CODE

	; Every fourth round: the same in real mode, with a table of real-mode vectors.
real:	xor edi, edi
	push ecx
	mov ecx, 256
.vector:
	mov dword [edi], 0xf0000000 + (real_trap - start)
	add edi, 4
	loop .vector
	pop ecx
	lidt [real_idtr]
	jmp 0x18:(.sixteen - start)
	bits 16
.sixteen:
	mov ax, 0x20
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov eax, 0x10
	mov cr0, eax
	jmp 0xf000:(.loaded - start)
.loaded:
	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, STACK
	sti
	jmp 0x1000:0

real_trap:
	cli
	mov eax, 0x11
	mov ss, [cs:zero - start]
	mov esp, STACK
	lgdt [cs:gdtr - start]
	mov cr0, eax
	jmp dword 8:round

	bits 32
trap:	jmp round

	align 8
zero:	dw 0
	align 8
gdt:	dq 0
	dq 0x00cf9a000000ffff	; 08: code, flat
	dq 0x00cf92000000ffff	; 10: data, flat
	dq 0x00009a0f0000ffff	; 18: 16-bit code at F0000h
	dq 0x000092000000ffff	; 20: 16-bit data at 0
gdtr:	dw $ - gdt - 1
	dd gdt
idtr:	dw 256 * 8 - 1
	dd IDT
real_idtr:
	dw 0x3ff
	dd 0

	times 0xfff0 - ($ - $$) db 0xff
	bits 16
	jmp 0xf000:start - start
	times 0x10000 - ($ - $$) db 0xff
