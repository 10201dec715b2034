/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration's words: what each takes, and what it sets. */
#include "boot/config_parse.h"
#include "lib/str.h"

static int set_ram(struct parse *p, unsigned index)
{
	static const char expected[] = "a size from 1M to 2048M, as in 'ram 64M'";
	const char *word = config_take(p), *s = word;
	u32 mb;

	(void)index;
	if (!config_number_at(&s, 2048, &mb) || (*s != 'M' && *s != 'G') || s[1])
		return config_fail(p, config_shown(p, word), expected);
	if (*s == 'G')
		mb *= mb <= 2 ? 1024 : 4096;
	if (mb < 1 || mb > 2048)
		return config_fail(p, config_shown(p, word), expected);
	p->c->ram = mb * MB;
	return 0;
}

static int set_shadow_pool(struct parse *p, unsigned index)
{
	static const char expected[] = "a size from 256K to 62M, as in 'shadow-pool 4M'";
	const char *word = config_take(p), *s = word;
	u32 size;

	(void)index;
	if (!config_number_at(&s, 62 * KB, &size) || (*s != 'K' && *s != 'M') || s[1])
		return config_fail(p, config_shown(p, word), expected);
	if (*s == 'M')
		size = size <= 62 ? size * KB : 0;
	if (size < 256 || size > 62 * KB)
		return config_fail(p, config_shown(p, word), expected);
	p->c->shadow_pool = size * KB & PAGE_MASK;
	return 0;
}

static int set_cpu(struct parse *p, unsigned index)
{
	const char *word = config_take(p);

	(void)index;
	if (!strcmp(word, "auto"))
		p->c->cpu = CONFIG_CPU_AUTO;
	else if (!strcmp(word, "interp"))
		p->c->cpu = CONFIG_CPU_INTERP;
	else if (!strcmp(word, "direct"))
		p->c->cpu = CONFIG_CPU_DIRECT;
	else if (!strcmp(word, "lockstep"))
		p->c->cpu = CONFIG_CPU_LOCKSTEP;
	else
		return config_fail(p, config_shown(p, word),
				   "'auto', 'interp', 'direct' or 'lockstep'");
	return 0;
}

/* One of two words; `expected` names them. */
static int set_flag(struct parse *p, bool *flag, const char *yes, const char *no,
		    const char *expected)
{
	const char *word = config_take(p);

	if (strcmp(word, yes) && strcmp(word, no))
		return config_fail(p, config_shown(p, word), expected);
	*flag = !strcmp(word, yes);
	return 0;
}

static int set_translate(struct parse *p, unsigned index)
{
	(void)index;
	return set_flag(p, &p->c->translate, "on", "off", "'on' or 'off'");
}

static int set_module(struct parse *p, struct config_medium *m)
{
	const char *name = config_take(p);

	if (!*name || strlen(name) >= CONFIG_NAME_MAX)
		return config_fail(p, config_shown(p, name),
				   "a module's name of at most 47 characters");
	m->source = CONFIG_MODULE;
	memcpy(m->module, name, strlen(name) + 1);
	return 0;
}

static int set_host_disk(struct parse *p, struct config_medium *m)
{
	const char *word = config_take(p);
	u32 n;

	if (!config_number(word, 0, 3, &n))
		return config_fail(p, config_shown(p, word),
				   "the number of this PC's disk, 0 to 3");
	m->source = CONFIG_HOST;
	m->host_disk = (u8)n;
	if (!config_take_if(p, "partition"))
		return 0;
	word = config_take(p);
	if (!config_number(word, 1, 4, &n))
		return config_fail(p, config_shown(p, word),
				   "a primary partition's number, 1 to 4");
	m->partition = (u8)n;
	return 0;
}

/* What may stand behind a drive's or ROM's name. */
enum { TAKE_NONE = 1, TAKE_HOST = 2, TAKE_HOST_DISK = 4 };

