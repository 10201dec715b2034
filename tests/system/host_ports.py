# SPDX-License-Identifier: BSD-2-Clause
"""What `farbus serve` does with this machine's own ports, and with what goes away under a device.

`host_ports.py NAME` runs one case in a network namespace of its own (host_test.in_namespace).
"""

import ctypes
import os
import re
import struct
import sys
import tty
from pathlib import Path

from host_lines import SLOW, Fake, until
from host_test import (CONTROL1, DATA_REQUEST, IDE1, LPT1, NOT_BUSY, Daemon, check, farbus,
                       in_namespace, leased, out, read_all, read_cd, read_disk, run_case, segment,
                       station)
from pc import Failure
from protocol import INS, OUT, OUTS, POLL, operation

from paths import Missing

SECTOR = 512


def serve(name, export):
    """A daemon with this one export; {folder} is its folder."""
    daemon = Daemon(name)
    daemon.exports = [export.format(folder=daemon.folder)]
    daemon.write_config()
    return daemon


def once(daemon, pattern):
    """A line of the log, which has it once."""
    daemon.log_line(pattern, SLOW)
    lines = [line for line in daemon.log_text().splitlines() if pattern in line]
    check(pattern, len(lines), 1)


# --- a parallel port by ppdev ---


def parport():
    """Registers and interrupts of the port are the guest's; the port goes away and comes back."""
    daemon = serve("parport", "export lpt 0x378 irq 7 parport {folder}/parport0 name lpt1")
    path = daemon.folder / "parport0"
    os.mkfifo(path)
    fake = Fake(daemon)
    port = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    fake.set(fake.STATUS, b"\xdf")
    with daemon:
        fake.await_done("exclusive", "claim", "reverse 0", "control 0c")
        client = leased(station(), "lpt1")
        check("status", client.inp(LPT1 + 1), 0xDF)
        client.request(out(LPT1, 0x5A), out(LPT1 + 2, 0x0D), out(LPT1 + 2, 0x0C))
        fake.await_done("data 5a", "control 0d", "control 0c")
        check("control", client.inp(LPT1 + 2), 0xCC)
        client.out(LPT1 + 2, 0x2C)
        fake.await_done("reverse 1")
        fake.set(fake.DATA, b"\xa7")
        check("data from the other side", client.inp(LPT1), 0xA7)
        fake.set(fake.INTERRUPTS, b"\2")  # of before anyone wanted them
        client.unmask(7)
        client.out(LPT1 + 2, 0x1C)
        check("forgotten", fake.get(fake.INTERRUPTS), 0)
        for _ in range(3):
            fake.set(fake.INTERRUPTS, b"\1")
            os.write(port, b"!")  # poll(2) says so from now on
            line, generation = client.wait_event(SLOW)
            check("line", line, 7)
            check("status", client.inp(LPT1 + 1), 0xDF)
            client.eoi(line, generation)

        fake.set(fake.GONE, b"\1")
        check("no port", client.inp(LPT1 + 1), 0xFF)
        client.out(LPT1, 1)
        once(daemon, "parport0: No such device: tried again every second")
        fake.set(fake.GONE, b"\0")
        once(daemon, "parport0 is there again")
        check("status", client.inp(LPT1 + 1), 0xDF)
        client.release()
        client.close()
        fake.done()
        check("exit status", daemon.end(), 0)
        check("at the end", fake.done(), ["release"])


# --- what is printed to, disks, discs ---


def strobe(byte):
    return out(LPT1, byte), out(LPT1 + 2, 0x0D), out(LPT1 + 2, 0x0C)


