/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Switching this PC off: the PIIX4 power management function that QEMU and Bochs have (Intel
 * 290562, 7.2), else ACPI's S5 as the firmware's tables describe it (ACPI 1.0b, 5.2 and 9.1.4). The
 * tables are read at boot: the guest may overwrite them.
 */
#include "boot/power.h"
#include "boot/host.h"
#include "boot/port.h"
#include "boot/log.h"
#include "lib/str.h"

#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc
#define PIIX4_PM    0x71138086u
#define PMBASE	    0x40
#define PMREGMISC   0x80 /* bit 0: the I/O space is on */
#define PM1_CNT	    4

#define SLP_EN	      BIT(13)
#define SLP_TYP_SHIFT 10
#define SCI_EN	      BIT(0)

static struct {
	u16 pm1a, pm1b; /* PM1 control ports, 0: none */
	u8 typ_a, typ_b;
	u16 smi_cmd;
	u8 acpi_enable;
} off;

static u32 pci_read(u32 devfn, u8 reg)
{
	outl(PCI_ADDRESS, BIT(31) | devfn << 8 | reg);
	return inl(PCI_DATA);
}

static bool find_piix4(void)
{
	outl(PCI_ADDRESS, BIT(31));
	if (inl(PCI_ADDRESS) != BIT(31))
		return false;
	for (u32 devfn = 0; devfn < 256; devfn++) {
		if (pci_read(devfn, 0) != PIIX4_PM || !(pci_read(devfn, PMREGMISC) & 1))
			continue;
		off.pm1a = (u16)((pci_read(devfn, PMBASE) & 0xffc0) + PM1_CNT);
		off.typ_a = 0; /* 290562: SUS_TYP 000b is soft off */
		return off.pm1a != PM1_CNT;
	}
	return false;
}

/* Little-endian, at any alignment. */
static u32 get32(const u8 *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24;
}

static u8 sum(const u8 *p, u32 len)
{
	u8 s = 0;

	while (len--)
		s = (u8)(s + *p++);
	return s;
}

/* A table with this signature (any, when NULL) at phys, whole and in reach; else NULL. */
static const u8 *table_at(u32 phys, const char *signature)
{
	const u8 *t;
	u32 len;

	if (phys < 0x400 || phys >= PHYS_WINDOW_SIZE - MB)
		return NULL;
	t = phys_ptr(phys);
	len = get32(t + 4);
	if ((signature && memcmp(t, signature, 4)) || len < 36 || len > MB || sum(t, len))
		return NULL;
	return t;
}

static const u8 *rsdp_between(u32 start, u32 end)
{
	for (u32 at = start; at < end; at += 16) {
		const u8 *p = phys_ptr(at);

		if (!memcmp(p, "RSD PTR ", 8) && !sum(p, 20))
			return p;
	}
	return NULL;
}

static const u8 *find_fadt(void)
{
	u32 ebda = *(const u16 *)phys_ptr(0x40e) * 16u;
	const u8 *rsdp = NULL, *rsdt;

	if (ebda >= 0x80000 && ebda < 0xa0000)
		rsdp = rsdp_between(ebda, ebda + KB);
	if (!rsdp)
		rsdp = rsdp_between(0xe0000, 0x100000);
	rsdt = rsdp ? table_at(get32(rsdp + 16), "RSDT") : NULL;
	if (!rsdt)
		return NULL;
	for (u32 at = 36; at + 4 <= get32(rsdt + 4); at += 4) {
		const u8 *t = table_at(get32(rsdt + at), "FACP");

		if (t && get32(t + 4) >= 92)
			return t;
	}
	return NULL;
}

/* An AML integer of a package element (ACPI 1.0b, 16.2.3). */
static u8 aml_integer(const u8 **p)
{
	u8 op = *(*p)++;

	if (op == 0x0a) /* BytePrefix */
		return *(*p)++;
	return op == 1; /* OneOp; ZeroOp is 0 */
}

/* Name(\_S5_, Package(){ SLP_TYPa, SLP_TYPb, ... }) in the DSDT. */
static bool find_s5(const u8 *dsdt)
{
	u32 len = get32(dsdt + 4);

	for (u32 at = 36; at + 16 < len; at++) {
		const u8 *p = dsdt + at + 4;

		if (memcmp(dsdt + at, "_S5_", 4) || *p++ != 0x12)
			continue;
		p += (*p >> 6) + 2; /* package length and element count */
		off.typ_a = aml_integer(&p) & 7;
		off.typ_b = aml_integer(&p) & 7;
		return true;
	}
	return false;
}

static void find_acpi(void)
{
	const u8 *fadt = find_fadt(), *dsdt;

	dsdt = fadt ? table_at(get32(fadt + 40), "DSDT") : NULL;
	if (!dsdt || !find_s5(dsdt))
		return;
	off.smi_cmd = (u16)get32(fadt + 48);
	off.acpi_enable = fadt[52];
	off.pm1a = (u16)get32(fadt + 64);
	off.pm1b = (u16)get32(fadt + 68);
}

void power_init(void)
{
	if (!find_piix4())
		find_acpi();
}

void host_power_off(void)
{
	if (off.pm1a) {
		if (off.smi_cmd && off.acpi_enable && !(inw(off.pm1a) & SCI_EN)) {
			outb(off.smi_cmd, off.acpi_enable);
			for (unsigned n = 0; n < 3000 && !(inw(off.pm1a) & SCI_EN); n++)
				host_delay_us(1000);
		}
		outw(off.pm1a, (u16)(off.typ_a << SLP_TYP_SHIFT | SLP_EN));
		if (off.pm1b)
			outw(off.pm1b, (u16)(off.typ_b << SLP_TYP_SHIFT | SLP_EN));
		host_delay_us(1000000);
	}
	log_info("this PC can be switched off now");
	host_halt();
}
