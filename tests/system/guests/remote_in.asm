; SPDX-License-Identifier: BSD-2-Clause
; A boot sector that tells how long reads of a port take: after each key, that key, the time-stamp
; counter's ticks for 1000 IN from 2FFh (a UART's scratch register, which keeps what it was given),
; how many of them read something else, and the ticks for 100 blocks of 512 bytes by REP INSB.
	org 0x7c00
	bits 16
PORT	equ 0x2ff
KEPT	equ 0x5a
READS	equ 1000
BLOCKS	equ 100

start:	cli
	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7c00
	cld
	sti
	mov dx, PORT
	mov al, KEPT
	out dx, al
	mov si, ready
	call say
round:	xor ah, ah
	int 0x16
	call say_char
	mov si, text_in
	call say
	call watch
	mov dx, PORT
	mov cx, READS
	xor bp, bp			; wrong values
.in:	in al, dx
	cmp al, KEPT
	je .right
	inc bp
.right:	loop .in
	call say_ticks
	mov si, text_wrong
	call say
	movzx ebx, bp
	call say_hex
	mov si, text_block
	call say
	call watch
	mov dx, PORT
	mov bp, BLOCKS
.block:	mov di, buffer
	mov cx, 512
	rep insb
	dec bp
	jnz .block
	call say_ticks
	mov si, text_end
	call say
	jmp round

%include "say.inc"
%include "ticks.inc"

ready:	db "ready", 13, 10, 0
text_in:
	db " in ", 0
text_wrong:
	db " wrong ", 0
text_block:
	db " block ", 0
text_end:
	db " .", 13, 10, 0
	times 510 - ($ - $$) db 0
	dw 0xaa55
buffer	equ 0x8000
