/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The load of tests/bench/serve.py: requests to `farbus serve` by the protocol's own client, and
 * the same frames to an echo on a bare packet socket.
 *
 *	echo-server IF                      sends each of echo's frames back
 *	echo IF MAC WINDOW SENT RECEIVED    frames of so many bytes; prints round trips a second
 *	in IF MAC KEY EXPORT WINDOW PORT    reads a port; prints operations a second
 *	disk IF MAC KEY EXPORT WINDOW FILE  reads the disk, compares it with FILE; prints bytes a
 *	                                    second
 *
 * WINDOW: requests under way.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "host/key.h"
#include "host/wire.h"
#include "net-ne2000/client.h"

/* The frames of both are of one form: 802.3 with SNAP. */
#define ECHO_TYPE    0x88b6 /* IEEE 802's second one for local experiments */
#define HEADER	     22
#define ECHO_SWAPPED 0xb688 /* read as our own numbers are */
#define RUN_NS	     500000000ull
#define SILENCE_MS   5000

#define MULTIPLE 16u  /* sectors a block of READ MULTIPLE */
#define COMMAND	 128u /* sectors a command */
#define PIECE	 512u
#define PIECES	 (MULTIPLE * 512u / PIECE)
#define BASE	 0x170u

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "serve_load: %s\n", what);
	exit(1);
}

static void take_mac(const char *text, u8 mac[6])
{
	unsigned byte[6];

	if (sscanf(text, "%x:%x:%x:%x:%x:%x", &byte[0], &byte[1], &byte[2], &byte[3], &byte[4],
		   &byte[5]) != 6)
		fail("expected a MAC");
	for (unsigned i = 0; i < 6; i++)
		mac[i] = (u8)byte[i];
}

static double seconds_since(u64 start)
{
	return (double)(wire_now() - start) / 1e9;
}

/* --- the echo --- */

static int echo_socket(const char *interface)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_802_2),
				 .sll_ifindex = (int)if_nametoindex(interface)};
	struct timeval silence = {SILENCE_MS / 1000, 0};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		fail("no packet socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence));
	return fd;
}

/* The reply's length is in the frame: the same bytes go each way as with the daemon. */
static _Noreturn void echo_server(const char *interface)
{
	int fd = echo_socket(interface);
	struct timeval forever = {0, 0};
	u8 frame[FRAME_MAX], mac[6];

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever));
	puts("ready");
	fflush(stdout);
	for (;;) {
		ssize_t len = recv(fd, frame, sizeof(frame), 0);

		if (len < 0)
			fail("receive");
		if (len < HEADER + 4 || proto_get16(frame + HEADER - 2) != ECHO_SWAPPED)
			continue;
		memcpy(mac, frame, 6);
		memcpy(frame, frame + 6, 6);
		memcpy(frame + 6, mac, 6);
		if (send(fd, frame, proto_get16(frame + HEADER), 0) < 0)
			fail("send");
	}
}

static int echo(char **word)
{
	static const u8 snap[] = {0, 46, 0xaa, 0xaa, 3, 0, 0, 0, ECHO_TYPE >> 8, ECHO_TYPE & 0xff};
	int fd = echo_socket(word[0]);
	unsigned window = (unsigned)atoi(word[2]);
	size_t sent = (size_t)atoi(word[3]);
	u8 frame[FRAME_MAX] = {0}, reply[FRAME_MAX];
	u64 start = wire_now(), count = 0;

	take_mac(word[1], frame);
	memcpy(frame + 12, snap, sizeof(snap));
	proto_put16(frame + HEADER, (u16)atoi(word[4]));
	for (unsigned i = 0; i < window; i++)
		send(fd, frame, sent, 0);
	for (; wire_now() - start < RUN_NS; count++) {
		if (recv(fd, reply, sizeof(reply), 0) < HEADER)
			fail("no echo");
		send(fd, frame, sent, 0);
	}
	printf("%.0f\n", (double)count / seconds_since(start));
	return 0;
}

/* --- the daemon's client --- */

static struct {
	struct wire wire;
	struct endpoint e;
	struct client client;
	unsigned open, window;
	u64 done;
	/* the disk's */
	u8 *data; /* next piece in it, of the requests that bring one */
	u64 received;
} load;

static void answer(void *ctx, u32 cookie, enum client_outcome outcome, const struct proto_header *h,
		   const u8 *body)
{
	struct proto_op op;
	u32 at = 0;

	(void)ctx;
	if (outcome != CLIENT_DONE)
		fail("unknown outcome");
	load.open--;
	load.done++;
	while (proto_next(body, h, true, &at, &op) == 1) {
		if (op.note != PROTO_OK)
			fail("an operation was not carried out");
		if (op.opcode != PROTO_INS)
			continue;
		memcpy(load.data + (size_t)cookie * PIECE, op.data, op.data_len);
		load.received += op.data_len;
	}
}

static void interrupt(void *ctx, unsigned line, u16 generation)
{
	(void)ctx;
	(void)line;
	(void)generation;
}

static void changed(void *ctx, enum client_state state)
{
	(void)ctx;
	if (state == CLIENT_FAILED)
		fail("no lease");
}

static const struct client_hooks hooks = {.done = answer, .irq = interrupt, .changed = changed};

