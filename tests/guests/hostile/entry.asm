; SPDX-License-Identifier: BSD-2-Clause
; The part of the hostile guest that stays in its ROM, where nothing can spoil it: the reset vector,
; the IDT, and the handlers that lead from one piece of random code to the next. The rest is copied
; to RAM anew for each round.

extern main, bss_start, bss_end
global _start, enter, enter_real, end_round, copy

ROM_BASE  equ 0xf0000
RAM_BASE  equ 0x10000
ROM_BYTES equ 0xf000
%define LIN(label) ((label) - reset_entry + ROM_BASE + 0xf000)
%define OFF(label) ((label) - reset_entry + 0xf000)

; layout.h
SHARED	  equ 0x8000
LEFT	  equ SHARED
RANDOM	  equ SHARED + 4
CODE	  equ SHARED + 8
MASK	  equ SHARED + 12
RESUME	  equ SHARED + 16
FLAGS	  equ SHARED + 20
STACK	  equ SHARED + 24
FAULTS	  equ SHARED + 28
TRAPS	  equ SHARED + 32
REAL_CS	  equ SHARED + 36
POOL	  equ SHARED + 40
STACK_AT  equ 0xf000
DATA_AT	  equ 0x40000

SEL_FAULT equ 0x58		; the double fault's TSS

; EAX: the next of xorshift32's numbers. Changes EDX.
%macro NEXT_RANDOM 0
	mov	eax, [RANDOM]
	mov	edx, eax
	shl	edx, 13
	xor	eax, edx
	mov	edx, eax
	shr	edx, 17
	xor	eax, edx
	mov	edx, eax
	shl	edx, 5
	xor	eax, edx
	mov	[RANDOM], eax
%endmacro

section .start progbits alloc exec
bits 32
_start:
	mov	edi, bss_start
	mov	ecx, bss_end
	sub	ecx, edi
	xor	eax, eax
	rep stosb
	call	main		; does not come back
	ud2

enter:
	mov	eax, [esp + 4]
	mov	edx, [esp + 8]
	mov	ss, edx
	mov	esp, eax
	pop	es
	pop	fs
	pop	gs
	pop	ds
	popad
	iretd

copy:
	push	esi
	push	edi
	mov	edi, [esp + 12]
	mov	esi, [esp + 16]
	mov	ecx, [esp + 20]
	cld
	mov	dword [RESUME], .over
	rep movsd
.over:
	mov	dword [RESUME], 0
	mov	eax, ecx
	pop	edi
	pop	esi
	ret

end_round:
	mov	eax, LIN(over)
	jmp	eax

enter_real:
	mov	eax, LIN(to_real)
	jmp	eax

section .reset progbits alloc exec
bits 16
reset_entry:			; in the last 4 KB of the ROM, CS base F0000h or FFFF0000h
	cli
	cld
	o32 lgdt [cs:OFF(gdtr)]
	mov	eax, 0x11
	mov	cr0, eax
	jmp	dword 0x08:LIN(protected)

bits 32
; The end of a round, in whatever state: paging off, as all of this has its own address.
over:
	cli
	mov	eax, 0x11
	mov	cr0, eax
	lgdt	[cs:LIN(gdtr)]
	jmp	dword 0x08:LIN(protected)

protected:
	mov	ax, 0x10
	mov	ds, ax
	mov	es, ax
	mov	fs, ax
	mov	gs, ax
	mov	ss, ax
	mov	esp, STACK_AT
	push	dword 2
	popfd
	xor	eax, eax
	mov	dr7, eax
	mov	cr4, eax
	lldt	ax
	in	al, 0x92
	or	al, 2
	and	al, 0xfe
	out	0x92, al
	; Only what has changed: pages that are written to often are not translated.
	mov	esi, ROM_BASE
	mov	edi, RAM_BASE
	mov	ecx, ROM_BYTES / 4
.compare:
	repe cmpsd
	je	.same
	mov	eax, [esi - 4]
	mov	[edi - 4], eax
	jecxz	.same
	jmp	.compare
.same:
	lidt	[LIN(idtr)]
	mov	eax, RAM_BASE
	jmp	eax

; An exception or INT n: on with another piece of the code, other registers and other flags.
error_fault:
	add	esp, 4
