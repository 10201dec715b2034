/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration's parser: splits the text into lines and words and looks each line's first word
 * up in a table. What is wrong is said in one line, `config:LINE: 'word': expected ...`; the first
 * mistake ends the parsing.
 */
#include "boot/config.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define LINE_MAX  768
#define WORDS_MAX 16

enum origin { ORIGIN_MODULE, ORIGIN_CMDLINE };

static const char *const origin_name[] = {"config", "command line"};

/* One line being parsed: its words, in place, each ended by a zero byte. */
struct parse {
	struct config *c;
	enum origin origin;
	u16 line;
	char text[LINE_MAX];
	char *word[WORDS_MAX];
	unsigned words;
	unsigned next; /* the next word to look at */
};

static int fail_at(struct config *c, unsigned origin, unsigned line, const char *word,
		   const char *expected)
{
	/* A word may be anything, also too long for the line: 40 characters of it will do. */
	fmt(c->error, sizeof(c->error), "%s:%u: '%.40s': expected %s", origin_name[origin], line,
	    word, expected);
	return -1;
}

static int fail(struct parse *p, const char *word, const char *expected)
{
	return fail_at(p->c, p->origin, p->line, word, expected);
}

/* The next word, or "" (which no value matches) past the end. */
static const char *take(struct parse *p)
{
	return p->next < p->words ? p->word[p->next++] : "";
}

static bool take_if(struct parse *p, const char *text)
{
	if (p->next >= p->words || strcmp(p->word[p->next], text))
		return false;
	p->next++;
	return true;
}

/* What a message shows for a word that take() gave. */
static const char *shown(const struct parse *p, const char *word)
{
	return *word ? word : p->word[0];
}

static int digit_of(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if (ch >= 'a' && ch <= 'f')
		return ch - 'a' + 10;
	if (ch >= 'A' && ch <= 'F')
		return ch - 'A' + 10;
	return 99;
}

/* A decimal or 0x number at *s, at most max; moves *s behind it. false: none, or too large. */
static bool number_at(const char **s, u32 max, u32 *value)
{
	const char *p = *s;
	unsigned base = 10;
	u64 n = 0;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		base = 16;
		p += 2;
	}
	if ((unsigned)digit_of(*p) >= base)
		return false;
	for (; (unsigned)digit_of(*p) < base; p++) {
		n = n * base + (unsigned)digit_of(*p);
		if (n > max)
			return false;
	}
	*value = (u32)n;
	*s = p;
	return true;
}

static bool number(const char *word, u32 min, u32 max, u32 *value)
{
	return number_at(&word, max, value) && !*word && *value >= min;
}

/* Numbers with one separator between them, count of them, each at most max: "306/4/17". */
static bool number_list(const char **s, char separator, u32 *value, unsigned count, u32 max)
{
	for (unsigned i = 0; i < count; i++) {
		if (i && *(*s)++ != separator)
			return false;
		if (!number_at(s, max, &value[i]))
			return false;
	}
	return true;
}

static int set_ram(struct parse *p, unsigned index)
{
	static const char expected[] = "a size from 1M to 2048M, as in 'ram 64M'";
	const char *word = take(p), *s = word;
	u32 mb;

	(void)index;
	if (!number_at(&s, 2048, &mb) || (*s != 'M' && *s != 'G') || s[1])
		return fail(p, shown(p, word), expected);
	if (*s == 'G')
		mb *= mb <= 2 ? 1024 : 4096;
	if (mb < 1 || mb > 2048)
		return fail(p, shown(p, word), expected);
	p->c->ram = mb * MB;
	return 0;
}

static int set_cpu(struct parse *p, unsigned index)
{
	const char *word = take(p);

	(void)index;
	if (!strcmp(word, "auto"))
		p->c->cpu = CONFIG_CPU_AUTO;
	else if (!strcmp(word, "interp"))
		p->c->cpu = CONFIG_CPU_INTERP;
	else
		return fail(p, shown(p, word), "'auto' or 'interp'");
	return 0;
}

static int set_module(struct parse *p, struct config_medium *m)
{
	const char *name = take(p);

	if (!*name || strlen(name) >= CONFIG_NAME_MAX)
		return fail(p, shown(p, name), "a module's name of at most 47 characters");
	m->source = CONFIG_MODULE;
	memcpy(m->module, name, strlen(name) + 1);
	return 0;
}

