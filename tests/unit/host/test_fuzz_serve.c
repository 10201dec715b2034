/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `farbus serve` is made of (host/node.c, its devices, the server) gets damaged, forged, old
 * and invented frames in the midst of sessions, under two keys. Frames without a good tag must
 * change nothing and be counted; what is signed may be carried out, as it says, once, in order, and
 * only as far as its key may (support_book.h). The number of frames is the argument. Time is
 * virtual: the linker puts __wrap_wire_now() in the place of wire_now().
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/node.h"
#include "net-ne2000/greet.h"
#include "tests/unit/host/support_book.h"

#define FRAMES	 200000u
#define EXPORTS	 3u
#define KEYS	 2u
#define POOL	 256u
#define US	 1000ull
#define FRAME_US 40u /* between two frames, at most */

static const char *const names[EXPORTS] = {"com2", "ide1", "lpt1"};
static const u8 mac[KEYS][6] = {{0x52, 0x54, 0, 0, 2, 1}, {0x52, 0x54, 0, 0, 2, 2}};
static const u8 server_mac[6] = {0x52, 0x54, 0, 0, 1, 1};
static u8 shared[KEYS][SESSION_KEY];
static struct session_keys greeting[KEYS];

struct frame {
	u32 len;
	u8 bytes[FRAME_MAX];
};

/* What a client knows of its session. */
struct session {
	unsigned owner; /* whose key and address */
	u16 id;
	struct session_keys keys;
	u32 renewal;
};

static u64 now = 1000000000ull, random_state = 0x9e3779b97f4a7c15ull;
static struct node node;
static struct session session[EXPORTS];
static struct frame pool[POOL], answer; /* good ones of clients; the server's last one */
static u32 pooled;
static char folder[] = "/tmp/farbus-fuzz-XXXXXX";
static int terminal = -1;

u64 __wrap_wire_now(void);

u64 __wrap_wire_now(void)
{
	return now;
}

static u32 rnd(u32 below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (u32)(random_state >> 32) % below;
}

static _Noreturn void fail(const char *what)
{
	printf("%s\n0 passed, 1 failed\n", what);
	exit(1);
}

/* --- the daemon --- */

static bool sent(void *ctx, const u8 *frame, u32 len)
{
	(void)ctx;
	memcpy(answer.bytes, frame, len);
	answer.len = len;
	book_answer(frame, len);
	return true;
}

static void random_bytes(void *ctx, u8 *buf, u32 len)
{
	(void)ctx;
	while (len-- > 0)
		*buf++ = (u8)rnd(256);
}

static const struct endpoint_hooks hooks = {sent, random_bytes};

static void make_file(const char *name, u32 size)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	if (fd < 0 || ftruncate(fd, size) || close(fd))
		fail("no file");
}

static void hex(char text[2 * SESSION_KEY + 1], const u8 key[SESSION_KEY])
{
	for (u32 i = 0; i < SESSION_KEY; i++)
		sprintf(text + 2 * i, "%02x", key[i]);
}

/* The second key may look at two of the devices. */
static void write_config(const char *path)
{
	char all[2 * SESSION_KEY + 1], few[2 * SESSION_KEY + 1];
	FILE *f = fopen(path, "w");

	hex(all, shared[0]);
	hex(few, shared[1]);
	if (!f)
		fail("no configuration");
	fprintf(f, "name fuzzed\nkey %s\n", all);
	fprintf(f, "key %s may com2,ide1 ports 0x2f8-0x2fe,0x170-0x177 irqs 15 read-only\n", few);
	fprintf(f, "export uart 0x2f8 irq 3 pty %s/com2 name com2\n", folder);
	fprintf(f, "export ata 0x170,0x376 irq 15 disk %s/disk cdrom %s/cd name ide1\n", folder,
		folder);
	fprintf(f, "export lpt 0x378 irq 7 file %s/lpt name lpt1\n", folder);
	fclose(f);
}

