/* SPDX-License-Identifier: BSD-2-Clause */
#include "net-ne2000/profile.h"

#include "lib/str.h"

const struct profile profile_strict = {.name = "strict"};

const struct profile *profile_find(const char *name)
{
	static const struct profile *const all[] = {&profile_strict, &profile_ata, &profile_uart,
						    &profile_lpt, &profile_sb16};

	for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
		if (!strcmp(all[i]->name, name))
			return all[i];
	return NULL;
}
