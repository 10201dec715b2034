/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two 8259As with real sources (PIT, keyboard controller, UART, RTC), and where the CPU accepts
 * an interrupt: IF, the shadow of STI and of MOV SS, HLT, REP.
 */
#include "tests/guests/rt/rt.h"

SNIPPET(sti_nops, "sti\n nop\n nop\n nop\n cli");
SNIPPET(sti_cli, "sti\n cli\n nop");
SNIPPET(sti_sti, "sti\n sti\n nop\n nop\n cli");
SNIPPET(mov_ss, "mov %ss, %eax\n sti\n mov %eax, %ss\n nop\n nop\n cli");
SNIPPET(pop_ss, "sub $8, %esp\n mov %ss, %eax\n mov %eax, (%esp)\n pushfl\n orl $0x200, (%esp)\n "
		"popfl\n nop\n"
		"cli");
SNIPPET(pop_ss_if, "mov %ss, %eax\n push %eax\n sti\n pop %ss\n nop\n nop\n cli");
SNIPPET(popf_if, "pushl $0x202\n popfl\n nop\n nop\n cli");
SNIPPET(iret_if, "pushl $0x202\n push %cs\n push $1f\n iretl\n nop\n 1: nop\n cli");
SNIPPET(sti_hlt, "sti\n hlt\n nop\n cli");
SNIPPET(sti_rep, "mov $0x40000, %edi\n mov $5, %ecx\n cld\n sti\n rep stosb\n nop\n cli");
SNIPPET(sti_loop, "mov $3, %ecx\n sti\n 1: loop 1b\n nop\n cli");
SNIPPET(sti_ud, "sti\n ud2");

static void pic_init(u8 master_icw4, u8 slave_icw4)
{
	outb(0x20, 0x11);
	outb(0x21, 0x20);
	outb(0x21, 0x04);
	outb(0x21, master_icw4);
	outb(0xa0, 0x11);
	outb(0xa1, 0x28);
	outb(0xa1, 0x02);
	outb(0xa1, slave_icw4);
	outb(0x21, 0x00);
	outb(0xa1, 0x00);
}

/* Sources. The PIT: mode 0, OUT goes high after a short count and stays. */
static void raise_irq0(void)
{
	outb(0x43, 0x30);
	outb(0x40, 10);
	outb(0x40, 0);
	do
		outb(0x43, 0xe2); /* read back the status of counter 0 */
	while (!(inb(0x40) & 0x80));
}

static void lower_irq0(void)
{
	outb(0x43, 0x30); /* mode 0 before a count: OUT low */
}

static void raise_irq4(void)
{
	outb(0x3fb, 3);
	outb(0x3fc, 0x08); /* OUT2: the interrupt reaches the line */
	outb(0x3f9, 0x00);
	outb(0x3f9, 0x02); /* transmitter empty, now allowed to interrupt */
}

static void lower_irq4(void)
{
	outb(0x3f9, 0x00);
}

static void raise_irq8(void)
{
	outb(0x70, 0x0b);
	outb(0x71, 0x42); /* periodic, 24 hours */
	do
		outb(0xa0, 0x0a);
	while (!(inb(0xa0) & 1));
}

static void lower_irq8(void)
{
	outb(0x70, 0x0b);
	outb(0x71, 0x02);
	outb(0x70, 0x0c);
	inb(0x71);
}

static u8 read_pic(u16 port, u8 ocw3)
{
	outb(port, ocw3);
	return inb(port);
}

static void registers(void)
{
	print("   irr %02x %02x isr %02x %02x imr %02x %02x\n", read_pic(0x20, 0x0a),
	      read_pic(0xa0, 0x0a), read_pic(0x20, 0x0b), read_pic(0xa0, 0x0b), inb(0x21),
	      inb(0xa1));
}

static void take_with(const char *label, const void *snippet)
{
	struct regs r = regs_for(0, snippet);

	run(&r);
	show_trap(label, snippet);
	registers();
}

static void take(const char *label)
{
	take_with(label, sti_nops);
}

static void eoi(void)
{
	outb(0x20, 0x20);
}

static void eoi_both(void)
{
	outb(0xa0, 0x20);
	outb(0x20, 0x20);
}

static void quiet(void)
{
	lower_irq0();
	lower_irq4();
	lower_irq8();
}