static void take_frames(void)
{
	u8 frame[FRAME_MAX];
	struct packet p;
	u32 len;

	while ((len = wire_next(&load.wire, frame)) != 0)
		if (endpoint_open(&load.e, frame, len, &p))
			client_receive(&load.client, &p, wire_now());
}

static void turn(void)
{
	struct pollfd fd = {.fd = load.wire.fd, .events = POLLIN};
	u64 now = wire_now(), due = client_deadline(&load.client);

	if (due <= now) {
		client_poll(&load.client, now);
		return;
	}
	poll(&fd, 1,
	     (int)((due - now) / 1000000 < SILENCE_MS ? (due - now) / 1000000 + 1 : SILENCE_MS));
	take_frames();
}

static void lease(char **word)
{
	u8 mac[6], key[SESSION_KEY];

	take_mac(word[1], mac);
	if (!key_from_file(word[2], key) || !wire_open(&load.wire, word[0]))
		exit(1);
	wire_endpoint(&load.wire, &load.e, false, key, FRAME_SNAP_FORM);
	client_init(&load.client, &load.e, &hooks, NULL);
	load.window = (unsigned)atoi(word[4]);
	client_lease(&load.client, mac, word[3], wire_now());
	while (load.client.state != CLIENT_LEASED)
		turn();
}

static struct proto_writer *begin(void)
{
	while (load.open == load.window || !client_has_room(&load.client))
		turn();
	return client_begin(&load.client);
}

static void submit(u32 cookie)
{
	if (!client_submit(&load.client, cookie, wire_now()))
		fail("a request that does not fit");
	load.open++;
}

static void finish(void)
{
	while (load.open)
		turn();
	client_release(&load.client, wire_now());
	while (load.client.state == CLIENT_RELEASING)
		turn();
}

static int in(char **word)
{
	struct proto_op op = {
		.opcode = PROTO_IN, .width = 1, .addr = (u32)strtoul(word[5], NULL, 0)};
	u64 start;

	lease(word);
	start = wire_now();
	while (wire_now() - start < RUN_NS) {
		proto_add(begin(), &op);
		submit(0);
	}
	printf("%.0f\n", (double)load.done / seconds_since(start));
	finish();
	return 0;
}

static void out(struct proto_writer *w, u32 port, u8 value)
{
	struct proto_op op = {
		.opcode = PROTO_OUT, .width = 1, .addr = port, .data = &value, .data_len = 1};

	proto_add(w, &op);
}

/* Until the status register's bits of the mask are as wanted. */
static void await_status(struct proto_writer *w, u8 mask, u8 wanted)
{
	u8 mask_wanted[8] = {mask, 0, 0, 0, wanted};
	struct proto_op op = {.opcode = PROTO_POLL,
			      .width = 1,
			      .count = 60000,
			      .addr = BASE + 7,
			      .data = mask_wanted,
			      .data_len = sizeof(mask_wanted)};

	proto_add(w, &op);
}

static void command(u32 lba)
{
	struct proto_writer *w = begin();

	await_status(w, 0x80, 0);
	out(w, BASE + 6, (u8)(0xe0 | lba >> 24));
	out(w, BASE + 2, COMMAND);
	out(w, BASE + 3, (u8)lba);
	out(w, BASE + 4, (u8)(lba >> 8));
	out(w, BASE + 5, (u8)(lba >> 16));
	out(w, BASE + 7, 0xc4); /* READ MULTIPLE */
	submit(0);
}

static void read_piece(u32 piece)
{
	struct proto_op ins = {.opcode = PROTO_INS, .width = 2, .count = PIECE / 2, .addr = BASE};
	struct proto_writer *w = begin();

	if (piece % PIECES == 0)
		await_status(w, 0x88, 0x08);
	proto_add(w, &ins);
	submit(piece);
}

static void set_multiple(void)
{
	struct proto_writer *w = begin();

	out(w, 0x376, 2); /* no interrupts */
	out(w, BASE + 6, 0xe0);
	out(w, BASE + 2, MULTIPLE);
	out(w, BASE + 7, 0xc6);
	submit(0);
}

static int disk(char **word)
{
	struct stat st;
	int fd = open(word[5], O_RDONLY);
	u32 sectors;
	const u8 *image;
	u64 start;

	if (fd < 0 || fstat(fd, &st) || st.st_size % (COMMAND * 512))
		fail("expected an image of whole commands");
	sectors = (u32)(st.st_size / 512);
	image = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	load.data = malloc((size_t)st.st_size);
	lease(word);
	set_multiple();
	start = wire_now();
	for (u32 lba = 0; lba < sectors; lba += COMMAND) {
		command(lba);
		for (u32 i = 0; i < COMMAND * 512 / PIECE; i++)
			read_piece(lba * 512 / PIECE + i);
	}
	while (load.open)
		turn();
	printf("%.0f\n", (double)load.received / seconds_since(start));
	if (memcmp(load.data, image, (size_t)st.st_size))
		fail("the data is not that of the image");
	finish();
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "echo-server"))
		echo_server(argv[2]);
	if (argc == 7 && !strcmp(argv[1], "echo"))
		return echo(argv + 2);
	if (argc == 8 && !strcmp(argv[1], "in"))
		return in(argv + 2);
	if (argc == 8 && !strcmp(argv[1], "disk"))
		return disk(argv + 2);
	fail("expected echo-server, echo, in or disk");
}
