# SPDX-License-Identifier: BSD-2-Clause
"""What Farbus costs: programs in Debian under each engine, against Debian on the bare emulated PC.

    overhead.py [ENGINE...]       engines: interp, translate: `cpu direct`, direct: with `translate off`
                                  (interp and direct without words)

QEMU's `-icount shift=0` makes the time-stamp counter count instructions. The programs read it
themselves before and after their work; the quotient is the host's work under Farbus for each unit
of the bare PC's. With the direct engine the monitor's counts of the same workload follow.
"""

import os
import re
import sys

import bench
from pc import PC, Failure

import guests
from paths import Missing

ENGINES = {"direct": {"CPU": "direct", "CONFIG": "translate off"}, "translate": {"CPU": "direct"}}

# The command line and what a good result shows.
PROGRAMS = {"compute 100": "primes", "syscalls": "20000", "pages": "2000", "forks": "100",
            "execs": "30", "pipes": "1000"}


def direct_counts(pc):
    """What the monitor says of the direct engine: {"shadow-fill": 123, ...}."""
    pc.type("\x1d")
    pc.wait(bench.PROMPT, 60)
    pc.type("stats\r")
    pc.wait(r"triple faults(.*\n)+" + bench.PROMPT, 60)
    text = pc.text()
    pc.type("continue\r")
    left = re.search(r"left for((?:.|\n)*?)direct: refused", text)
    pairs = re.findall(r"([a-z-]+) (\d+)", left.group(1)) if left else []
    return {name: int(count) for name, count in pairs}


def measure(disk, engine):
    """{program: (cycles, exits by reason)}."""
    results = {}
    words = {"native": True} if engine == "native" else {"CPU": engine}
    if engine in ENGINES:
        words = ENGINES[engine]
    with PC(f"overhead-{engine}", DISK=str(disk), RAM="64M", **words) as pc:
        pc.wait(r"^debian:.*# *\Z", 3600)
        for line, sign in PROGRAMS.items():
            name = line.split()[0]
            before = direct_counts(pc) if words.get("CPU") == "direct" else {}
            pc.type(f"{line}\r")
            pc.wait(rf"^{name} done: .*{sign}.* \d+ cycles", 1800)
            pattern = rf"^{name} done: .* (\d+) cycles"
            cycles = int(re.findall(pattern, pc.text(), re.MULTILINE)[-1])
            after = direct_counts(pc) if words.get("CPU") == "direct" else {}
            results[name] = cycles, {reason: count - before.get(reason, 0)
                                     for reason, count in after.items()
                                     if count > before.get(reason, 0)}
    return results


def main(engines):
    os.environ["HOSTARGS"] = bench.ICOUNT
    disk = guests.debian_disk("overhead", programs=[bench.program(line.split()[0]) for line in PROGRAMS])
    native = measure(disk, "native")
    for engine in engines:
        for name, (cycles, exits) in measure(disk, engine).items():
            bare = native[name][0]
            print(f"{engine:<7} {name:<9} {bare / 1e6:9.2f} M bare {cycles / 1e6:9.2f} M "
                  f"{cycles / bare:7.2f} times  "
                  + ", ".join(f"{reason} {count}" for reason, count in exits.items()), flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:] or ["interp", "direct"])
    except (Failure, Missing) as failure:
        sys.exit(f"overhead: {failure}")
