# SPDX-License-Identifier: BSD-2-Clause
"""Instructions that an emulated PC has executed: in QEMU by where they are (executed.c), in Bochs
their number (executed_bochs.c)."""

import bisect
import mmap
import subprocess
from array import array
from pathlib import Path

from paths import BUILD

HERE = Path(__file__).resolve().parent
REGIONS = 1024
IMAGE = 0xfc000000


def library(name):
    """The plugin, or what Bochs is started with, built here."""
    target = BUILD / "bench" / f"{name}.so"
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gcc", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror", "-o", target,
                    HERE / f"{name}.c"], check=True)
    return target


class Executed:
    """words: what QEMU is to be started with; counts are there once it runs."""

    def __init__(self, name):
        self.file = BUILD / "bench" / f"{name}.counts"
        self.file.unlink(missing_ok=True)
        self.words = f"-plugin {library('executed')},counts={self.file}"

    def counts(self):
        counts = array("Q")
        with open(self.file, "rb") as file:
            with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
                counts.frombytes(mapped[:])
        return counts

    def total(self):
        return sum(self.counts())


class ExecutedInBochs:
    """words: for a PC; ticks of Bochs's are instructions, but for those while the CPU was halted."""

    def __init__(self, name):
        self.file = BUILD / "bench" / f"{name}.ticks"
        self.file.unlink(missing_ok=True)
        self.words = {"LD_PRELOAD": str(library("executed_bochs")),
                      "FARBUS_EXECUTED": str(self.file)}

    def total(self):
        ticks, halted = array("Q", self.file.read_bytes())
        return ticks - halted


def by_symbol(counts, elf):
    """{name: instructions} of Farbus's functions, and of all that is behind its image."""
    symbols = []
    for line in subprocess.check_output(["nm", elf], text=True).splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[1] in "tT" and int(fields[0], 16) >= IMAGE:
            symbols.append((int(fields[0], 16), fields[2]))
        if fields[-1] == "image_end":
            end = int(fields[0], 16)
    symbols.sort()
    found = {}
    for n, count in enumerate(counts[REGIONS:]):
        address = IMAGE + 16 * n
        if not count:
            continue
        place = bisect.bisect(symbols, (address + 15, "")) - 1
        name = "translated code" if address >= end else symbols[place][1]
        found[name] = found.get(name, 0) + count
    return found
