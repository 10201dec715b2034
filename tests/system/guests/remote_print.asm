; SPDX-License-Identifier: BSD-2-Clause
; A boot sector that prints bytes at LPT1, each one more than the last, for ever: it waits until the
; printer is not busy, gives the byte and strobes. It shows a dot for every 16 bytes.
	org 0x7c00
	bits 16
DATA	equ 0x378
STATUS	equ DATA + 1
CONTROL	equ DATA + 2
STROBE	equ 0x0d
IDLE	equ 0x0c
READY	equ 0x80

start:	cli
	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
	sti
	mov si, ready
	call say
	xor cl, cl			; the byte
next:	mov dx, STATUS
.busy:	in al, dx
	test al, READY
	jz .busy
	mov dx, DATA
	mov al, cl
	out dx, al
	mov dx, CONTROL
	mov al, STROBE
	out dx, al
	mov al, IDLE
	out dx, al
	inc cl
	test cl, 15
	jnz next
	mov al, '.'
	call say_char
	jmp next

%include "say.inc"

ready:	db "ready", 13, 10, 0
	times 510 - ($ - $$) db 0
	dw 0xaa55