static void start(void)
{
	static struct serve_config config;
	static struct wire wire = {.fd = -1, .name = "fuzzed"};
	char path[64];

	if (!mkdtemp(folder))
		fail("no folder");
	for (unsigned k = 0; k < KEYS; k++) {
		memset(shared[k], (int)(7 + k), SESSION_KEY);
		session_greeting_keys(shared[k], &greeting[k]);
	}
	make_file("disk", 1 << 20);
	make_file("cd", 64 * 2048);
	snprintf(path, sizeof(path), "%s/config", folder);
	write_config(path);
	memcpy(wire.mac, server_mac, 6);
	if (!serve_config_read(&config, path) || !node_start(&node, &wire, &config))
		fail("the daemon does not start");
	node.server.e.hooks = &hooks;
	book_attach(&node.server);
	book_limits(1, (const struct port_range[]){{0x2f8, 0x2fe}, {0x170, 0x177}}, 2);
	snprintf(path, sizeof(path), "%s/com2", folder);
	terminal = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
}

static void clean_up(void)
{
	static const char *const files[] = {"disk", "cd", "config", "lpt", "com2"};
	char path[64];

	if (terminal >= 0)
		close(terminal);
	node_stop(&node);
	for (unsigned i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		unlink(path);
	}
	rmdir(folder);
}

/* --- frames --- */

static struct proto_writer begin(struct frame *f)
{
	struct proto_writer w;

	proto_begin(&w, f->bytes + frame_overhead(FRAME_SNAP_FORM), PROTO_OPS_MAX);
	return w;
}

static void seal(struct frame *f, struct proto_writer *w, struct proto_header *h, unsigned owner,
		 const u8 key[16])
{
	u32 len = proto_seal(w, h, key, server_mac, mac[owner]);

	f->len = frame_finish(f->bytes, FRAME_SNAP_FORM, server_mac, mac[owner], len);
}

static void remember(const struct frame *f)
{
	pool[pooled++ % POOL] = *f;
}

/* In a buffer of just its length, so that the sanitizer sees any byte read beyond. */
static void arrive(const struct frame *f)
{
	u8 *exact = malloc(f->len ? f->len : 1);

	if (!exact)
		fail("no memory");
	memcpy(exact, f->bytes, f->len);
	node_receive(&node, exact, f->len);
	free(exact);
}

static void greet(struct frame *f, u8 type, unsigned owner, const u8 *key, const void *body,
		  u32 len)
{
	struct proto_header h = {.type = type};
	struct proto_writer w = begin(f);

	proto_add_bytes(&w, body, len);
	seal(f, &w, &h, owner, key);
	remember(f);
}

static const u8 *answer_body(u8 type)
{
	struct frame_view view;
	struct proto_header h;

	if (!answer.len || !frame_parse(answer.bytes, answer.len, &view) ||
	    proto_peek(view.payload, view.len, &h) != PROTO_GOOD || h.type != type)
		return NULL;
	return proto_body(view.payload);
}

/* A lease of that export; true unless another client has it. */
static bool lease(unsigned i, unsigned owner)
{
	struct session_secrets s;
	struct session_keys keys;
	static struct frame f;
	u8 body[AUTH3_BYTES];
	const u8 *p;

	memcpy(s.client_mac, mac[owner], 6);
	memcpy(s.server_mac, server_mac, 6);
	random_bytes(NULL, s.client_nonce, SESSION_NONCE);
	s.client_epoch = rnd(1000);
	memcpy(body, s.client_nonce, SESSION_NONCE);
	proto_put32(body + SESSION_NONCE, s.client_epoch);
	greet(&f, PROTO_AUTH1, owner, greeting[owner].to_server, body, AUTH1_BYTES);
	arrive(&f);
	p = answer_body(PROTO_AUTH2);
	if (!p)
		fail("no AUTH2");
	memcpy(s.server_nonce, p + SESSION_NONCE, SESSION_NONCE);
	s.server_epoch = proto_get32(p + 2 * SESSION_NONCE);
	session_derive(shared[owner], &s, &keys);
	export_put_name(body + SESSION_NONCE, names[i]);
	book_expect(i, owner, &keys);
	greet(&f, PROTO_AUTH3, owner, keys.to_server, body, AUTH3_BYTES);
	arrive(&f);
	p = answer_body(PROTO_LEASE);
	if (!p)
		fail("no LEASE");
	if (p[SESSION_NONCE] != LEASE_GRANTED)
		return false;
	session[i] = (struct session){owner, proto_get16(p + 18), keys, 0};
	return true;
}

static void give_back(unsigned i)
{
	struct session *s = &session[i];
	struct proto_header h = {.type = PROTO_RELEASE, .session = s->id, .seq = ++s->renewal};
	static struct frame f;
	struct proto_writer w = begin(&f);

	seal(&f, &w, &h, s->owner, s->keys.to_server);
	arrive(&f);
}

