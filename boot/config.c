/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration's parser: splits the text into lines and words and looks each line's first word
 * up in a table. What is wrong is said in one line, `config:LINE: 'word': expected ...`; the first
 * mistake ends the parsing.
 */
#include "boot/config_parse.h"
#include "lib/fmt.h"
#include "lib/str.h"

static const char *const origin_name[] = {"config", "command line"};

int config_fail_at(struct config *c, unsigned origin, unsigned line, const char *word,
		   const char *expected)
{
	/* A word may be anything, also too long for the line: 40 characters of it will do. */
	fmt(c->error, sizeof(c->error), "%s:%u: '%.40s': expected %s", origin_name[origin], line,
	    word, expected);
	return -1;
}

int config_fail(struct parse *p, const char *word, const char *expected)
{
	return config_fail_at(p->c, p->origin, p->line, word, expected);
}

const char *config_take(struct parse *p)
{
	return p->next < p->words ? p->word[p->next++] : "";
}

bool config_take_if(struct parse *p, const char *text)
{
	if (p->next >= p->words || strcmp(p->word[p->next], text))
		return false;
	p->next++;
	return true;
}

const char *config_shown(const struct parse *p, const char *word)
{
	return *word ? word : p->word[0];
}

int config_digit(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if (ch >= 'a' && ch <= 'f')
		return ch - 'a' + 10;
	if (ch >= 'A' && ch <= 'F')
		return ch - 'A' + 10;
	return 99;
}

bool config_number_at(const char **s, u32 max, u32 *value)
{
	const char *p = *s;
	unsigned base = 10;
	u64 n = 0;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		base = 16;
		p += 2;
	}
	if ((unsigned)config_digit(*p) >= base)
		return false;
	for (; (unsigned)config_digit(*p) < base; p++) {
		n = n * base + (unsigned)config_digit(*p);
		if (n > max)
			return false;
	}
	*value = (u32)n;
	*s = p;
	return true;
}

bool config_number(const char *word, u32 min, u32 max, u32 *value)
{
	return config_number_at(&word, max, value) && !*word && *value >= min;
}

bool config_number_list(const char **s, char separator, u32 *value, unsigned count, u32 max)
{
	for (unsigned i = 0; i < count; i++) {
		if (i && *(*s)++ != separator)
			return false;
		if (!config_number_at(s, max, &value[i]))
			return false;
	}
	return true;
}

static const char known_words[] =
	"ram, cpu, translate, shadow-pool, firmware, vgabios, diskN, cdromN, floppyN, geometry, boot, rtc, "
	"route, console, serialN, parallel0, triple-fault, monitor, trace, nic, frames, key, peer, "
	"export or offer";

static const struct config_word *find_word(const char *name, unsigned *index)
{
	for (unsigned i = 0; i < config_word_count; i++) {
		const struct config_word *w = &config_words[i];
		size_t len = strlen(w->name);

		*index = 0;
		if (strncmp(name, w->name, len))
			continue;
		if (!w->count && !name[len])
			return w;
		*index = (unsigned)config_digit(name[len]);
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
		if (p->words == CONFIG_WORDS_MAX)
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
	w = find_word(config_take(p), &index);
	if (!w)
		return config_fail(p, p->word[0], known_words);
	if (many)
		return config_fail(p, p->word[0], "at most 15 values");
	if (w->set(p, index))
		return -1;
	if (p->next < p->words)
		return config_fail(p, p->word[p->next], "nothing more on this line");
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
	if (n >= CONFIG_LINE_MAX) {
		memcpy(p->text, s, 40);
		p->text[40] = 0;
		return config_fail(p, p->text, "a line of at most 767 characters");
	}
	for (size_t i = 0; i < n; i++)
		p->text[i] = ((u8)s[i] < ' ' && s[i] != '\t' && s[i] != '\r') ? '?' : s[i];
	p->text[n] = 0;
	return 0;
}

static int parse_text(struct config *c, enum config_origin origin, const char *text, size_t len,
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

int config_parse_route(struct config *c, const char *line, struct config_route *r)
{
	struct parse p = {.c = c, .origin = CONFIG_ORIGIN_MODULE, .line = 1};

	if (copy_line(&p, line, strlen(line)))
		return -1;
	if (split(&p))
		return config_fail(&p, p.word[0], "at most 15 values");
	if (!p.words)
		p.word[p.words++] = p.text; /* for the message */
	config_take(&p);
	if (config_take_route(&p, r))
		return -1;
	return p.next < p.words ? config_fail(&p, p.word[p.next], "nothing more on this line") : 0;
}

void config_init(struct config *c)
{
	memset(c, 0, sizeof(*c));
	c->ram = 64 * MB;
	c->rtc_host = true;
	c->translate = true;
	c->console_com = 1;
	c->console_baud = 115200;
	c->monitor = true;
	c->trace.ring = 256 * KB;
	c->nic.irq = -1;
}

int config_parse_module(struct config *c, const char *text, size_t len)
{
	return parse_text(c, CONFIG_ORIGIN_MODULE, text, len, '\n');
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
	return parse_text(c, CONFIG_ORIGIN_CMDLINE, text, strlen(text), ';');
}

static int check_module(struct config *c, const struct config_medium *m,
			bool (*have)(void *ctx, const char *module), void *ctx)
{
	if (m->source != CONFIG_MODULE || have(ctx, m->module))
		return 0;
	return config_fail_at(c, m->origin, m->line, m->module,
			      "the name of a module that the boot loader has loaded");
}

static int check_drives(struct config *c)
{
	for (unsigned i = 0; i < CONFIG_DISKS; i++) {
		char word[8];

		fmt(word, sizeof(word), "cdrom%u", i);
		if (c->disk[i].source && c->cdrom[i].source)
			return config_fail_at(c, c->cdrom[i].origin, c->cdrom[i].line, word,
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
	const struct config_medium *single[] = {&c->firmware, &c->vgabios, &c->key_module};

	for (unsigned i = 0; i < ARRAY_SIZE(single); i++)
		if (check_module(c, single[i], have, ctx))
			return -1;
	for (unsigned i = 0; i < c->access_count; i++)
		if (check_module(c, &c->access[i].module, have, ctx))
			return -1;
	for (unsigned i = 0; i < CONFIG_DISKS; i++)
		if (check_module(c, &c->disk[i], have, ctx) ||
		    check_module(c, &c->cdrom[i], have, ctx))
			return -1;
	for (unsigned i = 0; i < CONFIG_FLOPPIES; i++)
		if (check_module(c, &c->floppy[i], have, ctx))
			return -1;
	return check_drives(c) || check_serial(c) || config_check_trace(c) || config_check_net(c)
		       ? -1
		       : 0;
}
