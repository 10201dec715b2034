# SPDX-License-Identifier: BSD-2-Clause
"""memtest86+ finds the guest's 16 MB without a fault: one whole pass."""

from pc import PC, Failure

# A pass takes half an hour of the guest's time in Bochs, and that is slow time on a busy machine.
SECONDS = {"qemu": 7000, "bochs": 14000}


def one_pass(host):
    with PC(f"memtest-{host}", host=host, GUEST="memtest", RAM="16M") as pc:
        pc.wait(r"Memtest86\+ v6", 120)
        found = pc.wait(r"Pass: +[1-9]\d* +Errors: +(\d+)", SECONDS[host])
        if found.group(1) != "0":
            raise Failure(f"memtest86+ found errors:\n{pc.text()}")
