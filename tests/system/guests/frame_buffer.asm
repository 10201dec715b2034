; SPDX-License-Identifier: BSD-2-Clause
; A boot sector that fills the VBE linear frame buffer (mode 101h, 640x480 in 8 bits) with one colour, reads it
; back, and after a key says in text mode what it found.
	org 0x7c00
	bits 16
FILL	equ 0x04040404			; red in the default palette
CELLS	equ 640 * 480 / 4

start:	cli
	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7c00
	cld
	in al, 0x92			; A20
	or al, 2
	out 0x92, al
	lgdt [gdt_pointer]		; unreal mode: FS reaches 4 GB
	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp .protected
.protected:
	mov bx, 8
	mov fs, bx
	and al, 0xfe
	mov cr0, eax
	sti
	mov ax, 0x4f01			; VBE: information about the mode
	mov cx, 0x101
	mov di, 0x8000
	int 0x10
	cmp ax, 0x004f
	jne .none
	mov ax, 0x4f02			; set it, with the linear frame buffer
	mov bx, 0x4101
	int 0x10
	cmp ax, 0x004f
	jne .none
	mov edi, [0x8028]		; PhysBasePtr
	cmp byte [0x8019], 8		; bits a pixel
	jne .none
	mov ecx, CELLS
.fill:	mov dword [fs:edi + ecx * 4 - 4], FILL
	dec ecx
	jnz .fill
	mov ecx, CELLS
.check:	cmp dword [fs:edi + ecx * 4 - 4], FILL
	jne .differs
	dec ecx
	jnz .check
	mov si, good
	jmp .say
.differs:
	mov si, bad
	jmp .say
.none:	mov si, no_mode
.say:	xor ah, ah			; a key
	int 0x16
	mov ax, 3
	int 0x10
	call say
.wait:	hlt
	jmp .wait
%include "say.inc"

good:	db "frame buffer holds", 0
bad:	db "frame buffer differs", 0
no_mode: db "no such mode", 0

	align 8
gdt:	dq 0
	dq 0x00cf92000000ffff
gdt_pointer:
	dw 15
	dd gdt
	times 510 - ($ - $$) db 0
	dw 0xaa55
