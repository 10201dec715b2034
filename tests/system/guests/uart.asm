; SPDX-License-Identifier: BSD-2-Clause
; A boot sector that, at each key, uses COM1 in loopback mode in most ways there are: divisor, FIFOs,
; 16 bytes out and in again with polling, a block of 16 by REP OUTSB, modem lines, scratch register.
	org 0x7c00
	bits 16
COM	equ 0x3f8

start:	cli
	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7c00
	cld
	sti
	mov si, ready
	call say
round:	xor ah, ah
	int 0x16
	call say_char
	mov si, settings
	mov cx, SETTINGS
.set:	lodsb				; a register's number, then its value
	movzx dx, al
	add dx, COM
	lodsb
	out dx, al
	in al, dx
	loop .set
	mov bl, 16
.byte:	call wait_empty
	mov dx, COM
	mov al, bl
	out dx, al
	call take
	dec bl
	jnz .byte
	mov dx, COM
	mov si, block
	mov cx, 16
	rep outsb
	mov bl, 16
.back:	call take
	dec bl
	jnz .back
	mov dx, COM + 4
	mov al, 0x1a			; RTS, OUT2, loopback
	out dx, al
	mov dx, COM + 6
	in al, dx
	in al, dx
	mov dx, COM + 7
	mov al, 0x5a
	out dx, al
	in al, dx
	mov dx, COM + 2
	in al, dx
	mov dx, COM + 4
	mov al, 3
	out dx, al
	mov si, done
	call say
	jmp round

wait_empty:
	mov dx, COM + 5
.again:	in al, dx
	test al, 0x20
	jz .again
	ret

take:	mov dx, COM + 5
.again:	in al, dx
	test al, 1
	jz .again
	mov dx, COM
	in al, dx
	ret

%include "say.inc"

settings:
	db 3, 0x83, 0, 1, 1, 0, 3, 0x03, 1, 0, 2, 0x07, 4, 0x10
SETTINGS equ ($ - settings) / 2
block:	db "sixteen letters."
ready:	db "ready", 13, 10, 0
done:	db " done", 13, 10, 0
	times 510 - ($ - $$) db 0
	dw 0xaa55
