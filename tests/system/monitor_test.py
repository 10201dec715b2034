# SPDX-License-Identifier: BSD-2-Clause
"""The monitor on the console: it opens, shows the guest, changes the machine, and lets it go on."""

import contextlib
import io
import re

from bad_input_test import boot_floppy, prompt
from pc import PC, Failure


def ask(pc, line, answer, seconds=30):
    """A command in the monitor, and what it must print before the next prompt."""
    pc.type(line + "\r")
    pc.wait(rf"farbus> {line}\n(.*\n)*?.*{answer}(.*\n)*farbus> *\Z", seconds)


def _hello(name, **words):
    pc = PC(name, FLOPPY=boot_floppy("hello"), **words)
    pc.wait(r"^hello", 120)
    return pc


def shows():
    with _hello("monitor-shows") as pc:
        pc.type("\x1d")
        prompt(pc)
        ask(pc, "registers", r"eip")
        ask(pc, "u 0:7c00 2", r"xor")
        ask(pc, "x 0:7dfe 2", r"55 aa")
        ask(pc, "nonsense", r"expected a command")
        pc.type("help\r")
        pc.wait(r"\A  info (.*\n){24}farbus> *\Z", 30)  # as many lines as have room


def counts():
    """All that `stats` says has room on a screen; of its parts each has more."""
    with _hello("monitor-counts", CPU="direct") as pc:
        pc.type("\x1d")
        prompt(pc)
        ask(pc, "stats", r"^engine direct: \d+ instructions(.*\n)*direct: entered \d+\n"
            r"(.*\n)*shadow: pool(.*\n)*resets \d+, triple faults \d+")
        if "direct: left for" in pc.text():
            raise Failure(f"`stats` has the parts' details:\n{pc.text()}")
        ask(pc, "stats direct", r"direct: entered \d+\ndirect: left for [a-z]")
        ask(pc, "stats t", r"translated: \d+ instructions in \d+ units(.*\n)*translated: entered")
        ask(pc, "info cpu shadow", r"shadow: pool (.*\n)*shadow: \d+ fills")
        ask(pc, "stats lockstep", r"stats: lockstep: this guest's engine has nothing of that")
        ask(pc, "stats of", r"stats: 'of': expected direct, translated, shadow, lockstep or all")
        pc.type("stats all\r")  # its end only: it fills the screen
        pc.wait(r"direct: left for(.*\n)*shadow: \d+ fills(.*\n)*^resets \d+, triple faults \d+\n+"
                r"farbus> *\Z", 30)


def listed(pc, lines):
    """`routes` fills the screen: what it must show, however far the command has scrolled away."""
    pc.type("routes\r")
    pc.wait(rf"^{lines}(.*\n)*all else absent(.*\n)*farbus> *\Z", 30)


def routes():
    with _hello("monitor-routes") as pc:
        pc.type("\x1d")
        prompt(pc)
        ask(pc, "attach 0x2f8-0x2ff", r"")
        listed(pc, "02f8-02ff +local")
        ask(pc, "detach 0x2f8-0x2ff", r"")
        listed(pc, "02f8-02ff +virtual")
        ask(pc, "route 0x378-0x37a absent", r"")
        listed(pc, r"0376-0376 .*\n03b0")  # and nothing between
        ask(pc, "trace on", r"")
        ask(pc, "trace", r"trace is on")


def goes_on():
    """continue gives the guest its screen back; reset starts it anew."""
    with _hello("monitor-goes-on") as pc:
        pc.type("\x1d")
        prompt(pc)
        pc.type("continue\r")
        pc.wait(r"^hello(?!(.*\n)*farbus>)", 30)
        pc.type("\x1d")
        prompt(pc)
        pc.type("reset\r")
        pc.wait(r"^hello(?!(.*\n)*farbus>)", 120)


def powers_off():
    with _hello("monitor-power-off") as pc:
        pc.type("\x1d")
        prompt(pc)
        pc.type("poweroff\r")
        status = pc.wait_end(60)
        if status != 0:
            raise Failure(f"`poweroff`: status {status}, expected 0\n{pc.log()[-2000:]}")


def reports():
    """A test that fails says what the screen shows, and what the monitor knows."""
    said = io.StringIO()
    with contextlib.suppress(Failure), contextlib.redirect_stdout(said):
        with _hello("monitor-reports"):
            raise Failure("of a test")
    for pattern in (r"^farbus: guest: ", r"^farbus> registers$", r"\beip\b",
                    r"^engine \w+: \d+ instructions", r"^farbus> irq$",
                    r"^The screen shows:\n(.*\n)*hello"):
        if not re.search(pattern, said.getvalue(), re.MULTILINE):
            raise Failure(f"no /{pattern}/ in the report:\n{said.getvalue()}")


def nmis():
    """Each comes, also the one behind another's IRET."""
    with PC("monitor-nmis", FLOPPY=boot_floppy("nmi")) as pc:
        pc.wait(r"^NMIs: 0", 120)
        for come in range(1, 4):
            pc.type("\x1d")
            prompt(pc)
            ask(pc, "nmi", "NMI waits")
            pc.type("continue\r")
            pc.wait(rf"^NMIs: {come}", 30)


CASES = {"shows": shows, "counts": counts, "routes": routes, "goes-on": goes_on, "power-off": powers_off,
         "reports": reports, "nmis": nmis}
