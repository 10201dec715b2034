# SPDX-License-Identifier: BSD-2-Clause
"""What the Debian guest does with B's devices, by its own drivers; each compared with B's side."""

import hashlib
import struct
import subprocess

from guests_test import play
from dialogues import DIALOGUES
from pc import Failure

import remotemedia

MEGABYTE = 1 << 20
CHUNK = 16384  # what the tty layer keeps for a program that reads slowly


def md5(data):
    return hashlib.md5(data).hexdigest()


def interrupts(shell, line):
    return int(shell.expect(f"grep '^ *{line}:' /proc/interrupts", rf"^ *{line}: +(\d+)").group(1))


def log_in(shell):
    """A prompt, with every driver's work at boot done and the kernel silent."""
    play(shell.pc, DIALOGUES["debian"][:2], shell.slower)
    shell.run("dmesg -n 1")


def find_disk(shell):
    """B's disk is the one behind the second channel."""
    found = shell.expect("ls -l /sys/block | grep -o 'ata2.*block/sd.'", r"block/(sd.)\s*$")
    return "/dev/" + found.group(1)


def disk_checksum(shell, far):
    disk = find_disk(shell)
    expected = md5(far.disk.read_bytes())
    shell.expect(f"md5sum {disk}", rf"^{expected} ", 600)


def disk_write(shell, far):
    """Mounted, read, written; what was written is in the image afterwards."""
    disk = find_disk(shell)
    shell.run(f"mkdir -p /disk; mount -t ext2 {disk} /disk", 120)
    shell.expect("cat /disk/readme.txt", r"^This is the disk of the other PC\.$")
    shell.expect("md5sum < /disk/data.bin", md5(remotemedia.data(MEGABYTE, "disk")), 180)
    shell.run("cp /disk/data.bin /disk/copy.bin; echo from far away > /disk/new.txt", 180)
    shell.run("umount /disk; sync", 180)
    expect_file(far.disk, "new.txt", b"from far away\n")
    expect_file(far.disk, "copy.bin", remotemedia.data(MEGABYTE, "disk"))


def expect_file(image, name, content):
    """A file in an ext2 image, as e2fsprogs reads it."""
    got = subprocess.run(["/sbin/debugfs", "-R", f"cat {name}", image], check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    if got != content:
        raise Failure(f"{name} in {image}: {len(got)} bytes, not the {len(content)} expected")
    checked = subprocess.run(["/sbin/e2fsck", "-fn", image], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
    if checked.returncode:
        raise Failure(f"e2fsck {image}: {checked.stdout}")


def cd(shell, _far):
    shell.run("mkdir -p /cd; mount -t iso9660 -o ro /dev/sr0 /cd", 180)
    shell.expect("cat /cd/readme.txt", r"^This is the CD of the other PC\.$")
    shell.expect("md5sum < /cd/data.bin", md5(remotemedia.data(MEGABYTE, "cd")), 180)
    shell.run("umount /cd")


def uart_out(shell, far, size):
    """From the guest to a program at B's COM2."""
    shell.run("stty -F /dev/ttyS1 raw -echo 115200 clocal -crtscts", 60)
    disk = find_disk(shell)
    expected = far.disk.read_bytes()[:size]
    far.wire.taken()
    shell.run(f"dd if={disk} bs=4096 count={size // 4096} > /dev/ttyS1", 900)
    shell.pair.until("end of the output", lambda: len(far.wire.received) >= size, 60)
    got = far.wire.taken()
    if got != expected:
        raise Failure(f"{len(got)} bytes came out of COM2, {size} expected; the first difference "
                      f"is at {first_difference(got, expected)}")


def uart_in(shell, far, size):
    """To the guest, in pieces that it asks for by a byte: the line has no other flow control."""
    data = remotemedia.data(size, "uart")
    pieces = size // CHUNK
    shell.run("stty -F /dev/ttyS1 raw -echo 115200 clocal -crtscts; exec 3<>/dev/ttyS1", 60)
    far.wire.taken()
    shell.start(f"for i in $(seq {pieces}); do echo >&3; head -c {CHUNK} <&3; done | md5sum")
    for piece in range(pieces):
        shell.pair.until("request for a piece", lambda: far.wire.taken() != b"", 120 * shell.slower)
        far.wire.send(data[piece * CHUNK:(piece + 1) * CHUNK])
    text = shell.finish(120)
    shell.run("exec 3>&-")
    if md5(data) not in text:
        raise Failure(f"the guest did not receive what was sent:\n{text}")


def first_difference(one, other):
    return next((i for i, (a, b) in enumerate(zip(one, other)) if a != b),
                min(len(one), len(other)))


def printer(shell, far):
    """A text of some pages."""
    shell.run("seq 1 2000 > /dev/lp0", 600)
    expected = "".join(f"{n}\n" for n in range(1, 2001)).encode()
    shell.pair.until("whole print", lambda: len(far.lpt1.read_bytes()) >= len(expected), 60)
    got = far.lpt1.read_bytes()
    if got != expected:
        raise Failure(f"printed: {len(got)} bytes, {len(expected)} expected; the first difference "
                      f"is at {first_difference(got, expected)}")


# Levels of a sound that can be told apart however it is resampled, each this long.
LEVELS = (0x20, 0xE0, 0x40, 0xC0, 0x60, 0xA0, 0x10, 0xF0)
LEVEL_BYTES = 1000  # at 8000 Hz, which /dev/dsp starts with: an eighth of a second


def sound(shell, far):
    """/dev/dsp by DMA: the levels come out in their order, and about as long as they should."""
    for level in LEVELS:
        shell.run(f"printf %{LEVEL_BYTES}s | tr ' ' '\\{level:o}' >> /tmp/sound")
    shell.expect("wc -c /tmp/sound", rf"^{LEVEL_BYTES * len(LEVELS)} ")
    shell.run("cat /tmp/sound > /dev/dsp", 180)
    found = []

    def whole():
        nonlocal found
        found = played(far.sb16)
        return len(in_order(found)) == len(LEVELS)

    try:
        shell.pair.until("sound", whole, 30)
    except Failure as failure:
        raise Failure(f"played: {found}\n{failure}") from None


def in_order(found):
    """The levels as they follow each other in what was played."""
    rest = list(LEVELS)
    for level, seconds in found:
        if rest and abs(level - rest[0]) <= 4 and seconds > 0.4 * LEVEL_BYTES / 8000:
            rest.pop(0)
    return LEVELS[:len(LEVELS) - len(rest)]


def played(path):
    """(level, seconds) of each stretch in a WAV file that may still grow; the left channel."""
    data = path.read_bytes() if path.exists() else b""
    if len(data) < 44:
        return []
    channels, rate = struct.unpack_from("<HI", data, 22)
    width = struct.unpack_from("<H", data, 34)[0] // 8
    samples = [data[i + width - 1] ^ (0x80 if width == 2 else 0)
               for i in range(44, len(data) - width, width * channels)]
    found, run = [], 0
    for last, now in zip(samples, samples[1:]):
        run += 1
        if abs(last - now) > 2:
            found.append((last, run / rate))
            run = 0
    if samples:
        found.append((samples[-1], run / rate))
    return [(level, seconds) for level, seconds in found if seconds > 0.02]
