# SPDX-License-Identifier: BSD-2-Clause
"""`farbus` on Linux, on a pair of virtual Ethernet interfaces in a network namespace of its own.

Each case runs as a process of its own, `host_test.py NAME`, started by unshare(1).
"""

import hashlib
import os
import pwd
import random
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "images"))

from paths import BUILD, Missing  # noqa: E402
from pc import Failure, limit  # noqa: E402
from protocol import (AUTH1, AUTH3, IN, INS, OUT, OUTS, POLL, RELEASE, REQ,  # noqa: E402
                      PacketClient, Unanswered, name16, operation)

PROGRAM = BUILD / "farbus"
KEY = bytes(range(9, 41))
NEAR, FAR = "fb0", "fb1"  # the daemon's end, the client's
COM2, IDE1, CONTROL1, LPT1 = 0x2F8, 0x170, 0x376, 0x378
NOT_BUSY = struct.pack("<II", 0x80, 0)
DATA_REQUEST = struct.pack("<II", 0x88, 8)


def check(what, found, wanted):
    if found != wanted:
        raise Failure(f"{what}: {found!r} instead of {wanted!r}")


def out(port, value, width=1):
    return operation(OUT, port, width, data=value.to_bytes(width, "little"))


def farbus(*words):
    """(exit status, standard output, standard error)"""
    run = subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=20)
    return run.returncode, run.stdout, run.stderr


