/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scan codes: IBM PC/AT Technical Reference, keyboard, scan code set 1. Sequences: ECMA-48 and
 * xterm's control sequences ("PC-style function keys"), and the Linux console's for F1 to F5.
 */
#include "boot/console_keys.h"
#include "lib/str.h"

/* How long after an Esc the rest of its sequence may take: two characters at 300 baud. */
#define ESC_WAIT_NS 70000000ull

#define MOD_SHIFT BIT(0)
#define MOD_ALT	  BIT(1)
#define MOD_CTRL  BIT(2)

#define SCAN_LSHIFT 0x2a
#define SCAN_LCTRL  0x1d
#define SCAN_LALT   0x38
#define RELEASE	    0x80

/* A key: its set-1 code, with KEY_E0 for the grey keys. */
#define KEY_E0 0x100

#define KEY_ESC	  0x01
#define KEY_BS	  0x0e
#define KEY_TAB	  0x0f
#define KEY_ENTER 0x1c

/* The keys' characters by scan code, without and with Shift (US layout). */
static const char plain[] =
	"\0\0001234567890-=\0\0qwertyuiop[]\0\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] =
	"\0\0!@#$%^&*()_+\0\0QWERTYUIOP{}\0\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0\0\0\0";

static void push_key(struct key_stroke *s, u16 key, u8 release)
{
	if (key & KEY_E0)
		s->code[s->count++] = 0xe0;
	s->code[s->count++] = (u8)(key | release);
}

static void make_stroke(struct key_stroke *s, u16 key, u8 mods)
{
	static const struct {
		u8 mod, scan;
	} modifier[] = {{MOD_CTRL, SCAN_LCTRL}, {MOD_ALT, SCAN_LALT}, {MOD_SHIFT, SCAN_LSHIFT}};

	s->count = 0;
	for (int i = 0; i < 3; i++)
		if (mods & modifier[i].mod)
			push_key(s, modifier[i].scan, 0);
	push_key(s, key, 0);
	push_key(s, key, RELEASE);
	for (int i = 2; i >= 0; i--)
		if (mods & modifier[i].mod)
			push_key(s, modifier[i].scan, RELEASE);
}

/* The key of an ASCII character, adding the modifiers it takes; 0: none. */
static u16 ascii_key(u8 ch, u8 *mods)
{
	for (u16 scan = 2; scan < sizeof(plain) - 1; scan++) {
		/* The keypad's * is no key of the typewriter part. */
		if (scan == 0x37)
			continue;
		if (plain[scan] == (char)ch)
			return scan;
		if (shifted[scan] == (char)ch) {
			*mods |= MOD_SHIFT;
			return scan;
		}
	}
	return 0;
}

/* The key of any single byte. */
static u16 byte_key(u8 ch, u8 *mods)
{
	switch (ch) {
	case '\b':
	case 0x7f:
		return KEY_BS;
	case '\t':
		return KEY_TAB;
	case '\r':
	case '\n':
		return KEY_ENTER;
	case 0x1b:
		return KEY_ESC;
	case 0:
		*mods |= MOD_CTRL;
		return ascii_key('2', mods);
	}
	if (ch < ' ') {
		u8 unshifted = 0;

		/* Ctrl-A is 01h: the letters, then [ \ ] and, with Shift on a US keyboard, ^ _. */
		*mods |= MOD_CTRL;
		return ascii_key(ch < 0x1b ? (u8)(ch + 0x60) : (u8) "[\\]6-"[ch - 0x1b],
				 &unshifted);
	}
	return ch < 0x80 ? ascii_key(ch, mods) : 0;
}

struct named_key {
	u8 code; /* the sequence's number or last letter */
	u16 key;
};

static u16 find_key(const struct named_key *table, unsigned n, u32 code)
{
	for (unsigned i = 0; i < n; i++)
		if (table[i].code == code)
			return table[i].key;
	return 0;
}

/* ESC [ letter and ESC O letter */
static u16 letter_key(u8 letter)
{
	static const struct named_key table[] = {
		{'A', 0x148}, {'B', 0x150}, {'C', 0x14d}, {'D', 0x14b}, {'H', 0x147}, {'F', 0x14f},
		{'P', 0x3b},  {'Q', 0x3c},  {'R', 0x3d},  {'S', 0x3e},	{'M', 0x11c}, {'E', 0x4c},
	};

	return find_key(table, ARRAY_SIZE(table), letter);
}

/* ESC [ number ~ */
static u16 number_key(u32 number)
{
	static const struct named_key table[] = {
		{1, 0x147}, {2, 0x152}, {3, 0x153}, {4, 0x14f}, {5, 0x149}, {6, 0x151}, {7, 0x147},
		{8, 0x14f}, {11, 0x3b}, {12, 0x3c}, {13, 0x3d}, {14, 0x3e}, {15, 0x3f}, {17, 0x40},
		{18, 0x41}, {19, 0x42}, {20, 0x43}, {21, 0x44}, {23, 0x57}, {24, 0x58},
	};

	return find_key(table, ARRAY_SIZE(table), number);
}

void keys_init(struct keys *k)
{
	memset(k, 0, sizeof(*k));
}

void keys_add(struct keys *k, u8 byte, u64 now)
{
	k->last_ns = now;
	if (keys_space(k))
		k->ring[k->head++ & (KEYS_RING - 1)] = byte;
}

/* The byte at position i of what waits, -1 behind the end. */
static int peek(const struct keys *k, u32 i)
{
	return i < k->head - k->tail ? k->ring[(k->tail + i) & (KEYS_RING - 1)] : -1;
}

