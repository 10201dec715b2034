# SPDX-License-Identifier: BSD-2-Clause
"""A guest that attacks Farbus in every mode (tests/guests/hostile), with fixed seeds: Farbus's
memory is neither read nor changed, and Farbus goes on.

The guest reads and searches Farbus's addresses itself. In QEMU the PC's memory is looked at from
outside as well: Farbus's code and constants are what the linker made, its descriptors what they
were, and nothing of the image is in the guest's memory. Random code hangs, halts and triple-faults;
the monitor's reset lets the guest go on with its next round.
"""

import re
import struct
import subprocess
import time

from bad_input_test import prompt
from pc import PC, Failure

from paths import BUILD, system_file, written

SEED_AT, ROUNDS_AT = 0xffe0, 0xffec  # struct rom
ROUNDS_REAL, ROUNDS_SEARCH = 1, 2
PC_MB = 64
GUEST_MB = 16
STALL = {"qemu": 3, "bochs": 8}  # seconds without a new round
WORKSPACE = (880 + 64) << 10  # boot/direct.c: for a guest of less than 32 MB, state included
LEAVE_VECTOR = 31  # cpu/direct/direct.h
PIECE = 16  # bytes of the image that are looked for in the guest's memory
ENGINES = {
    "translate": ("direct", "translate on"),
    "direct": ("direct", "translate off"),
    "interp": ("interp", ""),
    "lockstep": ("lockstep", "translate on"),
}


