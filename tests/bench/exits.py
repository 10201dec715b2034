# SPDX-License-Identifier: BSD-2-Clause
"""How many instructions of the host's each thing takes that leaves translated code, or may.

    exits.py [bochs] [ENGINE...]       engines: interp, translate (both without words)

tests/bench/exits.c measures itself. QEMU's `-icount` makes its time-stamp counter count
instructions, so the numbers repeat; the loop around is taken off.
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "guests"))

import tiny  # noqa: E402
from paths import Missing  # noqa: E402

ENGINES = ("interp", "translate")
TICKS = {"qemu": 4, "bochs": 1}  # of the counter for an instruction: tiny.py's shift=2


def measure(engine, host):
    lines = tiny.under_farbus("exits", host, engine)
    found = dict(re.findall(r"^(.*): (\d+)$", "\n".join(lines), re.M))
    if not found or not lines[-1].startswith("[end]"):
        sys.exit(f"exits: with {engine} it did not come to its end:\n" + "\n".join(lines))
    return {name: int(count) // TICKS[host] for name, count in found.items()}


def main(words):
    host = "bochs" if "bochs" in words else "qemu"
    engines = [word for word in words if word != "bochs"] or [*ENGINES]
    unknown = [word for word in engines if word not in ENGINES]
    if unknown:
        sys.exit(f"exits: '{unknown[0]}': expected bochs, {', '.join(ENGINES)}")
    figures = {engine: measure(engine, host) for engine in engines}
    print(f"{'':<28}" + "".join(f"{engine:>12}" for engine in engines))
    for name in figures[engines[0]]:
        print(f"{name:<28}" + "".join(f"{figures[engine][name]:12}" for engine in engines))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Missing as missing:
        sys.exit(f"exits: {missing}")
