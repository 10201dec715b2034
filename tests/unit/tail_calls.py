# SPDX-License-Identifier: BSD-2-Clause
"""No instruction handler of the interpreter calls the next one: all leave by a jump.

The handlers rely on the compiler making a jump of their last call. Where it does not (a variable
that lives in memory is enough), each such instruction of the guest takes some stack, until a loop
of them has taken all of it. No test with short loops notices.
"""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "images"))

from paths import BUILD  # noqa: E402

# EDI holds the current instruction (cpu/interp/ops.h), and the instruction its handler.
DISPATCH = re.compile(r"\b(jmp|call)\s+\*(0x[0-9a-f]+)?\(%edi\)$")


def dispatches(objects):
    """(function, jmp or call) of each way from one handler to the next."""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", *objects], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    function = None
    for line in text.splitlines():
        if line.endswith(">:"):
            function = line.split("<")[1][:-2]
        found = DISPATCH.search(line)
        if found:
            yield function, found.group(1)


def main():
    objects = sorted((BUILD / "kernel" / "cpu" / "interp").glob("op_*.o"))
    if not objects:
        sys.exit("no objects of the interpreter's handlers: make first")
    found = list(dispatches(objects))
    jumps = sum(kind == "jmp" for _, kind in found)
    calls = sorted({function for function, kind in found if kind == "call"})
    if calls:
        sys.exit("handlers that call the next one: " + ", ".join(calls))
    if jumps < 100:
        sys.exit(f"only {jumps} jumps from handler to handler: does this test still know them?")
    print(f"{jumps} passed, 0 failed")


if __name__ == "__main__":
    main()
