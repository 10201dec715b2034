; SPDX-License-Identifier: BSD-2-Clause
; Interrupt and exception entries: all lead to trap(struct trap_frame *) in boot/trap.c. Farbus runs
; at CPL 0 on one stack, so a frame has no SS:ESP. From CPL 3, guest code that runs directly, they
; lead back to the engine.

bits 32

extern trap, double_fault, direct_switch_back
global trap_entries, double_fault_entry

section .text

; Vectors 8, 10-14 and 17 push an error code (SDM vol. 3, table 6-1); the others get a 0.
%macro ENTRY 1
entry_%1:
%if %1 != 8 && (%1 < 10 || %1 > 14) && %1 != 17
	push dword 0
%endif
	push dword %1
	jmp trap_common
%endmacro

%assign n 0
%rep 48
	ENTRY n
%assign n n + 1
%endrep

trap_common:
	test byte [esp + 12], 3		; the RPL of CS
	jnz direct_switch_back
	test byte [esp + 18], 2		; EFLAGS.VM
	jnz direct_switch_back
	pushad
	cld
	push esp
	call trap
	pop eax
	popad
	add esp, 8
	iretd

; Reached through a task gate, on a stack of its own.
double_fault_entry:
	call double_fault
	hlt
	jmp double_fault_entry

section .rodata

trap_entries:
%assign n 0
%rep 48
	dd entry_ %+ n
%assign n n + 1
%endrep

section .note.GNU-stack noalloc noexec nowrite progbits