static int set_medium(struct parse *p, struct config_medium *m, unsigned takes,
		      const char *expected)
{
	const char *word = config_take(p);

	memset(m, 0, sizeof(*m));
	m->line = p->line;
	m->origin = p->origin;
	if (!strcmp(word, "module"))
		return set_module(p, m);
	if ((takes & TAKE_NONE) && !strcmp(word, "none"))
		return 0;
	if ((takes & TAKE_HOST_DISK) && !strcmp(word, "host"))
		return set_host_disk(p, m);
	if ((takes & TAKE_HOST) && !strcmp(word, "host")) {
		m->source = CONFIG_HOST;
		return 0;
	}
	return config_fail(p, config_shown(p, word), expected);
}

static int set_firmware(struct parse *p, unsigned index)
{
	(void)index;
	return set_medium(p, &p->c->firmware, 0, "'module NAME'");
}

static int set_vgabios(struct parse *p, unsigned index)
{
	(void)index;
	return set_medium(p, &p->c->vgabios, TAKE_HOST, "'host' or 'module NAME'");
}

static int set_disk(struct parse *p, unsigned index)
{
	return set_medium(p, &p->c->disk[index], TAKE_NONE | TAKE_HOST_DISK,
			  "'module NAME', 'host M [partition P]' or 'none'");
}

static int set_cdrom(struct parse *p, unsigned index)
{
	return set_medium(p, &p->c->cdrom[index], TAKE_NONE, "'module NAME' or 'none'");
}

static int set_floppy(struct parse *p, unsigned index)
{
	return set_medium(p, &p->c->floppy[index], TAKE_NONE, "'module NAME' or 'none'");
}

static int set_geometry(struct parse *p, unsigned index)
{
	const char *drive = config_take(p), *word, *s;
	u32 chs[3];

	(void)index;
	if (strncmp(drive, "disk", 4) || drive[4] < '0' || drive[4] > '3' || drive[5])
		return config_fail(p, config_shown(p, drive), "'disk0' to 'disk3'");
	s = word = config_take(p);
	if (!config_number_list(&s, '/', chs, 3, 16383) || *s || chs[0] < 1 || chs[1] < 1 ||
	    chs[1] > 16 || chs[2] < 1 || chs[2] > 63)
		return config_fail(
			p, config_shown(p, word),
			"cylinders/heads/sectors, at most 16383/16/63, as in '306/4/17'");
	p->c->geometry[drive[4] - '0'] = (struct config_geometry){
		.cylinders = (u16)chs[0], .heads = (u8)chs[1], .sectors = (u8)chs[2]};
	return 0;
}

static int set_boot(struct parse *p, unsigned index)
{
	static const char expected[] = "one to three of the letters c (disk), a (floppy), d (CD)";
	const char *word = config_take(p);
	size_t len = strlen(word);

	(void)index;
	if (len < 1 || len > 3)
		return config_fail(p, config_shown(p, word), expected);
	for (size_t i = 0; i < len; i++)
		if (!strchr("cad", word[i]) || strchr(word + i + 1, word[i]))
			return config_fail(p, word, expected);
	memcpy(p->c->boot_order, word, len + 1);
	return 0;
}

static unsigned days_in_month(u32 year, u32 month)
{
	static const u8 days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = !(year % 4) && (year % 100 || !(year % 400));

	return days[month - 1] + (month == 2 && leap);
}

static int set_rtc(struct parse *p, unsigned index)
{
	static const char expected[] =
		"'host' or a time from 1980 to 2099, as in '1996-02-29T12:00:00'";
	const char *word = config_take(p), *s = word;
	u32 date[3], time[3];

	(void)index;
	if (!strcmp(word, "host")) {
		p->c->rtc_host = true;
		return 0;
	}
	if (!config_number_list(&s, '-', date, 3, 2099) || *s++ != 'T' ||
	    !config_number_list(&s, ':', time, 3, 59) || *s)
		return config_fail(p, config_shown(p, word), expected);
	if (date[0] < 1980 || date[1] < 1 || date[1] > 12 || date[2] < 1 ||
	    date[2] > days_in_month(date[0], date[1]) || time[0] > 23)
		return config_fail(p, word, expected);
	p->c->rtc_host = false;
	p->c->rtc.year = (u16)date[0];
	p->c->rtc.month = (u8)date[1];
	p->c->rtc.day = (u8)date[2];
	p->c->rtc.hour = (u8)time[0];
	p->c->rtc.minute = (u8)time[1];
	p->c->rtc.second = (u8)time[2];
	return 0;
}

