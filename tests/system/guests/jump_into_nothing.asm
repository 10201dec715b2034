; SPDX-License-Identifier: BSD-2-Clause
; A boot sector that enters flat protected mode and jumps to where no memory is.
	org 0x7c00
	bits 16
	xor ax, ax
	mov ds, ax
	mov si, text
.next:	lodsb
	test al, al
	jz .go
	mov ah, 0x0e
	xor bx, bx
	int 0x10
	jmp .next
.go:	cli
	lgdt [gdtr]
	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp dword 8:0xd0000000
text:	db 13, 10, "jumping", 13, 10, 0
	align 8
gdt:	dq 0
	dq 0x00cf9a000000ffff
gdtr:	dw $ - gdt - 1
	dd gdt
	times 510 - ($ - $$) db 0
	dw 0xaa55
