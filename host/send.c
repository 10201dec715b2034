/* SPDX-License-Identifier: BSD-2-Clause */
/* `farbus send`: carries out a file of port accesses at a peer's device, and prints what was read.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "host/command.h"
#include "host/command_line.h"
#include "host/key.h"
#include "host/lease.h"
#include "host/send_script.h"
#include "lib/log.h"

#define POLL_US	    50000u /* in one operation */
#define INS_BYTES   1024u  /* in one operation */
#define ROW	    16u
#define MILLISECOND 1000000ull

static const char help[] =
	"usage: farbus send [-i IF] [-n] (-k FILE | --insecure) FILE\n\n"
	"Carries out FILE, a step a line, at a device that a peer lends out, and prints what was\n"
	"read. FILE - is standard input.\n\n"
	"  -i, --interface IF   default: the only Ethernet interface that is up\n"
	"  -k, --key FILE       the shared key: 32 bytes or 64 hexadecimal digits\n"
	"      --insecure       a peer that runs without a key\n"
	"  -n, --check          only reads FILE and says whether it is good\n\n"
	"  lease EXPORT [of PEER]          first of all; another one gives this one back\n"
	"  in PORT [is VALUE [mask MASK]]  reads; ends with status 1 if it is another value\n"
	"  out PORT VALUE ...              writes each of them\n"
	"  ins PORT COUNT                  reads so many elements\n"
	"  text PORT \"TEXT\"                writes each byte of it\n"
	"  poll PORT MASK VALUE [MS]       until the bits of MASK are VALUE; default 1000 ms\n"
	"  delay US                        waits at the peer\n"
	"  irq LINE [MS]                   waits for an interrupt; default 1000 ms\n"
	"  eoi LINE                        it is dealt with, and the next one may come\n"
	"  reset, quiesce                  the device as after power-on; at rest\n\n"
	"in, out, ins and poll are of 1 byte; inw of 2, ind of 4, and so on.\n";

struct options {
	const char *interface, *key, *file;
	bool insecure, check;
};

static struct {
	struct options o;
	struct lease lease;
	struct send_script script;
} job;

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* --- steps --- */

static bool fail(const struct send_step *t, const char *what)
{
	log_error("%s:%u: %s", job.o.file, t->line, what);
	return false;
}

static bool failed(const struct send_step *t, unsigned status)
{
	switch (status) {
	case LEASE_LOST: /* was told */
		return fail(t, "not known whether it was carried out");
	case PROTO_REFUSED:
		return fail(t, "refused: not within the export, or the key may not");
	case PROTO_CONDITION:
		return fail(t, "not within the time");
	default:
		return fail(t, "the peer could not carry it out");
	}
}

/* data_len is filled in. False: it was not carried out (logged). */
static bool run(const struct send_step *t, struct proto_op *op, struct proto_op *answer)
{
	unsigned status;

	op->data_len = proto_data_len(op->opcode, op->width, op->count, false);
	status = lease_run(&job.lease, op, answer);
	return status == PROTO_OK || failed(t, status);
}

static u32 get_value(const u8 *p, unsigned width)
{
	u32 value = 0;

	for (unsigned i = 0; i < width; i++)
		value |= (u32)p[i] << 8 * i;
	return value;
}

static bool step_in(const struct send_step *t)
{
	struct proto_op answer, op = {.opcode = PROTO_IN, .width = t->width, .addr = t->port};
	char text[80];
	u32 value;

	if (!run(t, &op, &answer))
		return false;
	value = get_value(answer.data, t->width);
	printf("in 0x%x: 0x%0*x\n", t->port, 2 * t->width, value);
	if (!t->count || (value & t->value[0]) == t->value[1])
		return true;
	snprintf(text, sizeof(text), "0x%x: expected 0x%x in the bits 0x%x", value, t->value[1],
		 t->value[0]);
	return fail(t, text);
}

static bool put_value(const struct send_step *t, u32 value)
{
	u8 data[4];
	struct proto_op answer,
		op = {.opcode = PROTO_OUT, .width = t->width, .addr = t->port, .data = data};

	proto_put32(data, value);
	return run(t, &op, &answer);
}

static bool step_out(const struct send_step *t)
{
	for (unsigned i = 0; i < t->count; i++)
		if (!put_value(t, t->value[i]))
			return false;
	return true;
}

static bool step_text(const struct send_step *t)
{
	for (const char *s = t->text; *s; s++)
		if (!put_value(t, (u8)*s))
			return false;
	return true;
}

static void print_row(const u8 *data, unsigned len, u32 at)
{
	printf("%05x ", at);
	for (unsigned i = 0; i < ROW; i++) {
		if (i < len)
			printf(" %02x", data[i]);
		else
			printf("   ");
	}
	printf("  ");
	for (unsigned i = 0; i < len; i++)
		putchar(data[i] >= ' ' && data[i] < 127 ? data[i] : '.');
	putchar('\n');
}

