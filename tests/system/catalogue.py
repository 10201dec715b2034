# SPDX-License-Identifier: BSD-2-Clause
"""The system tests by name: `catalogue.py NAME` runs one.

quick: part of `make test`; the rest runs with `make test-all` only.
"""

import sys
from dataclasses import dataclass
from typing import Callable

import attack_pc
import attack_test
import bad_input_test
import console_test
import dissector_test
import download_test
import guests_test
import host_console
import host_lines
import host_pc
import host_ports
import host_send
import host_tcp
import host_test
import host_trace
import hostile_test
import kolibrios_test
import lockstep_test
import limits_test
import media_test
import memtest_test
import monitor_test
import nic_test
import package_test
import peer_test
import random_test
import relay_test
import remote_faults
import remote_floppy
import remote_sb16
import remote_test
import vga_test
import window_test
from pc import Failure

from paths import Missing

SKIPPED = 77


@dataclass
class Test:
    name: str
    run: Callable
    seconds: int
    quick: bool = False
    alone: bool = False  # nothing else runs beside it


QUICK_GUESTS = {
    *((name, "qemu") for name in guests_test.DIALOGUES if name not in guests_test.DEBIAN),
    ("dlx", "bochs"), ("freedos", "bochs"), ("freedos-emm386", "bochs"), ("elks", "bochs"),
}
# Every guest runs what `cpu auto` is, the direct engine. Those of `make test` that also run another
# one; `make test-all` has all guests interpreted.
QUICK_INTERP = {("dlx", "qemu"), ("hal91", "qemu"), ("freedos", "bochs")}
# `cpu direct` with `translate off`.
PROGRAMS_GUESTS = ("dlx", "linux-0.12", "freedos-emm386", "debian")
QUICK_PROGRAMS = {("dlx", "qemu")}


# With `cpu lockstep`: so many instructions have to be compared, about half of what was.
LOCKSTEP_GUESTS = {"dlx": 4_000_000, "linux-0.12": 300_000, "debian": 700_000}
# ... and with their kernels translated. Debian is not for Bochs, which would take a day.
LOCKSTEP_KERNELS = {"dlx": 60_000_000, "linux-0.12": 3_000_000, "freedos": 4_000_000,
                    "freedos-emm386": 5_000_000, "elks": 3_000_000, "debian": 1_300_000_000}
QUICK_LOCKSTEP = {("linux-0.12", "qemu"), ("freedos", "qemu"), ("elks", "qemu")}


def _guest_tests():
    for host in ("qemu", "bochs"):
        slow = 5 if host == "bochs" else 1
        for name in guests_test.DIALOGUES:
            if name in guests_test.DEBIAN:
                continue
            yield Test(f"{name}-{host}", lambda name=name, host=host: guests_test.boot(name, host),
                       900 * slow, (name, host) in QUICK_GUESTS)
        for name in guests_test.DEBIAN:
            yield Test(f"{name}-{host}",
                       lambda name=name, host=host: guests_test.debian(host, name=name),
                       1500 * slow, (name, host) == ("debian", "qemu"))
        for name in guests_test.DIALOGUES:
            yield Test(f"{name}-interp-{host}",
                       lambda name=name, host=host: guests_test.boot(name, host, cpu="interp"),
                       1500 * slow, (name, host) in QUICK_INTERP)
        for name in PROGRAMS_GUESTS:
            yield Test(f"{name}-programs-{host}",
                       lambda name=name, host=host: guests_test.boot(name, host, cpu="programs"),
                       1500 * slow, (name, host) in QUICK_PROGRAMS)
        for name, least in LOCKSTEP_GUESTS.items():
            yield Test(f"{name}-lockstep-{host}",
                       lambda name=name, host=host, least=least:
                       guests_test.lockstep(name, host, least), 3000 * slow)
        for name, least in LOCKSTEP_KERNELS.items():
            if (name, host) == ("debian", "bochs"):
                continue
            yield Test(f"{name}-lockstep-translate-{host}",
                       lambda name=name, host=host, least=least:
                       guests_test.lockstep(name, host, least, translate=True), 3000 * slow,
                       (name, host) in QUICK_LOCKSTEP)
        yield Test(f"memtest-{host}", lambda host=host: memtest_test.one_pass(host),
                   memtest_test.SECONDS[host] + 200)


