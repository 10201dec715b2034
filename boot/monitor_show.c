/* SPDX-License-Identifier: BSD-2-Clause */
/* Monitor commands that look at the CPU and at memory, without changing either. */
#include "boot/log.h"
#include "boot/monitor_cmd.h"
#include "cpu/disasm.h"
#include "cpu/mem.h"
#include "devices/bus.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define COUNT_MAX  4096u
#define LINES_MAX  256u
#define INSN_BYTES 15u

static const char *const reg_name[8] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};
static const char *const seg_name[SEG_COUNT] = {"es", "cs", "ss", "ds", "fs", "gs"};

static const char *mode_name(const struct vcpu *v)
{
	if (!vcpu_protected(v))
		return "real mode";
	if (vcpu_v86(v))
		return "virtual 8086 mode";
	return v->seg[SEG_CS].attr & SEG_DB ? "protected mode, 32 bits" : "protected mode, 16 bits";
}

static void show_segment(struct monitor *m, const char *name, const struct segment *s)
{
	mon_print(m, "%-4s %04x  base %08x  limit %08x  attr %04x\n", name, s->sel, s->base,
		  s->limit, s->attr);
}

static void show_flags(struct monitor *m, u32 flags)
{
	static const struct {
		u32 bit;
		const char *name;
	} names[] = {{FLAG_CF, "CF"}, {FLAG_PF, "PF"}, {FLAG_AF, "AF"}, {FLAG_ZF, "ZF"},
		     {FLAG_SF, "SF"}, {FLAG_TF, "TF"}, {FLAG_IF, "IF"}, {FLAG_DF, "DF"},
		     {FLAG_OF, "OF"}, {FLAG_NT, "NT"}, {FLAG_RF, "RF"}, {FLAG_VM, "VM"},
		     {FLAG_AC, "AC"}};

	mon_print(m, "eflags %08x  IOPL %u", flags, (flags & FLAG_IOPL) >> 12);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].bit)
			mon_print(m, " %s", names[i].name);
	mon_print(m, "\n");
}

void mon_registers(struct monitor *m, const struct command *c)
{
	struct vcpu *v = &m->vm->vcpu;

	(void)c;
	mon_print(m, "%s, CPL %u%s%s\n", mode_name(v), v->cpl, v->cr0 & CR0_PG ? ", paging" : "",
		  v->halted ? ", halted" : "");
	for (unsigned i = 0; i < 8; i++)
		mon_print(m, "%s %08x%s", reg_name[i], v->gpr[i], i % 4 == 3 ? "\n" : "  ");
	mon_print(m, "eip %08x  ", v->eip);
	show_flags(m, vcpu_eflags(v));
	for (unsigned i = 0; i < SEG_COUNT; i++)
		show_segment(m, seg_name[i], &v->seg[i]);
	show_segment(m, "ldtr", &v->ldtr);
	show_segment(m, "tr", &v->tr);
	mon_print(m, "gdtr base %08x  limit %04x\n", v->gdtr.base, v->gdtr.limit);
	mon_print(m, "idtr base %08x  limit %04x\n", v->idtr.base, v->idtr.limit);
	mon_print(m, "cr0 %08x  cr2 %08x  cr3 %08x  cr4 %08x\n", v->cr0, v->cr2, v->cr3, v->cr4);
	mon_print(m, "dr0 %08x  dr1 %08x  dr2 %08x  dr3 %08x  dr6 %08x  dr7 %08x\n", v->dr[0],
		  v->dr[1], v->dr[2], v->dr[3], v->dr[6], v->dr[7]);
}

/* --- addresses --- */

/* A number or a general register, or eip. */
static bool parse_offset(const struct vcpu *v, const char *word, u32 *value)
{
	for (unsigned i = 0; i < 8; i++)
		if (!strcmp(word, reg_name[i])) {
			*value = v->gpr[i];
			return true;
		}
	if (!strcmp(word, "eip")) {
		*value = v->eip;
		return true;
	}
	return mon_hex(word, value);
}

/*
 * Linear addresses by default, "p:" for physical ones, a segment register or a real-mode segment
 * value before a colon. A register alone is an offset in its usual segment.
 */
static bool parse_address(const struct vcpu *v, const char *word, u32 *address, bool *physical)
{
	const char *colon = strchr(word, ':');
	u32 segment;

	*physical = false;
	if (!colon) {
		if (!parse_offset(v, word, address))
			return false;
		if (!strcmp(word, "eip"))
			*address += v->seg[SEG_CS].base;
		else if (!strcmp(word, "esp") || !strcmp(word, "ebp"))
			*address += v->seg[SEG_SS].base;
		return true;
	}
	if (!parse_offset(v, colon + 1, address))
		return false;
	if (colon == word + 1 && word[0] == 'p') {
		*physical = true;
		return true;
	}
	for (unsigned i = 0; i < SEG_COUNT; i++)
		if (colon == word + 2 && !strncmp(word, seg_name[i], 2)) {
			*address += v->seg[i].base;
			return true;
		}
	segment = 0;
	for (const char *s = word; s < colon; s++) {
		char digit[2] = {*s, 0};
		u32 n;

		if (!mon_hex(digit, &n) || segment > 0xfff)
			return false;
		segment = segment << 4 | n;
	}
	*address += segment * 16;
	return colon > word;
}

