/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"

/* Frames that wait in the ring: 24 clients with full windows, twice. */
#define RING_FRAMES 512u
#define RING_SLOT   2048u  /* the kernel's header and a frame */
#define RING_BLOCK  65536u /* of the kernel's memory: whole pages, however large they are */

/*
 * Our three forms (docs/protocol.md, "Frames") and nothing else wakes us: type 88B5; or a length,
 * and behind it our magic, or the SNAP header with that type.
 */
static struct sock_filter ours[] = {
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FARBUS_ETHERTYPE, 7, 0),
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 1500, 7, 0),
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 14),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (PROTO_MAGIC & 0xff) << 8 | PROTO_MAGIC >> 8, 4, 0),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 14),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xaaaa0300, 0, 3),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 18),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FARBUS_ETHERTYPE, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, 0xffff),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

/* --- which interface --- */

static bool is_ethernet(const struct ifaddrs *a)
{
	const struct sockaddr_ll *ll = (const struct sockaddr_ll *)a->ifa_addr;

	return ll && ll->sll_family == AF_PACKET && ll->sll_hatype == ARPHRD_ETHER &&
	       a->ifa_flags & IFF_UP;
}

/* Names of all Ethernet interfaces that are up; returns how many. */
static unsigned list_interfaces(char *names, size_t size, char first[IFNAMSIZ])
{
	struct ifaddrs *all;
	unsigned count = 0;
	size_t len = 0;

	names[0] = 0;
	if (getifaddrs(&all))
		return 0;
	for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
		if (!is_ethernet(a))
			continue;
		if (!count++)
			snprintf(first, IFNAMSIZ, "%s", a->ifa_name);
		if (len < size)
			len += (size_t)snprintf(names + len, size - len, "%s%s", len ? ", " : "",
						a->ifa_name);
	}
	freeifaddrs(all);
	return count;
}

static bool choose(struct wire *w, const char *interface)
{
	char names[256];
	unsigned count;

	if (interface && strlen(interface) < IFNAMSIZ) {
		strcpy(w->name, interface);
		return true;
	}
	count = list_interfaces(names, sizeof(names), w->name);
	if (interface)
		log_error("'%s': expected an Ethernet interface: %s", interface, names);
	else if (count == 0)
		log_error("no Ethernet interface is up: expected one");
	else if (count > 1)
		log_error("which interface: expected -i with one of %s", names);
	return !interface && count == 1;
}

/* --- the socket --- */

/* The interface's number and address, if it is an Ethernet that is up. */
static bool look_up(struct wire *w)
{
	struct ifreq r = {.ifr_name = ""};

	strcpy(r.ifr_name, w->name);
	if (ioctl(w->fd, SIOCGIFINDEX, &r)) {
		log_error("'%s': expected an Ethernet interface: %s", w->name, strerror(errno));
		return false;
	}
	w->index = r.ifr_ifindex;
	if (ioctl(w->fd, SIOCGIFHWADDR, &r) || r.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
		log_error("'%s' is no Ethernet interface", w->name);
		return false;
	}
	memcpy(w->mac, r.ifr_hwaddr.sa_data, sizeof(w->mac));
	if (ioctl(w->fd, SIOCGIFFLAGS, &r) || !(r.ifr_flags & IFF_UP)) {
		log_error("'%s' is down: expected an interface that is up", w->name);
		return false;
	}
	return true;
}

/*
 * The kernel puts frames into memory that is ours, too, so that taking one is no system call
 * (packet(7), PACKET_RX_RING).
 */
static bool map_ring(struct wire *w)
{
	struct tpacket_req r = {.tp_block_size = RING_BLOCK,
				.tp_block_nr = RING_FRAMES * RING_SLOT / RING_BLOCK,
				.tp_frame_size = RING_SLOT,
				.tp_frame_nr = RING_FRAMES};
	int version = TPACKET_V2;
	void *ring;

	if (setsockopt(w->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) ||
	    setsockopt(w->fd, SOL_PACKET, PACKET_RX_RING, &r, sizeof(r)))
		return false;
	ring = mmap(NULL, RING_FRAMES * RING_SLOT, PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, 0);
	if (ring == MAP_FAILED)
		return false;
	w->ring = ring;
	w->next = 0;
	return true;
}

