# SPDX-License-Identifier: BSD-2-Clause
"""Random bytes executed at CPL 0 leave Farbus running: fixed seeds, the monitor answers all along.

Random code hangs, halts and triple-faults; the monitor's reset starts the ROM again, which goes on
with its next round.
"""

import time

from bad_input_test import assembled, log_line, prompt
from pc import PC, Failure

LOOK = 3  # seconds between looks


def run(seed, seconds):
    rom = assembled("random_bytes", defines=[f"SEED={seed}"], suffix=f"-{seed}")
    with PC(f"random-{seed}", FIRMWARE=rom, RAM="16M") as pc:
        log_line(pc, r"^farbus: guest starts", 1, 120)  # keys typed before that are lost
        end = time.monotonic() + seconds
        resets = 0
        while time.monotonic() < end:
            pc.settle(LOOK, LOOK)
            if not pc.has(r"^farbus> *\Z"):
                pc.type("\x1d")
            prompt(pc, 60)
            if "farbus: panic" in pc.log():
                raise Failure(pc.log()[-2000:])
            pc.type("reset\r")
            resets += 1
        print(f"seed {seed}: {resets} resets in {seconds} s")