class Daemon:
    """`farbus serve` in a folder of its own, with a disk, a CD, a serial port and a printer."""

    def __init__(self, name, more="", keys=None):
        self.folder = BUILD / "tests" / f"host-{name}"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        rng = random.Random(name)
        self.disk, self.cd, self.printed, self.pty, self.key, self.config = (
            self.folder / n for n in ("disk.img", "cd.iso", "lpt1.txt", "com2", "key", "config"))
        self.disk.write_bytes(rng.randbytes(2 << 20))
        self.cd.write_bytes(rng.randbytes(200 * 2048))
        self.key.write_text(KEY.hex() + "\n")
        self.key.chmod(0o600)
        self.exports = [
            f"export ata 0x170,0x376 irq 15 disk {self.disk} cdrom {self.cd} name ide1",
            f"export uart 0x2f8 irq 3 pty {self.pty} name com2",
            f"export lpt 0x378 irq 7 file {self.printed} name lpt1"]
        self.keys = keys or [f"key file {self.key}"]
        self.write_config(more)
        self.log_path = self.folder / "serve.log"
        self.process = None

    def write_config(self, more=""):
        lines = ["name linux-a", f"interface {NEAR}", *self.keys, *self.exports, more]
        self.config.write_text("\n".join(lines) + "\n")

    def start(self):
        before = self.log_text().count("lends out")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([PROGRAM, "serve", "-c", self.config],
                                            stdout=subprocess.DEVNULL, stderr=log)
        self.log_line("lends out", count=before + 1)
        return self

    def __enter__(self):
        try:
            return self.start()
        except Failure:
            self.end(signal.SIGKILL)
            raise

    def __exit__(self, *_):
        self.end(signal.SIGKILL)
        print(self.log_text())

    def end(self, number=signal.SIGTERM):
        """The exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(10)

    def log_text(self):
        return self.log_path.read_text() if self.log_path.exists() else ""

    def log_line(self, pattern, seconds=5, count=1):
        """Waits until so many lines match; the last of them."""
        end = limit(seconds)
        while time.monotonic() < end:
            lines = [line for line in self.log_text().splitlines() if re.search(pattern, line)]
            if len(lines) >= count:
                return lines[-1]
            if self.process and self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise Failure(f"no line {pattern!r} in the log:\n{self.log_text()}")


def station(key=KEY, last=1, form="snap"):
    return PacketClient(FAR, bytes([0x52, 0x54, 0, 0, 2, last]), key, form)


def leased(client, export):
    server = client.discover()[0]
    check(f"lease of {export}", client.lease(server, export), 0)
    return client


# --- discover ---


def discover():
    """The table; nobody with another key; what is missing on the command line."""
    with Daemon("discover") as daemon:
        status, table, _ = farbus("discover", "-i", FAR, "-k", daemon.key)
        check("status", status, 0)
        rows = [re.split(r"  +", line.strip()) for line in table.splitlines()]
        check("columns", rows[0], ["PEER", "ADDRESS", "EXPORT", "PORTS", "IRQ", "DMA", "STATE",
                                   "AGE"])
        address = daemon.log_line("lends out").split()[-1]
        check("rows", [row[:7] for row in rows[1:]], [
            ["linux-a", address, "ide1", "0x170-0x177,0x376", "15", "-", "free"],
            ["linux-a", address, "com2", "0x2f8-0x2ff", "3", "-", "free"],
            ["linux-a", address, "lpt1", "0x378-0x37a", "7", "-", "free"]])
        client = leased(station(), "com2")
        table = farbus("discover", "-i", FAR, "-k", daemon.key)[1]
        check("held", re.findall(r"(\S+) +0x\S+ .* (held|free)", table),
              [("ide1", "free"), ("com2", "held"), ("lpt1", "free")])
        client.release()
        client.close()

        other = daemon.folder / "other-key"
        check("keygen", farbus("keygen", other)[0], 0)
        check("its mode", other.stat().st_mode & 0o777, 0o600)
        check("not over another", farbus("keygen", other)[0], 1)
        status, table, errors = farbus("discover", "-i", FAR, "-k", other)
        check("another key", (status, table), (1, ""))
        check("its message", "nobody with this key answered on fb1" in errors, True)
        daemon.log_line(r"dropped.* tag \d+")
        check("no key", farbus("discover", "-i", FAR)[0], 2)
        check("no interface", farbus("discover", "-i", "nowhere", "-k", other)[0], 1)


# --- disk and CD ---


def read_disk(client, lba, count):
    """Sectors of the master, with READ SECTORS, one interrupt each."""
    client.request(operation(POLL, IDE1 + 7, 1, 60000, NOT_BUSY), out(IDE1 + 6, 0xE0 | lba >> 24),
                   out(IDE1 + 2, count & 0xFF), out(IDE1 + 3, lba & 0xFF),
                   out(IDE1 + 4, lba >> 8 & 0xFF), out(IDE1 + 5, lba >> 16 & 0xFF),
                   out(IDE1 + 7, 0x20))
    data = b""
    for _ in range(count):
        line, generation = client.wait_event()
        check("line", line, 15)
        answers = client.request(operation(POLL, IDE1 + 7, 1, 60000, DATA_REQUEST),
                                 operation(INS, IDE1, 2, 256))
        check("statuses", [status for status, _ in answers], [0, 0])
        data += answers[1][1]
        client.eoi(line, generation)
    return data


def read_cd(client, lba, count):
    """Sectors of the slave, with READ (10), polled."""
    packet = struct.pack(">BBIBHB2x", 0x28, 0, lba, 0, count, 0)
    client.request(out(CONTROL1, 2), out(IDE1 + 6, 0x10), out(IDE1 + 1, 0), out(IDE1 + 4, 0),
                   out(IDE1 + 5, 8), out(IDE1 + 7, 0xA0))
    wait = operation(POLL, IDE1 + 7, 1, 60000, DATA_REQUEST)
    client.request(wait, operation(OUTS, IDE1, 2, 6, packet))
    data = b""
    for _ in range(count):  # the byte count limit is a sector: two frames of half of it
        for _ in range(2):
            answers = client.request(wait, operation(INS, IDE1, 2, 512))
            check("statuses", [status for status, _ in answers], [0, 0])
            data += answers[1][1]
    return data


def write_disk(client, lba, data):
    client.request(out(CONTROL1, 2), out(IDE1 + 6, 0xE0), out(IDE1 + 2, 1),
                   out(IDE1 + 3, lba), out(IDE1 + 4, 0), out(IDE1 + 5, 0), out(IDE1 + 7, 0x30))
    client.request(operation(POLL, IDE1 + 7, 1, 60000, DATA_REQUEST),
                   operation(OUTS, IDE1, 2, 256, data),
                   operation(POLL, IDE1 + 7, 1, 60000, NOT_BUSY))
    check("error bit", client.inp(IDE1 + 7) & 1, 0)


def disk():
    """256 KB of the disk by interrupts, the first 100 sectors of the CD, a sector written."""
    with Daemon("disk") as daemon:
        client = leased(station(), "ide1")
        client.unmask(15)
        client.out(CONTROL1, 0)
        sha = hashlib.sha256()
        for lba in range(0, 512, 64):
            sha.update(read_disk(client, lba, 64))
        check("disk", sha.hexdigest(),
              hashlib.sha256(daemon.disk.read_bytes()[:512 * 512]).hexdigest())
        read_capacity_attention(client)
        sha = hashlib.sha256()
        for lba in range(0, 100, 10):
            sha.update(read_cd(client, lba, 10))
        check("CD", sha.hexdigest(),
              hashlib.sha256(daemon.cd.read_bytes()[:100 * 2048]).hexdigest())
        sector = os.urandom(512)
        write_disk(client, 77, sector)
        check("written", daemon.disk.read_bytes()[77 * 512:78 * 512] == sector, True)
        client.release()
        daemon.log_line("ide1 given back by 52:54:00:00:02:01")
        client.close()


def read_capacity_attention(client):
    """A drive's first command tells that there is a new disc: TEST UNIT READY takes that."""
    client.request(out(CONTROL1, 2), out(IDE1 + 6, 0x10), out(IDE1 + 7, 0xA0))
    client.request(operation(POLL, IDE1 + 7, 1, 60000, DATA_REQUEST),
                   operation(OUTS, IDE1, 2, 6, bytes(12)),
                   operation(POLL, IDE1 + 7, 1, 60000, NOT_BUSY))
    client.request(out(IDE1 + 6, 0x10), out(IDE1 + 7, 0xA0))
    client.request(operation(POLL, IDE1 + 7, 1, 60000, DATA_REQUEST),
                   operation(OUTS, IDE1, 2, 6, b"\x03\0\0\0\x12" + bytes(7)),
                   operation(POLL, IDE1 + 7, 1, 60000, DATA_REQUEST), operation(INS, IDE1, 2, 9))