TESTS = [
    *(Test(f"bad-input/{name}", run, 180, True) for name, run in bad_input_test.CASES.items()),
    *(Test(f"monitor/{name}", run, 300, True) for name, run in monitor_test.CASES.items()),
    *(Test(f"console/{name}", run, 300, True) for name, run in console_test.CASES.items()),
    *(Test(f"nic/{name}", run, 400, True) for name, run in nic_test.CASES.items()),
    *(Test(f"peer/{name}", run, 120, name.endswith("qemu") or name.startswith(("uart", "disk")))
      for name, run in peer_test.CASES.items()),
    *(Test(f"host/{name}", run, 180, True) for name, run in host_test.CASES.items()),
    *(Test(f"host/{name}", run, 120, True) for name, run in host_lines.CASES.items()),
    *(Test(f"host/{name}", run, 120, True) for name, run in host_tcp.CASES.items()),
    *(Test(f"attack/{name}", run, 180, True) for name, run in attack_test.CASES.items()),
    *(Test(f"attack/pc-{name}", run, 400, name != "float")
      for name, run in attack_pc.CASES.items()),
    *(Test(f"limits/{name}", run, 180, True) for name, run in limits_test.CASES.items()),
    *(Test(f"host/{name}", run, 120, True) for name, run in host_ports.CASES.items()),
    *(Test(f"host/{name}", run, 120, True) for name, run in host_send.CASES.items()),
    *(Test(f"package/{name}", run, 300, True) for name, run in package_test.CASES.items()),
    *(Test(f"host/trace-{name}", run, 400, name != "dlx")
      for name, run in host_trace.CASES.items()),
    *(Test(f"host/pc-{name}", run, 3600 if name == "debian-64m" else 1200, name in host_pc.QUICK)
      for name, run in host_pc.CASES.items()),
    *(Test(f"host/console-{name}", run, 900, name in host_console.QUICK)
      for name, run in host_console.CASES.items()),
    *(Test(f"host/dissector-{name}", run, 120, True) for name, run in dissector_test.CASES.items()),
    *(Test(f"relay/{name}", run, 180, True) for name, run in relay_test.CASES.items()),
    *(Test(f"remote/sb16-{'-'.join(hosts)}", lambda hosts=hosts: remote_sb16.play(hosts), 300,
           hosts == ("qemu", "qemu"), alone=True) for hosts in remote_sb16.HOSTS),
    *(Test(f"remote/floppy-{'-'.join(hosts)}", lambda hosts=hosts: remote_floppy.boot(hosts), 300,
           True) for hosts in remote_floppy.HOSTS),
    *(Test(name, run, 300, True) for name, run in media_test.CASES.items()),
    *(Test(name, run, 180, True) for name, run in download_test.CASES.items()),
    Test("random-bytes/slice", lambda: random_test.run(1, 45), 180, True),
    *(Test(f"random-bytes/seed-{seed}", lambda seed=seed: random_test.run(seed, 300), 600)
      for seed in (2, 3)),
    *(Test(f"hostile/{engine}-{host}-{seconds}",
           lambda engine=engine, host=host, seconds=seconds:
           hostile_test.run(host, engine, 1, seconds), seconds + 180, seconds < 60)
      for engine, host, seconds in (("translate", "qemu", 20), ("translate", "qemu", 600),
                                    ("direct", "qemu", 300), ("interp", "qemu", 120),
                                    ("translate", "bochs", 300), ("direct", "bochs", 120),
                                    ("lockstep", "bochs", 300))),
    Test("hostile/search-lockstep-bochs", lambda: hostile_test.search("bochs", "lockstep", 600), 900),
    *(Test(f"frame-buffer-{host}", lambda host=host: vga_test.frame_buffer(host), 600, True)
      for host in ("qemu", "bochs")),
    *(Test(f"lockstep/{name}", run, 300, True) for name, run in lockstep_test.CASES.items()),
    *(Test(name, run, 600, True) for name, run in window_test.CASES.items()),
    Test("kolibrios-boots-qemu", kolibrios_test.boots, 400, True),
    *(Test(f"kolibrios-{host}", lambda host=host: kolibrios_test.same_screen(host), 1800)
      for host in ("qemu", "bochs")),
    *(Test(f"remote/{name}", run, 900, name in remote_faults.QUICK)
      for name, run in remote_faults.CASES.items()),
    *(Test(f"remote/{name}", run, seconds, name in remote_test.QUICK)
      for name, (run, seconds) in remote_test.CASES.items()),
    *_guest_tests(),
]


def main(name):
    for test in TESTS:
        if test.name == name:
            try:
                test.run()
            except Missing as reason:
                print(reason)
                return SKIPPED
            except Failure as failure:
                print(failure)
                return 1
            return 0
    print(f"no test {name}")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
