/* SPDX-License-Identifier: BSD-2-Clause */
/* Random code, and the addresses and selectors it uses. */
#include "lib/str.h"
#include "tests/guests/hostile/hostile.h"

u32 random_state;
u32 code_at;

u32 random_value(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

u32 random_below(u32 n)
{
	return (random_value() >> 7) % n;
}

bool one_in(u32 n)
{
	return random_below(n) == 0;
}

/* Somewhere in Farbus's part of the linear space, more often where it has much. */
u32 slot_address(void)
{
	u32 off = random_value() & 0x3fffff;

	if (one_in(2))
		off &= 0xfffff; /* the image */
	else if (one_in(2))
		off = 0x100000 + (off & 0x1fffff); /* translations and their state */
	return SLOT + off + (one_in(16) ? random_value() & 0x3c00000 : 0);
}

u32 address(void)
{
	switch (random_below(12)) {
	case 0:
		return code_at + (random_value() & (CODE_SIZE - 1));
	case 1:
	case 2:
		return DATA_AT + (random_value() & (DATA_SIZE - 1));
	case 3:
		return PD_AT + (random_value() & 0x5fff);
	case 4:
		return GDT_AT + (random_value() & 0x2fff);
	case 5:
		return TSS_AT + (random_value() & 0x1ff);
	case 6:
		return random_value();
	case 7:
		return SLOT - 8 + random_below(16);
	default:
		return slot_address();
	}
}

/* Farbus's own selectors are the last of its GDT, those of translated code are in its LDT. */
u32 selector(void)
{
	switch (random_below(4)) {
	case 0:
		return 0xffc0 + random_below(0x40);
	case 1:
		return random_below(0x860);
	case 2:
		return random_below(0x100);
	default:
		return random_value() & 0xffff;
	}
}

static u32 put(u8 *p, const void *bytes, u32 n)
{
	memcpy(p, bytes, n);
	return n;
}

static u32 put32(u8 *p, u32 value)
{
	return put(p, &value, 4);
}

/* clang-format off */

struct piece {
	u8 len;
	const char *bytes;
};
#define PIECE(bytes) {sizeof(bytes) - 1, bytes}

/* What random bytes seldom are: in front of an address. */
static const struct piece with_address[] = {
	PIECE("\x0f\x01\x05"), PIECE("\x0f\x01\x0d"), PIECE("\x0f\x01\x15"),
	PIECE("\x0f\x01\x1d"), PIECE("\x0f\x01\x25"), PIECE("\x0f\x01\x35"),
	PIECE("\x0f\x01\x3d"), PIECE("\x0f\x00\x05"), PIECE("\x0f\x00\x0d"),
	PIECE("\x0f\x00\x15"), PIECE("\x0f\x00\x1d"), PIECE("\x0f\x00\x25"),
	PIECE("\x0f\x00\x2d"), PIECE("\x0f\x02\x05"), PIECE("\x0f\x03\x05"),
	PIECE("\x0f\xae\x05"), PIECE("\x0f\xae\x0d"), PIECE("\x0f\xae\x15"),
	PIECE("\x0f\xc7\x0d"), PIECE("\xdd\x35"), PIECE("\xdd\x25"), PIECE("\xd9\x25"),
	PIECE("\xd9\x35"), PIECE("\xff\x15"), PIECE("\xff\x25"), PIECE("\xff\x1d"),
	PIECE("\xff\x2d"), PIECE("\xff\x35"), PIECE("\xff\x05"), PIECE("\x8f\x05"),
	PIECE("\x0f\xb2\x25"), PIECE("\x0f\xb4\x05"), PIECE("\x0f\xb5\x05"), PIECE("\xc5\x05"),
	PIECE("\xc4\x05"), PIECE("\x8e\x1d"), PIECE("\x8e\x15"), PIECE("\x8e\x2d"),
	PIECE("\x8c\x0d"), PIECE("\x62\x05"), PIECE("\x01\x05"), PIECE("\x89\x05"),
	PIECE("\x8b\x05"), PIECE("\x87\x05"), PIECE("\xf0\x01\x05"), PIECE("\x0f\xab\x05"),
	PIECE("\x0f\xb1\x05"), PIECE("\x0f\xc1\x05"), PIECE("\x65\x8b\x05"),
	PIECE("\x2e\x8b\x05"), PIECE("\xa1"), PIECE("\xa3"), PIECE("\xbc"), PIECE("\xbd"),
	PIECE("\xbe"), PIECE("\xbf"), PIECE("\xbb"), PIECE("\xb8"), PIECE("\x68"),
};

/* As they are. */
static const struct piece alone[] = {
	PIECE("\x0f\x22\xc0"), PIECE("\x0f\x22\xd8"), PIECE("\x0f\x22\xe0"),
	PIECE("\x0f\x20\xc0"), PIECE("\x0f\x01\xf0"), PIECE("\x0f\x23\xf8"),
	PIECE("\x0f\x23\xc0"), PIECE("\x0f\x23\xc9"), PIECE("\x0f\x21\xf0"), PIECE("\x0f\x30"),
	PIECE("\x0f\x32"), PIECE("\x0f\x34"), PIECE("\x0f\x35"), PIECE("\x0f\x05"),
	PIECE("\x0f\x07"), PIECE("\x0f\x33"), PIECE("\x0f\x31"), PIECE("\x0f\xa2"),
	PIECE("\x0f\x06"), PIECE("\x0f\x08"), PIECE("\x8e\xd8"), PIECE("\x8e\xd0\xcd"),
	PIECE("\x8e\xd0\xcc"), PIECE("\x8e\xd3\xf1"), PIECE("\x17\xcd\x80"),
	PIECE("\x17\x0f\x34"), PIECE("\x9d\x8e\xd0"), PIECE("\x9d\x17\xcc"),
	PIECE("\x9d\x0f\x34"), PIECE("\x1f"), PIECE("\x07"), PIECE("\x0f\xa1"),
	PIECE("\x0f\xa9"), PIECE("\xcf"), PIECE("\x66\xcf"), PIECE("\xcb"), PIECE("\xca\x04"),
	PIECE("\xc3"), PIECE("\xc2\x08"), PIECE("\xcc"), PIECE("\xce"), PIECE("\xf1"),
	PIECE("\x9d"), PIECE("\x9c"), PIECE("\xfb"), PIECE("\xf3\xa5"), PIECE("\xf3\xab"),
	PIECE("\xf3\xa4"), PIECE("\xf3\xad"), PIECE("\x66\xf3\xa5"), PIECE("\xf0\x0f\xc7\xc8"),
	PIECE("\x0f\x0b"), PIECE("\xd6"), PIECE("\xc8\x10"), PIECE("\x61"), PIECE("\x60"),
	PIECE("\x9b"), PIECE("\xdd\xd8"), PIECE("\xd9\xe5"), PIECE("\xdb\xe3"),
	PIECE("\x0f\x77"), PIECE("\x0f\x00\xd8"), PIECE("\x0f\x00\xd0"), PIECE("\x0f\x00\xe0"),
	PIECE("\x63\xc0"), PIECE("\xec"), PIECE("\xee"), PIECE("\xe4\x61"), PIECE("\xe6\x80"),
	PIECE("\x6d"), PIECE("\x6f"), PIECE("\xe2\xf0"), PIECE("\xeb\x06"), PIECE("\x75\xf8"),
	PIECE("\xff\xd0"), PIECE("\xff\xe3"), PIECE("\x0f\x0f"), PIECE("\x0f\x18"),
	PIECE("\x0f\x1e\xfa"), PIECE("\xd7"),
};

/* clang-format on */

static u32 put_interesting(u8 *p, u32 at)
{
	u32 n;

	switch (random_below(8)) {
	case 0: /* near CALL and JMP */
		*p = (u8)(0xe8 + random_below(2));
		return 1 + put32(p + 1, address() - (at + 5));
	case 1: /* far ones */
		*p = one_in(2) ? 0x9a : 0xea;
		n = 1 + put32(p + 1, address());
		return n + put(p + n, &(u16){(u16)selector()}, 2);
	case 2: /* MOV [address], value */
		n = put(p, "\xc7\x05", 2);
		n += put32(p + n, address());
		return n + put32(p + n, one_in(2) ? address() : random_value());
	case 3: { /* MOV to a segment register of a selector */
		static const u8 reg[] = {0xd8, 0xc0, 0xd0, 0xe0, 0xe8};

		*p = 0xb8;
		n = 1 + put32(p + 1, selector());
		p[n] = 0x8e;
		p[n + 1] = reg[random_below(sizeof(reg))];
		return n + 2;
	}
	case 4:
	case 5: {
		const struct piece *s = &alone[random_below(ARRAY_SIZE(alone))];

		return put(p, s->bytes, s->len);
	}
	default: {
		const struct piece *s = &with_address[random_below(ARRAY_SIZE(with_address))];

		n = put(p, s->bytes, s->len);
		return n + put32(p + n, address());
	}
	}
}

/* CLI and HLT would end most pieces for good: no fault and no interrupt comes then. */
static u8 random_byte(void)
{
	u8 byte = (u8)(random_value() >> 9);

	return byte == 0xfa || byte == 0xf4 ? 0x90 : byte;
}

void make_code(void)
{
	u8 *code = (u8 *)code_at;
	u32 plain = random_below(4) * 8;

	for (u32 i = 0; i < CODE_SIZE - 32;) {
		for (u32 n = random_below(8 + plain); n && i < CODE_SIZE - 32; n--)
			code[i++] = random_byte();
		i += put_interesting(code + i, code_at + i);
	}
	for (u32 i = 0; i < DATA_SIZE; i += 4)
		*(u32 *)(DATA_AT + i) = one_in(4) ? selector() : address();
}
