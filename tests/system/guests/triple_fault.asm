; SPDX-License-Identifier: BSD-2-Clause
; A boot sector whose first exception finds no interrupt table. WAIT_TICKS: so many ticks of the
; BIOS's clock (55 ms) go by before.
	org 0x7c00
	bits 16
	xor ax, ax
	mov ds, ax
%ifdef WAIT_TICKS
	mov cx, WAIT_TICKS
.tick:	mov al, [0x46c]
.same:	cmp al, [0x46c]
	je .same
	loop .tick
%endif
	cli
	lidt [none]
	int3
none:	dw 0
	dd 0
	times 510 - ($ - $$) db 0
	dw 0xaa55