static int set_host_disk(struct parse *p, struct config_medium *m)
{
	const char *word = take(p);
	u32 n;

	if (!number(word, 0, 3, &n))
		return fail(p, shown(p, word), "the number of this PC's disk, 0 to 3");
	m->source = CONFIG_HOST;
	m->host_disk = (u8)n;
	if (!take_if(p, "partition"))
		return 0;
	word = take(p);
	if (!number(word, 1, 4, &n))
		return fail(p, shown(p, word), "a primary partition's number, 1 to 4");
	m->partition = (u8)n;
	return 0;
}

/* What may stand behind a drive's or ROM's name. */
enum { TAKE_NONE = 1, TAKE_HOST = 2, TAKE_HOST_DISK = 4 };

static int set_medium(struct parse *p, struct config_medium *m, unsigned takes,
		      const char *expected)
{
	const char *word = take(p);

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
	return fail(p, shown(p, word), expected);
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
	const char *drive = take(p), *word, *s;
	u32 chs[3];

	(void)index;
	if (strncmp(drive, "disk", 4) || drive[4] < '0' || drive[4] > '3' || drive[5])
		return fail(p, shown(p, drive), "'disk0' to 'disk3'");
	s = word = take(p);
	if (!number_list(&s, '/', chs, 3, 16383) || *s || chs[0] < 1 || chs[1] < 1 || chs[1] > 16 ||
	    chs[2] < 1 || chs[2] > 63)
		return fail(p, shown(p, word),
			    "cylinders/heads/sectors, at most 16383/16/63, as in '306/4/17'");
	p->c->geometry[drive[4] - '0'] = (struct config_geometry){
		.cylinders = (u16)chs[0], .heads = (u8)chs[1], .sectors = (u8)chs[2]};
	return 0;
}

static int set_boot(struct parse *p, unsigned index)
{
	static const char expected[] = "one to three of the letters c (disk), a (floppy), d (CD)";
	const char *word = take(p);
	size_t len = strlen(word);

	(void)index;
	if (len < 1 || len > 3)
		return fail(p, shown(p, word), expected);
	for (size_t i = 0; i < len; i++)
		if (!strchr("cad", word[i]) || strchr(word + i + 1, word[i]))
			return fail(p, word, expected);
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
	const char *word = take(p), *s = word;
	u32 date[3], time[3];

	(void)index;
	if (!strcmp(word, "host")) {
		p->c->rtc_host = true;
		return 0;
	}
	if (!number_list(&s, '-', date, 3, 2099) || *s++ != 'T' ||
	    !number_list(&s, ':', time, 3, 59) || *s)
		return fail(p, shown(p, word), expected);
	if (date[0] < 1980 || date[1] < 1 || date[1] > 12 || date[2] < 1 ||
	    date[2] > days_in_month(date[0], date[1]) || time[0] > 23)
		return fail(p, word, expected);
	p->c->rtc_host = false;
	p->c->rtc.year = (u16)date[0];
	p->c->rtc.month = (u8)date[1];
	p->c->rtc.day = (u8)date[2];
	p->c->rtc.hour = (u8)time[0];
	p->c->rtc.minute = (u8)time[1];
	p->c->rtc.second = (u8)time[2];
	return 0;
}

/* Ranges of ports: "0x3f8-0x3ff,0x3e8". 0, or -1 where one is malformed or there are too many. */
static int parse_ranges(const char *s, struct config_route *r)
{
	do {
		u32 first, last;

		if (r->range_count == CONFIG_RANGES || !number_at(&s, 0xffff, &first))
			return -1;
		last = first;
		if (*s == '-') {
			s++;
			if (!number_at(&s, 0xffff, &last) || last < first)
				return -1;
		}
		r->range[r->range_count++] = (struct config_range){(u16)first, (u16)last};
	} while (*s++ == ',');
	return s[-1] ? -1 : 0;
}

int config_parse_ranges(const char *word, struct config_route *r)
{
	r->range_count = 0;
	return parse_ranges(word, r);
}

static int set_route(struct parse *p, unsigned index)
{
	static const char *const kinds[] = {"virtual", "local", "absent"};
	struct config_route r = {.irq = -1, .line = p->line, .origin = p->origin};
	const char *word = take(p);
	u32 irq;

	(void)index;
	if (config_parse_ranges(word, &r))
		return fail(p, shown(p, word),
			    "up to 8 port ranges from 0 to 0xffff, as in '0x3f8-0x3ff,0x3e8'");
	if (take_if(p, "irq")) {
		word = take(p);
		if (!number(word, 0, 15, &irq))
			return fail(p, shown(p, word), "an interrupt line, 0 to 15");
		r.irq = (s8)irq;
	}
	word = take(p);
	for (r.kind = 0; r.kind < ARRAY_SIZE(kinds); r.kind++)
		if (!strcmp(word, kinds[r.kind]))
			break;
	if (r.kind == ARRAY_SIZE(kinds))
		return fail(p, shown(p, word), "'irq N', 'virtual', 'local' or 'absent'");
	if (p->c->route_count == CONFIG_ROUTES)
		return fail(p, p->word[0], "at most 16 routes");
	p->c->route[p->c->route_count++] = r;
	return 0;
}