/* The filter comes before the binding: no foreign frame gets in between. */
static bool listen_there(struct wire *w)
{
	struct sock_fprog program = {sizeof(ours) / sizeof(ours[0]), ours};
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = w->index};
	int one = 1;

	if (setsockopt(w->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ||
	    setsockopt(w->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) ||
	    !map_ring(w) || bind(w->fd, (struct sockaddr *)&to, sizeof(to))) {
		log_error("%s: %s", w->name, strerror(errno));
		return false;
	}
	return true;
}

bool wire_open(struct wire *w, const char *interface)
{
	memset(w, 0, sizeof(*w));
	w->fd = -1;
	if (!choose(w, interface))
		return false;
	/* Protocol 0: nothing is received before the filter is there. */
	w->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (w->fd < 0) {
		log_error("no packet socket: %s%s", strerror(errno),
			  errno == EPERM ? ": expected root or CAP_NET_RAW" : "");
		return false;
	}
	if (look_up(w) && listen_there(w))
		return true;
	wire_close(w);
	return false;
}

void wire_close(struct wire *w)
{
	if (w->ring)
		munmap(w->ring, RING_FRAMES * RING_SLOT);
	if (w->fd >= 0)
		close(w->fd);
	w->ring = NULL;
	w->fd = -1;
}

/* The frame in a slot of the ring; 0: it is longer than any of ours, or was cut short. */
static u32 take_slot(const struct tpacket2_hdr *h, u8 frame[FRAME_MAX])
{
	if (h->tp_len != h->tp_snaplen || h->tp_len > FRAME_MAX)
		return 0;
	memcpy(frame, (const u8 *)h + h->tp_mac, h->tp_len);
	return h->tp_len;
}

static struct tpacket2_hdr *next_slot(const struct wire *w)
{
	return (struct tpacket2_hdr *)(w->ring + w->next * RING_SLOT);
}

bool wire_has_frame(const struct wire *w)
{
	/* The kernel writes the status last, and gets the slot back with it. */
	return __atomic_load_n(&next_slot(w)->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER;
}

u32 wire_next(struct wire *w, u8 frame[FRAME_MAX])
{
	while (wire_has_frame(w)) {
		struct tpacket2_hdr *h = next_slot(w);
		u32 len = take_slot(h, frame);

		__atomic_store_n(&h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		w->next = (w->next + 1) % RING_FRAMES;
		if (len)
			return len;
	}
	return 0;
}

bool wire_good(struct wire *w)
{
	socklen_t size = sizeof(errno);
	int error = 0;

	if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &size))
		return false;
	errno = error;
	return !error;
}

int wire_receive(struct wire *w, u8 frame[FRAME_MAX])
{
	u32 len = wire_next(w, frame);

	return len ? (int)len : wire_good(w) ? 0 : -1;
}

/* --- what an endpoint needs --- */

static bool send_frame(void *ctx, const u8 *frame, u32 len)
{
	const struct wire *w = ctx;

	return send(w->fd, frame, len, 0) == (ssize_t)len;
}

static void random_bytes(void *ctx, u8 *buf, u32 len)
{
	(void)ctx;
	/* Up to 256 bytes come whole once the machine has its randomness, which it waits for. */
	for (u32 done = 0; done < len;) {
		ssize_t got = getrandom(buf + done, len - done, 0);

		if (got < 0 && errno != EINTR)
			panic("no random bytes: %s", strerror(errno));
		if (got > 0)
			done += (u32)got;
	}
}

const struct endpoint_hooks wire_hooks = {.send = send_frame, .random = random_bytes};

void wire_endpoint(struct wire *w, struct endpoint *e, bool server, const u8 key[SESSION_KEY],
		   enum frame_form form)
{
	u32 epoch;

	random_bytes(w, (u8 *)&epoch, sizeof(epoch));
	endpoint_init(e, server, w->mac, epoch, key, &wire_hooks, w);
	e->form = form;
}

u64 wire_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000ull + (u64)t.tv_nsec;
}

void mac_text(char text[MAC_TEXT], const u8 mac[6])
{
	snprintf(text, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		 mac[4], mac[5]);
}