def printer_stops():
    """A full disk: out of paper, then on from the byte where it stopped."""
    daemon = serve("printer-stops", "export lpt 0x378 file {folder}/out name lpt1")
    path, text = daemon.folder / "out", b"one two three"
    path.symlink_to("/dev/full")
    ready = operation(POLL, LPT1 + 1, 1, 60000, struct.pack("<II", 0x80, 0x80))
    with daemon:
        client = leased(station(), "lpt1")
        client.request(*strobe(text[0]))
        until("out of paper", lambda: client.inp(LPT1 + 1) == 0x70)
        once(daemon, "out: No space left on device: tried again every second")
        path.unlink()
        path.symlink_to(daemon.folder / "paper")
        once(daemon, "out is there again")
        for byte in text[1:]:
            until("ready", lambda: client.inp(LPT1 + 1) & 0x80)
            answers = client.request(ready, *strobe(byte))
            check("statuses", [status for status, _ in answers], [0] * 4)
        client.release()
        client.close()
        until("printed", lambda: (daemon.folder / "paper").read_bytes() == text)


def disk_goes():
    """An image that is cut off gives errors until it is whole; another size is another disk."""
    daemon = serve("disk-goes", "export ata 0x170,0x376 irq 15 disk {folder}/disk.img name ide1")
    whole = daemon.disk.read_bytes()
    with daemon:
        client = leased(station(), "ide1")
        client.unmask(15)
        client.out(CONTROL1, 0)
        check("sector", read_disk(client, 1000, 1), whole[1000 * SECTOR:1001 * SECTOR])
        client.out(CONTROL1, 2)
        os.truncate(daemon.disk, 100 * SECTOR)
        check("status", read_fails(client, 1000), 0x51)
        once(daemon, "disk.img: no disk any more: tried again every second")
        check("status", read_fails(client, 1), 0x51)
        with open(daemon.disk, "r+b") as file:
            file.write(whole)
        once(daemon, "disk.img is there again")
        client.out(CONTROL1, 0)
        check("sector", read_disk(client, 1000, 1), whole[1000 * SECTOR:1001 * SECTOR])
        client.close()


def read_fails(client, lba):
    """The status after READ SECTORS of one that cannot be read."""
    answers = client.request(out(IDE1 + 6, 0xE0), out(IDE1 + 2, 1), out(IDE1 + 3, lba & 0xFF),
                             out(IDE1 + 4, lba >> 8), out(IDE1 + 5, 0), out(IDE1 + 7, 0x20),
                             operation(POLL, IDE1 + 7, 1, 60000, NOT_BUSY))
    return answers[-1][1][0]


def sense(client):
    """(key, additional code) of TEST UNIT READY; (0, 0): ready."""
    client.request(out(CONTROL1, 2), out(IDE1 + 6, 0x10), out(IDE1 + 7, 0xA0))
    done, = client.request(operation(POLL, IDE1 + 7, 1, 60000, DATA_REQUEST),
                           operation(OUTS, IDE1, 2, 6, bytes(12)),
                           operation(POLL, IDE1 + 7, 1, 60000, NOT_BUSY))[2:]
    if not done[1][0] & 1:
        return 0, 0
    client.request(out(IDE1 + 4, 18), out(IDE1 + 5, 0), out(IDE1 + 7, 0xA0))
    data = client.request(operation(POLL, IDE1 + 7, 1, 60000, DATA_REQUEST),
                          operation(OUTS, IDE1, 2, 6, b"\x03\0\0\0\x12" + bytes(7)),
                          operation(POLL, IDE1 + 7, 1, 60000, DATA_REQUEST),
                          operation(INS, IDE1, 2, 9))[3][1]
    return data[2], data[12]


def disc_changes():
    """A disc that is taken out, and another one."""
    daemon = serve("disc-changes",
                   "export ata 0x170,0x376 irq 15 none cdrom {folder}/cd.iso name ide1")
    with daemon:
        client = leased(station(), "ide1")
        until("ready", lambda: sense(client) == (0, 0))
        check("sectors", read_cd(client, 3, 2), daemon.cd.read_bytes()[3 * 2048:5 * 2048])
        whole = daemon.cd.read_bytes()
        daemon.cd.write_bytes(b"")
        read_fails_cd(client, 7)
        once(daemon, "cd.iso: no disk any more: tried again every second")
        until("no disc", lambda: sense(client) == (2, 0x3A))
        other = bytes(reversed(whole)) + bytes(2048)
        daemon.cd.write_bytes(other)
        once(daemon, "cd.iso is there again")
        check("another disc", sense(client), (6, 0x28))
        check("ready", sense(client), (0, 0))
        check("sectors", read_cd(client, 3, 2), other[3 * 2048:5 * 2048])
        client.close()


