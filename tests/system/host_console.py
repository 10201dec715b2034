# SPDX-License-Identifier: BSD-2-Clause
"""`farbus console` with emulated PCs that offer their console, in a network namespace.

`host_console.py NAME` runs one case there (host_test.py starts it).
"""

import random
import re
import subprocess
import sys
import time

import pexpect
import pyte
from host_pc import MACS, TAPS, segment
from host_test import KEY, NEAR, PROGRAM, check, farbus, in_namespace
from pc import PC, Failure, before_cursor, limit
from protocol import DELAY, OUT, OUTS, POLL, PacketClient, operation

from paths import BUILD
from remote import NIC_LINE

NODE = "pc-a"
VISITOR, READER = bytes(range(100, 132)), bytes(range(150, 182))
CONSOLE_PORTS = 0xFB00
HOT_KEY = "\x1d"
COUNT = "i=100; while [ $i -le 140 ]; do echo $i; i=$((i+1)); done\n"


def key_file(name, key=KEY):
    folder = BUILD / "tests" / "host-console"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(key.hex() + "\n")
    path.chmod(0o600)
    return str(path)


class Viewer:
    """`farbus console` in a terminal."""

    def __init__(self, key, *words, rows=26, columns=80):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.child = pexpect.spawn(str(PROGRAM), ["console", "-i", NEAR, "-k", key, *words, NODE],
                                   dimensions=(rows, columns))
        self.child.delaybeforesend = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.close(force=True)

    def poll(self, seconds=0.1):
        """False: the program has ended."""
        try:
            self.stream.feed(self.child.read_nonblocking(65536, seconds))
        except pexpect.TIMEOUT:
            pass
        except pexpect.EOF:
            return False
        return True

    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    def wait(self, pattern, seconds=60):
        end = limit(seconds)
        running = True
        while not re.search(pattern, self.text(), re.MULTILINE):
            if not running or time.monotonic() > end:
                raise Failure(f"no /{pattern}/; the terminal shows:\n{self.text()}")
            running = self.poll()

    def wait_prompt(self, pattern, seconds=60):
        """Until the cursor stands behind it, which is all of its line."""
        end = limit(seconds)
        while not re.fullmatch(pattern, before_cursor(self.screen)):
            if not self.poll() or time.monotonic() > end:
                raise Failure(f"no prompt /{pattern}/; the terminal shows:\n{self.text()}")

    def type(self, keys):
        self.child.send(keys)

    def status(self, seconds=20):
        """The exit status."""
        end = time.monotonic() + seconds
        while self.poll():
            if time.monotonic() > end:
                raise Failure(f"still there; the terminal shows:\n{self.text()}")
        self.child.wait()
        return self.child.exitstatus


def piped(key, *words, text="", seconds=60):
    """(exit status, standard output, standard error) of `farbus console` without a terminal."""
    run = subprocess.run([PROGRAM, "console", "-i", NEAR, "-k", key, *words, NODE], input=text,
                         capture_output=True, text=True, timeout=seconds)
    return run.returncode, run.stdout, run.stderr


def await_offer(key, seconds=120):
    """Until the PC answers."""
    end = time.monotonic() + seconds
    while NODE not in farbus("discover", "-i", NEAR, "-k", key)[1]:
        if time.monotonic() > end:
            raise Failure(f"{NODE} does not answer")


def pc(case, *lines, guest="dlx"):
    return PC(f"host-console-{case}", GUEST=guest, NIC=f"{TAPS[0]}/{MACS[0]}",
              CONFIG=";".join([NIC_LINE, f"key {KEY.hex()}", *lines]))


def look_around(key, viewer):
    """The monitor and back; another who looks; a third one; pipes; another key."""
    viewer.type(HOT_KEY)
    viewer.wait(r"^Farbus monitor: guest stopped")
    viewer.wait(r"the monitor; Enter ~")
    viewer.type("registers\r")
    viewer.wait(r"^eax [0-9a-f]{8}")
    with Viewer(key, "-e", "none", columns=120) as watcher:
        watcher.wait(r"^Farbus monitor: it is open")
        watcher.wait("somebody else types, you only watch")
        watcher.type("continue\r")
        viewer.type("continue\r")
        for each in (viewer, watcher):
            each.wait(r"^42 from afar")
        status, text, errors = piped(key)
        check("a third one", (status, text), (1, ""))
        check("its message", "pc-a: somebody else has its console" in errors, True)
    status, text, errors = piped(key, "-w")
    check("looking", (status, errors), (0, ""))
    check("what is there", bool(re.search(r"^42 from afar$", text, re.M)), True)
    status, text, errors = piped(key, text="echo no\n")
    check("typing", (status, "somebody else types there" in errors), (1, True))
    status, text, errors = piped(key_file("other", bytes(range(32))))
    check("another key", (status, text), (1, ""))
    check("its message", f"nobody called {NODE} with this key answers on {NEAR}" in errors, True)


