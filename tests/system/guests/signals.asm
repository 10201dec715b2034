; SPDX-License-Identifier: BSD-2-Clause
; A boot sector that says what reaches it: keys, packets of the PS/2 mouse, NMIs. The key m changes
; to the monochrome text mode 7.
	org 0x7c00
	bits 16
start:	cli
	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7c00
	mov word [2 * 4], nmi
	mov [2 * 4 + 2], ax
	sti
	mov ax, 0xc205			; BIOS: set the mouse up, packets of 3 bytes
	mov bh, 3
	int 0x15
	mov ax, 0xc207			; who is called for each
	mov bx, packet
	int 0x15
	mov ax, 0xc200			; on
	mov bh, 1
	int 0x15
	mov si, ready
	call say
idle:	hlt
	xor al, al
	xchg al, [nmis]
	test al, al
	jz .mouse
	mov si, text_nmi
	call say
.mouse:	xor al, al
	xchg al, [packets]
	test al, al
	jz .key
	mov si, text_mouse
	call say
	mov al, [status]
	call say_byte
	mov al, [dx_byte]
	call say_byte
	mov al, [dy_byte]
	call say_byte
.key:	mov ah, 1
	int 0x16
	jz idle
	xor ah, ah
	int 0x16
	push ax
	cmp al, 'm'
	jne .print
	mov ax, 7
	int 0x10
.print:	mov si, text_key
	call say
	pop ax
	call say_char
	jmp .key

nmi:	mov byte [cs:nmis], 1
	iret

; A far call with four words: status, x, y, 0.
packet:	push bp
	mov bp, sp
	push ax
	mov al, [bp + 12]
	mov [cs:status], al
	mov al, [bp + 10]
	mov [cs:dx_byte], al
	mov al, [bp + 8]
	mov [cs:dy_byte], al
	mov byte [cs:packets], 1
	pop ax
	pop bp
	retf

say_byte:
	push ax
	mov al, ' '
	call say_char
	pop ax
	push ax
	shr al, 4
	call say_digit
	pop ax
	jmp say_digit

%include "say.inc"

ready:	db 13, 10, "ready", 0
text_nmi: db 13, 10, "nmi", 0
text_mouse: db 13, 10, "mouse", 0
text_key: db 13, 10, "key ", 0
nmis:	db 0
packets: db 0
status:	db 0
dx_byte: db 0
dy_byte: db 0
	times 510 - ($ - $$) db 0
	dw 0xaa55
