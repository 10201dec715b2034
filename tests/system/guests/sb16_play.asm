; SPDX-License-Identifier: BSD-2-Clause
; A floppy that plays through a Sound Blaster 16 (port 220h, IRQ 5, DMA 1 and 5) at 44,100 Hz, mono:
; first 30,000 bytes as one 8-bit block, byte i is i + 3 * (i >> 8); then 8 halves of an auto-init block of
; 8192 words, word i is 7 * i, each half refilled in the interrupt that ends it. It says what it found.
	org 0x7c00
	bits 16
DSP	equ 0x220
BYTES	equ 30000
HALF	equ 4096			; words
HALVES	equ 8
BLOCK	equ 0x2000			; segment of the 8-bit block
ROUND	equ 0x4000			; segment of the auto-init block
WORDS	equ 0x5000			; of all words for it, 64 KB

start:	cli
	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
	sti
	mov es, ax
	mov ax, 0x0202			; the rest of this program
	mov bx, 0x7e00
	mov cx, 0x0002
	xor dh, dh			; DL is the drive that we come from
	int 0x13
	jc $
	jmp rest

%include "say.inc"

; The byte in AL to the DSP, once it takes it.
dsp:	mov ah, al
	mov dx, DSP + 0xc
.busy:	in al, dx
	test al, al
	js .busy
	mov al, ah
	out dx, al
	ret

; The bytes at SI to the DSP, BX of them.
commands:
	lodsb
	call dsp
	dec bx
	jnz commands
	ret

; Pairs of port (word) and value at SI to other ports, CX of them.
outs:	lodsw
	mov dx, ax
	lodsb
	out dx, al
	loop outs
	ret

	times 510 - ($ - $$) db 0
	dw 0xaa55

rest:	call reset_dsp
	mov word [4 * 0x0d], interrupt	; IRQ 5
	mov word [4 * 0x0d + 2], ds
	in al, 0x21
	and al, 0xdf
	out 0x21, al
	call play_block
	call pause
	call play_round
	mov si, text_done
	call say
	jmp $

reset_dsp:
	mov dx, DSP + 6
	mov al, 1
	out dx, al
	mov cx, 100
.wait:	in al, dx
	loop .wait
	xor al, al
	out dx, al
.ready:	mov dx, DSP + 0xe
	in al, dx
	test al, al
	jns .ready
	mov dx, DSP + 0xa
	in al, dx
	cmp al, 0xaa
	mov si, text_no_dsp
	jne fail
	mov si, mixer
	mov cx, MIXER_PORTS
	call outs
	mov al, 0xd1			; speaker on
	jmp dsp

fail:	call say
	jmp $

play_block:
	mov ax, BLOCK
	mov es, ax
	xor di, di
.fill:	mov ax, di
	mov bl, ah
	add al, bl
	add al, bl
	add al, bl
	stosb
	cmp di, BYTES
	jne .fill
	mov si, block_8237
	mov cx, BLOCK_PORTS
	call outs
	mov si, block_dsp
	mov bx, BLOCK_COMMANDS
	call commands
.wait:	cmp byte [interrupts], 1
	jne .wait
	mov si, text_block
	call say
	in al, 8			; QEMU's own 8237 has none for this device
	test al, 2
	jz .none
	out 0x0c, al
	in al, 3
	mov ah, al
	in al, 3
	cmp ax, 0xffff
	jne .none
	mov si, text_tc
	jmp say
.none:	ret

; What the emulated card has taken is played a little later.
pause:	mov ax, [0x46c]
	add ax, 6			; 55 ms each
.wait:	cmp ax, [0x46c]
	jne .wait
	ret

play_round:
	mov byte [interrupts], 0
	mov byte [rounds], 1
	mov ax, WORDS
	mov es, ax
	xor di, di
	xor ax, ax
.fill:	stosw
	add ax, 7
	test di, di
	jnz .fill
	mov ax, ROUND
	mov es, ax
	call refill
	call refill
	mov si, round_8237
	mov cx, ROUND_PORTS
	call outs
	mov si, round_dsp
	mov bx, ROUND_COMMANDS
	call commands
.wait:	cmp byte [interrupts], HALVES - 1
	jne .wait
	mov al, 0xd9			; this half is the last
	call dsp
.last:	cmp byte [interrupts], HALVES
	jne .last
	mov si, text_round
	jmp say

; The half that was played first gets the next words.
refill:	mov cx, HALF
	mov si, [next]
	mov di, [where]
	push ds
	mov ax, WORDS
	mov ds, ax
	rep movsw
	pop ds
	and di, 4 * HALF - 1
	mov [where], di
	mov [next], si
	ret

interrupt:
	pusha
	mov dx, DSP + 0xe
	in al, dx
	inc dx
	in al, dx
	inc byte [interrupts]
	cmp byte [rounds], 0
	je .end
	call refill
.end:	mov al, 0x20
	out 0x20, al
	popa
	iret

%macro port 2
	dw %1
	db %2
%endmacro

; DMA channels 1 and 5, IRQ 5; all volumes at their highest
mixer:
	port DSP + 4, 0x81
	port DSP + 5, 0x22
	port DSP + 4, 0x80
	port DSP + 5, 0x02
	port DSP + 4, 0x30
	port DSP + 5, 0xf8
	port DSP + 4, 0x31
	port DSP + 5, 0xf8
	port DSP + 4, 0x32
	port DSP + 5, 0xf8
	port DSP + 4, 0x33
	port DSP + 5, 0xf8
MIXER_PORTS equ ($ - mixer) / 3

block_8237:
	port 0x0a, 5
	port 0x0c, 0
	port 0x0b, 0x49
	port 0x02, 0
	port 0x02, 0
	port 0x83, BLOCK >> 12
	port 0x03, (BYTES - 1) & 255
	port 0x03, (BYTES - 1) >> 8
	port 0x0a, 1
BLOCK_PORTS equ ($ - block_8237) / 3

round_8237:
	port 0xd4, 5
	port 0xd8, 0
	port 0xd6, 0x59
	port 0xc4, 0
	port 0xc4, 0
	port 0x8b, ROUND >> 12
	port 0xc6, (2 * HALF - 1) & 255
	port 0xc6, (2 * HALF - 1) >> 8
	port 0xd4, 1
ROUND_PORTS equ ($ - round_8237) / 3

; 44,100 Hz; 8 bits, single, mono, unsigned
block_dsp:
	db 0x41, 0xac, 0x44, 0xc0, 0x00, (BYTES - 1) & 255, (BYTES - 1) >> 8
BLOCK_COMMANDS equ $ - block_dsp
; 16 bits, auto-init, mono, signed
round_dsp:
	db 0x41, 0xac, 0x44, 0xb6, 0x10, (HALF - 1) & 255, (HALF - 1) >> 8
ROUND_COMMANDS equ $ - round_dsp

interrupts db 0
rounds	db 0
next	dw 0
where	dw 0

text_no_dsp db "no DSP", 13, 10, 0
text_block db "block played", 13, 10, 0
text_tc	db "terminal count", 13, 10, 0
text_round db "rounds played", 13, 10, 0
text_done db "done", 13, 10, 0

	times 3 * 512 - ($ - $$) db 0