def dlx():
    """A login far away, the monitor, who types and who watches, pipes, a small window."""
    key = key_file("dlx")
    lines = (f"offer console as {NODE}", "console none")
    with pc("dlx", *lines):
        await_offer(key)
        viewer = Viewer(key)
        viewer.wait_prompt("dlx login: ", 240)
        viewer.type("root\r")
        viewer.wait_prompt(r"dlx:~# ")
        viewer.type("echo $((6*7)) from afar\r")
        viewer.wait(r"^42 from afar\ndlx:~# *$")
        look_around(key, viewer)
        viewer.type("echo ~~.\r")
        viewer.wait(r"^~~\.\ndlx:~# *$")
        viewer.type("~~.\r")
        viewer.wait(r"bash: ~\.: command not found\ndlx:~# *$")
        viewer.type("echo bye\r~.")
        check("ends", viewer.status(), 0)
        status, text, errors = piped(key, "-q", "3", text=COUNT)
        check("counting", (status, errors), (0, ""))
        check("the last line", bool(re.search(r"^bye$", text, re.M)), True)
        check("its lines", re.findall(r"^1\d\d$", text, re.M), [str(n) for n in range(100, 141)])
        with Viewer(key, rows=10, columns=30) as small:
            small.wait(r"^140\ndlx:~# *$")


def gone():
    """The PC is gone and comes back, while somebody looks through a small window."""
    key = key_file("gone")
    lines = (f"offer console as {NODE}", "console none")
    with pc("gone", *lines):
        await_offer(key)
        small = Viewer(key, rows=10, columns=30)
        small.wait(r"^dlx login:", 240)
    with small:
        small.wait(r"^farbus: pc-a does not answer", 20)
        small.wait(r"^farbus: pc-a is lost", 30)
        with pc("gone-again", *lines):
            small.wait(r"^dlx login:", 240)
        small.type("\r~.")
        check("ends", small.status(), 0)


def peer():
    """The screen of a PC in peer mode, without a serial console."""
    key = key_file("peer")
    with pc("peer", f"peer {NODE}", "export 0x2f8-0x2ff irq 3 name com2", "offer console",
            "console none", f"key {VISITOR.hex()} may screen",
            f"key {READER.hex()} read-only"):
        await_offer(key)
        with Viewer(key) as viewer:
            viewer.wait(rf"Farbus peer {NODE}", 60)
            viewer.wait(r"^console .*fb00-fb1f +15")
            viewer.wait(r"^com2 +UART +2f8-2ff +3")
            viewer.type("\r~.")
            check("ends", viewer.status(), 0)
        status, text, errors = piped(key, "-w")
        check("looking", (status, errors, f"Farbus peer {NODE}" in text), (0, "", True))
        with Viewer(key_file("visitor", VISITOR)) as viewer:
            viewer.wait(rf"Farbus peer {NODE}")
            viewer.wait(r"^pc-a, you only watch; Enter ~")
        status, text, errors = piped(key_file("reader", READER), text="x")
        check("reading", (status, "with this key it can only be watched" in errors), (1, True))


def far_station():
    """A client on a cable of its own to the bridge: one on the bridge would hear its own alone."""
    for words in ("link add fbv type veth peer name fbw", f"link set fbw master {NEAR}",
                  "link set fbv up", "link set fbw up"):
        subprocess.run(["ip", *words.split()], check=True)
    return PacketClient("fbv", bytes.fromhex("525400000201"), KEY)


def any_operations(client, rng, count):
    """Requests of any operation to the console's ports and beside them, each answered."""
    for _ in range(count):
        code, width = rng.randint(1, 20), rng.choice((1, 2, 4))
        elements = rng.randint(0, 9 if code in (POLL, DELAY) else 300)
        client.request(operation(code, CONSOLE_PORTS - 4 + rng.randint(0, 0x48), width, elements,
                                 bytes(request_bytes(code, width, elements))))


def request_bytes(code, width, elements):
    """What the data of that operation takes in a request."""
    return {OUT: width, OUTS: width * elements, POLL: 8, 8: width * elements, 10: width, 14: 8,
            15: 4 + elements, 20: elements}.get(code, 0)


def damaged(client, rng, count):
    """Frames that were right once, with some bytes wrong: with a bad tag, or none at all."""
    good = []
    for _ in range(20):
        client.inp(CONSOLE_PORTS + 4, 4)
        good.append(client.last)
    for _ in range(count):
        frame = bytearray(rng.choice(good))
        for _ in range(rng.randint(1, 4)):
            frame[rng.randrange(12, len(frame))] = rng.randrange(256)
        client.socket.sendto(bytes(frame), client.remote)
        if rng.random() < 0.1:  # the card takes no more at once
            client.inp(CONSOLE_PORTS, 4)


def hostile():
    """Whatever a holder of the lease asks, and damaged frames: the guest boots, the console works."""
    key, rng = key_file("hostile"), random.Random(7)
    with pc("hostile", f"offer console as {NODE}", "console none") as a:
        await_offer(key)
        client = far_station()
        server, _, _, exports = client.discover(10)
        check("offered", sorted(exports), ["console", "screen"])
        check("ports", exports["console"][3], [(CONSOLE_PORTS, CONSOLE_PORTS + 0x1F)])
        check("lease", client.lease(server, "console"), 0)
        check("identification", client.inp(CONSOLE_PORTS, 4), 0x31534246)
        any_operations(client, rng, 1000)
        damaged(client, rng, 1000)
        client.release()
        client.close()
        with Viewer(key) as viewer:
            viewer.type("\r")  # behind zeros that were typed, perhaps at the loader's prompt
            viewer.wait("dlx login:", 240)
            viewer.type("\rroot\r")
            viewer.wait(r"^dlx:~# *$")
        if "panic" in a.log():
            raise Failure(a.log())


_CASES = {"dlx": dlx, "gone": gone, "hostile": hostile, "peer": peer}
QUICK = ("dlx", "hostile", "peer")
CASES = {name: lambda name=name: in_namespace(name, __file__) for name in _CASES}

if __name__ == "__main__":
    segment()
    _CASES[sys.argv[1]]()
