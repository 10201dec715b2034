/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's `stats`: what the engines, the shadow tables and the bus have counted. */
#include "boot/monitor_cmd.h"
#include "cpu/direct/direct.h"
#include "cpu/lockstep/lockstep.h"
#include "devices/bus.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define COLUMNS 80u

/* What was counted at all, in as many lines as it takes. */
static void show_counts(struct monitor *m, const char *what, const u64 *count,
			const char *const *name, unsigned n)
{
	size_t column = strlen(what);
	char one[48];

	mon_print(m, "%s", what);
	for (unsigned i = 0; i < n; i++) {
		if (!count[i])
			continue;
		fmt(one, sizeof(one), " %s %llu", name[i], count[i]);
		if (column + strlen(one) >= COLUMNS) {
			mon_print(m, "\n ");
			column = 1;
		}
		mon_print(m, "%s", one);
		column += strlen(one);
	}
	mon_print(m, "\n");
}

static void show_exceptions(struct monitor *m, const u64 count[32])
{
	for (unsigned i = 0; i < 32; i++)
		if (count[i])
			mon_print(m, " #%u %llu", i, count[i]);
}

/* --- the parts: their first lines, or all; false: the engine does not count that --- */

static bool show_direct(struct monitor *m, bool all)
{
	const struct vcpu *v = &m->vm->vcpu;
	const struct direct_stats *d;

	if (!v->direct)
		return false;
	d = direct_stats(v);
	mon_print(m, "direct: entered %llu\n", d->entries);
	if (!all)
		return true;
	show_counts(m, "direct: left for", d->exits, direct_exit_name, EXITS_COUNT);
	show_counts(m, "direct: refused for", d->refused, direct_refusal_name, REFUSE_COUNT);
	show_counts(m, "direct: instructions interpreted for", d->interpreted, direct_refusal_name,
		    REFUSE_COUNT);
	mon_print(m, "direct: real mode entered %llu, pages looked at %llu\n", d->real,
		  d->real_pages);
	mon_print(m, "direct: interpreted after");
	show_exceptions(m, d->vectors);
	mon_print(m, "\n");
	return true;
}

static bool show_translated(struct monitor *m, bool all)
{
	const struct vcpu *v = &m->vm->vcpu;
	const struct translate_stats *t = v->direct ? direct_translate_stats(v) : NULL;
	const struct direct_stats *d;

	if (!t)
		return false;
	d = direct_stats(v);
	mon_print(m, "translated: %llu instructions in %llu units, %llu dropped, %llu flushes\n",
		  t->insns, t->units, t->dropped, t->flushes);
	if (!all)
		return true;
	mon_print(m,
		  "translated: entered %llu, left %llu for more, %llu for an instruction, %llu "
		  "of them interpreted\n",
		  d->translated, d->translated_left[0], d->translated_left[1], d->translated_steps);
	mon_print(m, "translated: went on behind %llu instructions carried out for it\n",
		  d->translated_calls);
	mon_print(m, "translated: %llu instructions kept faulting, %llu no longer do\n", t->called,
		  t->uncalled);
	mon_print(m, "translated: links %llu - %llu\n", t->links, t->unlinks);
	return true;
}

static bool show_shadow(struct monitor *m, bool all)
{
	const struct vcpu *v = &m->vm->vcpu;
	const struct shadow_stats *s;

	if (!v->direct)
		return false;
	s = direct_shadow_stats(v);
	mon_print(m, "shadow: pool %u KB, %u KB in use, %u KB at most\n",
		  s->pages * (PAGE_SIZE / KB), s->pages_in_use * (PAGE_SIZE / KB),
		  s->pages_most * (PAGE_SIZE / KB));
	if (!all)
		return true;
	mon_print(m, "shadow: %llu fills, %llu entries ahead, %llu refused, %llu dropped, ",
		  s->fills, s->prefetched, s->refused, s->entries_dropped);
	mon_print(m, "%llu scans, %llu loose, %llu compared\n", s->scans, s->loosened, s->compared);
	mon_print(m, "shadow: tables %llu - %llu, roots %llu - %llu, %llu evictions\n",
		  s->tables_made, s->tables_dropped, s->roots_made, s->roots_dropped, s->evictions);
	return true;
}

static bool show_lockstep(struct monitor *m, bool all)
{
	const struct lockstep_stats *s;

	if (!m->vm->lockstep)
		return false;
	s = lockstep_stats(m->vm->lockstep);
	mon_print(m, "lockstep: %llu instructions compared in %llu stretches, %llu differences\n",
		  s->insns, s->stretches, s->differences);
	if (!all)
		return true;
	mon_print(m,
		  "lockstep: %llu stretches repeated, %llu instructions one by one, %llu not "
		  "compared, %llu with undefined flags\n",
		  s->repeated, s->singles, s->not_compared, s->undefined);
	mon_print(m,
		  "lockstep: %llu stretches at more than one CPL, %llu port accesses in stretches, "
		  "%llu stretches not to be repeated\n",
		  s->crossed, s->ports, s->unrepeatable);
	mon_print(m, "%s", lockstep_report(m->vm->lockstep));
	return true;
}

static const struct {
	const char *name;
	bool (*show)(struct monitor *m, bool all);
} parts[] = {{"direct", show_direct},
	     {"translated", show_translated},
	     {"shadow", show_shadow},
	     {"lockstep", show_lockstep}};

/* What every engine counts, and of each part so much. */
static void show_machine(struct monitor *m, bool all)
{
	static const char *const exits[EXIT_REASON_COUNT] = {
		[EXIT_EVENT] = "event",	    [EXIT_HLT] = "hlt",	  [EXIT_SHUTDOWN] = "shutdown",
		[EXIT_IO_WAIT] = "io-wait", [EXIT_STEP] = "step",
	};
	const struct vm *vm = m->vm;
	const struct vcpu_stats *s = &vm->vcpu.stats;

	mon_print(m, "engine %s: %llu instructions, %llu blocks decoded, %llu pages dropped\n",
		  vm->engine->name, s->insns, s->blocks_decoded, s->pages_dropped);
	mon_print(m, "slow steps %llu, TLB fills %llu\nexits:", s->slow_steps, s->tlb_fills);
	for (unsigned i = 0; i < EXIT_HAND_OVER; i++)
		mon_print(m, " %s %llu", exits[i], s->exits[i]);
	mon_print(m,
		  "\nports: in %llu, out %llu, string %llu, absent %llu (last %04x); mmio %llu\n",
		  s->io_in, s->io_out, s->io_string, vm->bus->absent_accesses,
		  vm->bus->last_absent_port, s->mmio);
	mon_print(m, "interrupts %llu; exceptions:", s->interrupts);
	show_exceptions(m, s->exceptions);
	mon_print(m, "\n");
	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++)
		parts[i].show(m, all);
	mon_print(m, "host cycles: busy %llu, idle %llu", vm_busy_cycles(vm), vm->idle_cycles);
	mon_print(m, "\nresets %llu, triple faults %llu\n", vm->resets, vm->triple_faults);
}

void mon_stats(struct monitor *m, const struct command *c)
{
	const char *word = c->words > 1 ? c->word[1] : "";
	size_t len = strlen(word);

	if (!len || !strncmp("all", word, len)) {
		show_machine(m, len > 0);
		return;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
		if (strncmp(parts[i].name, word, len))
			continue;
		if (!parts[i].show(m, true))
			mon_print(m, "stats: %s: this guest's engine has nothing of that\n",
				  parts[i].name);
		return;
	}
	mon_print(m, "stats: '%s': expected direct, translated, shadow, lockstep or all\n", word);
}
