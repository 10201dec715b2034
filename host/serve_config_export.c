/* SPDX-License-Identifier: BSD-2-Clause */
/* The word `export`: one device, its ports, its line, what stands behind it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/serve_config_parts.h"

#define UART_PORTS	8u
#define LPT_PORTS	3u
#define ATA_PORTS	8u
#define IRQ_EXPECTED	"an interrupt line, 3 to 15"
#define PATH_EXPECTED	"a file's name of at most 1023 characters"
#define ATA_EXPECTED	"an ATA channel's two ports, as in '0x170,0x376'"
#define PORT_MAX(ports) (0x10000u - (ports))
#define RANGES_EXPECTED "up to 4 ranges of ports from 0x100 on, as in '0x300-0x31f,0x330'"
#define PORT_EXPECTED	"a first port from 0x100 to the last that leaves room, as in '0x2f8'"

static bool take_irq(struct device_config *d, struct words *w)
{
	u32 line;

	d->irq = -1;
	if (!words_take_if(w, "irq"))
		return true;
	if (!words_number(w, 3, SERVER_LINES - 1, &line, IRQ_EXPECTED))
		return false;
	d->irq = (int)line;
	return true;
}

static bool take_base(struct device_config *d, struct words *w, u32 ports)
{
	u32 base;

	if (!words_number(w, 0x100, PORT_MAX(ports), &base, PORT_EXPECTED))
		return false;
	d->base = (u16)base;
	return true;
}

static bool take_path(struct words *w, const char *before, char path[PATH_BYTES])
{
	const char *word = words_take(w);
	char expected[48];

	snprintf(expected, sizeof(expected), "'%s FILE'", before);
	if (strcmp(word, before))
		return words_fail(w, word, expected);
	return config_text(w, path, PATH_BYTES, PATH_EXPECTED);
}

/* [HOST:]PORT; names are looked up when it is opened. */
static bool take_address(struct device_config *d, struct words *w)
{
	const char *word = words_take(w), *colon = strrchr(word, ':');
	const char *port = colon ? colon + 1 : word;
	char *end;
	unsigned long number = strtoul(port, &end, 10);
	bool good = *port >= '0' && *port <= '9' && !*end && number >= 1 && number <= 65535 &&
		    colon != word && strlen(word) < PATH_BYTES;

	if (!good || (!colon && !d->listening))
		return words_fail(w, word,
				  d->listening ? "a TCP port, as in '4001' or '0.0.0.0:4001'"
					       : "a host and a TCP port, as in '10.0.0.7:4001'");
	strcpy(d->path, word);
	d->raw = words_take_if(w, "raw");
	return true;
}

static bool take_line_end(struct device_config *d, struct words *w)
{
	if (words_take_if(w, "pty")) {
		d->line = LINE_PTY;
	} else if (words_take_if(w, "tty")) {
		d->line = LINE_TTY;
	} else {
		d->line = LINE_TCP;
		d->listening = words_take_if(w, "listen");
		if (d->listening || words_take_if(w, "tcp"))
			return take_address(d, w);
		return words_fail(w, words_take(w),
				  "'pty LINK', 'tty DEVICE', 'tcp HOST:PORT' or 'listen PORT'");
	}
	return config_text(w, d->path, PATH_BYTES, PATH_EXPECTED);
}

static bool take_uart(struct device_config *d, struct words *w)
{
	d->kind = DEVICE_UART;
	return take_base(d, w, UART_PORTS) && take_irq(d, w) && take_line_end(d, w);
}

static bool take_lpt(struct device_config *d, struct words *w)
{
	if (!take_base(d, w, LPT_PORTS) || !take_irq(d, w))
		return false;
	d->kind = words_take_if(w, "parport") ? DEVICE_PARPORT : DEVICE_LPT;
	if (d->kind == DEVICE_LPT && !words_take_if(w, "file"))
		return words_fail(w, words_take(w), "'file FILE' or 'parport DEVICE'");
	return config_text(w, d->path, PATH_BYTES, PATH_EXPECTED);
}

/* --- real ports --- */

static bool number_in_ports(const char **s, u32 *value)
{
	char *end;
	unsigned long number;

	if (**s < '0' || **s > '9')
		return false;
	number = strtoul(*s, &end, 0);
	*s = end;
	*value = (u32)number;
	return number >= 0x100 && number <= 0xffff;
}

