# SPDX-License-Identifier: BSD-2-Clause
"""Guests on PC A drive devices of PC B; two emulated PCs and the relay between them."""

import remote_debian
import remote_dlx
import remote_freedos
from remote_pair import Pair, SameInterrupts, Shell

# Bochs carries out about a tenth of the instructions that QEMU does in a second.
BOCHS_SLOWER = 10


def slower(hosts):
    return BOCHS_SLOWER if "bochs" in hosts else 1


def dlx(hosts, size):
    """DLX: disk and UART (size bytes out)."""
    with Pair(f"remote-dlx-{'-'.join(hosts)}", hosts, "dlx", ("ide1", "com2")) as pair:
        pair.start()
        shell = Shell(pair, slower=slower(hosts))
        remote_dlx.log_in(shell)
        remote_dlx.disk(shell, pair.peer)
        remote_dlx.uart_out(shell, pair.peer, size)
        remote_dlx.uart_in(shell, pair.peer)


def freedos(hosts):
    """FreeDOS: UART both ways and the printer."""
    with Pair(f"remote-freedos-{'-'.join(hosts)}", hosts, "freedos", ("com2", "lpt1"),
              FLOPPY=remote_freedos.floppy()) as pair:
        pair.start()
        shell = Shell(pair, slower=slower(hosts))
        remote_freedos.log_in(shell)
        text = remote_freedos.make_text(shell)
        remote_freedos.uart_out(shell, pair.peer, text)
        remote_freedos.printer(shell, pair.peer, text)
        remote_freedos.uart_in(shell, pair.peer)


def debian(hosts, size, whole_disk):
    """Debian: everything, `size` bytes each way through the UART."""
    with Pair(f"remote-debian-{'-'.join(hosts)}", hosts) as pair:
        pair.start()
        shell, far = Shell(pair, slower=slower(hosts)), pair.peer
        remote_debian.log_in(shell)

        def same(export, line):
            return SameInterrupts(pair, export, lambda: remote_debian.interrupts(shell, line))

        with same("ide1", 15):
            if whole_disk:
                remote_debian.disk_checksum(shell, far)
            remote_debian.disk_write(shell, far)
            remote_debian.cd(shell, far)
        remote_debian.uart_out(shell, far, size)
        remote_debian.uart_in(shell, far, size)
        with same("lpt1", 7):
            remote_debian.printer(shell, far)
        with same("sb16", 5):
            remote_debian.sound(shell, far)


HOSTS = {"qemu": ("qemu", "qemu"), "bochs": ("bochs", "bochs"), "qemu-bochs": ("qemu", "bochs"),
         "bochs-qemu": ("bochs", "qemu")}
SOME, MEGABYTE = 32 << 10, 1 << 20

CASES = {
    **{f"dlx-{name}": (lambda hosts=hosts: dlx(hosts, SOME), 900 * slower(hosts))
       for name, hosts in HOSTS.items()},
    "dlx-megabyte": (lambda: dlx(HOSTS["qemu"], MEGABYTE), 1800),
    **{f"freedos-{name}": (lambda hosts=hosts: freedos(hosts), 600 * slower(hosts))
       for name, hosts in HOSTS.items()},
    "debian": (lambda: debian(HOSTS["qemu"], SOME, False), 1800),
    "debian-megabyte": (lambda: debian(HOSTS["qemu"], MEGABYTE, True), 3600),
}
QUICK = {"dlx-qemu", "freedos-qemu"}
