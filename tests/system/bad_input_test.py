# SPDX-License-Identifier: BSD-2-Clause
"""Bad input gives one clear line: never a silent hang, never a reset of the PC Farbus runs on."""

import os
import re
import subprocess
import time
from pathlib import Path

from pc import PC, Failure, limit

from paths import BUILD, written

SOURCES = Path(__file__).resolve().parent / "guests"
TOP = SOURCES.parents[2]


def assembled(name, size=None, defines=(), suffix=""):
    """A tiny guest of tests/system/guests as a raw image, padded to size bytes."""
    image = BUILD / "tests" / "images" / f"{name}{suffix}.img"
    with written(image) as partial:
        subprocess.run(["nasm", "-f", "bin", "-I", f"{SOURCES}/", "-o", partial,
                        *(f"-D{define}" for define in defines), SOURCES / f"{name}.asm"],
                       check=True)
        if size:
            os.truncate(partial, size)
    return str(image)


def boot_floppy(name):
    return assembled(name, 1474560)


def refused(name, line, **words):
    """Farbus does not start the guest; exactly one error line, matching `line`."""
    with PC(f"bad-{name}", **words) as pc:
        status = pc.wait_end(120)
        log = pc.log()
    errors = re.findall(r"^farbus: (?:error|panic): .*", log, re.MULTILINE)
    if len(errors) != 1 or not re.search(line, errors[0]):
        raise Failure(f"expected one error line /{line}/, got {errors}\n{log}")
    if status == 0:
        raise Failure("the run ended with status 0 after an error")
    if "guest starts" in log:
        raise Failure("the guest was started after an error")


def config_word():
    refused("config-word", r"config:\d+: 'dsk0': expected", FLOPPY=boot_floppy("hello"),
            CONFIG="dsk0 module floppy0.img")


def config_value():
    refused("config-value", r"config:\d+: 'fast': expected", FLOPPY=boot_floppy("hello"),
            CONFIG="cpu fast")


def missing_module():
    refused("missing-module", r"config:\d+: 'nothing\.img': expected",
            FLOPPY=boot_floppy("hello"), CONFIG="disk1 module nothing.img")


def little_ram():
    refused("little-ram", r"ram 64M: this PC has 64 MB", FLOPPY=boot_floppy("hello"), RAM="64M", HOSTRAM="64")


def engine_for_ram():
    """`cpu auto` makes do with the interpreter where memory is short; `cpu direct` says so."""
    words = {"FLOPPY": boot_floppy("hello"), "RAM": "23M", "HOSTRAM": "32"}
    with PC("bad-auto-ram", CPU="auto", **words) as pc:
        log_line(pc, r"^farbus: warning: cpu auto: interp: .* 23 MB .* no memory", 1, 120)
        log_line(pc, r"^farbus: guest: 23 MB RAM, engine interp", 1, 120)
        pc.wait("hello", 60)
    refused("direct-ram", r"ram 23M: this PC has \d+ MB: at most \d+ MB", CPU="direct", **words)


def odd_size():
    disk = BUILD / "tests" / "images" / "odd.img"
    with written(disk) as partial:
        partial.write_bytes(bytes(100_000))
    refused("odd-size", r"100000|sector|size", DISK=str(disk))


def odd_firmware():
    rom = BUILD / "tests" / "images" / "odd.rom"
    with written(rom) as partial:
        partial.write_bytes(bytes(100_000))
    refused("odd-firmware", r"firmware|bios\.bin", FIRMWARE=str(rom))


# The card is set to line 10.
CARD = "-device ne2k_isa,iobase=0x300,irq=10,netdev=n -netdev user,id=n"
NIC = "nic ne2000 0x300 irq 10; key insecure; "


def nic_without_key():
    refused("nic-key", r"config:\d+: 'nic': expected a key line: 'key file NAME', 'key HEX' or",
            FLOPPY=boot_floppy("hello"), CONFIG="nic ne2000 0x300 irq 10", HOSTARGS=CARD)


def peer_without_card():
    refused("peer-no-nic", r"nic: no NE2000 at 0x300: ", FLOPPY=boot_floppy("hello"),
            CONFIG=NIC + "peer; export 0x2f8-0x2ff irq 3 name com2")


def forbidden_export(name, export, line):
    refused(f"export-{name}", line, FLOPPY=boot_floppy("hello"), HOSTARGS=CARD,
            CONFIG=NIC + f"peer; export 0x2f8-0x2ff irq 3 name com2; export {export} name x")


