/* SPDX-License-Identifier: BSD-2-Clause */
/* What the readers of `farbus serve`'s file share. Each fails with a line in the log. */
#ifndef FARBUS_HOST_SERVE_CONFIG_PARTS_H
#define FARBUS_HOST_SERVE_CONFIG_PARTS_H

#include "host/serve_config.h"
#include "host/words.h"

bool config_name(struct words *w, char name[EXPORT_NAME + 1]);
bool config_text(struct words *w, char *text, size_t size, const char *expected);
/* The rest of a line `key`. */
bool config_key(struct serve_config *c, struct words *w);
/* The rest of a line `export`. */
bool config_export(struct serve_config *c, struct words *w);

#endif