fault:
	pushad
	push	ds
	push	es
	mov	eax, 0x10
	mov	ds, eax
	cmp	dword [RESUME], 0
	jne	.resume
	inc	dword [FAULTS]
	dec	dword [LEFT]
	js	over
	call	next_random
	mov	ebx, eax
	and	ebx, [MASK]
	add	ebx, [CODE]
	mov	[esp + 40], ebx		; EIP
	call	next_random
	movzx	ecx, al
	and	ecx, 63
	mov	edx, [POOL + ecx * 4]
	mov	[esp + 8], edx		; EDI
	movzx	ecx, ah
	and	ecx, 63
	mov	edx, [POOL + ecx * 4]
	mov	[esp + 12], edx		; ESI
	shr	eax, 16
	movzx	ecx, al
	and	ecx, 63
	mov	edx, [POOL + ecx * 4]
	mov	[esp + 24], edx		; EBX
	movzx	ecx, ah
	and	ecx, 63
	mov	edx, [POOL + ecx * 4]
	mov	[esp + 36], edx		; EAX
	call	next_random
	mov	[esp + 28], eax		; EDX
	shr	eax, 24
	mov	[esp + 32], eax		; ECX
	call	next_random
	mov	edx, eax
	and	eax, [FLAGS]
	test	edx, 0xf8000000		; interrupts off: what loops then, nothing ends
	jz	.off
	or	eax, 0x200
.off:
	and	dword [esp + 48], 1 << 17 ; VM stays
	or	[esp + 48], eax
	or	dword [esp + 48], 2
	test	byte [esp + 50], 2
	jnz	.outer
	test	byte [esp + 44], 3	; CPL
	jz	.back
.outer:
	mov	eax, [STACK]
	mov	[esp + 52], eax		; ESP
.back:
	pop	es
	pop	ds
	popad
	iretd
.resume:
	mov	eax, [RESUME]
	mov	[esp + 40], eax
	jmp	.back

next_random:
	NEXT_RANDOM
	ret

; Single steps and breakpoints go on where they are, as long as there are not too many.
trap:
	pushad
	push	ds
	push	es
	mov	eax, 0x10
	mov	ds, eax
	inc	dword [TRAPS]
	dec	dword [LEFT]
	js	over
	xor	eax, eax
	mov	dr6, eax
	or	dword [esp + 48], 1 << 16 ; RF
	pop	es
	pop	ds
	popad
	iretd

; EAX, behind enter_real()'s return address: the IP.
to_real:
	mov	ebp, [esp + 4]
	lidt	[LIN(real_idtr)]
	jmp	0x60:OFF(.sixteen)
bits 16
.sixteen:
	mov	ax, 0x68
	mov	ss, ax
	mov	es, ax
	mov	ds, ax
	mov	eax, 0x10
	mov	cr0, eax
	jmp	0xf000:OFF(.loaded)
.loaded:
	mov	ax, DATA_AT / 16
	mov	ds, ax
	mov	es, ax
	mov	ss, ax
	mov	ax, 0xffff
	mov	gs, ax
	mov	sp, 0xfff0
	xor	eax, eax
	mov	fs, ax
	push	word [fs:REAL_CS]
	push	bp
	sti
	retf

; The real mode's fault: the same as above, without the registers.
real_fault:
	push	ds
	push	bp
	push	eax
	push	edx
	mov	bp, sp
	xor	ax, ax
	mov	ds, ax
	dec	dword [LEFT]
	js	reset_entry
	inc	dword [FAULTS]
	call	real_random
	mov	[bp + 12], ax		; IP
	mov	ax, [REAL_CS]
	mov	[bp + 14], ax
	call	real_random
	and	ax, [FLAGS]
	or	ax, 0x202
	mov	[bp + 16], ax
	pop	edx
	pop	eax
	pop	bp
	pop	ds
	iret

real_random:
	NEXT_RANDOM
	ret

	align	8
; Segments as of CPL 0 to 3 and the double fault's task: hostile.c has the same in RAM.
gdt:
	dq	0
	dq	0x00cf9b000000ffff
	dq	0x00cf93000000ffff
	times	9 dq 0
	dq	0x00009b0f0000ffff	; 60h: 16-bit code at F0000h
	dq	0x000093000000ffff	; 68h
gdtr:
	dw	$ - gdt - 1
	dd	LIN(gdt)
	align	4
idtr:
	dw	256 * 8 - 1
	dd	LIN(idt)
real_idtr:
	dw	0x3ff
	dd	0

; All for CPL 3. The timer's ends the round, as does 21h.
%macro GATE 1
	dw	OFF(%1), 0x08, 0xee00, 0x000f
%endmacro
	align	8
idt:
%assign v 0
%rep 256
 %if v == 1 || v == 3 || v == 4
	GATE	trap
 %elif v == 8
	dw	0, SEL_FAULT, 0x8500, 0
 %elif (v >= 10 && v <= 14) || v == 17
	GATE	error_fault
 %elif v == 32 || v == 33
	GATE	over
 %else
	GATE	fault
 %endif
 %assign v v + 1
%endrep

	times	0xfe0 - ($ - reset_entry) db 0
	dd	1, LIN(idt), OFF(real_fault), 1 ; struct rom
	times	0xff0 - ($ - reset_entry) db 0
bits 16
	jmp	0xf000:0xf000
	times	0x1000 - ($ - reset_entry) db 0
