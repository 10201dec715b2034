/* SPDX-License-Identifier: BSD-2-Clause */
/* The cache of units: how they are found and forgotten. */
#include "cpu/translate/emit.h"
#include "lib/str.h"

/* Of code for each unit, exit and point in the arrays. */
#define CODE_PER_UNIT  128u
#define CODE_PER_EXIT  40u
#define CODE_PER_POINT 12u

#define PAD_GPA (~0u) /* pads belong to no guest page */

static u32 unit_hash(u32 eip)
{
	return (eip ^ eip >> 10) & (UNIT_HASH - 1);
}

static struct translate_unit **across_of(struct translator *t, u32 next_gpa)
{
	return &t->across[(next_gpa >> PAGE_SHIFT) & (UNIT_HASH - 1)];
}

static struct translate_unit **page_of(struct translator *t, u32 gpa)
{
	return &t->page[(gpa >> PAGE_SHIFT) & (UNIT_HASH - 1)];
}

/* Parts of a page, so that most stores beside code cost no look at its units. */
#define GRANULE_SHIFT 7

/* Those that bytes from `first` to `end` of a page are in, one bit each. */
static u32 granules(u32 first, u32 end)
{
	u32 low = first >> GRANULE_SHIFT, high = (end - 1) >> GRANULE_SHIFT;

	return (~0u >> (31 - high)) & (~0u << low);
}

static u32 *granules_of(struct translator *t, u32 gpa)
{
	return &t->granules[(gpa >> PAGE_SHIFT) & (UNIT_HASH - 1)];
}

static const struct translate_unit *whole_of(const struct translate_unit *u)
{
	return u->whole ? u->whole : u;
}

static u32 unit_granules(const struct translate_unit *u)
{
	u32 off = whole_of(u)->gpa & ~PAGE_MASK;

	return granules(off, off + whole_of(u)->source);
}

static void fill_table(u32 *table, const u8 *native)
{
	for (u32 n = 0; n < TRANSLATE_SLOTS; n++)
		table[n] = (u32)(uintptr_t)native;
}

void translate_drop_links(struct translator *t)
{
	exits_unlink_far(t);
	fill_table(t->host.state->ret, t->lookup);
	t->forgotten++;
	t->last_exit = NO_EXIT;
}

/* --- finding and making --- */

struct translate_unit *translate_find(const struct translator *t, u32 eip, u32 gpa)
{
	struct translate_unit *u = t->hash[unit_hash(eip)];

	while (u && (u->eip != eip || u->gpa != gpa || u->context != t->current))
		u = u->hash_next;
	return u;
}

struct translate_unit *translate_find_across(const struct translator *t, u32 eip, u32 gpa,
					     u32 next_gpa)
{
	struct translate_unit *u = t->hash[unit_hash(eip)];

	while (u && (u->eip != eip || u->gpa != gpa || u->context != t->current ||
		     u->next_gpa != (next_gpa & PAGE_MASK)))
		u = u->hash_next;
	return u;
}

bool translate_crosses(const struct translator *t, const u8 *page, u32 off)
{
	return classify_cut(page + off, PAGE_SIZE - off, unit_context(t)->mode);
}

u32 translate_entry(const struct translate_unit *u)
{
	return (u32)(uintptr_t)u->entry;
}

static void insert(struct translator *t, struct translate_unit *u)
{
	struct translate_unit **head = &t->hash[unit_hash(u->eip)];

	u->hash_next = *head;
	*head = u;
	mark(t, u->gpa);
}

static bool has_room(const struct translator *t)
{
	return (u32)(t->host.code + t->host.code_size - t->next) >= UNIT_CODE_MAX &&
	       t->units < t->units_max && t->exits + UNIT_EXITS_MAX <= t->exits_max &&
	       t->points + UNIT_POINTS_MAX <= t->points_max;
}

static void insert_page(struct translator *t, struct translate_unit *u)
{
	struct translate_unit **head = page_of(t, u->gpa);

	insert(t, u);
	u->page_next = *head;
	*head = u;
	u->listed = true;
	*granules_of(t, u->gpa) |= unit_granules(u);
}

struct translate_unit *translate_make(struct translator *t, u32 eip, u32 gpa, const u8 *page)
{
	struct translate_unit *u;

	if (!has_room(t))
		translate_flush(t);
	u = unit_make_part(t, eip, gpa);
	if (!u) {
		u = unit_make(t, eip, gpa, page);
		unit_cover(t, u);
	}
	insert_page(t, u);
	exits_link_near(t, u);
	return u;
}

