; SPDX-License-Identifier: BSD-2-Clause
; A boot sector that reads the first 72 sectors of its floppy with the BIOS, which uses DMA channel 2, says
; a checksum of them, and writes the first track of them to cylinder 40.
	org 0x7c00
	bits 16
DATA	equ 0x1000			; segment
TRACK	equ 18 * 512

start:	cli
	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
	sti
	mov ax, DATA
	mov es, ax
	xor bx, bx
	xor dx, dx			; drive A, head 0
.cylinder:
	mov ch, [cylinder]
	mov cl, 1
	mov ax, 0x0212
	int 0x13
	jc failed
	add bx, TRACK
	xor dh, 1
	jnz .cylinder
	inc byte [cylinder]
	cmp byte [cylinder], 2
	jne .cylinder

	xor si, si
	xor dx, dx
	mov cx, 2 * TRACK
.word:	es lodsw
	rol dx, 1
	add dx, ax
	loop .word
	mov cx, 4
.digit:	rol dx, 4
	mov al, dl
	call say_digit
	loop .digit
	mov si, text_sum
	call say

	xor bx, bx
	mov cx, 0x2801			; cylinder 40, sector 1
	xor dx, dx
	mov ax, 0x0312
	int 0x13
	jc failed
	mov si, text_done
	call say
	jmp $

failed:	mov si, text_failed
	call say
	jmp $

%include "say.inc"

cylinder db 0
text_sum db " is the sum", 13, 10, 0
text_done db "written", 13, 10, 0
text_failed db "failed", 13, 10, 0
	times 510 - ($ - $$) db 0
	dw 0xaa55
