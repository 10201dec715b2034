; SPDX-License-Identifier: BSD-2-Clause
; A DOS program that initialises the first printer through the BIOS. Until then QEMU's port shows an
; EPP time-out that a printer does not have, and DOS takes it for one of its own.
	bits 16
	org 0x100

	mov ah, 1
	xor dx, dx
	int 0x17
	mov ax, 0x4c00
	int 0x21