# --- serial port and printer ---


def read_all(fd, count, seconds=5):
    data, end = b"", limit(seconds)
    while len(data) < count:
        if not select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
            raise Failure(f"{len(data)} of {count} bytes: {data!r}")
        data += os.read(fd, count - len(data))
    return data


def uart():
    """Bytes both ways through the pty, received by interrupts; nothing is lost without a lease."""
    with Daemon("uart") as daemon:
        terminal = os.open(daemon.pty, os.O_RDWR | os.O_NOCTTY)
        os.write(terminal, b"early ")
        client = leased(station(), "com2")
        client.unmask(3)
        client.request(out(COM2 + 3, 0x80), out(COM2, 1), out(COM2 + 1, 0), out(COM2 + 3, 3))
        sent = bytes(random.Random(1).randrange(256) for _ in range(300))
        for byte in sent:
            answers = client.request(operation(POLL, COM2 + 5, 1, 60000,
                                               struct.pack("<II", 0x20, 0x20)), out(COM2, byte))
            check("statuses", [status for status, _ in answers], [0, 0])
        check("out", read_all(terminal, len(sent)), sent)
        text = bytes(random.Random(2).randrange(256) for _ in range(300))
        os.write(terminal, text)
        client.request(out(COM2 + 4, 0x0B), out(COM2 + 1, 1))
        check("in", receive_by_interrupts(client, 6 + len(text)), b"early " + text)
        client.release()
        client.close()
        os.close(terminal)
        check("exit status", daemon.end(), 0)
        check("the link is gone", daemon.pty.is_symlink(), False)


def receive_by_interrupts(client, count):
    got = b""
    while len(got) < count:
        line, generation = client.wait_event()
        check("line", line, 3)
        while True:
            cause = client.inp(COM2 + 2)
            if cause & 1:
                break
            got += bytes([client.inp(COM2)])
        client.eoi(line, generation)
    return got


def printer():
    """Strobes, with the status polled; the file has the bytes when the lease has ended."""
    text = b"farbus prints\r\n" * 20
    with Daemon("printer") as daemon:
        client = leased(station(), "lpt1")
        for byte in text:
            answers = client.request(operation(POLL, LPT1 + 1, 1, 60000,
                                               struct.pack("<II", 0x80, 0x80)),
                                     out(LPT1, byte), out(LPT1 + 2, 0x0D), out(LPT1 + 2, 0x0C))
            check("statuses", [status for status, _ in answers], [0, 0, 0, 0])
        client.release()
        client.close()
        check("printed", daemon.printed.read_bytes(), text)


# --- leases, keys, restarts ---


