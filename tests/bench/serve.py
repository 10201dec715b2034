# SPDX-License-Identifier: BSD-2-Clause
"""Operations per second and MB/s through `farbus serve`, against an echo on a bare packet socket.

Both on a pair of virtual interfaces in a network namespace, with frames of the same sizes, with one
request under way and with as many as the protocol allows. What else this machine does slows both,
so the two are measured in turn, and of each the fastest round counts.
"""

import random
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "system"), str(HERE.parent.parent / "images")]

from host_test import FAR, NEAR, Daemon, in_namespace, segment  # noqa: E402
from pc import Failure  # noqa: E402
from paths import BUILD, Missing  # noqa: E402

LOAD = BUILD / "bench" / "serve_load"
ROUNDS = 9
AIM = 0.7
WINDOW = 8  # of the protocol
DISK = 8 << 20
PIECE = 512  # bytes of the disk in a request, as serve_load.c has it
# Frames of the request and of its answer: SNAP header, header, operation, data, tag.
IN_FRAMES = (60, 62)
DISK_FRAMES = (60, 58 + PIECE)


def load(*words):
    run = subprocess.run([LOAD, *map(str, words)], stdout=subprocess.PIPE, text=True)
    if run.returncode:
        raise Failure(f"serve_load {' '.join(map(str, words))}: status {run.returncode}")
    return float(run.stdout)


def echo(mac, window, frames):
    """Its other end is there for as long as it takes: it would look at the daemon's frames, too."""
    with subprocess.Popen([LOAD, "echo-server", NEAR], stdout=subprocess.PIPE) as server:
        try:
            server.stdout.readline()
            return load("echo", FAR, mac, window, *frames)
        finally:
            server.kill()


def address():
    text = subprocess.run(["ip", "link", "show", NEAR], capture_output=True, text=True,
                          check=True).stdout
    return re.search(r"link/ether (\S+)", text).group(1)


def compare(what, unit, scale, serve, echo):
    """The fastest of both, measured in turn."""
    rounds = [(serve(), echo()) for _ in range(ROUNDS)]
    ours, bare = (max(each) * scale for each in zip(*rounds))
    print(f"{what}: {ours:.{unit[1]}f} {unit[0]} through serve, {bare:.{unit[1]}f} echoed: "
          f"{ours / bare:.2f} (aim {AIM})", flush=True)


def main():
    with Daemon("bench") as daemon:
        mac = address()
        image = daemon.folder / "large.img"
        image.write_bytes(random.Random(1).randbytes(DISK))
        daemon.exports[0] = f"export ata 0x170,0x376 irq 15 disk {image} name ide1"
        daemon.end()
        daemon.write_config()
        daemon.start()
        for window in (1, WINDOW):
            under_way = f"{window} under way"
            compare(f"IN, {under_way}", ("operations/s", 0), 1,
                    lambda: load("in", FAR, mac, daemon.key, "com2", window, 0x2FD),
                    lambda: echo(mac, window, IN_FRAMES))
            compare(f"Disk, {under_way}", ("MB/s", 1), 1e-6,
                    lambda: load("disk", FAR, mac, daemon.key, "ide1", window, image),
                    lambda: PIECE * echo(mac, window, DISK_FRAMES))


if __name__ == "__main__":
    try:
        if sys.argv[1:]:
            segment()
            main()
        else:
            in_namespace("inside", __file__)
    except (Failure, Missing) as failure:
        sys.exit(f"bench: {failure}")
