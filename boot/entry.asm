; SPDX-License-Identifier: BSD-2-Clause
; From GRUB (Multiboot 1: protected mode, flat segments, paging off) to boot_main() at its link
; address. Runs at 1 MB; only 4 MB pages are used here, so that one page directory is all it takes.

bits 32

MB_MAGIC	equ 0x1badb002
MB_FLAGS	equ 3			; modules page-aligned, memory map wanted
MB_LOADED	equ 0x2badb002

SLOT		equ 0xfc000000
WINDOW		equ 0x10000000
WINDOW_SIZE	equ 0xb0000000
PAGE_4M		equ 0x83		; present, writable, 4 MB

CPUID_PSE	equ 1 << 3
CPUID_TSC	equ 1 << 4
EFLAGS_ID	equ 1 << 21
CR4_PSE		equ 1 << 4
CR0_WP		equ 1 << 16
CR0_PG		equ 1 << 31

global _start
extern boot_main, boot_page_directory, stack_top, gdt_pointer

section .multiboot progbits alloc noexec nowrite align=4
	dd MB_MAGIC, MB_FLAGS, -(MB_MAGIC + MB_FLAGS)

section .boot progbits alloc exec nowrite align=16

_start:
	cli
	cld
	mov esp, stack_top - SLOT
	mov ebp, eax			; the loader's magic
	mov esi, no_multiboot
	cmp eax, MB_LOADED
	jne refuse
	call check_cpu
	call make_pages
	mov eax, cr4
	or eax, CR4_PSE
	mov cr4, eax
	mov eax, boot_page_directory - SLOT
	mov cr3, eax
	mov eax, cr0
	or eax, CR0_PG | CR0_WP
	mov cr0, eax
	mov eax, high
	jmp eax

; EBX is kept. CPUID exists when EFLAGS.ID can be changed (SDM vol. 1, 3.4.3.3).
check_cpu:
	mov edi, ebx
	mov esi, no_pse
	pushfd
	pop eax
	mov ecx, eax
	xor eax, EFLAGS_ID
	push eax
	popfd
	pushfd
	pop eax
	cmp eax, ecx
	je refuse
	mov eax, 1
	cpuid
	not edx
	test edx, CPUID_PSE | CPUID_TSC
	jnz refuse
	mov ebx, edi
	ret

; The first 4 MB where they are and at the slot, and the window on all of physical memory.
make_pages:
	mov edi, boot_page_directory - SLOT
	mov dword [edi], PAGE_4M
	mov dword [edi + (SLOT >> 22) * 4], PAGE_4M
	add edi, (WINDOW >> 22) * 4
	mov eax, PAGE_4M
	mov ecx, WINDOW_SIZE >> 22
.next:
	stosd
	add eax, 0x400000
	loop .next
	ret

; Prints ESI on the screen, on COM1 and on port E9h, and stops. There is no C yet.
refuse:
	mov edi, 0xb8000
.char:
	lodsb
	test al, al
	jz .stop
	mov ah, 0x0f
	mov [edi], ax
	add edi, 2
	out 0xe9, al
	mov bl, al
	mov dx, 0x3fd
	mov ecx, 0x10000		; a missing UART must not stop us here
.wait:
	in al, dx
	test al, 0x20
	loopz .wait
	mov dx, 0x3f8
	mov al, bl
	out dx, al
	jmp .char
.stop:
	hlt
	jmp .stop

no_multiboot:	db "farbus: not started by a Multiboot loader such as GRUB", 13, 10, 0
no_pse:		db "farbus: this CPU lacks 4 MB pages or a time-stamp counter: "
		db "a Pentium or later is needed", 13, 10, 0

section .text

high:
	lgdt [gdt_pointer]
	mov eax, 0x10
	mov ds, eax
	mov es, eax
	mov fs, eax
	mov gs, eax
	mov ss, eax
	mov esp, stack_top
	jmp 0x08:.flat
.flat:
	push ebx			; the multiboot information's physical address
	call boot_main
.stop:
	cli
	hlt
	jmp .stop

; void relocate_image(void *dst, const void *src, u32 size, u32 page_directory)
; Copies the running image (and the stack with our return address) and goes on in the copy. Nothing
; is written to memory between the copy and the load of CR3.
global relocate_image
relocate_image:
	push esi
	push edi
	mov edi, [esp + 12]
	mov esi, [esp + 16]
	mov ecx, [esp + 20]
	mov eax, [esp + 24]
	shr ecx, 2
	rep movsd
	mov cr3, eax
	pop edi
	pop esi
	ret

section .note.GNU-stack noalloc noexec nowrite progbits