def restart():
    """kill -9 and a new start: another epoch, the old session is told so, nothing runs twice."""
    with Daemon("restart") as daemon:
        client = station()
        server, epoch, name, _ = client.discover()
        check("name", name, "linux-a")
        leased(client, "lpt1")
        client.request(out(LPT1, ord("a")), out(LPT1 + 2, 0x0D), out(LPT1 + 2, 0x0C))
        last = client.last
        daemon.end(signal.SIGKILL)
        daemon.start()
        client.socket.sendto(last, client.remote)  # the same request again
        kind, _, body, _ = client._await(lambda kind, *_: kind == 15,
                                         lambda: client.socket.sendto(last, client.remote))
        check("epoch in the NAK", struct.unpack("<I", body[:4])[0] == epoch, False)
        check("epoch", struct.unpack("<I", body[:4])[0], client.discover()[1])
        check("printed once", daemon.printed.read_bytes(), b"a")
        check("lease", client.lease(server, "lpt1"), 0)
        check("exit status", daemon.end(), 0)
        daemon.log_line("lpt1 taken back from 52:54:00:00:02:01")
        client.close()


def hand_over():
    """One client's end and the next one's beginning, read in one turn: the log tells both."""
    with Daemon("hand-over") as daemon:
        one, two = station(), station(last=2)
        server = one.discover()[0]
        check("lease", one.lease(server, "lpt1"), 0)
        nonce = two.greet(server)
        os.kill(daemon.process.pid, signal.SIGSTOP)
        one.send(RELEASE, sequence=1)
        two.send(AUTH3, nonce + name16("lpt1"))
        os.kill(daemon.process.pid, signal.SIGCONT)
        check("the next lease", two.claim(nonce, "lpt1"), 0)
        daemon.log_line("lpt1 lent to 52:54:00:00:02:02")
        daemon.log_line("lpt1 given back by 52:54:00:00:02:01", 0.1)
        two.close()
        one.close()


def keys():
    """A wrong key gets no answer and is counted; keys with limits have them."""
    limited = bytes(range(100, 132))
    lines = [f"key {KEY.hex()}", f"key {limited.hex()} may com2 read-only"]
    with Daemon("keys", keys=lines) as daemon:
        good, bad, less = station(), station(os.urandom(32), 2), station(limited, 3)
        server, _, _, exports = good.discover()
        check("exports", sorted(exports), ["com2", "ide1", "lpt1"])
        bad.server = server
        bad.send(AUTH1, os.urandom(20))
        try:
            bad.discover(1)
            raise Failure("an offer for a wrong key")
        except Unanswered:
            pass
        daemon.log_line(r"dropped.* tag \d+")
        check("its exports", sorted(less.discover()[3]), ["com2"])
        check("another's export", less.lease(server, "ide1"), 1)
        check("its own", less.lease(server, "com2"), 0)
        check("read", less.inp(COM2 + 5), 0x60)
        check("write", less.out(COM2, 65), 2)
        check("held", good.lease(server, "com2"), 2)
        for client in (good, bad, less):
            client.close()


def reload():
    """SIGHUP: an export that stays keeps its lease, one that is gone is taken back, a new one comes."""
    with Daemon("reload") as daemon:
        stays, goes = leased(station(last=1), "com2"), leased(station(last=2), "lpt1")
        daemon.exports[2] = f"export lpt 0x278 irq 5 file {daemon.printed} name lpt2"
        daemon.write_config()
        daemon.process.send_signal(signal.SIGHUP)
        daemon.log_line("reload: done")
        daemon.log_line("lpt1 taken back from 52:54:00:00:02:02")
        check("still there", stays.inp(COM2 + 5), 0x60)
        check("exports", sorted(station(last=3).discover()[3]), ["com2", "ide1", "lpt2"])
        leased(goes, "lpt2")
        check("its ports", goes.inp(0x279) & 0x10, 0x10)
        daemon.write_config("export uart 0x3e8 irq 4 fax name com3")
        daemon.process.send_signal(signal.SIGHUP)
        daemon.log_line(r"config:\d+: 'fax': expected 'pty LINK'")
        daemon.log_line("reload: nothing is changed")
        check("still there", stays.inp(COM2 + 5), 0x60)
        stays.close()
        goes.close()


def bad_config():
    """One clear line each, and nothing starts."""
    daemon = Daemon("bad-config")
    for line, message in {
            "exprot": r"config:\d+: 'exprot': expected name, interface",
            "export uart 0x2f8 irq 2 pty x name a": "'2': expected an interrupt line, 3 to 15",
            "export uart 0x20000 pty x name a": "'0x20000': expected a first port",
            "export ata 0x1f0 disk x name a": "'0x1f0': expected an ATA channel's two ports",
            "export lpt 0x278 file x": r"end of line: expected 'name NAME'",
            "export lpt 0x278 file x name a b": "'b': expected the end of the line",
            'export lpt 0x278 file "x name a': "expected a second '\"'",
            "key 123": "'key': expected 'file FILE', 64 hexadecimal digits",
            "key insecure": "'key insecure' beside other keys",
            "export lpt 0x378 file x name a": "export a: expected a name, ports and a line that",
            "export ata 0x1f0,0x3f6 disk /dev/null name a": "/dev/null: expected a whole number of 512-byte",
            "user nobody-of-that-name": "expected a user of this machine"}.items():
        daemon.write_config(line)
        status, _, errors = farbus("serve", "-c", daemon.config)
        errors = [e for e in errors.splitlines() if " error: " in e]
        check(f"{line}: status", status, 1)
        check(f"{line}: lines", len(errors), 1)
        if not re.search(message, errors[0]):
            raise Failure(f"{line}: {errors[0]}")


