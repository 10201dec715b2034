; SPDX-License-Identifier: BSD-2-Clause
; A boot sector that shows how many NMIs have come. Nothing else comes meanwhile whose IRET would let
; the next one in; and the counter is not in the code's page, so that real mode can run on the CPU.
	org 0x7c00
	bits 16
COUNT	equ 0x600
NMI	equ 2

start:	cli
	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7000
	cld
	mov ax, 3			; 80 columns, and a clear screen
	int 0x10
	mov si, text
	call say
	cli
	mov byte [COUNT], 0
	mov word [NMI * 4], come
	mov word [NMI * 4 + 2], 0
	mov ax, 0xb800
	mov es, ax
	mov bl, 0
.show:	mov al, bl
	add al, '0'
	mov di, 6 * 2
	stosb
.wait:	cmp bl, [COUNT]
	je .wait
	mov bl, [COUNT]
	jmp .show

come:	inc byte [COUNT]
	iret

text:	db "NMIs:", 0
%include "say.inc"
	times 510 - ($ - $$) db 0
	dw 0xaa55
