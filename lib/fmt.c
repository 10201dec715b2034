/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/fmt.h"

struct out {
	char *buf;
	size_t size, len;
};

/* One conversion: what stood between the % and its letter. */
struct spec {
	bool left, zero;
	int width, precision; /* precision -1: none given */
	unsigned longs;	      /* l: 1, ll: 2; z: as long as size_t */
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void pad(struct out *o, char c, int n)
{
	while (n-- > 0)
		put(o, c);
}

static void put_text(struct out *o, const struct spec *s, const char *text)
{
	int len = 0;

	if (!text)
		text = "(null)";
	while ((s->precision < 0 || len < s->precision) && text[len])
		len++;
	if (!s->left)
		pad(o, ' ', s->width - len);
	for (int i = 0; i < len; i++)
		put(o, text[i]);
	if (s->left)
		pad(o, ' ', s->width - len);
}

static void put_number(struct out *o, const struct spec *s, u64 value, unsigned base, bool negative,
		       bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[20]; /* 2^64 has 20 decimal digits */
	int n = 0, len;

	do {
		text[n++] = digits[value % base];
		value /= base;
	} while (value);
	len = n + negative;
	if (!s->left && !s->zero)
		pad(o, ' ', s->width - len);
	if (negative)
		put(o, '-');
	if (!s->left && s->zero)
		pad(o, '0', s->width - len);
	while (n)
		put(o, text[--n]);
	if (s->left)
		pad(o, ' ', s->width - len);
}

static int take_number(const char **p)
{
	int n = 0;

	for (; **p >= '0' && **p <= '9'; (*p)++)
		n = n < 1000 ? n * 10 + (**p - '0') : n;
	return n;
}

static struct spec take_spec(const char **p, va_list *ap)
{
	struct spec s = {.precision = -1};

	for (;; (*p)++) {
		if (**p == '-')
			s.left = true;
		else if (**p == '0')
			s.zero = true;
		else
			break;
	}
	if (**p == '*') {
		s.width = va_arg(*ap, int);
		(*p)++;
	} else {
		s.width = take_number(p);
	}
	if (**p == '.') {
		(*p)++;
		if (**p == '*') {
			s.precision = va_arg(*ap, int);
			(*p)++;
		} else {
			s.precision = take_number(p);
		}
	}
	for (; **p == 'l' || **p == 'z' || **p == 'h'; (*p)++) {
		if (**p == 'l')
			s.longs++;
		else if (**p == 'z')
			s.longs = sizeof(size_t) == sizeof(long) ? 1 : 0;
	}
	return s;
}

static u64 take_unsigned(unsigned longs, va_list *ap)
{
	if (longs >= 2)
		return va_arg(*ap, unsigned long long);
	if (longs)
		return va_arg(*ap, unsigned long);
	return va_arg(*ap, unsigned);
}

static s64 take_signed(unsigned longs, va_list *ap)
{
	if (longs >= 2)
		return va_arg(*ap, long long);
	if (longs)
		return va_arg(*ap, long);
	return va_arg(*ap, int);
}

static void convert(struct out *o, char letter, const struct spec *s, va_list *ap)
{
	char one[2] = {0, 0};
	s64 number;

	switch (letter) {
	case 'c':
		put(o, (char)va_arg(*ap, int));
		break;
	case 's':
		put_text(o, s, va_arg(*ap, const char *));
		break;
	case 'd':
	case 'i':
		number = take_signed(s->longs, ap);
		put_number(o, s, number < 0 ? -(u64)number : (u64)number, 10, number < 0, false);
		break;
	case 'u':
		put_number(o, s, take_unsigned(s->longs, ap), 10, false, false);
		break;
	case 'x':
	case 'X':
		put_number(o, s, take_unsigned(s->longs, ap), 16, false, letter == 'X');
		break;
	case 'p':
		put_number(o, s, (uintptr_t)va_arg(*ap, void *), 16, false, false);
		break;
	default:
		one[0] = letter;
		put_text(o, s, one);
	}
}

int fmt_va(char *buf, size_t size, const char *format, va_list ap)
{
	struct out o = {.buf = buf, .size = size};
	va_list args;

	va_copy(args, ap);
	for (const char *p = format; *p; p++) {
		if (*p != '%') {
			put(&o, *p);
			continue;
		}
		p++;
		struct spec s = take_spec(&p, &args);
		if (!*p)
			break;
		convert(&o, *p, &s, &args);
	}
	va_end(args);
	if (size)
		buf[o.len < size ? o.len : size - 1] = 0;
	return (int)o.len;
}

int fmt(char *buf, size_t size, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = fmt_va(buf, size, format, ap);
	va_end(ap);
	return n;
}