/* The UART divides 115,200 by a whole number (16550 data sheet, programmable baud generator). */
static bool baud_possible(u32 baud)
{
	return baud >= 50 && baud <= 115200 && 115200 % baud == 0;
}

static int set_console(struct parse *p, unsigned index)
{
	const char *word = take(p);
	u32 baud = 115200;

	(void)index;
	if (!strcmp(word, "none")) {
		p->c->console_com = 0;
		return 0;
	}
	if (strcmp(word, "com1") && strcmp(word, "com2"))
		return fail(p, shown(p, word), "'com1', 'com2' or 'none'");
	p->c->console_com = (u8)(word[3] - '0');
	if (p->next < p->words) {
		word = take(p);
		if (!number(word, 50, 115200, &baud) || !baud_possible(baud))
			return fail(p, word, "a baud rate that divides 115200, as 9600 does");
	}
	p->c->console_baud = baud;
	return 0;
}

static int set_serial(struct parse *p, unsigned index)
{
	const char *word = take(p);

	if (!strcmp(word, "null")) {
		p->c->serial_com[index] = 0;
		return 0;
	}
	if (strcmp(word, "host"))
		return fail(p, shown(p, word), "'null' or 'host com1' or 'host com2'");
	word = take(p);
	if (strcmp(word, "com1") && strcmp(word, "com2"))
		return fail(p, shown(p, word), "'com1' or 'com2'");
	p->c->serial_com[index] = (u8)(word[3] - '0');
	return 0;
}

static int set_parallel(struct parse *p, unsigned index)
{
	const char *word = take(p);

	(void)index;
	return strcmp(word, "null") ? fail(p, shown(p, word), "'null'") : 0;
}

static int set_triple_fault(struct parse *p, unsigned index)
{
	const char *word = take(p);

	(void)index;
	if (strcmp(word, "reset") && strcmp(word, "stop"))
		return fail(p, shown(p, word), "'reset' or 'stop'");
	p->c->triple_fault_stop = word[0] == 's';
	return 0;
}

static int set_monitor(struct parse *p, unsigned index)
{
	const char *word = take(p);

	(void)index;
	if (strcmp(word, "on") && strcmp(word, "off"))
		return fail(p, shown(p, word), "'on' or 'off'");
	p->c->monitor = word[1] == 'n';
	return 0;
}

/* `count` is 0 for a word that stands alone, else it takes a digit below it: disk0 to disk3. */
static const struct config_word {
	const char *name;
	u8 count;
	int (*set)(struct parse *p, unsigned index);
} words[] = {
	{"ram", 0, set_ram},
	{"cpu", 0, set_cpu},
	{"firmware", 0, set_firmware},
	{"vgabios", 0, set_vgabios},
	{"disk", CONFIG_DISKS, set_disk},
	{"cdrom", CONFIG_DISKS, set_cdrom},
	{"floppy", CONFIG_FLOPPIES, set_floppy},
	{"geometry", 0, set_geometry},
	{"boot", 0, set_boot},
	{"rtc", 0, set_rtc},
	{"route", 0, set_route},
	{"console", 0, set_console},
	{"serial", CONFIG_SERIALS, set_serial},
	{"parallel", 1, set_parallel},
	{"triple-fault", 0, set_triple_fault},
	{"monitor", 0, set_monitor},
};

static const char known_words[] =
	"ram, cpu, firmware, vgabios, diskN, cdromN, floppyN, geometry, boot, rtc, route, console, "
	"serialN, parallel0, triple-fault or monitor";

static const struct config_word *find_word(const char *name, unsigned *index)
{
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		const struct config_word *w = &words[i];
		size_t len = strlen(w->name);

		*index = 0;
		if (strncmp(name, w->name, len))
			continue;
		if (!w->count && !name[len])
			return w;
		*index = (unsigned)digit_of(name[len]);
		if (*index < w->count && !name[len + 1])
			return w;
	}
	return NULL;
}

static bool is_space(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\r';
}

/* Cuts p->text into words. Returns 0, or -1 for a line with too many. */
static int split(struct parse *p)
{
	char *s = p->text;

	p->words = p->next = 0;
	for (;;) {
		while (is_space(*s))
			s++;
		if (!*s)
			return 0;
		if (p->words == WORDS_MAX)
			return -1;
		p->word[p->words++] = s;
		while (*s && !is_space(*s))
			s++;
		if (*s)
			*s++ = 0;
	}
}