enum sequence { SEQ_KEY, SEQ_UNKNOWN, SEQ_SHORT };

/*
 * ESC [ parameters final, from position 2. Sets *len to its length. The second parameter is 1 plus
 * the modifiers: 1 Shift, 2 Alt, 4 Ctrl.
 */
static enum sequence parse_csi(const struct keys *k, u32 *len, u16 *key, u8 *mods)
{
	u32 number[2] = {0, 0}, field = 0, i = 2;
	int ch = peek(k, i);

	if (ch == '[') { /* the Linux console's F1 to F5: ESC [ [ A to E */
		ch = peek(k, 3);
		*len = 4;
		if (ch < 0)
			return SEQ_SHORT;
		*key = ch >= 'A' && ch <= 'E' ? (u16)(0x3b + ch - 'A') : 0;
		return *key ? SEQ_KEY : SEQ_UNKNOWN;
	}
	for (; ch >= 0x20 && ch < 0x40; ch = peek(k, ++i)) {
		if (ch == ';')
			field++;
		else if (ch >= '0' && ch <= '9' && field < 2 && number[field] < 100)
			number[field] = number[field] * 10 + (u32)(ch - '0');
	}
	if (ch < 0)
		return SEQ_SHORT;
	*len = i + 1;
	if (number[1])
		*mods |= (number[1] - 1) & 7;
	if (ch == 'Z') {
		*mods |= MOD_SHIFT;
		*key = KEY_TAB;
	} else {
		*key = ch == '~' ? number_key(number[0]) : letter_key((u8)ch);
	}
	return *key ? SEQ_KEY : SEQ_UNKNOWN;
}

/* What begins with Esc: a sequence, Alt with a character, or the key itself. */
static enum sequence parse_escape(const struct keys *k, u32 *len, u16 *key, u8 *mods)
{
	int next = peek(k, 1);

	*len = 1;
	*key = KEY_ESC;
	if (next < 0)
		return SEQ_SHORT;
	if (next == '[')
		return parse_csi(k, len, key, mods);
	if (next == 'O') {
		if (peek(k, 2) < 0)
			return SEQ_SHORT;
		*key = letter_key((u8)peek(k, 2));
		if (*key) {
			*len = 3;
			return SEQ_KEY;
		}
	}
	if (next == 0x1b) {
		*key = KEY_ESC;
		return SEQ_KEY;
	}
	*len = 2;
	*mods |= MOD_ALT;
	*key = byte_key((u8)next, mods);
	return *key ? SEQ_KEY : SEQ_UNKNOWN;
}

bool keys_next(struct keys *k, u64 now, struct key_stroke *stroke)
{
	while (k->head != k->tail) {
		int ch = peek(k, 0);
		bool lf_of_cr = ch == '\n' && k->after_cr;
		u32 len = 1;
		u16 key = 0;
		u8 mods = 0;

		if (ch == 0x1b) {
			enum sequence seq = parse_escape(k, &len, &key, &mods);

			if (seq == SEQ_SHORT && now < k->last_ns + ESC_WAIT_NS)
				return false;
			if (seq == SEQ_SHORT) { /* nothing more comes: the bytes are keys */
				len = 1;
				mods = 0;
				key = KEY_ESC;
			}
		} else if (!lf_of_cr) {
			key = byte_key((u8)ch, &mods);
		}
		k->after_cr = ch == '\r';
		k->tail += len;
		if (key) {
			make_stroke(stroke, key, mods);
			return true;
		}
	}
	return false;
}

static u16 key_by_name(const char *name, u8 *mods)
{
	static const struct {
		const char *name;
		u16 key;
	} table[] = {
		{"esc", KEY_ESC},      {"tab", KEY_TAB},  {"enter", KEY_ENTER},
		{"backspace", KEY_BS}, {"space", 0x39},	  {"up", 0x148},
		{"down", 0x150},       {"left", 0x14b},	  {"right", 0x14d},
		{"home", 0x147},       {"end", 0x14f},	  {"pgup", 0x149},
		{"pgdn", 0x151},       {"ins", 0x152},	  {"del", 0x153},
		{"f1", 0x3b},	       {"f2", 0x3c},	  {"f3", 0x3d},
		{"f4", 0x3e},	       {"f5", 0x3f},	  {"f6", 0x40},
		{"f7", 0x41},	       {"f8", 0x42},	  {"f9", 0x43},
		{"f10", 0x44},	       {"f11", 0x57},	  {"f12", 0x58},
		{"capslock", 0x3a},    {"numlock", 0x45}, {"scrolllock", 0x46},
		{"minus", 0x0c},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(name, table[i].name))
			return table[i].key;
	return name[0] > ' ' && !name[1] ? ascii_key((u8)name[0], mods) : 0;
}

bool keys_named(const char *name, struct key_stroke *stroke)
{
	static const struct {
		const char *name;
		u8 mod;
	} prefix[] = {{"ctrl-", MOD_CTRL}, {"alt-", MOD_ALT}, {"shift-", MOD_SHIFT}};
	u8 mods = 0;
	u16 key;

	for (unsigned i = 0; i < ARRAY_SIZE(prefix); i++) {
		size_t len = strlen(prefix[i].name);

		if (strncmp(name, prefix[i].name, len) || !name[len])
			continue;
		mods |= prefix[i].mod;
		name += len;
		i = ~0u; /* again from the first */
	}
	key = key_by_name(name, &mods);
	if (!key)
		return false;
	make_stroke(stroke, key, mods);
	return true;
}
