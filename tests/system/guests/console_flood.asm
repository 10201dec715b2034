; SPDX-License-Identifier: BSD-2-Clause
; A boot sector that writes to the screen and never stops.
	org 0x7c00
	bits 16
	xor ax, ax
	mov ds, ax
again:	mov si, text
.next:	lodsb
	test al, al
	jz again
	mov ah, 0x0e
	xor bx, bx
	int 0x10
	jmp .next
text:	db "flood ", 0
	times 510 - ($ - $$) db 0
	dw 0xaa55