/* FIRST[-LAST],... */
static bool take_ranges(struct device_config *d, struct words *w)
{
	const char *word = words_take(w), *s = word;

	do {
		u32 first, last;
		bool good = d->ranges < EXPORT_RANGES && number_in_ports(&s, &first);

		last = first;
		if (good && *s == '-') {
			s++;
			good = number_in_ports(&s, &last);
		}
		if (!good || last < first || (*s && *s != ','))
			return words_fail(w, word, RANGES_EXPECTED);
		d->range[d->ranges++] = (struct port_range){(u16)first, (u16)last};
	} while (*s++ == ',');
	return true;
}

static bool take_ports(struct device_config *d, struct words *w)
{
	d->kind = DEVICE_PORTS;
	if (!take_ranges(d, w) || !take_irq(d, w))
		return false;
	return d->irq < 0 || take_path(w, "uio", d->path);
}

/* --- ATA --- */

static bool take_ata_ports(struct device_config *d, struct words *w)
{
	const char *word = words_take(w);
	char *end;
	unsigned long base = strtoul(word, &end, 0), control = 0;

	if (*end == ',')
		control = strtoul(end + 1, &end, 0);
	if (*end || base < 0x100 || base > PORT_MAX(ATA_PORTS) || control < 0x100 ||
	    control > 0xffff || (control >= base && control < base + ATA_PORTS))
		return words_fail(w, word, ATA_EXPECTED);
	d->base = (u16)base;
	d->control = (u16)control;
	return true;
}

/* disk FILE|none [ro], cdrom FILE|none; the first is the master. */
static bool take_medium(struct medium_config *m, struct words *w)
{
	if (words_take_if(w, "none"))
		return true;
	if (words_take_if(w, "disk"))
		m->kind = MEDIUM_DISK;
	else if (words_take_if(w, "cdrom"))
		m->kind = MEDIUM_CDROM;
	else
		return true;
	if (!config_text(w, m->path, PATH_BYTES, PATH_EXPECTED))
		return false;
	/* A drive without a disc is a drive. */
	if (m->kind == MEDIUM_CDROM && !strcmp(m->path, "empty"))
		memset(m->path, 0, sizeof(m->path));
	m->read_only = m->kind == MEDIUM_CDROM || words_take_if(w, "read-only");
	return true;
}

static bool take_ata(struct device_config *d, struct words *w)
{
	d->kind = DEVICE_ATA;
	if (!take_ata_ports(d, w) || !take_irq(d, w) || !take_medium(&d->medium[0], w) ||
	    !take_medium(&d->medium[1], w))
		return false;
	if (d->medium[0].kind == MEDIUM_NONE && d->medium[1].kind == MEDIUM_NONE)
		return words_fail(w, words_take(w),
				  "'disk FILE [read-only]' or 'cdrom FILE|empty'");
	return true;
}

/* --- the line --- */

static const struct {
	const char *word;
	bool (*take)(struct device_config *d, struct words *w);
} kinds[] = {{"uart", take_uart}, {"ata", take_ata}, {"lpt", take_lpt}, {"ports", take_ports}};

static bool take_kind(struct device_config *d, struct words *w)
{
	const char *word = words_take(w);

	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(word, kinds[i].word))
			return kinds[i].take(d, w);
	return words_fail(w, word, "'uart', 'ata', 'lpt' or 'ports'");
}

bool config_export(struct serve_config *c, struct words *w)
{
	struct device_config *d = &c->device[c->devices];

	if (c->devices == SERVER_EXPORTS)
		return words_fail(w, "export", "at most 24 exports");
	if (!take_kind(d, w))
		return false;
	if (!words_take_if(w, "name"))
		return words_fail(w, words_take(w), "'name NAME'");
	if (!config_name(w, d->name))
		return false;
	c->devices++;
	return true;
}

/* --- what it lends out --- */

void device_export(const struct device_config *d, struct port_export *x)
{
	static const u16 ports[] = {[DEVICE_UART] = UART_PORTS,
				    [DEVICE_ATA] = ATA_PORTS,
				    [DEVICE_LPT] = LPT_PORTS,
				    [DEVICE_PARPORT] = LPT_PORTS};

	memset(x, 0, sizeof(*x));
	memcpy(x->name, d->name, sizeof(x->name));
	if (d->kind == DEVICE_PORTS) {
		memcpy(x->range, d->range, sizeof(x->range));
		x->ranges = (u8)d->ranges;
	} else {
		x->range[x->ranges++] =
			(struct port_range){d->base, (u16)(d->base + ports[d->kind] - 1)};
	}
	if (d->kind == DEVICE_ATA)
		x->range[x->ranges++] = (struct port_range){d->control, d->control};
	if (d->irq >= 0)
		x->irqs = (u16)BIT(d->irq);
}