static void shadows(void)
{
	static const struct {
		const char *label;
		const void *entry;
	} list[] = {
		{"sti_nops", sti_nops}, {"sti_cli", sti_cli},	{"sti_sti", sti_sti},
		{"mov_ss", mov_ss},	{"pop_ss", pop_ss},	{"pop_ss_if", pop_ss_if},
		{"popf_if", popf_if},	{"iret_if", iret_if},	{"sti_hlt", sti_hlt},
		{"sti_rep", sti_rep},	{"sti_loop", sti_loop}, {"sti_ud", sti_ud},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
		pic_init(1, 1);
		quiet();
		raise_irq0();
		take_with(list[i].label, list[i].entry);
	}
}

static void priorities(void)
{
	pic_init(1, 1);
	quiet();
	raise_irq4();
	take("irq4");
	raise_irq0();
	take("irq0 over irq4 in service");
	eoi();
	registers();
	eoi();
	registers();
	take("nothing after the edge was taken");
	lower_irq0();
	raise_irq0();
	take("irq0 again");
	lower_irq4();
	raise_irq4();
	take("irq4 waits for irq0");
	eoi();
	take("now irq4");
	outb(0x20, 0x64); /* specific EOI */
	registers();
	raise_irq8();
	take("irq8 through the slave");
	eoi_both();
	registers();
	lower_irq8();
	outb(0xa1, 0x01);
	raise_irq8();
	take("irq8 masked");
	outb(0xa1, 0x00);
	take("irq8 unmasked");
	outb(0x20, 0x20);
	registers();
	outb(0xa0, 0x20);
	registers();
}

/*
 * Bochs settles on a request when its line rises and looks again when the mask changes, so two
 * requests are made behind a full mask to have their priorities compared. (What the datasheet says
 * of polling, of a change of priorities under a pending request and of spurious requests, where
 * Bochs differs, tests/unit/devices checks.)
 */
static void raise_both(void)
{
	outb(0x21, 0xff);
	lower_irq0();
	lower_irq4();
	raise_irq0();
	raise_irq4();
	outb(0x21, 0x00);
}

static void modes(void)
{
	pic_init(3, 1);
	quiet();
	raise_irq0();
	take("automatic EOI");
	pic_init(1, 1);
	raise_both();
	take("irq0 is above irq4");
	pic_init(1, 1);
	outb(0x20, 0xc3); /* set priority: IRQ 3 lowest, IRQ 4 highest */
	raise_both();
	take("irq4 is above irq0");
	outb(0x20, 0xa0); /* rotate on non-specific EOI: IRQ 4 becomes the lowest */
	outb(0x21, 0xff);
	outb(0x21, 0x00);
	take("irq0 after the rotation");
	eoi();
	raise_both();
	take("irq0 is above irq4 again");
	eoi();
	pic_init(1, 1);
	quiet();
	raise_irq0();
	take("irq0");
	outb(0x21, 0x01);
	outb(0x20, 0x68); /* special mask mode: what is masked holds nobody back */
	raise_irq4();
	take("special mask lets irq4 through");
	outb(0x20, 0x48);
	outb(0x20, 0x64);
	outb(0x20, 0x60);
	registers();
}

static void initialisation(void)
{
	pic_init(1, 1);
	quiet();
	raise_irq0();
	take("irq0");
	lower_irq0();
	raise_irq0();
	pic_init(1, 1);
	registers();
	take("ICW1 cleared the latch");
	outb(0x21, 0x55);
	outb(0xa1, 0xaa);
	registers();
	outb(0x4d0, 0x00);
	outb(0x4d1, 0x00);
	print("elcr %02x %02x\n", inb(0x4d0), inb(0x4d1));
	outb(0x4d0, 0xff);
	outb(0x4d1, 0xff);
	print("elcr %02x %02x\n", inb(0x4d0), inb(0x4d1));
	outb(0x4d0, 0x00);
	outb(0x4d1, 0x00);
}

static void level(void)
{
	pic_init(1, 1);
	quiet();
	outb(0x4d0, 0x10);
	raise_irq4();
	take("level irq4");
	eoi();
	take("still high");
	lower_irq4();
	eoi();
	take("low");
	outb(0x4d0, 0x00);
}

int main(void)
{
	rt_init("pic");
	shadows();
	priorities();
	modes();
	initialisation();
	level();
	print("[end]\n");
	return 0;
}
