// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every form of store that an x86 program has, each as exactly one
 * instruction at the address.
 */
#include "store.h"

#include <stddef.h>

#include "io.h"
#include "text.h"

#define FORM(name) static void store_##name(uint64_t address, uint64_t value, uint64_t count)

FORM(mov1)
{
	(void)count;
	mmio_write8(address, (uint8_t)value);
}

FORM(mov2)
{
	(void)count;
	mmio_write16(address, (uint16_t)value);
}

FORM(mov4)
{
	(void)count;
	mmio_write32(address, (uint32_t)value);
}

FORM(mov8)
{
	(void)count;
	mmio_write64(address, value);
}

FORM(movnti)
{
	(void)count;
	__asm__ volatile("movnti %0, (%1)" : : "r"(value), "r"(address) : "memory");
}

FORM(push)
{
	(void)count;
	__asm__ volatile("movq %%rsp, %%r11\n\t"
			 "movq %1, %%rsp\n\t"
			 "pushq %0\n\t"
			 "movq %%r11, %%rsp"
			 :
			 : "r"(value), "r"(address + 8)
			 : "r11", "memory");
}

FORM(stosb)
{
	__asm__ volatile("rep stosb" : "+D"(address), "+c"(count) : "a"(value) : "memory");
}

FORM(stosq)
{
	__asm__ volatile("rep stosq" : "+D"(address), "+c"(count) : "a"(value) : "memory");
}

FORM(movsb)
{
	uint64_t source[8] = { value, value, value, value, value, value, value, value };
	uint64_t from = (uint64_t)source;

	if (count > sizeof(source))
		count = sizeof(source);
	__asm__ volatile("rep movsb" : "+D"(address), "+S"(from), "+c"(count) : : "memory");
}

FORM(xchg)
{
	(void)count;
	__asm__ volatile("xchgq %0, (%1)" : "+r"(value) : "r"(address) : "memory");
}

FORM(lockadd)
{
	(void)count;
	__asm__ volatile("lock addq %0, (%1)" : : "r"(value), "r"(address) : "memory", "cc");
}

FORM(lockxadd)
{
	(void)count;
	__asm__ volatile("lock xaddq %0, (%1)" : "+r"(value) : "r"(address) : "memory", "cc");
}

FORM(cmpxchg)
{
	uint64_t old = mmio_read64(address);

	(void)count;
	__asm__ volatile("lock cmpxchgq %1, (%2)"
			 : "+a"(old)
			 : "r"(value), "r"(address)
			 : "memory", "cc");
}

FORM(cmpxchg16b)
{
	uint64_t low = mmio_read64(address);
	uint64_t high = mmio_read64(address + 8);

	(void)count;
	__asm__ volatile("lock cmpxchg16b (%2)"
			 : "+a"(low), "+d"(high)
			 : "r"(address), "b"(value), "c"(value)
			 : "memory", "cc");
}

FORM(movups)
{
	(void)count;
	__asm__ volatile("movq %0, %%xmm1\n\tpunpcklqdq %%xmm1, %%xmm1\n\tmovups %%xmm1, (%1)"
			 :
			 : "r"(value), "r"(address)
			 : "xmm1", "memory");
}

FORM(movdqa)
{
	(void)count;
	__asm__ volatile("movq %0, %%xmm1\n\tpunpcklqdq %%xmm1, %%xmm1\n\tmovdqa %%xmm1, (%1)"
			 :
			 : "r"(value), "r"(address)
			 : "xmm1", "memory");
}

FORM(movntdq)
{
	(void)count;
	__asm__ volatile("movq %0, %%xmm1\n\tpunpcklqdq %%xmm1, %%xmm1\n\tmovntdq %%xmm1, (%1)"
			 :
			 : "r"(value), "r"(address)
			 : "xmm1", "memory");
}

FORM(vmovdqu)
{
	(void)count;
	__asm__ volatile("vmovq %0, %%xmm1\n\t"
			 "vpunpcklqdq %%xmm1, %%xmm1, %%xmm1\n\t"
			 "vinsertf128 $1, %%xmm1, %%ymm1, %%ymm1\n\t"
			 "vmovdqu %%ymm1, (%1)\n\t"
			 "vzeroupper"
			 :
			 : "r"(value), "r"(address)
			 : "xmm1", "memory");
}

FORM(fistp)
{
	(void)count;
	__asm__ volatile("fninit\n\tfildq %0\n\tfistpq (%1)"
			 :
			 : "m"(value), "r"(address)
			 : "memory");
}

FORM(fxsave)
{
	(void)value;
	(void)count;
	__asm__ volatile("fxsave64 (%0)" : : "r"(address) : "memory");
}

FORM(xsave)
{
	(void)value;
	(void)count;
	__asm__ volatile("xsave64 (%0)" : : "r"(address), "a"(7), "d"(0) : "memory");
}

const struct store_form store_forms[] = {
	{ "mov1", 1, 1, store_mov1 },	     { "mov2", 2, 1, store_mov2 },
	{ "mov4", 4, 1, store_mov4 },	     { "mov8", 8, 1, store_mov8 },
	{ "movnti", 8, 1, store_movnti },    { "push", 8, 1, store_push },
	{ "stosb", 1, 1, store_stosb },	     { "stosq", 8, 1, store_stosq },
	{ "movsb", 1, 1, store_movsb },	     { "xchg", 8, 8, store_xchg },
	{ "lockadd", 8, 8, store_lockadd },  { "lockxadd", 8, 8, store_lockxadd },
	{ "cmpxchg", 8, 8, store_cmpxchg },  { "movups", 16, 1, store_movups },
	{ "movdqa", 16, 16, store_movdqa },  { "movntdq", 16, 16, store_movntdq },
	{ "vmovdqu", 32, 1, store_vmovdqu }, { "cmpxchg16b", 16, 16, store_cmpxchg16b },
	{ "fistp", 8, 1, store_fistp },	     { "fxsave", 512, 16, store_fxsave },
	{ "xsave", 1024, 64, store_xsave },
};

const uint32_t store_form_count = sizeof(store_forms) / sizeof(store_forms[0]);

const struct store_form *store_find(const char *name)
{
	for (uint32_t i = 0; i < store_form_count; i++)
		if (!strcmp(store_forms[i].name, name))
			return &store_forms[i];
	return NULL;
}