static bool step_ins(const struct send_step *t)
{
	u32 left = t->value[0], at = 0;

	printf("ins 0x%x: %u\n", t->port, left);
	while (left) {
		u32 count = left < INS_BYTES / t->width ? left : INS_BYTES / t->width;
		struct proto_op answer, op = {.opcode = PROTO_INS,
					      .width = t->width,
					      .count = (u16)count,
					      .addr = t->port};

		if (!run(t, &op, &answer))
			return false;
		for (u32 i = 0; i < answer.data_len; i += ROW)
			print_row(answer.data + i,
				  answer.data_len - i < ROW ? answer.data_len - i : ROW, at + i);
		at += answer.data_len;
		left -= count;
	}
	return true;
}

static bool step_poll(const struct send_step *t)
{
	u64 began = wire_now(), end = began + t->value[2] * MILLISECOND;
	unsigned status;
	u8 data[8];
	struct proto_op answer, op = {.opcode = PROTO_POLL,
				      .width = t->width,
				      .count = POLL_US,
				      .addr = t->port,
				      .data = data};

	proto_put32(data, t->value[0]);
	proto_put32(data + 4, t->value[1]);
	op.data_len = proto_data_len(op.opcode, op.width, op.count, false);
	do {
		status = lease_run(&job.lease, &op, &answer);
	} while (status == PROTO_CONDITION && wire_now() < end);
	if (status == PROTO_OK || status == PROTO_CONDITION)
		printf("poll 0x%x: 0x%0*x\n", t->port, 2 * t->width,
		       get_value(answer.data, t->width));
	return status == PROTO_OK || failed(t, status);
}

/* Without data: RESET, QUIESCE, IRQ_UNMASK; DELAY in parts. */
static bool step_plain(const struct send_step *t, u8 opcode, u32 addr, u32 us)
{
	do {
		struct proto_op answer, op = {.opcode = opcode,
					      .width = 1,
					      .count = (u16)(us < POLL_US ? us : POLL_US),
					      .addr = addr};

		if (!run(t, &op, &answer))
			return false;
		us -= op.count;
	} while (us);
	return true;
}

static bool step_irq(const struct send_step *t)
{
	unsigned line = t->value[0];

	if (!step_plain(t, PROTO_IRQ_UNMASK, line, 0))
		return false;
	switch (lease_await_irq(&job.lease, line, t->value[1] * MILLISECOND)) {
	case LEASE_FIRED:
		printf("irq %u\n", line);
		return true;
	case LEASE_SILENT:
		return fail(t, "no interrupt within the time");
	default:
		return false;
	}
}

static bool step_eoi(const struct send_step *t)
{
	lease_eoi(&job.lease, t->value[0]);
	return true;
}

static bool step(const struct send_step *t)
{
	switch (t->kind) {
	case SEND_LEASE:
		return lease_begin(&job.lease, t->export, *t->peer ? t->peer : NULL);
	case SEND_IN:
		return step_in(t);
	case SEND_OUT:
		return step_out(t);
	case SEND_INS:
		return step_ins(t);
	case SEND_TEXT:
		return step_text(t);
	case SEND_POLL:
		return step_poll(t);
	case SEND_DELAY:
		return step_plain(t, PROTO_DELAY, 0, t->value[0]);
	case SEND_IRQ:
		return step_irq(t);
	case SEND_EOI:
		return step_eoi(t);
	case SEND_RESET:
		return step_plain(t, PROTO_RESET, 0, 0);
	default:
		return step_plain(t, PROTO_QUIESCE, 0, 0);
	}
}

static bool run_script(const u8 key[SESSION_KEY])
{
	bool good = true;

	if (!lease_open(&job.lease, "send", job.o.interface, key))
		return false;
	job.lease.stop = &interrupted;
	signal(SIGINT, interrupt);
	signal(SIGTERM, interrupt);
	/* Who reads the other end of a pipe sees each value when it is there. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned i = 0; i < job.script.steps && good; i++)
		good = step(&job.script.step[i]);
	lease_close(&job.lease);
	return good;
}

/* --- options --- */

static bool take_option(void *options, int option)
{
	struct options *o = options;

	switch (option) {
	case 'i':
		o->interface = optarg;
		return true;
	case 'k':
		o->key = optarg;
		return true;
	case 'I':
		o->insecure = true;
		return true;
	case 'n':
		o->check = true;
		return true;
	default:
		return false;
	}
}

static bool check_options(void *options, char **words)
{
	struct options *o = options;

	if (!words[0] || words[1]) {
		log_error("send: expected one FILE");
		return false;
	}
	o->file = strcmp(words[0], "-") ? words[0] : "/dev/stdin";
	return o->check || command_line_key("send", o->key, o->insecure);
}

static const struct option longs[] = {
	{"interface", required_argument, NULL, 'i'},
	{"key", required_argument, NULL, 'k'},
	{"insecure", no_argument, NULL, 'I'},
	{"check", no_argument, NULL, 'n'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const struct command_line line = {
	.help = help,
	.letters = "i:k:nh",
	.longs = longs,
	.take = take_option,
	.check = check_options,
};

int command_send(int argc, char **argv)
{
	u8 key[SESSION_KEY] = {0};
	int status = command_line_read(&line, &job.o, argc, argv);
	bool good;

	if (status >= 0)
		return status;
	good = send_script_read(&job.script, job.o.file) &&
	       (job.o.check || ((!job.o.key || key_from_file(job.o.key, key)) && run_script(key)));
	send_script_free(&job.script);
	return good ? STATUS_OK : STATUS_FAILED;
}
