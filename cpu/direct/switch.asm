; SPDX-License-Identifier: BSD-2-Clause
; The way to guest code and back: see switch.h. All of this, the frame included, lies in Farbus's
; image, the one part of its linear space that the guest's page directory has too.

bits 32

global direct_frame, direct_hide, direct_small_stack
global direct_switch_asm, direct_switch_translated_asm, direct_switch_back

section .bss align=16

		resd 4		; four more registers come where V86 mode was not expected
direct_frame:	resd 23
direct_hide:	resd 4
direct_small_stack: resd 2
saved_cr3:	resd 1
saved_esp:	resd 1

VECTOR equ direct_frame + 48
EIP    equ direct_frame + 56
ASTRAY equ 0x100		; DIRECT_ASTRAY

section .text

; Both begin with: ECX the new CR3, EAX the new CR0 or 0. All registers but EBP and ESP are lost.
%macro BEGIN 0
	push ebp
	mov edx, cr3
	mov [saved_cr3], edx
	mov [saved_esp], esp
	test eax, eax
	jz %%cr0_done
	mov cr0, eax
%%cr0_done:
%endmacro

direct_switch_translated_asm:
	BEGIN
	mov cr3, ecx
	mov esp, direct_frame
	pop gs
	pop fs
	pop es
	pop ds
	popad
	add esp, 8
	iretd

direct_switch_asm:
	BEGIN
	mov eax, [direct_hide]
	mov ebx, [direct_hide + 4]
	mov edx, [direct_hide + 8]
	mov esi, [direct_hide + 12]
	mov cr3, ecx
	mov esp, direct_frame
	pop gs
	pop fs
	pop es
	pop ds
	and byte [ss:eax + 5], 0x7f	; the P bit
	and byte [ss:ebx + 5], 0x7f
	and byte [ss:edx + 5], 0x7f
	and byte [ss:esi + 5], 0x7f
	popad
	add esp, 8
	cmp word [ss:direct_small_stack + 4], 0
	jne .small_stack
	iretd
.small_stack:
	lss esp, [ss:direct_small_stack]
	iretd

; The stack is the frame: vector, error and what the CPU pushed are there.
direct_switch_back:
	pushad
	push ds
	push es
	push fs
	push gs
	mov eax, ss
	mov ds, eax
	mov es, eax
	mov eax, [saved_cr3]
	mov cr3, eax
	cmp esp, direct_frame
	jne .astray
.back:	mov esp, [saved_esp]
	clts
	cld
	pop ebp
	ret
.astray:
	mov eax, [esp + VECTOR - direct_frame]
	or eax, ASTRAY
	mov [VECTOR], eax
	mov dword [EIP], 0
	jmp .back

section .note.GNU-stack noalloc noexec nowrite progbits
