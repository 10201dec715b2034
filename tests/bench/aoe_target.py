# SPDX-License-Identifier: BSD-2-Clause
"""A disk on an Ethernet segment: an ATA over Ethernet target for reading, by the specification
AoEr11 (https://aoetools.sourceforge.io/)."""

import struct

TYPE = 0x88A2
BROADCAST = b"\xff" * 6
SECTOR = 512

VERSION, RESPONSE, ERROR = 0x10, 0x08, 0x04
COMMAND_ATA, COMMAND_CONFIG = 0, 1
BAD_COMMAND, BAD_ARGUMENT = 1, 2  # the AoE header's error

ATA_READ, ATA_READ_EXT, ATA_IDENTIFY = 0x20, 0x24, 0xEC
ATA_READY, ATA_FAILED, ATA_ABORTED = 0x40, 0x41, 0x04
EXTENDED = 0x40  # of the ATA header's flags: 48-bit addresses

# What a frame of 1500 bytes holds, and how many requests are taken at a time: of 1, 2, 3, 4 and 8
# that with which Debian reads fastest through an NE2000 under Farbus.
FRAME_SECTORS, WINDOW = 2, 3


def identify(sectors):
    """What IDENTIFY DEVICE answers: LBA, 48-bit addresses, no DMA."""
    words = [0] * 256
    words[0] = 0x0040  # fixed
    words[49] = 0x0200  # LBA
    words[60], words[61] = sectors & 0xffff, sectors >> 16
    words[80] = 0x0040  # ATA-6
    words[83] = words[86] = 0x4400  # 48-bit addresses
    words[84] = words[87] = 0x4000
    words[100], words[101] = sectors & 0xffff, sectors >> 16
    data = bytearray(struct.pack("<256H", *words))
    for first, size, text in ((10, 20, "FARBUS0"), (23, 8, "1"), (27, 40, "Farbus AoE target")):
        padded = text.ljust(size).encode()  # two letters in a word, the first in its upper half
        data[2 * first:2 * first + size] = b"".join(
            padded[i + 1:i + 2] + padded[i:i + 1] for i in range(0, size, 2))
    return bytes(data)


class AoeTarget:
    """Shelf 0, slot 0. answer(frame) is the frame to send back, or None."""

    def __init__(self, image, mac):
        self.data = image.read_bytes()
        self.mac = bytes.fromhex(mac.replace(":", ""))
        self.frames = 0  # requests that came

    def answer(self, frame):
        if len(frame) < 24 or frame[:6] not in (self.mac, BROADCAST):
            return None
        kind, flags, _, major, minor, command, tag = struct.unpack_from(">HBBHBB4s", frame, 12)
        if kind != TYPE or flags & RESPONSE or major not in (0, 0xffff) or minor not in (0, 0xff):
            return None
        self.frames += 1
        error = 0
        if command == COMMAND_ATA and len(frame) >= 36:
            body = self.ata(frame[24:])
        elif command == COMMAND_CONFIG and len(frame) >= 32:
            body = self.config(frame[24:])
        else:
            body, error = b"", BAD_COMMAND
        if body is None:
            body, error = b"", BAD_ARGUMENT
        head = struct.pack(">6s6sHBBHBB4s", frame[6:12], self.mac, TYPE,
                           VERSION | RESPONSE | (ERROR if error else 0), error, 0, 0, command, tag)
        return (head + body).ljust(60, b"\0")

    def config(self, body):
        """Query: the configuration string is empty; nothing can set it."""
        if body[5] & 0x0f != 0:
            return None
        return struct.pack(">HHBBH", WINDOW, 1, FRAME_SECTORS, VERSION, 0)

    def ata(self, body):
        flags, _, count, command = body[:4]
        address = int.from_bytes(body[4:10], "little") & (
            (1 << 48) - 1 if flags & EXTENDED else (1 << 28) - 1)
        data = b""
        if command == ATA_IDENTIFY:
            count, data = 1, identify(len(self.data) // SECTOR)
        elif command in (ATA_READ, ATA_READ_EXT) and count <= FRAME_SECTORS:
            data = self.data[address * SECTOR:(address + count) * SECTOR]
        if not data or len(data) != count * SECTOR:
            return bytes([flags, ATA_ABORTED, count, ATA_FAILED]) + body[4:12]
        return bytes([flags, 0, 0, ATA_READY]) + body[4:12] + data