def guest_with(name, config, hostargs, line):
    """The guest boots; the log has one such line."""
    with PC(f"bad-{name}", FLOPPY=boot_floppy("hello"), CONFIG=config, HOSTARGS=hostargs) as pc:
        log_line(pc, r"^farbus: guest starts", 1, 120)
        found = re.findall(r"^farbus: (?:error|warning): .*", pc.log(), re.MULTILINE)
        if len(found) != 1 or not re.search(line, found[0]):
            raise Failure(f"expected one line /{line}/, got {found}")
        pc.wait("hello", 30)


def no_card():
    guest_with("no-nic", NIC, "", r"nic: no NE2000 at 0x300: no card is there")


def no_card_found():
    guest_with("no-nic-probed", "nic ne2000; key insecure", "",
               r"nic: no NE2000 at the usual ports 0x300, ")


def no_pci_card():
    guest_with("no-nic-pci", "nic ne2000 pci; key insecure", "", r"nic: no NE2000 on PCI: expected")


def wrong_line():
    guest_with("nic-irq", "nic ne2000 0x300 irq 5; key insecure", CARD,
               r"nic: no interrupt on irq 5: expected the line that the card is set to "
               r"\(it is on irq 10\)")


def prompt(pc, seconds=30):
    pc.wait(r"^farbus> *\Z", seconds)


def monitor_answers(pc):
    """The monitor's prompt (Ctrl-] opens it, or it is there already) shows the registers."""
    if not pc.has(r"^farbus> *\Z"):
        pc.type("\x1d")
    prompt(pc)
    pc.type("registers\r")
    pc.wait(r"(?i)eip.*\n(.*\n)*farbus> *\Z", 30)


def triple_fault_resets():
    """The guest is reset; a fault again at once stops it in the monitor. Each says a line."""
    with PC("bad-triple-fault", FLOPPY=boot_floppy("triple_fault")) as pc:
        log_line(pc, r"^farbus: warning: guest triple fault at 0000:00007c", 2, 120)
        pc.settle(1, 3)
        monitor_answers(pc)


def triple_fault_late():
    """A guest that takes its time before each fault: the third in a row at one place stops it."""
    floppy = assembled("triple_fault", 1474560, ["WAIT_TICKS=30"], "-late")
    with PC("bad-triple-fault-late", FLOPPY=floppy) as pc:
        pc.wait(r"triple fault again after a reset(.*\n)*farbus> *\Z", 150)
        monitor_answers(pc)
        faults = re.findall(r"^farbus: warning: guest triple fault at 0000:00007c", pc.log(),
                            re.MULTILINE)
        if len(faults) != 3:
            raise Failure(f"expected 3 triple faults:\n{pc.log()[-2000:]}")


def triple_fault_stops():
    with PC("bad-triple-fault-stop", FLOPPY=boot_floppy("triple_fault"),
            CONFIG="triple-fault stop") as pc:
        pc.wait(r"triple fault", 120)
        monitor_answers(pc)
        log_line(pc, r"^farbus: warning: guest triple fault at ", 1, 10)


def scribbling(name, value, count):
    """A floppy whose boot sector writes from where translated code notes the segment registers
    that it has loaded."""
    asked = """#include <stddef.h>
        #include "cpu/translate/translate.h"
        size_t at = offsetof(struct translate_state, loaded);"""
    answer = subprocess.run(["gcc", "-m32", "-ffreestanding", f"-I{TOP}", "-S", "-o", "-",
                             "-x", "c", "-"],
                            input=asked, stdout=subprocess.PIPE, text=True, check=True).stdout
    skip = re.search(r"\.long\s+(\d+)", answer).group(1)
    return assembled("scribble", 1474560, [f"VALUE={value}", f"SKIP={skip}", f"COUNT={count}"],
                     f"-{name}")


def scribbled_selectors():
    """CPL 0 that writes over the translator's state is shut down, and Farbus goes on."""
    floppy = scribbling("selectors", 0x1ffff, 6)
    with PC("bad-scribble-selectors", FLOPPY=floppy, CPU="direct", RAM="16M",
            CONFIG="translate on\ntriple-fault stop") as pc:
        pc.wait(r"triple fault", 120)
        monitor_answers(pc)
        log_line(pc, r"^farbus: warning: guest triple fault at .* prot32 cpl 0 ", 1, 10)


