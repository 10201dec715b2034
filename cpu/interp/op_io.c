/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IN, OUT, INS, OUTS. An access that is not answered yet ends run() with EXIT_IO_WAIT and EIP still
 * at the instruction. After each one the events are looked at: a device may want something.
 */
#include "cpu/interp/ops.h"

static void io_wait(void)
{
	struct interp *in = cpu->interp;

	in->exit = EXIT_IO_WAIT;
	in->exit_due = true;
	cpu->debug_hits = 0; /* of the access that is still to come */
	cpu->icount += ip->n - 1;
	if (cpu->eip != in->sti_eip)
		return;
	cpu->shadow |= SHADOW_STI;
	cpu_mode_changed(cpu);
}

static void check_port(u16 port, unsigned width)
{
	op_sync();
	if (vcpu_protected(cpu))
		cpu_check_io(cpu, port, width);
	if (unlikely(cpu->dr[7] & 0xff))
		cpu_io_breakpoint(cpu, port, width);
}

/* Apart from the handlers: a local whose address is taken keeps GCC from tail calls. */
static bool __attribute__((noinline)) port_in(u16 port, unsigned width)
{
	u32 value = 0;

	check_port(port, width);
	if (!cpu->ops->in(cpu->ops_ctx, port, width, &value))
		return false;
	if (width == 1)
		*slot8(REG_EAX * 4) = (u8)value;
	else if (width == 2)
		*slot16(REG_EAX * 4) = (u16)value;
	else
		cpu->gpr[REG_EAX] = value;
	cpu->stats.io_in++;
	return true;
}
static bool port_out(u16 port, unsigned width)
{
	static const u32 mask[] = {0, 0xff, 0xffff, 0, ~0u};

	check_port(port, width);
	if (!cpu->ops->out(cpu->ops_ctx, port, width, cpu->gpr[REG_EAX] & mask[width]))
		return false;
	cpu->stats.io_out++;
	return true;
}

/* index: the width; the port is imm or DX. */
static void in_port(u16 port)
{
	if (unlikely(!port_in(port, ip->index))) {
		io_wait();
		return;
	}
	next_or_leave();
}
static void out_port(u16 port)
{
	if (unlikely(!port_out(port, ip->index))) {
		io_wait();
		return;
	}
	next_or_leave();
}
void op_in_imm(void)
{
	in_port((u16)ip->imm);
}
void op_in_dx(void)
{
	in_port(*slot16(REG_EDX * 4));
}
void op_out_imm(void)
{
	out_port((u16)ip->imm);
}
void op_out_dx(void)
{
	out_port(*slot16(REG_EDX * 4));
}

/* Elements that one block transfer may take from `off` with this address size and direction. */
static u32 block_elements(u32 off, u32 count, u32 width)
{
	u32 room = PAGE_SIZE / width;

	if ((cpu->eflags & FLAG_DF) || (cpu->events & VCPU_EV_STEP))
		return 1;
	if (ip->flags & INSN_A16 && (0x10000 - off) / width < room)
		room = (0x10000 - off) / width;
	if (room == 0)
		room = 1;
	return count < room ? count : room;
}
static void advance(unsigned reg, u32 bytes)
{
	set_reg_a(reg, cpu->eflags & FLAG_DF ? reg_a(reg) - bytes : reg_a(reg) + bytes);
}

/* One piece of INS: the number of elements done, 0 when the port does not answer yet. */
static u32 ins_piece(u16 port, u32 width, u32 count)
{
	u32 off = reg_a(REG_EDI), len, done, value = 0;
	void *span = NULL;

	count = block_elements(off, count, width);
	len = count * width;
	if (!(cpu->eflags & FLAG_DF))
		span = mem_span(cpu, SEG_ES, off, &len, true);
	if (span && len >= width) {
		done = cpu->ops->ins(cpu->ops_ctx, port, width, span, len / width);
	} else {
		/* Checks that the write will work before anything is taken from the port. */
		mem_rmw_read(cpu, SEG_ES, off, width);
		done = cpu->ops->ins(cpu->ops_ctx, port, width, &value, 1);
		if (done)
			mem_write_slow(cpu, SEG_ES, off, width, value);
	}
	advance(REG_EDI, done * width);
	return done;
}
static u32 outs_piece(u16 port, u32 width, u32 count)
{
	unsigned seg = ip->seg / SEG_UNITS(1);
	u32 off = reg_a(REG_ESI), len, done, value;
	const void *span = NULL;

	count = block_elements(off, count, width);
	len = count * width;
	if (!(cpu->eflags & FLAG_DF))
		span = mem_span(cpu, seg, off, &len, false);
	if (span && len >= width) {
		done = cpu->ops->outs(cpu->ops_ctx, port, width, span, len / width);
	} else {
		value = mem_read_slow(cpu, seg, off, width);
		done = cpu->ops->outs(cpu->ops_ctx, port, width, &value, 1);
	}
	advance(REG_ESI, done * width);
	return done;
}

/* True when the instruction is complete; otherwise EIP stays, after an exit or an event. */
static bool __attribute__((noinline)) string_io(u32 (*piece)(u16 port, u32 width, u32 count))
{
	u16 port = *slot16(REG_EDX * 4);
	u32 width = ip->index, done;
	bool rep = ip->flags & (INSN_REP | INSN_REPNE);

	check_port(port, width); /* even when there is nothing to transfer */
	if (rep && reg_a(REG_ECX) == 0)
		return true;
	do {
		done = piece(port, width, rep ? reg_a(REG_ECX) : 1);
		cpu->stats.io_string += done;
		if (!done) {
			io_wait();
			return false;
		}
		if (!rep)
			return true;
		set_reg_a(REG_ECX, reg_a(REG_ECX) - done);
		if (reg_a(REG_ECX) == 0)
			return true;
	} while (!event_due_in_string());
	cpu->icount += ip->n - 1;
	return false;
}
void op_ins(void)
{
	if (string_io(ins_piece))
		next_or_leave();
}
void op_outs(void)
{
	if (string_io(outs_piece))
		next_or_leave();
}
