# SPDX-License-Identifier: BSD-2-Clause
"""Lockstep says where the CPU and the interpreter differ: QEMU's CPU checks no segment limits."""

from bad_input_test import prompt
from paths import BUILD, system_file
from pc import PC, Failure

REPORT = ("lockstep: the CPU and the interpreter differ",
          "lockstep: one instruction from 5000:00000003 (V86, CPL 3), bytes 8b 07: mov",
          "lockstep: interpreter: eip 00010180", "lockstep: CPU        : eip 00000005")


def finds():
    """The tiny guest `v86` reads a word at FFFFh, which is #GP: on the log, and in the monitor."""
    rom = system_file(BUILD / "tiny" / "v86.rom", "tiny guests: make tiny")
    with PC("lockstep-finds", FIRMWARE=str(rom), RAM="16M", CPU="lockstep") as pc:
        pc.wait(r"guest stopped", 120)
        prompt(pc, 60)
        for line in REPORT:
            if line not in pc.log():
                raise Failure(f"not in the log: {line}\n{pc.log()[-3000:]}")
        pc.type("stats\r")
        pc.wait(r" 1 differences(.*\n)+.*host cycles", 60)


CASES = {"finds": finds}
