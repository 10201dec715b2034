/* SPDX-License-Identifier: BSD-2-Clause */
/* What the configuration parser's files share. Inside boot/config*.c only. */
#ifndef FARBUS_BOOT_CONFIG_PARSE_H
#define FARBUS_BOOT_CONFIG_PARSE_H

#include "boot/config.h"

#define CONFIG_LINE_MAX	 768
#define CONFIG_WORDS_MAX 24

/* Where a line comes from: config_medium.origin and config_route.origin. */
enum config_origin { CONFIG_ORIGIN_MODULE, CONFIG_ORIGIN_CMDLINE };

/* One line being parsed: its words, in place, each ended by a zero byte. */
struct parse {
	struct config *c;
	enum config_origin origin;
	u16 line;
	char text[CONFIG_LINE_MAX];
	char *word[CONFIG_WORDS_MAX];
	unsigned words;
	unsigned next; /* the next word to look at */
};

/* A word of the configuration. `count` is 0 for one that stands alone, else it takes a digit below
 * it: disk0 to disk3.
 */
struct config_word {
	const char *name;
	u8 count;
	int (*set)(struct parse *p, unsigned index);
};

extern const struct config_word config_words[];
extern const unsigned config_word_count;

/* Writes the message of this line; returns -1. */
int config_fail(struct parse *p, const char *word, const char *expected);

/* boot/config_net.c: the words of the network, and what is behind `remote` in a route. */
int config_set_nic(struct parse *p, unsigned index);
int config_set_frames(struct parse *p, unsigned index);
int config_set_peer(struct parse *p, unsigned index);
int config_set_export(struct parse *p, unsigned index);
int config_set_offer(struct parse *p, unsigned index);
int config_set_remote(struct parse *p, struct config_route *r);
/* A peer's, an export's: at most 16 letters, digits, '-', '_' and '.'. */
bool config_is_name(const char *word);
#define CONFIG_NAME_EXPECTED "a name of at most 16 letters, digits, '-', '_' and '.'"
/* boot/config_key.c */
int config_set_key(struct parse *p, unsigned index);
/* boot/config_trace.c, with its part of config_check(). */
int config_set_trace(struct parse *p, unsigned index);
int config_check_trace(struct config *c);
/* boot/config_net_check.c: config_check()'s part. */
int config_check_net(struct config *c);

/* boot/config_route.c */
int config_set_route(struct parse *p, unsigned index);
/* What stands behind `route`. -1: after a message. */
int config_take_route(struct parse *p, struct config_route *r);
/*
 * Take `irq N`, and each `dma N` into a bit of *channels, where they are. -1: after a message.
 */
int config_take_irq(struct parse *p, s8 *irq);
int config_take_dma(struct parse *p, u8 *channels);

/* The next word, or "" (which no value matches) past the end. */
const char *config_take(struct parse *p);
/* Takes the next word if it is this one. */
bool config_take_if(struct parse *p, const char *text);
/* What a message shows for a word that config_take() gave. */
const char *config_shown(const struct parse *p, const char *word);

/* The value of a hexadecimal digit, 99 for anything else. */
int config_digit(char ch);
/* A decimal or 0x number at *s, at most max; moves *s behind it. false: none, or too large. */
bool config_number_at(const char **s, u32 max, u32 *value);
/* A whole word that is a number from min to max. */
bool config_number(const char *word, u32 min, u32 max, u32 *value);
/* Numbers with one separator between them, count of them, each at most max: "306/4/17". */
bool config_number_list(const char **s, char separator, u32 *value, unsigned count, u32 max);

#endif