def read_fails_cd(client, lba):
    packet = struct.pack(">BBIBHB2x", 0x28, 0, lba, 0, 1, 0)
    client.request(out(IDE1 + 6, 0x10), out(IDE1 + 1, 0), out(IDE1 + 4, 0), out(IDE1 + 5, 8),
                   out(IDE1 + 7, 0xA0))
    answers = client.request(operation(POLL, IDE1 + 7, 1, 60000, DATA_REQUEST),
                             operation(OUTS, IDE1, 2, 6, packet),
                             operation(POLL, IDE1 + 7, 1, 60000, NOT_BUSY))
    check("error", answers[2][1][0] & 1, 1)


# --- real ports ---


def dev_port():
    """Accesses go to /dev/port, interrupts come from UIO, which each end of one enables again."""
    daemon = serve("dev-port", "export ports 0x2000-0x200f,0x3000 irq 10 uio {folder}/uio0 "
                   "name card")
    fake = Fake(daemon)
    ports = daemon.folder / "ports"
    ports.write_bytes(bytes(i * 7 & 0xFF for i in range(0x10000)))
    os.environ["FAKE_PORTS"] = str(ports)
    fake_ioports(daemon, "0000-001f : dma1\n")
    # A terminal stands for UIO: four bytes either way.
    master, slave = os.openpty()
    tty.setraw(slave)
    (daemon.folder / "uio0").symlink_to(os.ttyname(slave))
    with daemon:
        client = leased(station(), "card")
        check("in", client.inp(0x2003), 0x2003 * 7 & 0xFF)
        check("two at once", client.inp(0x2004, 2),
              (0x2004 * 7 & 0xFF) | (0x2005 * 7 & 0xFF) << 8)
        client.out(0x3000, 0xA5)
        client.request(operation(OUT, 0x2008, 4, data=b"\1\2\3\4"))
        data = ports.read_bytes()
        check("out", (data[0x3000], data[0x2008:0x200C]), (0xA5, b"\1\2\3\4"))
        check("not its own", client.inp(0x2010), None)
        client.unmask(10)
        for number in range(1, 4):
            check("enabled", read_all(master, 4, SLOW), b"\1\0\0\0")
            os.write(master, struct.pack("<I", number))
            line, generation = client.wait_event(SLOW)
            check("line", line, 10)
            client.eoi(line, generation)
        os.close(slave)
        os.close(master)
        once(daemon, "uio0: ")
        check("in", client.inp(0x2003), 0x2003 * 7 & 0xFF)
        master, slave = os.openpty()
        tty.setraw(slave)
        (daemon.folder / "uio0").unlink()
        (daemon.folder / "uio0").symlink_to(os.ttyname(slave))
        once(daemon, "uio0 is there again")
        client.unmask(10)
        check("enabled", read_all(master, 4, SLOW), b"\1\0\0\0")
        client.close()