/* Reads guest memory byte by byte, as far as it is mapped; returns how many there were. */
static u32 peek(struct monitor *m, u32 address, bool physical, u8 *buf, u32 len)
{
	for (u32 i = 0; i < len; i++) {
		u32 gpa = address + i;

		if (!physical && !mem_peek_translate(&m->vm->vcpu, address + i, &gpa))
			return i;
		physmem_read(&m->vm->mem, gpa, buf + i, 1);
	}
	return len;
}

/* [ADDRESS] [COUNT] of x and u; an empty line goes on where the last one ended. */
static bool parse_where(struct monitor *m, const struct command *c, u32 max, u32 *count)
{
	if (c->words > 2 && !mon_count(c->word[2], max, count)) {
		mon_print(m, "%s: '%s': expected a decimal count from 1 to %u\n", c->word[0],
			  c->word[2], max);
		return false;
	}
	if (c->words > 3) {
		mon_print(m, "%s: '%s': expected nothing more\n", c->word[0], c->word[3]);
		return false;
	}
	if (c->repeated || c->words < 2)
		return true;
	if (parse_address(&m->vm->vcpu, c->word[1], &m->next_address, &m->next_physical))
		return true;
	mon_print(m, "%s: '%s': expected an address, as in 7c00, p:b8000, ss:esp or eip\n",
		  c->word[0], c->word[1]);
	return false;
}

static void show_bytes(struct monitor *m, u32 address, const u8 *byte, u32 n)
{
	char text[17];

	mon_print(m, "%08x ", address);
	for (u32 i = 0; i < 16; i++) {
		if (i < n)
			mon_print(m, " %02x", byte[i]);
		else
			mon_print(m, "   ");
		text[i] = i < n && byte[i] >= ' ' && byte[i] < 0x7f ? (char)byte[i] : '.';
	}
	text[n] = 0;
	mon_print(m, "  %s\n", text);
}

void mon_examine(struct monitor *m, const struct command *c)
{
	u32 count = 64;

	if (c->words < 2) {
		mon_print(m, "x: expected an address, as in 7c00, p:b8000, ss:esp or eip\n");
		return;
	}
	if (!parse_where(m, c, COUNT_MAX, &count))
		return;
	while (count) {
		u32 want = count < 16 ? count : 16, got;
		u8 byte[16];

		got = peek(m, m->next_address, m->next_physical, byte, want);
		if (got)
			show_bytes(m, m->next_address, byte, got);
		m->next_address += got;
		count -= got;
		if (got < want) {
			mon_print(m, "%08x  not mapped\n", m->next_address);
			return;
		}
	}
}

/* --- instructions --- */

/* One line; returns the instruction's length, 0 where nothing is mapped. */
static unsigned show_insn(struct monitor *m, u32 address, bool physical)
{
	const struct vcpu *v = &m->vm->vcpu;
	const struct segment *cs = &v->seg[SEG_CS];
	bool big = !vcpu_real_segments(v) && (cs->attr & SEG_DB);
	char text[DISASM_TEXT_MAX], bytes[2 * INSN_BYTES + 1];
	u8 code[INSN_BYTES];
	u32 got = peek(m, address, physical, code, sizeof(code));
	u32 offset = physical ? address : address - cs->base;
	unsigned len;

	if (!got) {
		mon_print(m, "%08x  not mapped\n", address);
		return 0;
	}
	len = disasm(code, got, offset, big, text, sizeof(text));
	for (unsigned i = 0; i < len; i++)
		fmt(bytes + 2 * i, 3, "%02x", code[i]);
	if (physical)
		mon_print(m, "p:%08x  %-20s %s\n", address, bytes, text);
	else
		mon_print(m, "%04x:%08x  %-20s %s\n", cs->sel, offset, bytes, text);
	return len;
}

void mon_show_position(struct monitor *m)
{
	const struct vcpu *v = &m->vm->vcpu;

	m->next_address = v->seg[SEG_CS].base + v->eip;
	m->next_physical = false;
	show_insn(m, m->next_address, false);
}

void mon_disassemble(struct monitor *m, const struct command *c)
{
	u32 count = 10;

	if (c->words < 2 && !c->repeated) {
		m->next_address = m->vm->vcpu.seg[SEG_CS].base + m->vm->vcpu.eip;
		m->next_physical = false;
	}
	if (!parse_where(m, c, LINES_MAX, &count))
		return;
	for (; count; count--) {
		unsigned len = show_insn(m, m->next_address, m->next_physical);

		if (!len)
			return;
		m->next_address += len;
	}
}

/* --- log --- */

struct log_view {
	struct monitor *m;
	u32 lines, skip;
};

static void count_line(void *ctx, const char *line)
{
	(void)line;
	((struct log_view *)ctx)->lines++;
}

static void show_line(void *ctx, const char *line)
{
	struct log_view *v = ctx;

	if (v->skip)
		v->skip--;
	else
		mon_print(v->m, "%s\n", line);
}

void mon_log(struct monitor *m, const struct command *c)
{
	struct log_view view = {.m = m};
	u32 count = 20;

	if (c->words > 1 && !mon_count(c->word[1], COUNT_MAX, &count)) {
		mon_print(m, "log: '%s': expected a decimal count from 1 to %u\n", c->word[1],
			  COUNT_MAX);
		return;
	}
	log_each(count_line, &view);
	view.skip = view.lines > count ? view.lines - count : 0;
	log_each(show_line, &view);
}
