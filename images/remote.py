# SPDX-License-Identifier: BSD-2-Clause
"""Two emulated PCs on one Ethernet segment: a guest on PC A drives devices in PC B.

`make run-remote` calls it; its words are those of `make run`, and BDISK= and BCD= for B's disk and
CD. All that is worth keeping is in build/remote/; docs/remote.md says what.
"""

import secrets
import shutil
import sys

import peer
import run
from hardware import MAC, NIC_IRQ, NIC_PORT, Hardware, Nic
from paths import BUILD, Missing
from relay import Relay
from words import file_word, host_word, window, word

MAC_A, MAC_B = MAC, "52:54:00:fa:00:0b"
NIC_LINE = f"nic ne2000 {NIC_PORT:#x} irq {NIC_IRQ}"
NAME_B = "pc-b"


def network_lines(key):
    """What both sides' configurations have in common. key: 64 digits, or "insecure"."""
    return [NIC_LINE, f"key {key}"]


def peer_lines(key, names=tuple(peer.EXPORTS)):
    return network_lines(key) + [f"peer {NAME_B}"] + peer.exports(names)


def client_lines(key, names=tuple(peer.EXPORTS)):
    return network_lines(key) + peer.routes(NAME_B, names)


def chosen_guest(work):
    """As `make run` does; Debian with the modules for what it will find."""
    if run.guest_name() == "debian":
        return run.guests.find("debian-remote")
    return run.chosen_guest(work)


def main():
    host = host_word()
    out = (BUILD / "remote").absolute()
    shutil.rmtree(out, ignore_errors=True)
    work = out / "a"
    work.mkdir(parents=True)
    guest = chosen_guest(work)
    key = secrets.token_hex(32)
    guest.config = guest.config + client_lines(key)
    relay = Relay(["a", "b"], pcap=out / "segment.pcap" if word("PCAP") else None)
    other = peer.Peer(out, host, Nic(relay.ports["b"].pc_port, MAC_B), peer_lines(key),
                      file_word("BDISK"), file_word("BCD"), window())
    try:
        with relay:
            other.start()
            return run.run_farbus(host, guest, work,
                                  parts=Hardware(nic=Nic(relay.ports["a"].pc_port, MAC_A)))
    finally:
        other.end()
        (out / "relay.txt").write_text(relay.report() + "\n")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Missing as missing:
        sys.exit(f"farbus: {missing}")
    except KeyboardInterrupt:
        sys.exit(130)
