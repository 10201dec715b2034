/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/trace_serial.h"

#include "boot/host.h"
#include "boot/port.h"
#include "devices/timer.h"
#include "devices/trace_frame.h"

#define BAUD	 115200u
#define PACKET	 (2 * TRACE_ITEM_MAX)
#define LOOK_NS	 10000000ull   /* between two looks at a ring that was empty */
#define GREET_NS 5000000000ull /* for who begins to listen */
/*
 * After a packet, the guest has so many times the time that it took: with the port's interrupts,
 * which take about a third as long again, sending costs no more than 3 %.
 */
#define GUEST_SHARE 45u

static struct {
	struct trace_stream stream;
	struct host_serial *port;
	u64 due, greeted;
	u8 packet[PACKET], line[TRACE_FRAME_SIZE(PACKET)];
} out;

bool trace_serial_start(const struct trace *t, const struct bus *b, unsigned com)
{
	out.port = host_serial_open(com, BAUD);
	if (!out.port)
		return false;
	trace_stream_init(&out.stream, t, b, host_tsc_khz());
	/* Whatever stood on the line before ends here. */
	serial_putc(out.port, 0);
	return true;
}

static void greet(u64 now)
{
	if (out.greeted && now - out.greeted < GREET_NS)
		return;
	trace_stream_greet(&out.stream);
	out.greeted = now;
}

static void send_packet(void)
{
	u32 len = trace_stream_fill(&out.stream, out.packet, PACKET, rdtsc());

	len = trace_frame_pack(out.line, out.packet, len);
	for (u32 i = 0; i < len; i++)
		serial_putc(out.port, out.line[i]);
}

u64 trace_serial_poll(u64 now, bool idle)
{
	if (!out.port)
		return TIMER_NEVER;
	if (now < out.due && !idle)
		return out.due;
	greet(now);
	if (!trace_stream_pending(&out.stream) || serial_space(out.port) < sizeof(out.line)) {
		out.due = now + LOOK_NS;
		return out.due;
	}
	send_packet();
	out.due = now + (host_ns() - now) * (GUEST_SHARE + 1);
	return out.due;
}
