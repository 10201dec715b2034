// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which real-mode state and which page may run in V86 mode of this PC; which CPUs are asked whether
 * CPUID can fault: a wrong guess there would be #GP in Farbus itself.
 */
#include <string.h>
#include "cpu/direct/cpuid_fault.h"
#include "cpu/direct/private.h"
#include "cpu/segment.h"
#include "tests/unit/cpu/support_vm.h"

#define BOTH (REAL_TABLES | REAL_CPUID)

static u8 page[PAGE_SIZE];

static bool shows(u32 at, const char *bytes, u32 len, u32 what)
{
	memset(page, 0x90, sizeof(page));
	memcpy(page + at, bytes, len);
	return real_page_shows(page, what);
}

static void test_opcodes(void)
{
	static const char *const seen[] = {
		"\x0f\x01\xe0", /* smsw ax */
		"\x0f\x01\x26", /* smsw [m] */
		"\x0f\x01\x06", /* sgdt [m] */
		"\x0f\x01\x0e", /* sidt [m] */
	};
	static const char *const not_seen[] = {
		"\x0f\x01\x16", /* lgdt */
		"\x0f\x01\x1e", /* lidt */
		"\x0f\x01\xf0", /* lmsw ax */
		"\x0f\x01\xc1", /* no register form of sgdt */
		"\x0f\x01\x3e", /* invlpg */
		"\x0f\x20\xc0", /* mov eax, cr0 */
		"\x0f\x0f\x0f", /* each of them may begin something */
	};

	for (unsigned i = 0; i < ARRAY_SIZE(seen); i++) {
		CHECK(shows(0, seen[i], 3, BOTH));
		CHECK(shows(1001, seen[i], 3, REAL_TABLES));
		CHECK(shows(PAGE_SIZE - 3, seen[i], 3, REAL_TABLES));
		CHECK(!shows(1001, seen[i], 3, REAL_CPUID));
	}
	for (unsigned i = 0; i < ARRAY_SIZE(not_seen); i++)
		CHECK(!shows(1001, not_seen[i], 3, BOTH));
	CHECK(shows(77, "\x0f\x0f\x01\xe0", 4, BOTH));
	CHECK(shows(77, "\x0f\xa2", 2, REAL_CPUID));
	CHECK(!shows(77, "\x0f\xa2", 2, REAL_TABLES));
}

/* What a page ends with may be the beginning of one. */
static void test_page_end(void)
{
	CHECK(shows(PAGE_SIZE - 1, "\x0f", 1, REAL_CPUID));
	CHECK(shows(PAGE_SIZE - 1, "\x0f", 1, REAL_TABLES));
	CHECK(!shows(PAGE_SIZE - 1, "\x0f", 1, 0));
	CHECK(shows(PAGE_SIZE - 2, "\x0f\x01", 2, REAL_TABLES));
	CHECK(!shows(PAGE_SIZE - 2, "\x0f\x01", 2, REAL_CPUID));
	CHECK(!shows(PAGE_SIZE - 1, "\x01", 1, BOTH));
	memset(page, 0x0f, sizeof(page));
	CHECK(real_page_shows(page, BOTH));
}

static void test_segments(void)
{
	const struct segment good = {
		.base = 0x12340, .limit = 0xffff, .sel = 0x1234, .attr = ATTR_REAL};
	struct segment s = good;

	CHECK(real_segment(&s));
	s.attr |= SEG_G | SEG_AVL; /* from protected mode, and without meaning */
	CHECK(real_segment(&s));
	s = good;
	s.base++;
	CHECK(!real_segment(&s));
	s = good;
	s.limit = ~0u; /* unreal mode: beyond 64 KB it faults */
	CHECK(real_segment(&s));
	s.limit = 0xfffe;
	CHECK(!real_segment(&s));
	s = good;
	s.attr |= SEG_DB;
	CHECK(!real_segment(&s));
	s = good;
	s.attr &= ~SEG_RW;
	CHECK(!real_segment(&s));
	s = good;
	s.attr |= SEG_CODE;
	CHECK(!real_segment(&s));
}

static struct cpuid_words cpu(const char *vendor, u32 signature, u32 last)
{
	struct cpuid_words w = {.last = last, .signature = signature};

	memcpy(w.vendor, vendor, sizeof(w.vendor));
	return w;
}

static void test_cpuid_fault(void)
{
	struct cpuid_words w = cpu("GenuineIntel", 0x306a9, 0x0d); /* Ivy Bridge */

	CHECK_EQ(cpuid_fault_of(&w), CPUID_FAULT_INTEL);
	w.ecx = 1u << 31; /* in a virtual machine */
	CHECK_EQ(cpuid_fault_of(&w), CPUID_FAULT_NONE);
	w = cpu("GenuineIntel", 0x106a5, 0x0b); /* Nehalem */
	CHECK_EQ(cpuid_fault_of(&w), CPUID_FAULT_NONE);
	w = cpu("GenuineIntel", 0x00f29, 0x0d); /* no Pentium 4 has that leaf */
	CHECK_EQ(cpuid_fault_of(&w), CPUID_FAULT_NONE);
	w = cpu("GenuineIntel", 0x00543, 1); /* Pentium MMX */
	CHECK_EQ(cpuid_fault_of(&w), CPUID_FAULT_NONE);
	w = cpu("AuthenticAMD", 0xa20f10, 0x10);
	CHECK_EQ(cpuid_fault_of(&w), CPUID_FAULT_NONE);
	w.extended_features2 = 1u << 17;
	CHECK_EQ(cpuid_fault_of(&w), CPUID_FAULT_AMD);
	w = cpu("CentaurHauls", 0x006f2, 0x0d);
	w.extended_features2 = 1u << 17;
	CHECK_EQ(cpuid_fault_of(&w), CPUID_FAULT_NONE);
}

int main(void)
{
	test_opcodes();
	test_page_end();
	test_segments();
	test_cpuid_fault();
	return check_done();
}
