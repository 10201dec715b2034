; SPDX-License-Identifier: BSD-2-Clause
; A boot sector whose CPL 3 executes IRET with VM set on the stack. A CPU ignores that bit there, and
; `kept` is on the screen. QEMU 7.2 goes to V86 mode; after the reset that follows the sector says so.
	org 0x7c00
	bits 16
SCREEN	equ 0xb8000
CODE_3	equ 0x1b			; the selector of CPL 3's code, as a segment

	jmp start
	bits 32
kept:	mov dword [SCREEN], 0x0765076b
	mov dword [SCREEN + 4], 0x07740770
	jmp $
	bits 16
%include "say.inc"
%include "reset.inc"
%include "flat.inc"
start:	cli
	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
	say_if_reset
	mov ax, 3			; clears the screen
	int 0x10
	mov al, 0xff			; no interrupts: there is no IDT
	out 0x21, al
	out 0xa1, al
	to_flat
	mov ax, 0x23
	mov ds, ax
	mov es, ax
	push dword 0x23			; SS, ESP, EFLAGS, CS, EIP
	push dword 0x7000
	push dword 0x202
	push dword CODE_3
	push dword user
	iretd
user:	xor eax, eax
	push eax			; GS, FS, DS, ES, SS, for V86 mode
	push eax
	push eax
	push eax
	push eax
	push dword 0x6000		; ESP
	push dword 0x20202		; EFLAGS with VM
	push dword CODE_3
	push dword kept
	iretd
	times 510 - ($ - $$) db 0xcc	; INT3, also where V86 mode finds `kept`
	dw 0xaa55
