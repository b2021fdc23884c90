/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Start of a flat guest: from the PVH entry (32-bit protected mode) to C in
 * ring 3, in as few ring-0 instructions as possible, since some hosts emulate
 * ring 0.  Page tables, GDT, TSSs and IDT are data in the image.  What stays
 * in ring 0: exception and interrupt stubs and a few calls (a breakpoint, see machine.h).
 *
 * An exception is written to the struct cpu of its CPU, and ring 3 goes on at
 * the CPU's recovery point (try_call), or else in guest_panic().
 */
#include "machine.h"

/* The note by which loaders find the PVH entry. */
	.section .note.Xen, "a", @note
	.long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long pvh_entry

	.section .boot, "awx", @progbits
	.code32
	.global pvh_entry
pvh_entry:
	cli
	xorl %esi, %esi
start32: /* esi: index of this CPU */
	lgdt gdt_pointer
	movl $1, %eax
	cpuid
	movl %ecx, %edi
	movl $0x620, %eax /* PAE, OSFXSR, OSXMMEXCPT */
	andl $(1 << 26), %edi /* XSAVE */
	jz 1f
	orl $(1 << 18), %eax /* OSXSAVE */
1:	movl %eax, %cr4
	movl $GUEST_PML4, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x100, %eax /* EFER.LME */
	wrmsr
	movl $0x80010033, %eax /* PG, WP, NE, ET, MP, PE */
	movl %eax, %cr0
	ljmp $GUEST_CS64, $start64

ap_start32:
	movw $GUEST_DS, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movl $1, %esi
	lock xaddl %esi, ap_next
	cmpl $GUEST_MAX_CPUS, %esi
	jb start32
1:	hlt
	jmp 1b

	.code64
start64: /* esi: index; edi: not 0 if there is XSAVE */
	movl $GUEST_DS, %eax
	movl %eax, %ss
	testl %edi, %edi
	jz 1f
	movl $0xd, %eax
	xorl %ecx, %ecx
	cpuid
	andl $7, %eax
	xorl %ecx, %ecx
	xorl %edx, %edx
	xsetbv
1:	movl %esi, %edi
	movl %edi, %ebx
	shll $12, %ebx
	leaq GUEST_KSTACKS + 0x1000(%rbx), %rsp
	lidt idt_pointer
	movl %edi, %eax
	shll $4, %eax
	addl $GUEST_TSS_SEL, %eax
	ltr %ax
	movl $GUEST_USER_DS, %eax
	movl %eax, %ds
	movl %eax, %es
	leal 1(%rdi), %ebx
	shll $GUEST_USTACK_SHIFT, %ebx
	leaq user_stacks - 8(%rbx), %rbx
	pushq $GUEST_USER_DS
	pushq %rbx
	pushq $0x3202 /* IOPL 3, interrupts on */
	pushq $GUEST_USER_CS
	pushq $guest_start
	iretq

	.balign 8
gdt_pointer:
	.word GUEST_TSS_SEL + 16 * GUEST_MAX_CPUS - 1
	.long GUEST_GDT
	.balign 8
idt_pointer:
	.word 0xfff
	.quad GUEST_IDT
idt_none:
	.word 0
	.quad 0
	.balign 4
ap_next:
	.long 1

/* What an AP runs first, copied to GUEST_AP_START. */
	.code16
	.global ap_start, ap_start_end
ap_start:
	cli
	movw %cs, %ax
	movw %ax, %ds
	lgdtl ap_gdt_pointer - ap_start
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmpl $GUEST_CS32, $ap_start32
	.balign 4
ap_gdt_pointer:
	.word GUEST_TSS_SEL + 16 * GUEST_MAX_CPUS - 1
	.long GUEST_GDT
ap_start_end:
	.code64

/* One stub of 16 bytes for each vector. */
	.section .stubs, "awx", @progbits
	.set vector, 0
	.rept 256
	.balign 16
	.if vector == VECTOR_RING0
	jmp ring0_call
	.elseif vector == VECTOR_SPURIOUS
	iretq
	.elseif vector >= VECTOR_IRQ_FIRST
	lock incl irq_counts + 4 * vector
	jmp irq_done
	.else
	.if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21
	.else
	pushq $0
	.endif
	pushq $vector
	jmp exception
	.endif
	.set vector, vector + 1
	.endr
	.balign 16

	.text
irq_done:
	pushq %rax
	movl $0xfee000b0, %eax
	movl $0, (%rax) /* end of interrupt */
	popq %rax
	iretq

exception: /* vector, error, rip, cs, rflags, rsp, ss */
	pushq %rax
	pushq %rcx
	movq %rsp, %rcx
	andq $-0x1000, %rcx /* struct cpu */
	movq 16(%rsp), %rax
	movq %rax, CPU_VECTOR(%rcx)
	movq 24(%rsp), %rax
	movq %rax, CPU_ERROR(%rcx)
	movq 32(%rsp), %rax
	movq %rax, CPU_RIP(%rcx)
	movq %cr2, %rax
	movq %rax, CPU_CR2(%rcx)
	movq 56(%rsp), %rax
	movq %rax, CPU_RSP(%rcx)
	movq CPU_RECOVER_RIP(%rcx), %rax
	testq %rax, %rax
	jz 1f
	movq %rax, 32(%rsp)
	movq CPU_RECOVER_RSP(%rcx), %rax
	movq %rax, 56(%rsp)
	jmp 2f
