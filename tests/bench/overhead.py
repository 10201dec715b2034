# SPDX-License-Identifier: BSD-2-Clause
"""What Farbus costs: programs in Debian, and boots to the login, under Farbus and on the bare
emulated PC.

    overhead.py [bochs] [slow] [programs] [boots] [GUEST...] [ENGINE...]

Without words: in QEMU, both parts, all guests' boots, `translate`. Engines: interp; direct: `cpu
direct` with `translate off`; translate: `cpu direct`.

Programs read the time-stamp counter before and after their work. In QEMU `-icount shift=0` makes
it count instructions, in Bochs it is Bochs's ticks, one for an instruction; the CPU is never halted
meanwhile. Both are PCs of 1000 million instructions a second. With `slow` they are of 125 million,
in Bochs 100, as is the PC that boots: timer interrupts take more of its time. A boot is counted by
executed.c or executed_bochs.c: from where SeaBIOS of the guest starts until the prompt is on the
screen, without time in which the CPU was halted. The quotient is the host's work under Farbus for
each unit of the bare PC's. With the direct engine the monitor's counts of the same workload follow.
"""

import re
import sys
import time
from dataclasses import dataclass, field

import bench
from executed import Executed, ExecutedInBochs
from pc import PC, Failure

import bochs
import guests
from paths import BUILD, FIRMWARE, Missing

ENGINES = {"native": {"native": True}, "interp": {"CPU": "interp"},
           "direct": {"CPU": "direct", "CONFIG": "translate off"}, "translate": {"CPU": "direct"}}
PARTS = ("programs", "boots")
# What is on Bochs's screen is told often: LILO waits in a loop until the test has seen its prompt.
BOCHS = "vga: extension=vbe, update_freq=60;cpu: count=1, reset_on_triple_fault=1, ips={};"
# The bare PC's firmware in Bochs is the guest's, which looks for a screen on the PCI bus only.
BARE_BOCHS = "pci: enabled=1, chipset=i440fx, slot1=pcivga;"
FAST, SLOW = 0, 3  # shifts of QEMU's -icount: an instruction is 1, or 8 nanoseconds
BOCHS_IPS = {FAST: 1_000_000_000, SLOW: bochs.IPS}
DATA_MB = 4


@dataclass
class Result:
    instructions: int
    exits: dict = field(default_factory=dict)  # by reason


DEBIAN_PROMPT = r"^debian:.*# *$"
# Name: the command line, what a good result shows, and the quotient that is aimed at.
DATA = f"b=/bin/busybox; cat $b $b $b | head -c {DATA_MB}m >/tmp/data; echo $?"
PROGRAMS = {
    "compute": ("compute 100", "primes", 1.02),
    "sha1sum": ("timed sha1sum sha1sum /tmp/data > /dev/null", "status 0", 1.10),
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
    "debian": (None, DEBIAN_PROMPT, 2.5),
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
    text = bench.stats(pc, "stats direct", "stats translated")
    left = re.search(r"left for((?:.|\n)*?)direct: refused", text)
    pairs = re.findall(r"([a-z-]+) (\d+)", left.group(1)) if left else []
    counts = {name: int(count) for name, count in pairs}
    flat = text.replace("\n", "")  # the console's width breaks lines
    for name, pattern in TRANSLATED.items():
        found = re.search(pattern, flat)
        if found:
            counts[name] = int(found.group(1))
    return counts


def difference(before, after):
    return {reason: count - before.get(reason, 0) for reason, count in after.items()
            if count > before.get(reason, 0)}


def pc_words(host, engine, shift):
    """What a PC is made with for an engine, or for none. shift: FAST or SLOW."""
    words = {"host": host, **ENGINES[engine]}
    if host == "bochs":
        native = engine == "native"
        words["BOCHSARGS"] = BOCHS.format(BOCHS_IPS[shift]) + (BARE_BOCHS if native else "")
        if native:
            words["FIRMWARE"] = str(FIRMWARE)
    return words


def type_command(pc, line):
    """In Bochs the keyboard's 16 bytes fill faster than they are taken."""
    pc.settle(1, 5)
    pc.type_line(line)
    pc.type("\r")


def measure_programs(host, engine, shift):
    """{program: Result}."""
    results = {}
    names = [name for name in PROGRAMS if PROGRAMS[name][0].startswith(name)] + ["timed"]
    disk = guests.debian_disk("overhead", programs=[bench.program(name) for name in names])
    direct = ENGINES[engine].get("CPU") == "direct"
    words = {"HOSTARGS": f"-icount shift={shift},sleep=off"} if host == "qemu" else {}
    ticks = 1 << shift if host == "qemu" else 1  # of the counter for an instruction
    with PC(f"overhead-{engine}-{host}", DISK=str(disk), RAM="64M", **words,
            **pc_words(host, engine, shift)) as pc:
        pc.wait(DEBIAN_PROMPT, 3600)
        type_command(pc, DATA)
        pc.wait(r"^0\n", 600)
        type_command(pc, "clear")  # Bochs's text screen is not to be trusted where it scrolls
        for name, (line, sign, _) in PROGRAMS.items():
            before = direct_counts(pc) if direct else {}
            type_command(pc, line)
            pc.wait(rf"^{name} done: .*{sign}.* \d+ cycles", 3600)
            pattern = rf"^{name} done: .* (\d+) cycles"
            cycles = int(re.findall(pattern, pc.text(), re.MULTILINE)[-1])
            after = direct_counts(pc) if direct else {}
            results[name] = Result(cycles // ticks, difference(before, after))
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


def counted(host, name):
    """(what counts the instructions of a PC of this name, the words for that PC)."""
    if host == "bochs":
        executed = ExecutedInBochs(name)
        return executed, executed.words
    executed = Executed(name)
    return executed, {"HOSTARGS": f"-icount shift={SLOW} -rtc base=2026-01-01,clock=vm "
                                  + executed.words}


def boot(host, guest, engine):
    """A boot's Result."""
    waits, login, _ = BOOTS[guest]
    name = f"boot-{guest}-{engine}-{host}"
    executed, words = counted(host, name)
    log(name).unlink(missing_ok=True)  # that of an earlier run
    with PC(name, GUEST=guest, **words, **pc_words(host, engine, SLOW)) as pc:
        start = 0
        if engine != "native":
            start = before_guest(pc, log(name), executed)
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
    known = ("bochs", "slow", *PARTS, *BOOTS, *ENGINES)
    unknown = [word for word in words if word not in known]
    if unknown:
        raise Failure(f"'{unknown[0]}': expected {', '.join(known)}")
    host = "bochs" if "bochs" in words else "qemu"
    shift = SLOW if "slow" in words else FAST
    parts = [word for word in words if word in PARTS] or PARTS
    engines = [word for word in words if word in ENGINES] or ["translate"]
    if "programs" in parts:
        bare = measure_programs(host, "native", shift)
        for engine in engines:
            for name, result in measure_programs(host, engine, shift).items():
                show(engine, name, bare[name], result, PROGRAMS[name][2])
    if "boots" in parts:
        for guest in [word for word in words if word in BOOTS] or BOOTS:
            bare = boot(host, guest, "native")
            for engine in engines:
                show(engine, f"boot of {guest}", bare, boot(host, guest, engine), BOOTS[guest][2])


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (Failure, Missing) as failure:
        sys.exit(f"overhead: {failure}")
