# SPDX-License-Identifier: BSD-2-Clause
"""`farbus send`: a file of steps at a device of `farbus serve`.

`host_send.py NAME` runs one case in a network namespace of its own (host_test.in_namespace).
"""

import os
import signal
import subprocess
import sys
import threading

from host_lines import SLOW
from host_test import (FAR, PROGRAM, Daemon, check, farbus, in_namespace, leased, read_all,
                       segment, station)
from pc import Failure


def run(daemon, text, *more):
    """(exit status, standard output, standard error) of the steps, on standard input."""
    done = subprocess.run([PROGRAM, "send", "-i", FAR, "-k", daemon.key, *more, "-"], input=text,
                          capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def steps():
    """Every kind of step, at a UART, a printer and a disk, one lease after the other."""
    with Daemon("send") as daemon:
        terminal = os.open(daemon.pty, os.O_RDWR | os.O_NOCTTY)
        greeting = []

        def answer():
            greeting.append(read_all(terminal, 5, SLOW))
            os.write(terminal, b"?")

        other_end = threading.Thread(target=answer)
        other_end.start()
        status, printed, errors = run(daemon, """
# a UART: 115200 8N1, a text, the byte that waits, its interrupt
lease com2 of linux-a
out 0x2fb 0x80
outw 0x2f8 1
out 0x2fb 3
in 0x2fb is 3
out 0x2fa 1
text 0x2f8 "Hello"
poll 0x2fd 0x40 0x40
out 0x2fc 0x0b
out 0x2f9 1
irq 3 30000
in 0x2fa is 4 mask 0x07
in 0x2f8 is 0x3f
eoi 3
out 0x2f9 2
irq 3
in 0x2fa is 2 mask 0x0f
eoi 3
lease lpt1
out 0x378 0x41
out 0x37a 0x0d 0x0c
delay 70000
poll 0x379 0x80 0x80 500
reset
in 0x378 is 0
quiesce
lease ide1
out 0x376 2
out 0x176 0xe0
out 0x177 0xec
poll 0x177 0x88 0x08
insw 0x170 256
inw 0x170
ind 0x170
""")
        check("status", (status, errors), (0, ""))
        other_end.join()
        check("sent", greeting, [b"Hello"])
        lines = printed.splitlines()
        check("first", lines[:8], ["in 0x2fb: 0x03", "poll 0x2fd: 0x60", "irq 3", "in 0x2fa: 0xc4",
                                   "in 0x2f8: 0x3f", "irq 3", "in 0x2fa: 0xc2",
                                   "poll 0x379: 0x98"])
        at = lines.index("ins 0x170: 256")
        check("rows", [line[:5] for line in lines[at + 1:at + 33]],
              [f"{row * 16:05x}" for row in range(32)])
        check("behind it", [line.split(":")[0] for line in lines[at + 33:]],
              ["in 0x170", "in 0x170"])
        check("printed", daemon.printed.read_bytes(), b"A")
        os.close(terminal)


def fails():
    """What stops it, a line each, and the lease is given back."""
    with Daemon("send-fails") as daemon:
        for text, message in {
                "lease com9": "send: no 'com9' with this key on fb1",
                "lease com2 of else": "send: no 'com2' of else with this key",
                "lease com2\nin 0x2ff is 1": "stdin:2: 0x0: expected 0x1 in the bits 0xff",
                "lease com2\nin 0x3f8": "stdin:2: refused: not within the export",
                "lease com2\n\nirq 3 20": "stdin:3: no interrupt within the time",
                "lease com2\nirq 4 20": "stdin:2: refused",
                "lease com2\npoll 0x2fd 0x1 0x1 20": "stdin:2: not within the time"}.items():
            status, _, errors = run(daemon, text)
            lines = [line for line in errors.splitlines() if " error: " in line]
            check(f"{text!r}: status and lines", (status, len(lines)), (1, 1))
            if message not in lines[0]:
                raise Failure(f"{text!r}: {lines[0]}")
        client = leased(station(), "com2")
        status, _, errors = run(daemon, "lease com2")
        check("held", (status, "send: com2 of linux-a: another client has it" in errors), (1, True))
        client.close()


def interrupted():
    """Ctrl-C gives the lease back."""
    with Daemon("send-interrupted") as daemon:
        process = subprocess.Popen([PROGRAM, "send", "-i", FAR, "-k", daemon.key, "/dev/stdin"],
                                   stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        process.stdin.write("lease com2\nirq 3 60000\n")
        process.stdin.close()
        daemon.log_line("com2 lent to", SLOW)
        process.send_signal(signal.SIGINT)
        check("status", process.wait(SLOW), 1)
        check("said", "send: interrupted" in process.stderr.read(), True)
        daemon.log_line("com2 given back by", SLOW)


def bad_files():
    """One clear line each, before anything is sent."""
    daemon = Daemon("send-bad")
    path = daemon.folder / "steps"
    for text, message in {
            "": "nothing in it: expected a line 'lease EXPORT [of PEER]'",
            "in 0x2f8": ":1: 'in': expected first of all 'lease EXPORT [of PEER]'",
            "lease com2\nfrob 1": ":2: 'frob': expected lease, in, out, ins, text, poll",
            "lease": ":1: end of line: expected an export's name",
            "lease com2 at home": ":1: 'at': expected the end of the line",
            "lease com2\nin 0x10000": ":2: '0x10000': expected a port, 0 to 0xffff",
            "lease com2\nind 0xfffd": ":2: '0xfffd': expected a port",
            "lease com2\nout 0x2f8": ":2: end of line: expected a value, 0 to 0xff",
            "lease com2\noutw 0x2f8 0x10000": "'0x10000': expected a value, 0 to 0xffff",
            "lease com2\nins 0x2f8 0": "'0': expected how many, 1 to 65536",
            "lease com2\ntext 0x2f8": "end of line: expected a text, as in '\"hello\"'",
            "lease com2\npoll 0x2f8 1": "end of line: expected a value",
            "lease com2\nirq 16": "'16': expected an interrupt line, 0 to 15",
            "lease com2\nirq 3 0": "'0': expected how long to wait, 1 to 60000 ms",
            "lease com2\ndelay 0": "'0': expected 1 to 60000000 us"}.items():
        path.write_text(text)
        status, printed, errors = farbus("send", "-n", path)
        check(f"{text!r}: status and lines", (status, printed, errors.count("\n")), (1, "", 1))
        if message not in errors:
            raise Failure(f"{text!r}: {errors}")
    path.write_text("lease com2\nin 0x2f8\n")
    check("a good one", farbus("send", "-n", path), (0, "", ""))
    check("no key", farbus("send", path)[0], 2)
    check("no file", farbus("send", "--insecure")[0], 2)
    check("no such file", farbus("send", "-n", daemon.folder / "none")[0], 1)


_CASES = {f"send-{f.__name__.replace('_', '-')}": f for f in (steps, fails, interrupted, bad_files)}
CASES = {name: lambda name=name: in_namespace(name, __file__) for name in _CASES}

if __name__ == "__main__":
    segment()
    _CASES[sys.argv[1]]()
