# SPDX-License-Identifier: BSD-2-Clause
"""How the cost of shadow page tables grows with the guest's memory and processes, in Debian.

Under `cpu direct` with `translate on` and on the bare emulated PC: a read that only the shadow
tables fault on; a context switch against the pages that both processes have; fork with exit and
wait against the pages that the child writes to. And the memory for shadow tables against the number
of processes, with the default pool and with a small one.

    scaling.py [ENGINE...]        translate, direct: without it (translate without words)

QEMU's `-icount shift=0` makes the time-stamp counter count instructions: the figures repeat.
"""

import os
import re
import sys

import bench
from pc import PC, Failure

import guests
from paths import Missing

SWITCH_PAGES = (10, 100, 1000)
FILL_PAGES = (1000,)
FORK_PAGES = 1000
FORK_TOUCHED = (0, 10, 100, 1000)
PROCESSES = (1, 10, 50, 100, 200)
SMALL_POOL = "1M"

ENGINES = {"native": {"native": True}, "direct": {"CPU": "direct", "CONFIG": "translate off"},
           "translate": {"CPU": "direct"}}


def started(name, disk, words):
    return PC(f"scaling-{name}", DISK=str(disk), RAM="64M", **words)


def cycles(pc, line, done):
    pc.type(f"{line}\r")
    pc.wait(done, 1800)
    return int(re.findall(done, pc.text(), re.MULTILINE)[-1])


def costs(pc):
    """Instructions: for a fill; by pages for a switch, by pages written to for a fork."""
    pc.wait(r"^debian:.*# *\Z", 3600)
    fill = {pages: cycles(pc, f"scaling fill {pages}", rf"^fill done: {pages} pages, (\d+) cycles")
            for pages in FILL_PAGES}
    switch = {pages: cycles(pc, f"scaling switch {pages}",
                            rf"^switch done: {pages} pages, (\d+) cycles") for pages in SWITCH_PAGES}
    fork = {touched: cycles(pc, f"scaling fork {FORK_PAGES} {touched}",
                            rf"^fork done: {touched} of {FORK_PAGES} pages, (\d+) cycles")
            for touched in FORK_TOUCHED}
    return fill, switch, fork


def pool(pc):
    """(KB of the pool, in use now, at most so far), as the monitor shows them."""
    found = re.search(r"pool (\d+) KB, (\d+) KB in use, (\d+) KB at most",
                      bench.stats(pc, "stats shadow"))
    return [int(number) for number in found.groups()]


def memory(pc):
    """{processes: pool()} while they all live."""
    pc.wait(r"^debian:.*# *\Z", 3600)
    shown = {}
    for count in PROCESSES:
        pc.type(f"scaling processes {count}\r")
        pc.wait(rf"^processes ready: {count}$", 1800)
        shown[count] = pool(pc)
        pc.type("\r")
        pc.wait(rf"^processes done: {count}$", 1800)
        pc.type("clear\r")
        pc.wait(r"\Adebian:.*# *\Z", 60)
    return shown


def show_costs(title, bare, farbus):
    print(title)
    for step, cost in farbus.items():
        print(f"{step:>10} {bare[step]:12} bare {cost:12} under Farbus {cost / bare[step]:7.2f} times")


def show_memory(title, shown):
    print(title)
    for count, (size, now, most) in shown.items():
        print(f"{count:>10} {now:12} KB in use {most:10} KB at most {size:10} KB pool")
        if most > size:
            raise Failure(f"{most} KB of shadow tables in a pool of {size} KB")


def main(engines):
    os.environ["HOSTARGS"] = bench.ICOUNT
    disk = guests.debian_disk("scaling", programs=[bench.program("scaling")])
    with started("native", disk, ENGINES["native"]) as pc:
        bare_fill, bare_switch, bare_fork = costs(pc)
    for engine in engines:
        words = ENGINES[engine]
        with started(engine, disk, words) as pc:
            fill, switch, fork = costs(pc)
            shown = memory(pc)
        show_costs(f"{engine}: instructions for a read of each of so many pages with A clear",
                   bare_fill, fill)
        show_costs(f"{engine}: instructions for a context switch, by pages of each process",
                   bare_switch, switch)
        show_costs(f"{engine}: instructions for fork, exit and wait, by pages the child writes "
                   f"to, of {FORK_PAGES}", bare_fork, fork)
        show_memory(f"{engine}: shadow tables, by processes", shown)
        small = dict(words, CONFIG=";".join(filter(None, (words.get("CONFIG"),
                                                          f"shadow-pool {SMALL_POOL}"))))
        with started(f"{engine}-small", disk, small) as pc:
            show_memory(f"{engine}: the same with 'shadow-pool {SMALL_POOL}'", memory(pc))


if __name__ == "__main__":
    try:
        main(sys.argv[1:] or ["translate"])
    except (Failure, Missing) as failure:
        sys.exit(f"scaling: {failure}")