struct translate_unit *translate_make_across(struct translator *t, u32 eip, u32 gpa, u32 next_gpa,
					     const u8 *page, const u8 *next_page)
{
	struct translate_unit *u, **head = across_of(t, next_gpa);

	if (!has_room(t))
		translate_flush(t);
	u = unit_make_across(t, eip, gpa, page, next_page);
	u->next_gpa = next_gpa & PAGE_MASK;
	insert_page(t, u);
	u->across_next = *head;
	*head = u;
	*granules_of(t, next_gpa) |= granules(0, INSN_MAX);
	return u;
}

/* A new target for the shared lookup of indirect branches. */
static void connect_indirect(struct translator *t, struct translate_unit *to)
{
	struct translate_unit *pad = translate_find(t, to->eip, PAD_GPA);

	if (!pad) {
		if (!has_room(t))
			return; /* the next unit makes room */
		pad = unit_make_pad(t, to->eip);
		pad->gpa = PAD_GPA;
		insert(t, pad);
		t->stats.pads++;
	}
	if (!t->exit[pad->first_exit].to)
		exit_link(t, &t->exit[pad->first_exit], to);
	t->host.state->jump[jump_hash(to->eip)] = translate_entry(pad);
}

void translate_connect(struct translator *t, struct translate_unit *to)
{
	struct exit *e;

	if (t->last_exit == NO_EXIT)
		return;
	e = &t->exit[t->last_exit];
	t->last_exit = NO_EXIT;
	if (e->recovery == TARGET)
		connect_indirect(t, to);
	else if (e->site && !e->to &&
		 e->call.eip == to->eip) /* an interrupt may have come between */
		exit_link(t, e, to);
}

/* --- forgetting --- */

static void unlink_across(struct translator *t, struct translate_unit *u)
{
	struct translate_unit **link = across_of(t, u->next_gpa);

	while (*link != u)
		link = &(*link)->across_next;
	*link = u->across_next;
}

/* All but the list of the page it begins in. */
static void remove(struct translator *t, struct translate_unit *u)
{
	struct translate_unit **link = &t->hash[unit_hash(u->eip)];

	if (u->next_gpa != NO_PAGE)
		unlink_across(t, u);
	u->listed = false;
	while (*link != u)
		link = &(*link)->hash_next;
	*link = u->hash_next;
	while (u->in)
		exit_unlink(t, u->in);
	for (u32 n = u->first_exit; n < u->first_exit + u->exits; n++) {
		if (t->exit[n].to)
			exit_unlink(t, &t->exit[n]);
	}
	if (t->last_exit - u->first_exit < u->exits)
		t->last_exit = NO_EXIT;
	t->forgotten++;
	t->stats.dropped++;
}

static void unlink_page(struct translator *t, struct translate_unit *u)
{
	struct translate_unit **link = page_of(t, u->gpa);

	while (*link != u)
		link = &(*link)->page_next;
	*link = u->page_next;
}

/* Those that end in the page; *left: the granules of other pages' that share the entry. */
static bool drop_across(struct translator *t, u32 gpa, u32 *left)
{
	struct translate_unit *u = *across_of(t, gpa), *next;
	bool any = false, reached = (gpa & ~PAGE_MASK) < INSN_MAX;

	for (; u; u = next) {
		next = u->across_next;
		if (!reached || u->next_gpa != (gpa & PAGE_MASK)) {
			*left |= granules(0, INSN_MAX);
			continue;
		}
		unlink_page(t, u);
		remove(t, u);
		any = true;
	}
	return any;
}

/* Whether u rests on any of the bytes. */
static bool rests_on(const struct translate_unit *u, u32 gpa, u32 len)
{
	u = whole_of(u);
	return !((u->gpa ^ gpa) & PAGE_MASK) && u->gpa < gpa + len && gpa < u->gpa + u->source;
}

static bool drop_in_page(struct translator *t, u32 gpa, u32 len, u32 *left)
{
	struct translate_unit **link = page_of(t, gpa), *u;
	bool any = false;

	while ((u = *link)) {
		if (!rests_on(u, gpa, len)) {
			*left |= unit_granules(u);
			link = &u->page_next;
			continue;
		}
		*link = u->page_next;
		remove(t, u);
		any = true;
	}
	return any;
}

void unit_drop(struct translator *t, struct translate_unit *u)
{
	if (!u->listed)
		return;
	for (struct translate_unit *part = u->parts; part; part = part->part_next) {
		unlink_page(t, part);
		remove(t, part);
	}
	unlink_page(t, u);
	remove(t, u);
	fill_table(t->host.state->ret, t->lookup);
}