/* The UART divides 115,200 by a whole number (16550 data sheet, programmable baud generator). */
static bool baud_possible(u32 baud)
{
	return baud >= 50 && baud <= 115200 && 115200 % baud == 0;
}

static int set_console(struct parse *p, unsigned index)
{
	const char *word = config_take(p);
	u32 baud = 115200;

	(void)index;
	if (!strcmp(word, "none")) {
		p->c->console_com = 0;
		return 0;
	}
	if (strcmp(word, "com1") && strcmp(word, "com2"))
		return config_fail(p, config_shown(p, word), "'com1', 'com2' or 'none'");
	p->c->console_com = (u8)(word[3] - '0');
	if (p->next < p->words) {
		word = config_take(p);
		if (!config_number(word, 50, 115200, &baud) || !baud_possible(baud))
			return config_fail(p, word,
					   "a baud rate that divides 115200, as 9600 does");
	}
	p->c->console_baud = baud;
	return 0;
}

static int set_serial(struct parse *p, unsigned index)
{
	const char *word = config_take(p);

	if (!strcmp(word, "null")) {
		p->c->serial_com[index] = 0;
		return 0;
	}
	if (strcmp(word, "host"))
		return config_fail(p, config_shown(p, word),
				   "'null' or 'host com1' or 'host com2'");
	word = config_take(p);
	if (strcmp(word, "com1") && strcmp(word, "com2"))
		return config_fail(p, config_shown(p, word), "'com1' or 'com2'");
	p->c->serial_com[index] = (u8)(word[3] - '0');
	return 0;
}

static int set_parallel(struct parse *p, unsigned index)
{
	const char *word = config_take(p);

	(void)index;
	return strcmp(word, "null") ? config_fail(p, config_shown(p, word), "'null'") : 0;
}

static int set_triple_fault(struct parse *p, unsigned index)
{
	(void)index;
	return set_flag(p, &p->c->triple_fault_stop, "stop", "reset", "'reset' or 'stop'");
}

static int set_monitor(struct parse *p, unsigned index)
{
	(void)index;
	return set_flag(p, &p->c->monitor, "on", "off", "'on' or 'off'");
}

const struct config_word config_words[] = {
	{"ram", 0, set_ram},
	{"cpu", 0, set_cpu},
	{"translate", 0, set_translate},
	{"shadow-pool", 0, set_shadow_pool},
	{"firmware", 0, set_firmware},
	{"vgabios", 0, set_vgabios},
	{"disk", CONFIG_DISKS, set_disk},
	{"cdrom", CONFIG_DISKS, set_cdrom},
	{"floppy", CONFIG_FLOPPIES, set_floppy},
	{"geometry", 0, set_geometry},
	{"boot", 0, set_boot},
	{"rtc", 0, set_rtc},
	{"route", 0, config_set_route},
	{"console", 0, set_console},
	{"serial", CONFIG_SERIALS, set_serial},
	{"parallel", 1, set_parallel},
	{"triple-fault", 0, set_triple_fault},
	{"monitor", 0, set_monitor},
	{"trace", 0, config_set_trace},
	{"nic", 0, config_set_nic},
	{"frames", 0, config_set_frames},
	{"key", 0, config_set_key},
	{"peer", 0, config_set_peer},
	{"export", 0, config_set_export},
	{"offer", 0, config_set_offer},
};

const unsigned config_word_count = ARRAY_SIZE(config_words);