static u32 some_port(unsigned i)
{
	static const u16 base[EXPORTS] = {0x2f8, 0x170, 0x378};
	static const u32 odd[] = {0x376, 0x377, 0x2f7, 0x300, 0x60, 0xffff, 0x102f8, 0x3f8};

	return rnd(16) ? base[i] + rnd(8) : odd[rnd(ARRAY_SIZE(odd))];
}

/* Operations whose lengths are right; what they say is chance, near what makes sense. */
static void invent(struct proto_writer *w, unsigned i)
{
	static const u16 counts[] = {0, 1, 2, 6, 64, 256, 512, 0xffff};
	static const u8 commands[] = {0x20, 0x30, 0xc4, 0xec, 0xa0, 0xa1, 0x08, 0x00};

	for (u32 n = 1 + rnd(6); n > 0; n--) {
		struct proto_op op = {.opcode = (u8)(1 + rnd(PROTO_OPCODES + 1)),
				      .width = (u8)(1 << rnd(3)),
				      .note = (u8)(rnd(8) ? 0 : rnd(16)),
				      .count = counts[rnd(ARRAY_SIZE(counts))],
				      .addr = some_port(i)};
		u8 *data;

		if (rnd(4))
			op.opcode = (u8)(PROTO_IN + rnd(PROTO_POLL));
		if (rnd(2))
			op.width = op.opcode == PROTO_INS || op.opcode == PROTO_OUTS ? 2 : 1;
		if (op.opcode == PROTO_POLL || op.opcode == PROTO_DELAY)
			op.count = (u16)rnd(300);
		if (op.opcode >= PROTO_IRQ_MASK && op.opcode <= PROTO_IRQ_EOI)
			op.addr = rnd(4) ? (const u8[]){3, 15, 7}[i] : rnd(20);
		op.data_len = proto_data_len(op.opcode, op.width, op.count, false);
		data = proto_add(w, &op);
		for (u32 k = 0; data && k < op.data_len; k++)
			data[k] = (u8)rnd(256);
		if (data && op.opcode == PROTO_OUT && rnd(2))
			data[0] = commands[rnd(ARRAY_SIZE(commands))];
	}
}

static void signed_request(struct frame *f, unsigned i)
{
	struct session *s = &session[i];
	struct proto_header h = {.type = PROTO_REQ, .session = s->id, .irq = 8};
	struct proto_writer w = begin(f);

	h.seq = rnd(8) ? book_next(i) : book_next(i) - 4 + rnd(16);
	h.tries = (u8)rnd(4);
	invent(&w, i);
	seal(f, &w, &h, s->owner, s->keys.to_server);
	remember(f);
}

/* The frames of a session that hold no operations; RELEASE seldom, as it ends it. */
static void signed_other(struct frame *f, unsigned i)
{
	static const u8 types[] = {PROTO_CANCEL, PROTO_EVACK, PROTO_PING, PROTO_RENEW};
	struct session *s = &session[i];
	struct proto_header h = {.type = types[rnd(ARRAY_SIZE(types))], .session = s->id};
	struct proto_writer w = begin(f);

	h.seq = book_next(i) - rnd(3);
	if (h.type == PROTO_RENEW)
		h.seq = s->renewal += rnd(2);
	if (h.type == PROTO_EVACK)
		h.seq = rnd(64);
	if (rnd(5000) == 0)
		h.type = PROTO_RELEASE;
	if (rnd(16) == 0)
		h.ops = (u8)rnd(256);
	seal(f, &w, &h, s->owner, s->keys.to_server);
	remember(f);
}

static void signed_greeting(struct frame *f)
{
	static const u8 types[] = {PROTO_HELLO, PROTO_AUTH1, PROTO_AUTH3};
	unsigned owner = rnd(KEYS);
	u8 body[64];

	random_bytes(NULL, body, sizeof(body));
	greet(f, types[rnd(ARRAY_SIZE(types))], owner, greeting[owner].to_server, body,
	      rnd(8) ? (const u8[]){16, 20, 32}[rnd(3)] : rnd(sizeof(body)));
}

static void damage(struct frame *f)
{
	u32 first = rnd(2) ? 22 : 0;

	for (u32 n = 1 + rnd(4); n > 0 && f->len > first; n--)
		f->bytes[first + rnd(f->len - first)] ^= (u8)(1 + rnd(255));
	if (rnd(8) == 0)
		f->len = rnd(f->len + 1);
}