bool translate_drop_range(struct translator *t, u32 gpa, u32 len)
{
	u32 off = gpa & ~PAGE_MASK, left = 0;
	bool any;

	if (!(*granules_of(t, gpa) & granules(off, off + len)))
		return false;
	any = drop_across(t, gpa, &left);
	any = drop_in_page(t, gpa, len, &left) || any;
	*granules_of(t, gpa) = left;
	if (!any)
		return false;
	faulting_forget(t, gpa);
	fill_table(t->host.state->ret, t->lookup);
	return true;
}

bool translate_drop_page(struct translator *t, u32 gpa)
{
	faulting_forget(t, gpa);
	return translate_drop_range(t, gpa & PAGE_MASK, PAGE_SIZE);
}

bool translate_in_page(const struct translator *t, u32 gpa)
{
	u32 n = (gpa >> PAGE_SHIFT) & (UNIT_HASH - 1);
	const struct translate_unit *u;

	for (u = t->page[n]; u; u = u->page_next)
		if (!((u->gpa ^ gpa) & PAGE_MASK))
			return true;
	for (u = t->across[n]; u; u = u->across_next)
		if (u->next_gpa == (gpa & PAGE_MASK))
			return true;
	return false;
}

static void no_ways(struct translator *t)
{
	t->host.state->bounds[0] = BIT(31);
	t->host.state->bounds[1] = unit_context(t)->limit ^ BIT(31);
	t->last_exit = NO_EXIT;
	t->forgotten++;
	fill_table(t->host.state->ret, t->lookup);
	fill_table(t->host.state->jump, t->miss);
}

void translate_flush(struct translator *t)
{
	t->context[0] = t->context[t->current];
	t->contexts = 1;
	t->current = 0;
	memset(t->hash, 0, sizeof(t->hash));
	memset(t->page, 0, sizeof(t->page));
	memset(t->across, 0, sizeof(t->across));
	memset(t->granules, 0, sizeof(t->granules));
	memset(t->waiting, 0, sizeof(t->waiting));
	memset(t->covers, 0, sizeof(t->covers));
	memset(t->marks, 0, sizeof(t->marks));
	faulting_mark(t);
	t->units = t->exits = t->points = 0;
	t->next = t->host.code;
	t->stats.flushes++;
	unit_make_lookup(t);
	no_ways(t);
}

/* --- contexts --- */

static bool same_context(const struct translate_context *a, const struct translate_context *b)
{
	return !((a->base ^ b->base) | (a->limit ^ b->limit) | (a->mode ^ b->mode));
}

/* Predicted returns and the targets of indirect branches are found by EIP alone. */
static void change_context(struct translator *t, const struct translate_context *c)
{
	u32 n = 0;

	while (n < t->contexts && !same_context(&t->context[n], c))
		n++;
	if (n == CONTEXTS) {
		translate_flush(t);
		n = 0; /* nothing is left of that one either */
	}
	if (n == t->contexts)
		t->contexts++;
	t->context[n] = *c;
	t->current = n;
	no_ways(t);
}

bool translate_context(struct translator *t, const struct translate_context *c)
{
	if (likely(same_context(&t->context[t->current], c)))
		return true;
	change_context(t, c);
	return false;
}

/* --- construction --- */

size_t translate_arena_size(u32 code_size)
{
	return sizeof(struct translator) +
	       code_size / CODE_PER_UNIT * sizeof(struct translate_unit) +
	       code_size / CODE_PER_EXIT * sizeof(struct exit) +
	       code_size / CODE_PER_POINT * sizeof(struct point);
}

struct translator *translate_init(void *arena, const struct translate_host *host)
{
	struct translator *t = arena;

	t->host = *host;
	t->units_max = host->code_size / CODE_PER_UNIT;
	t->exits_max = host->code_size / CODE_PER_EXIT;
	t->points_max = host->code_size / CODE_PER_POINT;
	t->context[0] = (struct translate_context){.limit = ~0u};
	t->unit = (struct translate_unit *)(void *)(t + 1);
	t->exit = (struct exit *)(void *)(t->unit + t->units_max);
	t->point = (struct point *)(void *)(t->exit + t->exits_max);
	translate_flush(t);
	translate_know_nothing(t);
	t->stats = (struct translate_stats){0};
	return t;
}

const struct translate_stats *translate_stats(const struct translator *t)
{
	return &t->stats;
}

u32 translate_forgotten(const struct translator *t)
{
	return t->forgotten;
}