1:	movq $guest_panic, 32(%rsp)
	movq $GUEST_USER_CS, 40(%rsp)
	movq $GUEST_USER_DS, 64(%rsp)
	movq %rcx, %rdi
	leaq 0x1000 - GUEST_KSTACKS(%rcx), %rax
	shlq $GUEST_USTACK_SHIFT - 12, %rax
	leaq user_stacks - 8(%rax), %rax
	movq %rax, 56(%rsp) /* nothing of its stack is needed any more */
2:	popq %rcx
	popq %rax
	addq $16, %rsp
	iretq

ring0_call: /* eax: which; see cpu.h */
	cmpl $RING0_WAIT, %eax
	jne 1f
	cmpl %esi, (%rdi)
	jne 9f
	sti
	hlt
	jmp 9f
1:	cmpl $RING0_FLUSH_TLB, %eax
	jne 1f
	movq %cr3, %rax
	movq %rax, %cr3
	jmp 9f
1:	cmpl $RING0_TRIPLE_FAULT, %eax
	jne 1f
	lidt idt_none
	ud2
1:	cmpl $RING0_RDMSR, %eax
	jne 1f
	rdmsr
	jmp 9f
1:	movl %edi, %eax /* RING0_WRMSR */
	wrmsr
9:	iretq

/*
 * long try_call(void (*function)(void *), void *argument, struct cpu *cpu):
 * 0, or 1 if the function ended in an exception, which is in *cpu.
 */
	.global try_call
try_call:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	pushq %rdx
	movq %rsp, CPU_RECOVER_RSP(%rdx)
	movq $1f, CPU_RECOVER_RIP(%rdx)
	movq %rdi, %rax
	movq %rsi, %rdi
	call *%rax
	xorl %eax, %eax
	jmp 2f
1:	movl $1, %eax
	cld
2:	popq %rdx
	movq $0, CPU_RECOVER_RIP(%rdx)
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret

	.section .tables, "aw", @progbits
idt:
	.set vector, 0
	.rept 256
	.word (GUEST_STUBS + 16 * vector) & 0xffff, GUEST_CS64
	.if vector == VECTOR_RING0
	.word 0xee00 /* ring 3 may call it */
	.else
	.word 0x8e00
	.endif
	.word GUEST_STUBS >> 16
	.quad 0
	.set vector, vector + 1
	.endr
	.org GUEST_GDT - GUEST_IDT
	.quad 0
	.quad 0x00cf9b000000ffff /* code, 32 bits */
	.quad 0x00cf93000000ffff /* data */
	.quad 0x00af9b000000ffff /* code, 64 bits */
	.quad 0x00cff3000000ffff /* data, ring 3 */
	.quad 0x00affb000000ffff /* code, 64 bits, ring 3 */
	.set tss, GUEST_TSS
	.rept GUEST_MAX_CPUS
	.word GUEST_TSS_BYTES - 1, tss & 0xffff
	.byte (tss >> 16) & 0xff, 0x89, 0, tss >> 24
	.quad 0
	.set tss, tss + GUEST_TSS_BYTES
	.endr
	.org GUEST_TSS - GUEST_IDT
	.set kstack, GUEST_KSTACKS + 0x1000
	.rept GUEST_MAX_CPUS
	.long 0, kstack, 0 /* rsp0 */
	.fill 90, 1, 0
	.word 104 /* I/O bitmap: ports 0 to GUEST_PORTS - 1 are ring 3's */
	.fill GUEST_PORTS / 8, 1, 0
	.fill GUEST_TSS_BYTES - 104 - GUEST_PORTS / 8, 1, 0xff
	.set kstack, kstack + 0x1000
	.endr
	.org GUEST_PML4 - GUEST_IDT
	.quad GUEST_PDPT + 7
	.org GUEST_PDPT - GUEST_IDT
	.quad GUEST_PD + 7, GUEST_PD + 0x1007, GUEST_PD + 0x2007, GUEST_PD + 0x3007
	.org GUEST_PD - GUEST_IDT
	.set page, 0x87 /* present, writable, user, 2 MiB */
	.rept 2048
	.quad page
	.set page, page + 0x200000
	.endr
	.org GUEST_KSTACKS - GUEST_IDT
	.fill 0x1000 * GUEST_MAX_CPUS, 1, 0

	.bss
	.balign 1 << GUEST_USTACK_SHIFT
	.global user_stacks
user_stacks:
	.skip GUEST_MAX_CPUS << GUEST_USTACK_SHIFT

	.section .note.GNU-stack, "", @progbits
