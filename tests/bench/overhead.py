# SPDX-License-Identifier: BSD-2-Clause
"""What Farbus costs: programs in Debian, and boots to the login, under Farbus and on the bare
emulated PC in QEMU.

    overhead.py [programs] [boots] [ENGINE...]    both parts and `translate` without words

Engines: interp; direct: `cpu direct` with `translate off`; translate: `cpu direct`.

Programs read the time-stamp counter before and after their work, which `-icount shift=0` makes count
instructions. A boot is counted by executed.c: from where SeaBIOS of the guest starts until the
prompt is on the screen, without time in which the CPU was halted; `-icount shift=3` is a PC of 125
million instructions a second. The quotient is the host's work under Farbus for each unit of the
bare PC's. With the direct engine the monitor's counts of the same workload follow.
"""

import os
import re
import sys
import time
from dataclasses import dataclass, field

import bench
from executed import Executed
from pc import PC, Failure

import guests
from paths import BUILD, Missing

ENGINES = {"native": {"native": True}, "interp": {"CPU": "interp"},
           "direct": {"CPU": "direct", "CONFIG": "translate off"}, "translate": {"CPU": "direct"}}
PARTS = ("programs", "boots")
DATA_MB = 4


@dataclass
class Result:
    instructions: int
    exits: dict = field(default_factory=dict)  # by reason


# Name: the command line, what a good result shows, and the quotient that is aimed at.
DATA = "cat /bin/busybox /bin/busybox /bin/busybox | head -c {} > /tmp/data".format(DATA_MB << 20)
PROGRAMS = {
    "compute": ("compute 100", "primes", 1.02),
    "sha1sum": ("timed sha1sum sha1sum /tmp/data", "status 0", 1.10),
    "gzip": ("timed gzip gzip -c /tmp/data > /dev/null", "status 0", 1.10),
    "syscalls": ("syscalls", "20000", 8),
    "pipes": ("pipes", "1000", 5),
    "pages": ("pages", "2000", 5),
    "forks": ("forks", "100", 5),
    "execs": ("execs", "30", 4),
}
# Guest: what is on the screen while its loader waits for somebody, the login, and the quotient.
BOOTS = {
    "dlx": (r"LILO boot:", r"dlx login:", 2),
    "debian": (None, r"^debian:.*# *\Z", 2.5),
}


# What the monitor says of translated code, which is not among the exits by reason.
TRANSLATED = {
    "for new code": r"left (\d+) for more",
    "for an instruction": r"more, (\d+) for an",
    "interpreted": r"instruction, (\d+) of them",
    "by a call": r"went on behind (\d+)",
}


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
    counts = {name: int(count) for name, count in pairs}
    flat = text.replace("\n", "")  # the console's width breaks lines
    for name, pattern in TRANSLATED.items():
        found = re.findall(pattern, flat)
        if found:
            counts[name] = int(found[-1])
    return counts


def difference(before, after):
    return {reason: count - before.get(reason, 0) for reason, count in after.items()
            if count > before.get(reason, 0)}


def measure_programs(engine):
    """{program: Result}."""
    results = {}
    names = [name for name in PROGRAMS if PROGRAMS[name][0].startswith(name)] + ["timed"]
    disk = guests.debian_disk("overhead", programs=[bench.program(name) for name in names])
    direct = ENGINES[engine].get("CPU") == "direct"
    os.environ["HOSTARGS"] = bench.ICOUNT
    with PC(f"overhead-{engine}", DISK=str(disk), RAM="64M", **ENGINES[engine]) as pc:
        pc.wait(r"^debian:.*# *\Z", 3600)
        pc.type(DATA + "; echo $?\r")
        pc.wait(r"^0\n", 600)
        for name, (line, sign, _) in PROGRAMS.items():
            before = direct_counts(pc) if direct else {}
            pc.type(f"{line}\r")
            pc.wait(rf"^{name} done: .*{sign}.* \d+ cycles", 3600)
            pattern = rf"^{name} done: .* (\d+) cycles"
            cycles = int(re.findall(pattern, pc.text(), re.MULTILINE)[-1])
            after = direct_counts(pc) if direct else {}
            results[name] = Result(cycles, difference(before, after))
    return results


def log(name):
    """Where Farbus's log is while a PC of this name runs."""
    return BUILD / "tests" / name / "run" / "farbus.log"


def before_guest(pc, file, executed):
    """The firmware of the host, GRUB and Farbus's own start are no part of the guest's boot."""
    end = time.monotonic() + 600
    while not file.exists() or "guest starts" not in file.read_text(errors="replace"):
        if time.monotonic() > end or not pc.poll(0.02):
            raise Failure(f"no guest was started:\n{pc.log()[-2000:]}")
    return executed.total()


def boot(name, engine):
    """A boot's Result."""
    waits, login, _ = BOOTS[name]
    executed = Executed(f"boot-{name}-{engine}")
    log(f"boot-{name}-{engine}").unlink(missing_ok=True)  # that of an earlier run
    os.environ["HOSTARGS"] = f"-icount shift=3 -rtc base=2026-01-01,clock=vm {executed.words}"
    with PC(f"boot-{name}-{engine}", GUEST=name, **ENGINES[engine]) as pc:
        start = 0
        if engine != "native":
            start = before_guest(pc, log(f"boot-{name}-{engine}"), executed)
        if waits:
            pc.wait(waits, 3600)
            pc.type("\r")
        pc.wait(login, 3600)
        instructions = executed.total() - start
        return Result(instructions, direct_counts(pc) if "CPU" in ENGINES[engine] else {})


def show(engine, name, bare, result, bound):
    quotient = result.instructions / bare.instructions
    verdict = "" if quotient <= bound else "  NOT MET"
    print(f"{engine:<10} {name:<14} {bare.instructions / 1e6:9.2f} M bare "
          f"{result.instructions / 1e6:9.2f} M {quotient:7.3f} times, bound {bound:g}{verdict}")
    exits = ", ".join(f"{reason} {count}" for reason, count in result.exits.items())
    print(f"{'':<26}{exits}" if exits else "", end="\n" if exits else "", flush=True)


def main(words):
    unknown = [word for word in words if word not in PARTS and word not in ENGINES]
    if unknown:
        raise Failure(f"'{unknown[0]}': expected {', '.join((*PARTS, *ENGINES))}")
    parts = [word for word in words if word in PARTS] or PARTS
    engines = [word for word in words if word in ENGINES] or ["translate"]
    if "programs" in parts:
        bare = measure_programs("native")
        for engine in engines:
            for name, result in measure_programs(engine).items():
                show(engine, name, bare[name], result, PROGRAMS[name][2])
    if "boots" in parts:
        for name, (_, _, bound) in BOOTS.items():
            bare = boot(name, "native")
            for engine in engines:
                show(engine, f"boot of {name}", bare, boot(name, engine), bound)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (Failure, Missing) as failure:
        sys.exit(f"overhead: {failure}")
