# SPDX-License-Identifier: BSD-2-Clause
"""What DLX Linux (1996) does with B's disk and UART, by its own drivers.

It has neither checksums nor stty: the disk's data is compared after gzip has packed it there, what
goes through /dev/ttyS1 has a carriage return before each line feed and comes in by lines. Its
kernel has no printer driver.
"""

import gzip
import re
import subprocess

from pc import Failure
from remote_debian import expect_file, first_difference
from remote_pair import SameInterrupts

import remotemedia

MEGABYTE = 1 << 20


def log_in(shell):
    shell.pc.wait_prompt(r"dlx login: ", 240 * shell.slower)
    shell.pc.type("root\r")
    shell.pc.wait_prompt(r"dlx:~# ", 60 * shell.slower)


def disk_interrupts(shell):
    return int(shell.expect("cat /proc/interrupts", r"^ *15: +(\d+)").group(1))


def disk(shell, far):
    """/dev/hdc mounted, read and written with its interrupt."""
    shell.expect("dmesg | grep hdc:", r"^hdc: .*CHS=16/16/63")
    with SameInterrupts(shell.pair, "ide1", lambda: disk_interrupts(shell)):
        shell.run("mount -t ext2 /dev/hdc /mnt", 60)
        shell.expect("cat /mnt/readme.txt", r"^This is the disk of the other PC\.$")
        shell.run("gzip -1 < /mnt/data.bin > /mnt/packed.gz", 300)
        shell.run("echo from far away > /mnt/new.txt", 60)
        shell.run("umount /mnt; sync", 120)
    expect_file(far.disk, "new.txt", b"from far away\n")
    packed = subprocess.run(["/sbin/debugfs", "-R", "cat packed.gz", far.disk], check=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    if gzip.decompress(packed) != remotemedia.data(MEGABYTE, "disk"):
        raise Failure("data.bin is not what it should be")


def uart_out(shell, far, size):
    """The disk's first bytes, as the terminal's output processing leaves them."""
    far.wire.taken()
    expected = far.disk.read_bytes()[:size].replace(b"\n", b"\r\n")
    shell.run(f"dd if=/dev/hdc bs=1k count={size >> 10} > /dev/ttyS1", 900)
    shell.pair.until("end of the output", lambda: len(far.wire.received) >= len(expected), 60)
    got = far.wire.taken()
    if got != expected:
        raise Failure(f"{len(got)} bytes came out of COM2, {len(expected)} expected; the first "
                      f"difference is at {first_difference(got, expected)}")


def uart_in(shell, far, lines=50):
    """Lines, each sent when the one before has come back as the terminal's echo."""
    text = [f"line {i} {'.' * (i % 60 + 1)}" for i in range(lines)]
    far.wire.taken()
    shell.start("{ echo ready; while read l; do [ \"$l\" = end ] && break; echo $l >> got; done; } "
                "< /dev/ttyS1 > /dev/ttyS1")
    shell.pair.until("reader", lambda: b"ready" in far.wire.received, 60 * shell.slower)
    far.wire.taken()
    got = b""
    for line in [*text, "end"]:
        far.wire.send(line.encode() + b"\n")
        expected = line.encode() + b"\r\n"

        def echoed():
            nonlocal got
            got += far.wire.taken()
            return expected in got

        shell.pair.until(f"echo of {line!r}", echoed, 60 * shell.slower)
        got = b""
    shell.finish(120, status=None)  # bash 1.14 counts the last comparison
    shell.expect("grep -c . got", rf"^{lines}$")
    for line in (text[0], text[-1]):
        shell.expect(f"grep '{line}$' got", rf"^{re.escape(line)}$")
