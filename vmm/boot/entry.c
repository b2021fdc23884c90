/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See entry.h.  PVH: 32-bit flat mode without paging, ebx = hvm_start_info.
 * Linux: long mode, the first 4 GiB mapped one to one by 2 MiB pages,
 * rsi = boot_params, selectors 0x10 (code) and 0x18 (data).
 */
#include "boot/entry.h"

#include <errno.h>
#include <stdbool.h>

#include <linux/kvm.h>

#include "mem/guest_mem.h"
#include "mem/layout.h"

#define CR0_PE 0x1u
#define CR0_ET 0x10u
#define CR0_PG 0x80000000u
#define CR4_PAE 0x20u
#define EFER_LME 0x100u
#define EFER_LMA 0x400u
#define RFLAGS_RESERVED 0x2u

#define SELECTOR_CODE 0x10
#define SELECTOR_DATA 0x18
#define SELECTOR_TSS 0x20

#define TYPE_CODE 0xb /* execute, read, accessed */
#define TYPE_DATA 0x3 /* read, write, accessed */
#define TYPE_TSS_BUSY 0xb

#define PTE_PRESENT_WRITE 0x3u
#define PDE_LARGE 0x80u
#define PAGE 0x1000u
#define TABLE_ENTRIES 512u
#define MAPPED_GIB 4u
#define LARGE_PAGE UINT64_C(0x200000)

/* A PML4, a PDPT and one page directory for each GiB. */
struct page_tables {
	uint64_t pml4[TABLE_ENTRIES];
	uint64_t pdpt[TABLE_ENTRIES];
	uint64_t pd[MAPPED_GIB][TABLE_ENTRIES];
};

_Static_assert(sizeof(struct page_tables) <= LAYOUT_PAGE_TABLES_END - LAYOUT_PAGE_TABLES,
	       "page tables");

static const uint64_t gdt_32[] = { 0, 0, UINT64_C(0x00cf9b000000ffff), UINT64_C(0x00cf93000000ffff),
				   UINT64_C(0x00008b0000000067) };
/* The same with a 64-bit code segment. */
static const uint64_t gdt_64[] = { 0, 0, UINT64_C(0x00af9b000000ffff), UINT64_C(0x00cf93000000ffff),
				   UINT64_C(0x00008b0000000067) };

/* The two tables lie one behind the other. */
#define GDT_32_GPA LAYOUT_GDT
#define GDT_64_GPA (LAYOUT_GDT + sizeof(gdt_32))

static const uint8_t reset_code[] = {
	0xb0,
	LAYOUT_RESET_VALUE, /* mov al, value */
	0xba,
	LAYOUT_RESET_PORT & 0xff,
	LAYOUT_RESET_PORT >> 8, /* mov dx, port */
	0xee, /* out dx, al */
	0xf4, /* hlt */
	0xeb,
	0xfd, /* jmp to the hlt */
};

int entry_write_tables(const struct guest_mem *mem)
{
	struct page_tables *tables = guest_mem_at(mem, LAYOUT_PAGE_TABLES, sizeof(*tables));

	if (!tables || !guest_mem_write(mem, GDT_32_GPA, gdt_32, sizeof(gdt_32)) ||
	    !guest_mem_write(mem, GDT_64_GPA, gdt_64, sizeof(gdt_64)) ||
	    !guest_mem_write(mem, LAYOUT_RESET_VECTOR, reset_code, sizeof(reset_code)))
		return -ENOSPC;
	tables->pml4[0] = (LAYOUT_PAGE_TABLES + PAGE) | PTE_PRESENT_WRITE;
	for (uint64_t gib = 0; gib < MAPPED_GIB; gib++) {
		tables->pdpt[gib] = (LAYOUT_PAGE_TABLES + (2 + gib) * PAGE) | PTE_PRESENT_WRITE;
		for (uint64_t i = 0; i < TABLE_ENTRIES; i++)
			tables->pd[gib][i] = (gib * TABLE_ENTRIES + i) * LARGE_PAGE |
					     PTE_PRESENT_WRITE | PDE_LARGE;
	}
	return 0;
}

static struct kvm_segment flat(uint16_t selector, uint8_t type, bool is_long)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.db = !is_long,
		.s = 1,
		.l = is_long,
		.g = 1,
	};
}

static void set_segments(struct kvm_sregs *sregs, bool is_long)
{
	struct kvm_segment data = flat(SELECTOR_DATA, TYPE_DATA, false);

	sregs->cs = flat(SELECTOR_CODE, TYPE_CODE, is_long);
	sregs->ds = data;
	sregs->es = data;
	sregs->fs = data;
	sregs->gs = data;
	sregs->ss = data;
	sregs->tr = (struct kvm_segment){
		.limit = 0x67,
		.selector = SELECTOR_TSS,
		.type = TYPE_TSS_BUSY,
		.present = 1,
	};
	sregs->gdt.base = is_long ? GDT_64_GPA : GDT_32_GPA;
	sregs->gdt.limit = sizeof(gdt_32) - 1;
	sregs->idt.base = 0;
	sregs->idt.limit = 0;
}

void entry_registers(const struct entry *entry, struct kvm_sregs *sregs, struct kvm_regs *ret_regs)
{
	bool is_long = entry->protocol == KERNEL_LINUX64;

	set_segments(sregs, is_long);
	sregs->cr0 = CR0_PE | CR0_ET;
	sregs->cr4 = 0;
	if (is_long) {
		sregs->cr0 |= CR0_PG;
		sregs->cr3 = LAYOUT_PAGE_TABLES;
		sregs->cr4 = CR4_PAE;
		sregs->efer = EFER_LME | EFER_LMA;
	}
	*ret_regs = (struct kvm_regs){ .rip = entry->rip, .rflags = RFLAGS_RESERVED };
	if (is_long)
		ret_regs->rsi = entry->info_gpa;
	else
		ret_regs->rbx = entry->info_gpa;
}
