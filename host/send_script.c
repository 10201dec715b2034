/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/send_script.h"

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

#define PORT_EXPECTED  "a port, 0 to 0xffff"
#define LINE_EXPECTED  "an interrupt line, 0 to 15"
#define MS_EXPECTED    "how long to wait, 1 to 60000 ms"
#define COUNT_EXPECTED "how many, 1 to 65536"
#define US_EXPECTED    "1 to 60000000 us"
#define MS_DEFAULT     1000u

static u32 most(u8 width)
{
	return width == 4 ? ~0u : (1u << 8 * width) - 1;
}

static bool take_port(struct send_step *t, struct words *w)
{
	u32 port;

	if (!words_number(w, 0, 0x10000u - t->width, &port, PORT_EXPECTED))
		return false;
	t->port = (u16)port;
	return true;
}

static bool take_value(struct send_step *t, struct words *w)
{
	static const char *const expected[] = {[1] = "a value, 0 to 0xff",
					       [2] = "a value, 0 to 0xffff",
					       [4] = "a value of 32 bits"};

	return words_number(w, 0, most(t->width), &t->value[t->count++], expected[t->width]);
}

static bool take_ms(struct words *w, u32 *ms)
{
	*ms = MS_DEFAULT;
	return w->next == w->count || words_number(w, 1, 60000, ms, MS_EXPECTED);
}

static bool take_name(struct words *w, char name[EXPORT_NAME + 1], const char *expected)
{
	const char *word = words_take(w);
	size_t len = strlen(word);

	if (!len || len > EXPORT_NAME)
		return words_fail(w, word, expected);
	memcpy(name, word, len + 1);
	return true;
}

/* --- a line of each kind --- */

static bool take_lease(struct send_step *t, struct words *w)
{
	if (!take_name(w, t->export, "an export's name"))
		return false;
	return !words_take_if(w, "of") || take_name(w, t->peer, "a peer's name");
}

static bool take_in(struct send_step *t, struct words *w)
{
	if (!take_port(t, w))
		return false;
	if (!words_take_if(w, "is"))
		return true;
	t->value[t->count++] = most(t->width);
	if (!take_value(t, w))
		return false;
	return !words_take_if(w, "mask") ||
	       words_number(w, 0, most(t->width), &t->value[0], "a mask as wide as the port");
}

static bool take_out(struct send_step *t, struct words *w)
{
	if (!take_port(t, w))
		return false;
	do {
		if (t->count == SEND_VALUES)
			return words_fail(w, words_take(w), "at most 29 values in a line");
		if (!take_value(t, w))
			return false;
	} while (w->next < w->count);
	return true;
}

static bool take_ins(struct send_step *t, struct words *w)
{
	return take_port(t, w) && words_number(w, 1, 65536, &t->value[0], COUNT_EXPECTED);
}

static bool take_text(struct send_step *t, struct words *w)
{
	const char *word;

	if (!take_port(t, w))
		return false;
	word = words_take(w);
	if (!*word)
		return words_fail(w, word, "a text, as in '\"hello\"'");
	t->text = strdup(word);
	return t->text || words_fail(w, word, "more memory on this machine");
}

static bool take_poll(struct send_step *t, struct words *w)
{
	return take_port(t, w) && take_value(t, w) && take_value(t, w) && take_ms(w, &t->value[2]);
}

static bool take_delay(struct send_step *t, struct words *w)
{
	return words_number(w, 1, 60000000, &t->value[0], US_EXPECTED);
}

static bool take_irq(struct send_step *t, struct words *w)
{
	return words_number(w, 0, 15, &t->value[0], LINE_EXPECTED) && take_ms(w, &t->value[1]);
}

static bool take_eoi(struct send_step *t, struct words *w)
{
	return words_number(w, 0, 15, &t->value[0], LINE_EXPECTED);
}

static bool take_nothing(struct send_step *t, struct words *w)
{
	(void)t;
	(void)w;
	return true;
}

static const struct {
	const char *word;
	enum send_kind kind;
	u8 width;
	bool (*take)(struct send_step *t, struct words *w);
} lines[] = {
	{"lease", SEND_LEASE, 1, take_lease},
	{"in", SEND_IN, 1, take_in},
	{"inw", SEND_IN, 2, take_in},
	{"ind", SEND_IN, 4, take_in},
	{"out", SEND_OUT, 1, take_out},
	{"outw", SEND_OUT, 2, take_out},
	{"outd", SEND_OUT, 4, take_out},
	{"ins", SEND_INS, 1, take_ins},
	{"insw", SEND_INS, 2, take_ins},
	{"insd", SEND_INS, 4, take_ins},
	{"text", SEND_TEXT, 1, take_text},
	{"poll", SEND_POLL, 1, take_poll},
	{"pollw", SEND_POLL, 2, take_poll},
	{"polld", SEND_POLL, 4, take_poll},
	{"delay", SEND_DELAY, 1, take_delay},
	{"irq", SEND_IRQ, 1, take_irq},
	{"eoi", SEND_EOI, 1, take_eoi},
	{"reset", SEND_RESET, 1, take_nothing},
	{"quiesce", SEND_QUIESCE, 1, take_nothing},
};

/* --- the file --- */

static bool take_line(struct send_step *t, struct words *w)
{
	const char *word = words_take(w);

	t->line = w->line;
	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
		if (strcmp(word, lines[i].word))
			continue;
		t->kind = lines[i].kind;
		t->width = lines[i].width;
		return lines[i].take(t, w) &&
		       (w->next == w->count ||
			words_fail(w, w->word[w->next], "the end of the line"));
	}
	return words_fail(w, word,
			  "lease, in, out, ins, text, poll (in, out, ins and poll with 'w' or 'd' "
			  "behind for 2 or 4 bytes), delay, irq, eoi, reset or quiesce");
}

static bool add_step(struct send_script *s, struct words *w)
{
	struct send_step *more = realloc(s->step, (s->steps + 1) * sizeof(*more));

	if (!more) {
		log_error("send: out of memory");
		return false;
	}
	s->step = more;
	memset(&more[s->steps], 0, sizeof(*more));
	s->steps++;
	if (!take_line(&more[s->steps - 1], w))
		return false;
	return more[0].kind == SEND_LEASE ||
	       words_fail(w, w->word[0], "first of all 'lease EXPORT [of PEER]'");
}

bool send_script_read(struct send_script *s, const char *path)
{
	struct words w;
	int got;

	*s = (struct send_script){NULL, 0};
	if (!words_open(&w, path))
		return false;
	while ((got = words_line(&w)) > 0) {
		if (!add_step(s, &w)) {
			got = -1;
			break;
		}
	}
	words_close(&w);
	if (!got && !s->steps)
		log_error("%s: nothing in it: expected a line 'lease EXPORT [of PEER]'", path);
	return !got && s->steps;
}

void send_script_free(struct send_script *s)
{
	for (unsigned i = 0; i < s->steps; i++)
		free(s->step[i].text);
	free(s->step);
}