def pieces_of(text):
    return {piece for piece in (text[at:at + PIECE] for at in range(len(text) - PIECE))
            if len(set(piece)) > PIECE // 2}


def plain_rom():
    return system_file(BUILD / "tiny" / "hostile.rom", "hostile.rom: make tiny").read_bytes()


def rom(name, host, seed, rounds=0):
    """Without real mode in Bochs, which ends where code is fetched from the VGA's memory."""
    plain = plain_rom()
    image = BUILD / "tests" / "images" / f"{name}.rom"
    with written(image) as partial:
        partial.write_bytes(plain[:SEED_AT] + struct.pack("<I", seed) + plain[SEED_AT + 4:ROUNDS_AT] +
                            struct.pack("<I", rounds | ROUNDS_REAL * (host != "bochs")) +
                            plain[ROUNDS_AT + 4:])
    return str(image)


class Image:
    """Farbus's image, as the linker made it."""

    def __init__(self, name):
        elf = system_file(BUILD / "farbus.sym.elf", "farbus: run make")
        listing = subprocess.run(["nm", elf], check=True, capture_output=True, text=True).stdout
        self.symbol = {name: int(value, 16) for value, _, name in
                       (line.split() for line in listing.splitlines() if line[0] != " ")}
        self.start = self.symbol["image_start"]
        plain = BUILD / "tests" / "images" / f"{name}.text"
        with written(plain) as partial:
            subprocess.run(["objcopy", "-O", "binary", "-j", ".text", elf, partial], check=True)
        self.text = plain.read_bytes()

    def pieces(self):
        """Of the text, all that could not be anybody's: not what the guest has by itself."""
        return pieces_of(self.text) - pieces_of(plain_rom())


class Memory:
    """The PC's memory, from outside."""

    def __init__(self, pc, image):
        target = pc.work / "memory"
        pc.qmp("pmemsave", val=0, size=PC_MB << 20, filename=str(target))
        self.bytes = target.read_bytes()
        target.unlink()
        self.image = image
        # The guest's memory is below; GRUB's copy of the image was where the guest's memory is now.
        self.base = self.bytes.rfind(image.text[:4096])
        if self.base < GUEST_MB << 20:
            raise Failure(f"Farbus's image is not in the PC's memory as it was linked "
                          f"({self.base:#x})")

    def at(self, name, size):
        start = self.base + self.image.symbol[name] - self.image.start
        return self.bytes[start:start + size]

    def check(self, before):
        text = self.image.text
        if self.bytes[self.base:self.base + len(text)] != text:
            raise Failure("Farbus's code or constants have changed")
        own = 8192 * 8 - 7 * 8  # the last seven of the GDT: boot/trap.h
        for name, first, size in (("idt", 0, 48 * 8), ("trap_gdt", own, 7 * 8)):
            if self.constant(name, first, size) != before.constant(name, first, size):
                raise Failure(f"Farbus's {name} has changed")

    def constant(self, name, first, size):
        """Descriptors, but for what the engine itself changes while guest code runs."""
        found = bytearray(self.at(name, first + size)[first:])
        if name == "trap_gdt":
            found[8:16] = bytes(8)  # SEL_SMALL
        else:
            found[LEAVE_VECTOR * 8 + 5] &= 0x9f  # its DPL
        return bytes(found)

    def search(self):
        """Nothing of the image is in the guest's memory."""
        pieces = self.image.pieces()
        # Between 640 KB and 1 MB is the PC's own memory: VGA and ROMs.
        guest = (self.bytes[:640 << 10] + bytes(384 << 10) + self.bytes[1 << 20:GUEST_MB << 20])
        for at in range(0, len(guest) - PIECE, 4):
            piece = guest[at:at + PIECE]
            if piece in pieces:
                raise Failure(f"bytes of Farbus's image at {at:#x} of the guest's memory: "
                              f"{piece.hex()}")


def rounds(log):
    found = re.findall(r"guest: .*?round (\d+): ", log)
    return int(found[-1]) if found else 0


def sane(log):
    for pattern in (r"^farbus: (?:error|panic).*", r"LEAK at.*"):
        found = re.search(pattern, log, re.MULTILINE)
        if found:
            raise Failure(f"{found[0]}\n{log[-3000:]}")


def seen(log, image, engine):
    """What the guest could read where it has mapped nothing: at most translations and their state,
    which are made from what is the guest's anyway."""
    first = image.symbol["image_end"]
    last = first + WORKSPACE if engine == "translate" else first
    lines = set()
    for line, pages, low, high in re.findall(
            r"((?:slot|elsewhere): (\d+) pages, (\w+)(?: to (\w+))?.*)", log):
        lines.add(line)
        if int(pages) and not (high and first <= int(low, 16) <= int(high, 16) < last):
            raise Failure(f"the guest could read Farbus's memory: {line}; its own is "
                          f"{first:x} to {last:x}")
    return "\n".join(sorted(lines))


def monitor(pc):
    if not pc.has(r"^farbus> *\Z"):
        pc.type("\x1d")
    prompt(pc, 60)


def command(pc, word):
    """Typed, and seen there: until then the screen shows a prompt that is none any more. It may be
    gone at once, where the guest has come to the monitor again."""
    monitor(pc)
    pc.type(word + "\r")
    end = time.monotonic() + 5
    while not pc.has(rf"^farbus> {word}") and time.monotonic() < end:
        if not pc.poll():
            return


def stats(pc):
    monitor(pc)
    pc.type("stats all\r")  # longer than the screen
    return pc.wait(r"resets (\d+), triple faults (\d+)\s+farbus> *\Z", 60)


def attack(pc, seconds, stall):
    """Until the time is over; says how many resets from outside it took."""
    end = time.monotonic() + seconds
    moved, before, resets = time.monotonic(), 0, 0
    while time.monotonic() < end:
        if not pc.poll(0.2):
            raise Failure(f"the PC ended:\n{pc.log()[-3000:]}")
        log = pc.log()
        sane(log)
        now = rounds(log)
        if now != before:
            before, moved = now, time.monotonic()
        if pc.has(r"^farbus> *\Z") or time.monotonic() - moved > stall:
            command(pc, "reset")
            resets += 1
            moved = time.monotonic()
    return resets


def run(host, engine, seed, seconds):
    cpu, config = ENGINES[engine]
    name = f"hostile-{engine}-{host}-{seconds}-{seed}"
    image = Image(name)
    with PC(name, host=host, clock="fast", FIRMWARE=rom(name, host, seed), CPU=cpu,
            CONFIG=config, RAM=f"{GUEST_MB}M", HOSTRAM=str(PC_MB)) as pc:
        for _ in range(600):
            if not pc.poll() or rounds(pc.log()):
                break
        before = Memory(pc, image) if host == "qemu" else None
        resets = attack(pc, seconds, STALL[host])
        found = stats(pc)
        text = pc.text()
        if host == "qemu":
            after = Memory(pc, image)
            after.check(before)
            after.search()
        command(pc, "poweroff")
        if pc.wait_end(60):
            raise Failure(f"not switched off as it should be:\n{pc.log()[-2000:]}")
        log = pc.log()
        sane(log)
    if not rounds(log):
        raise Failure(f"the guest did nothing:\n{log[-2000:]}")
    count = 4 * len(re.findall(r"guest: .*?round \d+: ", log))
    if engine == "lockstep" and not re.search(r"[1-9]\d{5,} instructions compared .* 0 diff", text):
        raise Failure(f"expected 100,000 instructions compared, and no difference:\n{text}")
    print(f"seed {seed}: some {count} rounds in {seconds} s, {resets} resets from outside, "
          f"{found[2]} triple faults")
    print(seen(log, image, engine))
    print(text)


SEARCHED = ("no paging", "CPL 0", "CPL 3", "PAE")


def search(host, engine, seconds):
    """What can be read of Farbus's addresses, in each of the four ways: nothing."""
    cpu, config = ENGINES[engine]
    name = f"hostile-search-{engine}-{host}"
    with PC(name, host=host, clock="fast", FIRMWARE=rom(name, host, 1, ROUNDS_SEARCH), CPU=cpu,
            CONFIG=config, RAM=f"{GUEST_MB}M", HOSTRAM=str(PC_MB)) as pc:
        end = time.monotonic() + seconds
        left = SEARCHED
        while left:
            if not pc.poll(0.2) or time.monotonic() > end:
                raise Failure(f"not searched: {', '.join(left)}\n{pc.log()[-3000:]}")
            log = pc.log()
            sane(log)
            left = [way for way in left if not re.search(rf"slot: \d+ pages.*, {way}", log)]
        text = stats(pc) and pc.text()
        sane(pc.log())
        print(seen(pc.log(), Image(name), engine))
        print(text)
