# SPDX-License-Identifier: BSD-2-Clause
"""The VGA that is passed through: the guest's frame buffer is the real one."""

from bad_input_test import boot_floppy
from pc import PC, Failure
from picture import Picture

COLOR = bytes((0xa8, 0, 0))  # the palette has six bits a colour: AAh is 42, and QEMU shows 42 * 4


def frame_buffer(host):
    with PC(f"frame-buffer-{host}", host=host, FLOPPY=boot_floppy("frame_buffer")) as pc:
        pc.wait(r"\[graphics mode 640x480, 8 bits\]", 600)
        pc.settle(3, 10)
        if host == "qemu":
            target = pc.work / "screen.ppm"
            pc.screendump(target)
            picture = Picture.read(target)
            if (picture.width, picture.height) != (640, 480):
                raise Failure(f"the screen is {picture.width}x{picture.height}")
            if picture.pixels != COLOR * (640 * 480):
                raise Failure(f"the screen is not the colour that was written; see {target}")
        pc.type(" ")
        pc.wait(r"^frame buffer holds", 300)
