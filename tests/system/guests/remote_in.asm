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

; [began] := the time-stamp counter.
watch:	rdtsc
	mov [began], eax
	mov [began + 4], edx
	ret

; What it has counted since, as 16 hexadecimal digits.
say_ticks:
	rdtsc
	sub eax, [began]
	sbb edx, [began + 4]
	push eax
	mov ebx, edx
	call say_hex
	pop ebx
say_hex:				; EBX
	mov cx, 8
.digit:	rol ebx, 4
	mov al, bl
	and al, 15
	cmp al, 10
	sbb al, 0x69
	das
	call say_char
	loop .digit
	ret

say:	lodsb				; the text at SI
	test al, al
	jz say_char.end
	call say_char
	jmp say

say_char:
	push ebx
	push cx
	push bp
	mov ah, 0x0e
	xor bx, bx
	int 0x10
	pop bp
	pop cx
	pop ebx
.end:	ret

ready:	db "ready", 13, 10, 0
text_in:
	db " in ", 0
text_wrong:
	db " wrong ", 0
text_block:
	db " block ", 0
text_end:
	db " .", 13, 10, 0
began:	dq 0
	times 510 - ($ - $$) db 0
	dw 0xaa55
buffer	equ 0x8000