static void noise(struct frame *f)
{
	f->len = rnd(FRAME_MAX + 1);
	random_bytes(NULL, f->bytes, f->len);
	if (f->len < 24)
		return;
	memcpy(f->bytes, server_mac, 6);
	memcpy(f->bytes + 6, mac[rnd(KEYS)], 6);
	proto_put16(f->bytes + 12, 0xb588); /* big-endian 88B5 */
	proto_put16(f->bytes + 14, PROTO_MAGIC);
	f->bytes[16] = PROTO_VERSION << 4;
	f->bytes[17] = (u8)(1 + rnd(PROTO_TYPES));
	proto_put16(f->bytes + 18, session[rnd(EXPORTS)].id);
	proto_put16(f->bytes + 20, (u16)rnd(f->len));
}

static void make(struct frame *f)
{
	u32 kind = rnd(100);

	if (kind < 40) {
		signed_request(f, rnd(EXPORTS));
	} else if (kind < 50) {
		signed_other(f, rnd(EXPORTS));
	} else if (kind < 52) {
		signed_greeting(f);
	} else if (kind < 62) {
		noise(f);
	} else {
		*f = pool[rnd(pooled < POOL ? pooled : POOL)];
		if (kind < 92)
			damage(f);
	}
}

static bool good_tag(const struct frame *f)
{
	struct frame_view view;
	struct proto_header h;

	if (!frame_parse(f->bytes, f->len, &view) ||
	    proto_peek(view.payload, view.len, &h) != PROTO_GOOD)
		return false;
	for (unsigned k = 0; k < KEYS; k++)
		if (proto_check(view.payload, &h, greeting[k].to_server, view.dst, view.src) ==
		    PROTO_GOOD)
			return true;
	return book_signed(&view, &h);
}

static u64 dropped(void)
{
	u64 all = 0;

	for (unsigned i = 0; i < DROPS; i++)
		all += node.server.e.drops[i];
	return all;
}

/* True: it was dropped. */
static bool one(struct frame *f)
{
	u64 before = dropped(), accesses = book_accesses();
	bool good = good_tag(f);

	book_offer(f->bytes, f->len);
	arrive(f);
	book_settle(dropped() == before);
	if (dropped() > before + 1)
		fail("a frame is counted twice");
	if (!good && (dropped() == before || book_accesses() != accesses))
		fail("a frame without a good tag was not dropped, or did something");
	if (book_wrong())
		fail(book_wrong());
	return dropped() > before;
}

/* Devices move bytes, a program at the pty reads and writes. */
static void time_goes_on(u32 i)
{
	u8 bytes[512];

	now += rnd(FRAME_US) * US;
	if (i % 8 == 0)
		node_turn(&node);
	else /* what a POLL reads now is not the next frame's doing */
		server_poll(&node.server, now);
	if (i % 64 || terminal < 0)
		return;
	random_bytes(NULL, bytes, 16);
	if (write(terminal, bytes, rnd(16)) < 0 || read(terminal, bytes, sizeof(bytes)) < 0)
		return; /* full, or empty */
}

int main(int argc, char **argv)
{
	u32 frames = argc > 1 ? (u32)strtoul(argv[1], NULL, 0) : FRAMES, drops = 0, leases = 0;
	static struct frame f;

	start();
	for (u32 i = 0; i < frames; i++) {
		for (unsigned k = 0; i % 10000 == 0 && k < EXPORTS; k++) {
			if (rnd(2))
				give_back(k);
			leases += lease(k, k < 2 && rnd(3) == 0);
		}
		time_goes_on(i);
		make(&f);
		drops += one(&f);
	}
	for (unsigned i = 0; i < DROPS; i++)
		printf("%-10s %llu\n", drop_name((enum drop)i),
		       (unsigned long long)node.server.e.drops[i]);
	printf("%u frames, %u dropped, %u leases, %llu accesses, %llu requests\n", frames, drops,
	       leases, (unsigned long long)book_accesses(), (unsigned long long)book_requests());
	if (book_accesses() < frames / 20 || book_requests() < frames / 20 || drops < frames / 4)
		fail("too little happened");
	clean_up();
	printf("1 passed, 0 failed\n");
	return 0;
}
