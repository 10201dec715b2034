; SPDX-License-Identifier: BSD-2-Clause
; A boot sector whose CPL 0 writes COUNT times VALUE to each page of the 4 MB at FC000000h, from
; offset SKIP on, reads a port and calls a function after each, round after round. Where segment
; limits are not checked (QEMU), translated code reaches the translator's state so. After a reset it
; says so and waits.
	org 0x7c00
	bits 16
	jmp start
%include "say.inc"
%include "reset.inc"
%include "flat.inc"
start:	cli
	xor ax, ax
	mov ds, ax
	say_if_reset
	to_flat
	mov esp, 0x7000
	cld
round:	mov ebx, 0xfc000000
page:	lea edi, [ebx + SKIP]
	mov eax, VALUE
	mov ecx, COUNT
	rep stosd
	in al, 0x61
	call none
	add ebx, 0x1000
	cmp ebx, 0xfc400000
	jne page
	jmp round
none:	ret
	times 510 - ($ - $$) db 0
	dw 0xaa55
