# SPDX-License-Identifier: BSD-2-Clause
"""A program on PC A plays through B's Sound Blaster by DMA, 8 and 16 bits; what was played is known
to the sample (tests/system/guests/sb16_play.asm), and B's WAV file must hold it."""

import struct
import time

from bad_input_test import boot_floppy
from pc import Failure
from remote_pair import KEY, Pair

import remote

# The guest refills a half in the other's 93 ms, and a card does not wait: the test runs alone, and
# Bochs on both sides is too slow.
HOSTS = (("qemu", "qemu"), ("qemu", "bochs"), ("bochs", "qemu"))
RANGES = "0x220-0x22f irq 5 dma 1 dma 5"


def signed(value):
    return (value + 0x8000 & 0xffff) - 0x8000


def block(middle):
    return [signed((i + 3 * (i >> 8) & 255) - middle << 8) for i in range(30000)]


# What the emulated cards take for the middle of unsigned bytes.
MIDDLE = {"qemu": 127, "bochs": 128}
ROUND = [signed(7 * i) for i in range(8 * 4096)]
# Both end without what is in their last buffers.
UNPLAYED = {"qemu": 1024, "bochs": 6144}


def played(path):
    """The left channel of a WAV file of 16 bits, stereo."""
    data = path.read_bytes()
    data = data[data.index(b"data") + 8:]
    return [left for left, _ in struct.iter_unpack("<hh", data[:len(data) // 4 * 4])]


def wait_for_silence(pair):
    """Until nothing more has been played for a second."""
    length, since = -1, time.monotonic()

    def at_rest():
        nonlocal length, since
        now = pair.peer.sb16.stat().st_size
        if now != length:
            length, since = now, time.monotonic()
        return time.monotonic() > since + 1

    pair.until("end of what is played", at_rest, 60)


def must_hold(samples, expected, what):
    """Where `samples` goes on after `expected`, which must be in it without a gap."""
    for start in range(len(samples) - len(expected) + 1):
        if samples[start:start + 16] == expected[:16]:
            got = samples[start:start + len(expected)]
            if got == expected:
                return start + len(expected)
            wrong = next(i for i, value in enumerate(got) if value != expected[i])
            raise Failure(f"{what}: sample {wrong} of {len(expected)} is {got[wrong:wrong + 4]}, "
                          f"expected {expected[wrong:wrong + 4]}")
    raise Failure(f"{what} is not among the {len(samples)} samples that were played")


def play(hosts):
    lines = {"server": remote.network_lines(KEY) + [f"peer {remote.NAME_B}",
                                                    f"export {RANGES} name sb16"],
             "client": remote.network_lines(KEY) + [
                 f"route {RANGES} remote {remote.NAME_B} profile sb16"]}
    with Pair(f"remote-sb16-{'-'.join(hosts)}", hosts, "", FLOPPY=boot_floppy("sb16_play"),
              RAM="16M", **lines) as pair:
        pair.start()
        pair.pc.wait(r"^done$", 120)
        text = pair.pc.text()
        for line in ("block played", "terminal count", "rounds played"):
            if line not in text.splitlines():
                raise Failure(f"the guest does not say '{line}':\n{text}")
        pair.until("9 interrupts on B's screen", lambda: pair.peer_interrupts("sb16") == 9, 5)
        wait_for_silence(pair)
    samples = played(pair.peer.sb16)
    end = must_hold(samples, block(MIDDLE[hosts[1]]), "the 8-bit block")
    must_hold(samples[end:], ROUND[:-UNPLAYED[hosts[1]]], "the 16-bit rounds")
    print(f"{len(samples)} samples played, 9 interrupts on both sides")
