# SPDX-License-Identifier: BSD-2-Clause
"""What FreeDOS does with B's UART and printer: through the BIOS, which polls."""

import shutil
import subprocess

from bad_input_test import assembled
from pc import BUILD, Failure

import guests
from paths import written


def floppy():
    """The FreeDOS guest's, with initlpt.com on it."""
    image = BUILD / "tests" / "images" / "freedos-initlpt.img"
    with written(image) as partial:
        shutil.copyfile(guests.shared_image("freedos.floppy720.img"), partial)
        subprocess.run(["mcopy", "-o", "-i", partial, assembled("initlpt"), "::initlpt.com"],
                       check=True)
    return str(image)


def log_in(shell):
    shell.pc.wait(r"^A:\\>\Z", 120 * shell.slower)


def command(shell, line, seconds=30):
    shell.pc.type(f"{line}\r")
    shell.pc.wait(r"A:\\>\s*\Z", seconds * shell.slower)


def make_text(shell):
    """A file with a few lines; returns its bytes. The space before `>` is in it."""
    lines = [f"this is line {i} of the text" for i in range(4)]
    for i, line in enumerate(lines):
        command(shell, f"echo {line} {'>>' if i else '>'} t.txt")
    return "".join(line + " \r\n" for line in lines).encode()


def arrives(shell, what, get, expected):
    """DOS may put its end-of-file mark behind a copied file."""
    shell.pair.until(what, lambda: len(get()) >= len(expected), 120 * shell.slower)
    got = get().rstrip(b"\x1a")
    if got != expected:
        raise Failure(f"{what}: {got!r}, expected {expected!r}")


def uart_out(shell, far, text):
    far.wire.taken()
    command(shell, "copy t.txt com2")
    arrives(shell, "text from COM2", lambda: far.wire.received, text)


def uart_in(shell, far):
    """The console moved to COM2: a whole shell at the far end."""
    far.wire.taken()
    shell.pc.type("ctty com2\r")
    shell.pair.until("prompt at COM2", lambda: b"A:\\>" in far.wire.received, 60 * shell.slower)
    far.wire.taken()
    for key in "ver\r":
        far.wire.send(key.encode())
        shell.pair.until(f"echo of {key!r}", lambda k=key: k.encode() in far.wire.received,
                         30 * shell.slower)
    shell.pair.until("version at COM2", lambda: b"FreeCom version" in far.wire.received,
                     60 * shell.slower)
    shell.pair.until("prompt at COM2", lambda: far.wire.received.endswith(b"A:\\>"),
                     60 * shell.slower)
    far.wire.taken()
    for key in "ctty con\r":
        far.wire.send(key.encode())
        shell.pair.until(f"echo of {key!r}", lambda k=key: k.encode() in far.wire.received,
                         30 * shell.slower)
    shell.pc.wait(r"A:\\>\s*\Z", 60 * shell.slower)


def printer(shell, far, text):
    command(shell, "initlpt")
    command(shell, "copy t.txt lpt1")
    # Bochs makes the file when the first byte is printed.
    arrives(shell, "print", lambda: far.lpt1.read_bytes() if far.lpt1.exists() else b"", text)