static int parse_line(struct parse *p)
{
	const struct config_word *w;
	unsigned index;
	int many;

	many = split(p);
	if (!p->words)
		return 0;
	w = find_word(take(p), &index);
	if (!w)
		return fail(p, p->word[0], known_words);
	if (many)
		return fail(p, p->word[0], "at most 15 values");
	if (w->set(p, index))
		return -1;
	if (p->next < p->words)
		return fail(p, p->word[p->next], "nothing more on this line");
	return 0;
}

/*
 * Copies one line to p->text without its comment. Control characters would end up in messages:
 * they count as part of no word.
 */
static int copy_line(struct parse *p, const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && s[n] != '#')
		n++;
	while (n && is_space(s[n - 1]))
		n--;
	if (n >= LINE_MAX) {
		memcpy(p->text, s, 40);
		p->text[40] = 0;
		return fail(p, p->text, "a line of at most 767 characters");
	}
	for (size_t i = 0; i < n; i++)
		p->text[i] = ((u8)s[i] < ' ' && s[i] != '\t' && s[i] != '\r') ? '?' : s[i];
	p->text[n] = 0;
	return 0;
}

static int parse_text(struct config *c, enum origin origin, const char *text, size_t len,
		      char separator)
{
	struct parse p = {.c = c, .origin = origin};
	size_t start = 0;

	while (start < len) {
		size_t end = start;

		while (end < len && text[end] != separator)
			end++;
		p.line++;
		if (copy_line(&p, text + start, end - start) || parse_line(&p))
			return -1;
		start = end + 1;
	}
	return 0;
}

void config_init(struct config *c)
{
	memset(c, 0, sizeof(*c));
	c->ram = 64 * MB;
	c->rtc_host = true;
	c->console_com = 1;
	c->console_baud = 115200;
	c->monitor = true;
}

int config_parse_module(struct config *c, const char *text, size_t len)
{
	return parse_text(c, ORIGIN_MODULE, text, len, '\n');
}

int config_parse_cmdline(struct config *c, const char *text)
{
	const char *end = text;

	while (*text == ' ')
		text++;
	for (end = text; *end && *end != ' ' && *end != ';'; end++)
		if (*end == '/') {
			while (*end && *end != ' ')
				end++;
			text = end;
			break;
		}
	return parse_text(c, ORIGIN_CMDLINE, text, strlen(text), ';');
}

static int check_module(struct config *c, const struct config_medium *m,
			bool (*have)(void *ctx, const char *module), void *ctx)
{
	if (m->source != CONFIG_MODULE || have(ctx, m->module))
		return 0;
	return fail_at(c, m->origin, m->line, m->module,
		       "the name of a module that the boot loader has loaded");
}

static int check_drives(struct config *c)
{
	for (unsigned i = 0; i < CONFIG_DISKS; i++) {
		char word[8];

		fmt(word, sizeof(word), "cdrom%u", i);
		if (c->disk[i].source && c->cdrom[i].source)
			return fail_at(c, c->cdrom[i].origin, c->cdrom[i].line, word,
				       "a place where there is no disk");
	}
	return 0;
}

static int check_serial(struct config *c)
{
	for (unsigned i = 0; i < CONFIG_SERIALS; i++) {
		bool twice = i && c->serial_com[i] == c->serial_com[0];

		if (!c->serial_com[i] || (c->serial_com[i] != c->console_com && !twice))
			continue;
		fmt(c->error, sizeof(c->error), "config: 'serial%u host com%u': expected a port %s",
		    i, c->serial_com[i],
		    twice ? "that serial0 does not use" : "that the console does not use");
		return -1;
	}
	return 0;
}

int config_check(struct config *c, bool (*have)(void *ctx, const char *module), void *ctx)
{
	const struct config_medium *single[] = {&c->firmware, &c->vgabios};

	for (unsigned i = 0; i < ARRAY_SIZE(single); i++)
		if (check_module(c, single[i], have, ctx))
			return -1;
	for (unsigned i = 0; i < CONFIG_DISKS; i++)
		if (check_module(c, &c->disk[i], have, ctx) ||
		    check_module(c, &c->cdrom[i], have, ctx))
			return -1;
	for (unsigned i = 0; i < CONFIG_FLOPPIES; i++)
		if (check_module(c, &c->floppy[i], have, ctx))
			return -1;
	return check_drives(c) || check_serial(c) ? -1 : 0;
}