def privileges():
    """What the daemon is once it has opened everything: nobody, who can become nothing else."""
    with Daemon("privileges", more="user nobody") as daemon:
        status = Path(f"/proc/{daemon.process.pid}/status").read_text()
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        check("capabilities", [int(fields[f], 16) for f in ("CapPrm", "CapEff", "CapInh")], [0] * 3)
        check("no new privileges", fields["NoNewPrivs"], "1")
        if os.geteuid() == 0 and Path("/proc/self/uid_map").read_text().split()[2] != "1":
            nobody = str(pwd.getpwnam("nobody").pw_uid)
            check("user", fields["Uid"].split(), [nobody] * 4)
        client = leased(station(), "lpt1")
        check("works", client.inp(LPT1 + 1) & 0x10, 0x10)
        client.close()


def words():
    """--help, the manual page and the completion know the same sub-commands and options."""
    host = Path(__file__).resolve().parent.parent.parent / "host"
    page = (host / "farbus.8").read_text().replace("\\-", "-")
    completion = host / "farbus.bash"
    status, text, _ = farbus("--help")
    commands = re.findall(r"^  (\w+) ", text, re.M)
    check("status", status, 0)
    check("completed", complete(completion, "farbus", ""), sorted([*commands, "--help"]))
    check("in the manual", re.findall(r"^\.SS (\w+)", page, re.M), commands)
    for command in commands:
        status, text, _ = farbus(command, "--help")
        check(f"{command} --help", status, 0)
        options = set(re.findall(r"--\w+", text.split("usage", 1)[1])) | {"--help"}
        check(f"{command} completed", complete(completion, "farbus", command, "--"),
              sorted(options))
        section = page.split(f".SS {command}\n", 1)[1].split("\n.S", 1)[0]
        check(f"{command} in the manual", set(re.findall(r"--\w+", section)),
              options - {"--help"})
        check(f"{command}: what is unknown", farbus(command, "--unheard")[0], 2)
    check("no command", farbus()[0], 2)


def complete(script, *words):
    """What bash offers for the last of the words."""
    line = " ".join(f"'{word}'" for word in words)
    run = subprocess.run(
        ["bash", "-c", f". {script}; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _farbus; "
         'printf "%s\\n" "${COMPREPLY[@]}"'], capture_output=True, text=True, check=True)
    return sorted(run.stdout.split())


# --- running them ---

_CASES = {f.__name__.replace("_", "-"): f
          for f in (discover, disk, uart, printer, restart, hand_over, keys, reload, bad_config,
                    privileges, words)}


def in_namespace(name, script=__file__):
    """Runs `script name` in a network namespace of its own."""
    start = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    probe = subprocess.run(start + ["true"], capture_output=True, text=True)
    if probe.returncode:
        raise Missing(f"no network namespace: {probe.stderr.strip()}")
    reason, there = os.pipe()
    result = subprocess.run(start + [sys.executable, script, name], pass_fds=[there],
                            env={**os.environ, "REASON": str(there)})
    os.close(there)
    with os.fdopen(reason) as text:
        missing = text.read()
    if missing:
        raise Missing(missing)
    if result.returncode:
        raise Failure(f"status {result.returncode}")


def run_case(case):
    """What runs there; that something is missing is told to in_namespace()."""
    try:
        case()
    except Missing as reason:
        os.write(int(os.environ["REASON"]), str(reason).encode())


def segment():
    """The two interfaces, with a cable between them."""
    for command in (f"link add {NEAR} type veth peer name {FAR}", f"link set {NEAR} up",
                    f"link set {FAR} up"):
        subprocess.run(["ip", *command.split()], check=True)


CASES = {name: lambda name=name: in_namespace(name) for name in _CASES}

if __name__ == "__main__":
    segment()
    _CASES[sys.argv[1]]()
