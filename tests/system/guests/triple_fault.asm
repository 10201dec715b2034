; SPDX-License-Identifier: BSD-2-Clause
; A boot sector whose first exception finds no interrupt table.
	org 0x7c00
	bits 16
	xor ax, ax
	mov ds, ax
	cli
	lidt [none]
	int3
none:	dw 0
	dd 0
	times 510 - ($ - $$) db 0
	dw 0xaa55
