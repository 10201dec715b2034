; SPDX-License-Identifier: BSD-2-Clause
; Enters a snippet at any CPL (or in V86 mode) with given registers, and ends it at the next trap.

global run_enter
global trap_stubs
global guest_end
extern trap_frame		; struct trap
extern current_regs		; struct regs
extern idle_stack

section .text
bits 32

; struct regs: eax ecx edx ebx esp ebp esi edi  eip eflags  cs ss ds es fs gs
R_ESP	equ 16
R_EIP	equ 32
R_FLAGS equ 36
R_CS	equ 40
R_SS	equ 44
R_DS	equ 48
R_ES	equ 52
R_FS	equ 56
R_GS	equ 60

; void run_enter(void): loads current_regs and goes there. Comes back when a trap was taken.
run_enter:
	pushfd
	pushad
	mov	[saved_esp], esp
	mov	ebx, current_regs
	test	dword [ebx + R_FLAGS], 1 << 17
	jnz	.v86
	mov	eax, [ebx + R_CS]
	and	eax, 3
	jz	.same
	push	dword [ebx + R_SS]
	push	dword [ebx + R_ESP]
	jmp	.frame
.same:					; CPL 0: IRET leaves SS:ESP, so load them now
	mov	ss, [ebx + R_SS]
	mov	esp, [ebx + R_ESP]
.frame:
	push	dword [ebx + R_FLAGS]
	push	dword [ebx + R_CS]
	push	dword [ebx + R_EIP]
	mov	es, [ebx + R_ES]
	mov	fs, [ebx + R_FS]
	mov	gs, [ebx + R_GS]
	push	dword [ebx + R_DS]
	jmp	.general
.v86:
	push	dword [ebx + R_GS]
	push	dword [ebx + R_FS]
	push	dword [ebx + R_DS]
	push	dword [ebx + R_ES]
	push	dword [ebx + R_SS]
	push	dword [ebx + R_ESP]
	push	dword [ebx + R_FLAGS]
	push	dword [ebx + R_CS]
	push	dword [ebx + R_EIP]
	push	dword 0x10
.general:
	mov	eax, [ebx]
	mov	ecx, [ebx + 4]
	mov	edx, [ebx + 8]
	mov	ebp, [ebx + 20]
	mov	esi, [ebx + 24]
	mov	edi, [ebx + 28]
	mov	ebx, [ebx + 12]
	pop	ds
	iretd

; 256 entries of 16 bytes. Vectors with an error code have it pushed already.
	align	16
trap_stubs:
%assign v 0
%rep 256
	align	16
  %if !(v == 8 || (v >= 10 && v <= 14) || v == 17)
	push	dword 0
  %endif
	push	dword v
	jmp	near trap_common
%assign v v + 1
%endrep

	align	16
; struct trap: vector error eip cs eflags esp ss es ds fs gs (the last four as V86 pushes them),
; then frame_esp, then eax ecx edx ebx ebp esi edi, then ds es fs gs in force, cr2
trap_common:
	push	ds
	push	es
	pushad
	mov	ax, 0x10
	mov	ds, ax
	mov	es, ax
	mov	[trap_frame + 76], fs
	mov	[trap_frame + 80], gs
	mov	eax, [esp + 32]
	mov	[trap_frame + 72], eax	; es in force
	mov	eax, [esp + 36]
	mov	[trap_frame + 68], eax	; ds in force
	lea	esi, [ss:esp + 40]
	mov	[trap_frame + 44], esi	; where the frame lies
	mov	edi, trap_frame
	mov	ecx, 11
.copy:
	mov	eax, [ss:esi]
	mov	[edi], eax
	add	esi, 4
	add	edi, 4
	loop	.copy
	mov	eax, [ss:esp + 28]
	mov	[trap_frame + 48], eax
	mov	eax, [ss:esp + 24]
	mov	[trap_frame + 52], eax
	mov	eax, [ss:esp + 20]
	mov	[trap_frame + 56], eax
	mov	eax, [ss:esp + 16]
	mov	[trap_frame + 60], eax
	mov	eax, [ss:esp + 8]
	mov	[trap_frame + 64], eax
	mov	eax, [ss:esp + 4]
	mov	[trap_frame + 88], eax
	mov	eax, [ss:esp]
	mov	[trap_frame + 92], eax
	mov	eax, cr2
	mov	[trap_frame + 84], eax
	mov	ax, 0x10
	mov	ss, ax
	mov	esp, [saved_esp]
	xor	eax, eax
	mov	fs, ax
	mov	gs, ax
	clts
	popad
	popfd
	cld
	ret

; Ends the emulated machine: Bochs reads this word at port 8900h; QEMU's isa-debug-exit sits there.
guest_end:
	mov	esi, shutdown_word
	mov	dx, 0x8900
	mov	ecx, 8
	cld
	rep outsb
.stay:
	cli
	hlt
	jmp	.stay

section .rodata
shutdown_word: db "Shutdown"

section .bss
	alignb	4
saved_esp: resd 1