def real_ports():
    """This machine's own, where nothing answers: both ways of reading agree, writing harms none."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ioperm(0x2F8, 8, 1) and not Path("/dev/port").exists():
        raise Missing(f"ioperm: {os.strerror(ctypes.get_errno())}, and no /dev/port")
    used = [line.split(":")[1].strip() for line in open("/proc/ioports", encoding="ascii")
            if int(line.split("-")[0], 16) <= 0x2FF and int(line.split("-")[1].split()[0], 16)
            >= 0x2F8 and "PCI Bus" not in line]
    if used:
        raise Missing(f"0x2f8-0x2ff are of {used[0]}")
    daemon = serve("real-ports", "export ports 0x2f8-0x2ff name com2")
    with daemon:
        client = leased(station(), "com2")
        before = client.inp(0x2FF)
        client.out(0x2FF, 0x5A)  # a scratch register, if it is one
        check("after a write", client.inp(0x2FF) in (0x5A, before), True)
        client.out(0x2FF, before)
        client.close()


def fake_ioports(daemon, text):
    """What the daemon finds in /proc/ioports, which is hidden from whoever is not quite root."""
    path = daemon.folder / "ioports"
    path.write_text(text)
    os.environ["FAKE_IOPORTS"] = str(path)


def drivers_ports():
    """Ports of this machine's drivers, above all of its network card, are refused; so are all when
    it cannot be seen whose they are."""
    daemon = Daemon("drivers-ports")
    Fake(daemon)
    seen = "0000-0cf7 : PCI Bus 0000:00\n  02f8-02ff : serial\nc000-c01f : 0000:00:03.0\n" \
           "  c000-c01f : ne2k-pci\n"
    for text, line, message in (
            (seen, "ports 0xc010", "0xc000-0xc01f are of this machine's driver 'ne2k-pci'"),
            (seen, "ports 0x300,0x2ff-0x301", "0x2f8-0x2ff are of this machine's driver 'serial'"),
            (re.sub("[0-9a-f]{4}-[0-9a-f]{4} ", "0000-0000 ", seen), "ports 0x300",
             "hides what drivers use without CAP_SYS_ADMIN"),
            ("", "ports 0x300", "hides what drivers use")):
        fake_ioports(daemon, text)
        daemon.exports = [f"export {line} name x"]
        daemon.write_config()
        status, _, errors = farbus("serve", "-c", daemon.config)
        errors = [e for e in errors.splitlines() if " error: " in e]
        check(f"{line}: status and lines", (status, len(errors)), (1, 1))
        if message not in errors[0]:
            raise Failure(f"{line}: {errors[0]}")


def bad_ports():
    """One clear line each."""
    daemon = Daemon("bad-ports")
    serial = any(re.match(" *03f8-03ff : serial", line)
                 for line in open("/proc/ioports", encoding="ascii"))
    cases = {
        "ports 0x300-0x2ff": "'0x300-0x2ff': expected up to 4 ranges of ports from 0x100 on",
        "ports 0x60": "'0x60': expected up to 4 ranges of ports",
        "ports 0x300,": "'0x300,': expected up to 4 ranges",
        "ports 0x300,0x310,0x320,0x330,0x340": "expected up to 4 ranges",
        "ports 0x10000": "'0x10000': expected up to 4 ranges",
        "ports 0x300 irq 5": "'name': expected 'uio FILE'",
        "ports 0xcf8-0xcff": "export x: expected ports and a line that no PC lives on itself",
        "ports 0x4d0-0x4d1": "export x: expected ports and a line that no PC lives on itself",
        "ports 0x300 irq 5 uio /dev/uio99": "export x: uio /dev/uio99: No such file",
        "lpt 0x278 tape x": "'tape': expected 'file FILE' or 'parport DEVICE'",
        "lpt 0x278 parport /no/such": "export x: parport /no/such: No such file or directory"}
    if serial:
        cases["ports 0x3f8-0x3ff"] = "are of this machine's driver 'serial': expected ports"
    for line, message in cases.items():
        daemon.write_config(f"export {line} name x")
        status, _, errors = farbus("serve", "-c", daemon.config)
        errors = [e for e in errors.splitlines() if " error: " in e]
        check(f"{line}: status", status, 1)
        check(f"{line}: lines", len(errors), 1)
        if message not in errors[0]:
            raise Failure(f"{line}: {errors[0]}")


_CASES = {f.__name__.replace("_", "-"): f
          for f in (parport, printer_stops, disk_goes, disc_changes, dev_port, real_ports,
                    bad_ports, drivers_ports)}
CASES = {name: lambda name=name: in_namespace(name, __file__) for name in _CASES}

if __name__ == "__main__":
    segment()
    run_case(_CASES[sys.argv[1]])
