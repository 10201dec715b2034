; SPDX-License-Identifier: BSD-2-Clause
; A boot sector that greets and waits.
	org 0x7c00
	bits 16
	xor ax, ax
	mov ds, ax
	mov si, text
	cld
	call say
.wait:	hlt
	jmp .wait
%include "say.inc"
text:	db 13, 10, "hello", 13, 10, 0
	times 510 - ($ - $$) db 0
	dw 0xaa55