def scribbled_reset():
    """After that, the state is what it was: the guest starts again, its firmware translated."""
    floppy = scribbling("reset", 0x11111111, 800)
    with PC("bad-scribble-reset", FLOPPY=floppy, CPU="direct", RAM="16M",
            CONFIG="translate on") as pc:
        log_line(pc, r"^farbus: warning: guest triple fault at .* prot32 cpl 0 ", 1, 120)
        pc.wait(r"^reset", 120)
        monitor_answers(pc)


def vm_iret(host):
    """CPL 3 that QEMU lets into V86 mode is shut down; where it is not, it goes on. So does Farbus."""
    with PC(f"bad-vm-iret-{host}", host=host, FLOPPY=boot_floppy("vm_iret"), CPU="direct") as pc:
        pc.wait(r"^kept|^reset", 120)
        if "reset" in pc.text():
            log_line(pc, r"^farbus: warning: the guest's CPL 3 got into V86 mode", 1, 10)
        monitor_answers(pc)


def jump_into_nothing():
    with PC("bad-jump", FLOPPY=boot_floppy("jump_into_nothing")) as pc:
        pc.wait(r"jumping", 120)
        log_line(pc, r"^farbus: warning: guest triple fault at 0008:d0000000", 2, 120)
        pc.settle(1, 3)
        monitor_answers(pc)


def console_flood():
    with PC("bad-flood", FLOPPY=boot_floppy("console_flood")) as pc:
        pc.wait(r"flood", 120)
        pc.settle(2, 5)
        monitor_answers(pc)


def log_line(pc, pattern, count, seconds):
    """Until the log has that many such lines."""
    end = limit(seconds)
    while time.monotonic() < end:
        if not pc.poll(0.1):
            raise Failure(f"the PC ended:\n{pc.log()[-2000:]}")
        if len(re.findall(pattern, pc.log(), re.MULTILINE)) >= count:
            return
    raise Failure(f"no {count} log lines /{pattern}/ after {seconds} s:\n{pc.log()[-2000:]}")


CASES = {
    "config-word": config_word,
    "config-value": config_value,
    "missing-module": missing_module,
    "little-ram": little_ram,
    "engine-for-ram": engine_for_ram,
    "odd-size": odd_size,
    "odd-firmware": odd_firmware,
    "triple-fault": triple_fault_resets,
    "triple-fault-late": triple_fault_late,
    "triple-fault-stop": triple_fault_stops,
    "scribble-selectors": scribbled_selectors,
    "scribble-reset": scribbled_reset,
    "vm-iret-qemu": lambda: vm_iret("qemu"),
    "vm-iret-bochs": lambda: vm_iret("bochs"),
    "jump-into-nothing": jump_into_nothing,
    "console-flood": console_flood,
    "nic-without-key": nic_without_key,
    "peer-without-card": peer_without_card,
    "export-keyboard": lambda: forbidden_export(
        "keyboard", "0x60-0x64", r"config:\d+: '0x60-0x64': expected ports that the peer does not"),
    "export-console": lambda: forbidden_export(
        "console", "0x3f8-0x3ff irq 4", r"config:\d+: '0x3f8-0x3ff': expected ports that the peer"),
    "export-card": lambda: forbidden_export(
        "card", "0x200,0x31f", r"config:\d+: '0x31f': expected ports that the peer does not need"),
    "export-line": lambda: forbidden_export(
        "line", "0x200 irq 10", r"config:\d+: 'irq 10': expected a line that the peer does not need"),
    "export-ram": lambda: forbidden_export(
        "ram", "0x200 mem 0xc8000-0xc8fff mem 0xff000-0x100fff",
        r"config:\d+: '0xff000-0x100fff': expected memory of a device that the peer does not need"),
    "export-screen": lambda: forbidden_export(
        "screen", "0x200 mem 0xb8000-0xb8fff", r"config:\d+: '0xb8000-0xb8fff': expected memory of"),
    "export-bridge": lambda: forbidden_export(
        "bridge", "0x200 pci 00:01.1 pci 00:01.0",
        r"config:\d+: '00:01.0': expected a PCI device that is there, and no bridge, no screen"),
    "export-nothing": lambda: forbidden_export(
        "nothing", "0x200 pci 00:1e.0", r"config:\d+: '00:1e.0': expected a PCI device that is there"),
    "no-card": no_card,
    "no-card-found": no_card_found,
    "no-pci-card": no_pci_card,
    "wrong-line": wrong_line,
}
