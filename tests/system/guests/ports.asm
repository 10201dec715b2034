; SPDX-License-Identifier: BSD-2-Clause
; A boot sector that does little but use ports. After each key, the time-stamp counter's ticks for
; 10000 IN of a UART's line status one after the other; for 2000 characters sent to it the way a
; driver does, that is with a look at the line status before each; and for 200 sectors of the first
; disk, each with a command, a wait for its data and a REP INSW. The first and the last are done as
; many times as the key's code says in its lowest four bits: once for 'a', 15 times for 'o'.
	org 0x7c00
	bits 16
UART	equ 0x3f8
LSR	equ UART + 5
ATA	equ 0x1f0
READS	equ 10000
CHARS	equ 2000
SECTORS equ 200

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
next:	xor ah, ah
	int 0x16
	call say_char
	and al, 15
	mov [rounds], al
	cli
	mov si, text_in
	call say
	call watch
	mov dx, LSR
	mov bl, [rounds]
.reads:	mov cx, READS
.in:	in al, dx
	loop .in
	dec bl
	jnz .reads
	call say_ticks

	mov si, text_uart
	call say
	mov dx, UART + 3		; the fastest: divisor 1
	mov al, 0x83
	out dx, al
	mov dx, UART
	mov al, 1
	out dx, al
	inc dx
	dec al
	out dx, al
	mov dx, UART + 3
	mov al, 3
	out dx, al
	mov dx, UART + 2		; FIFOs on
	mov al, 1
	out dx, al
	call watch
	mov cx, CHARS
.char:	mov dx, LSR
	in al, dx
	test al, 0x20
	jz .char
	mov dx, UART
	mov al, 'a'
	out dx, al
	loop .char
	call say_ticks

	mov si, text_ata
	call say
	call watch
	mov bl, [rounds]
.sectors:
	mov bp, SECTORS
.sector:
	mov dx, ATA + 2
	mov al, 1
	out dx, al
	inc dx
	out dx, al
	inc dx
	dec al
	out dx, al
	inc dx
	out dx, al
	inc dx
	mov al, 0xe0
	out dx, al
	inc dx
	mov al, 0x20			; READ SECTORS
	out dx, al
.wait:	in al, dx
	and al, 0x88
	cmp al, 8
	jne .wait
	mov dx, ATA
	mov di, buffer
	mov cx, 256
	rep insw
	dec bp
	jnz .sector
	dec bl
	jnz .sectors
	call say_ticks
	mov si, text_end
	call say
	sti
	jmp next

%include "say.inc"
%include "ticks.inc"

ready:	db "ready", 13, 10, 0
text_in:
	db " in ", 0
text_uart:
	db " uart ", 0
text_ata:
	db " ata ", 0
text_end:
	db " .", 13, 10, 0
rounds:	db 0
	times 510 - ($ - $$) db 0
	dw 0xaa55
buffer	equ 0x8000
