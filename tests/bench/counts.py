# SPDX-License-Identifier: BSD-2-Clause
"""Round trips and frames over remote routes, by profile and strict.

Counted in virtual time by unit tests (tests/unit/net/test_counts_*.c), which also assert the
limits: the numbers are the same on every machine. The programs are the arguments.
"""

import subprocess
import sys


def show(programs):
    print("Remote routes: accesses that wait for the peer (trips), and frames", flush=True)
    for program in programs:
        run = subprocess.run([program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        # Lines in brackets are the test framework's.
        print("".join(line for line in run.stdout.splitlines(True)
                      if run.returncode or not line.startswith("[")), flush=True)
        if run.returncode:
            sys.exit(f"bench: {program}: a limit is exceeded")


if __name__ == "__main__":
    show(sys.argv[1:])
