# SPDX-License-Identifier: BSD-2-Clause
"""The monitor on the console: it opens, shows the guest, changes the machine, and lets it go on."""

from bad_input_test import boot_floppy
from pc import PC

PROMPT = r"^farbus> *$"

CASES = {}
