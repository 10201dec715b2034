# SPDX-License-Identifier: BSD-2-Clause
"""Runs the tests, two at a time, those that need real time alone behind them, and says one line
about each.

    run.py [--all] [--only REGEX] [--list] [UNIT TEST PROGRAM ...]

Without --all: the choice that fits a change's check. Each test is a process of its own with its
own time limit and its own log, build/tests/NAME.log; status 77 means it could not run here, with
the reason as its last line.
"""

import argparse
import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "images"))
sys.path.insert(0, str(HERE / "system"))

from paths import BUILD  # noqa: E402

SKIPPED = 77
# Arguments with --all of unit tests that do less without them.
MORE = {"test_fuzz_frames": ["10000000"], "test_fuzz_route": ["10000000"],
        "test_lockstep": ["100000000"], "test_translate": ["100000000"],
        "test_fuzz_dma": ["10000000"], "test_fuzz_serve": ["10000000"]}
AT_ONCE = 2
# Lines of a failed test's log: a message and a screen's lower half, then all that led to it.
LAST, BEFORE = 18, 150
SLOWER = float(os.environ.get("SLOWER") or 1)  # tests/system/pc.py


@dataclass
class Job:
    name: str
    command: list
    seconds: int
    alone: bool = False  # real time has to be kept: nothing else may run


@dataclass
class Outcome:
    verdict: str  # PASS, FAIL or SKIP
    line: str
    more: str = ""  # a failed test's log


def system_jobs(everything):
    import catalogue

    command = [sys.executable, str(HERE / "system" / "catalogue.py")]
    return [Job(test.name, command + [test.name], test.seconds, test.alone)
            for test in catalogue.TESTS if everything or test.quick]


def guest_jobs():
    """The tiny bare-metal guests of tests/guests, under every engine and on every host."""
    listed = subprocess.run([sys.executable, HERE / "guests" / "tiny.py", "list"],
                            stdout=subprocess.PIPE, text=True, check=True)
    jobs = []
    for line in listed.stdout.splitlines():  # NAME SECONDS COMMAND...
        name, seconds, *command = line.split()
        jobs.append(Job(name, command, int(seconds)))
    return jobs


def unit_jobs(programs, everything):
    jobs = []
    for program in map(Path, programs):
        more = MORE.get(program.name, []) if everything else []
        jobs.append(Job("unit/" + program.name, [str(program.absolute())] + more, 900))
    return jobs + [Job(f"unit/{name}", [sys.executable, str(HERE / "unit" / f"{name}.py")], 60)
                   for name in ("tail_calls", "doc_links")]


def run(job):
    log = BUILD / "tests" / (job.name.replace("/", "-") + ".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with open(log, "wb") as output:
        # A session of its own, so that a test that hangs can be ended with all it started.
        process = subprocess.Popen(job.command, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT, start_new_session=True,
                                   cwd=HERE.parent)
        try:
            status = process.wait(job.seconds * SLOWER)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            status = None
    took = time.monotonic() - began
    return judge(job, status, took, log)


def judge(job, status, took, log):
    lines = log.read_text(errors="replace").strip().splitlines()
    last = lines[-1] if lines else ""
    if status == 0:
        counts = f", {last}" if re.match(r"\d+ passed", last) else ""
        return Outcome("PASS", f"PASS {job.name} ({took:.0f} s{counts})")
    if status == SKIPPED:
        return Outcome("SKIP", f"SKIP {job.name}: {last}")
    why = f"no end after {job.seconds * SLOWER:.0f} s" if status is None else f"status {status}"
    return Outcome("FAIL", f"FAIL {job.name} ({took:.0f} s, {why}, {log})", tail(lines))


def tail(lines):
    """A log's last lines, and below them those before: whoever cuts a report cuts its end."""
    said = [f"\n    | {line}" for line in lines if line.strip()]
    last, before = said[-LAST:], said[-LAST - BEFORE:-LAST]
    return "".join(last + (["\n    before that:"] + before if before else []))


def outcomes(jobs):
    """Of each job, as soon as it has ended."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for done in concurrent.futures.as_completed(
                [pool.submit(run, job) for job in jobs if not job.alone]):
            yield done.result()
    yield from (run(job) for job in jobs if job.alone)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("units", nargs="*")
    options = parser.parse_args()

    jobs = unit_jobs(options.units, options.all) + guest_jobs() + system_jobs(options.all)
    jobs = [job for job in jobs if re.search(options.only, job.name)]
    if options.list:
        print("\n".join(job.name for job in jobs))
        return 0
    counts, failed = {"PASS": 0, "FAIL": 0, "SKIP": 0}, []
    for outcome in outcomes(jobs):
        counts[outcome.verdict] += 1
        print(outcome.line + outcome.more, flush=True)
        if outcome.verdict == "FAIL":
            failed.append(outcome.line)
    if failed:  # again: what is between them may be long
        print("Failed:", *failed, sep="\n    ")
    print(f"{counts['PASS']} passed, {counts['FAIL']} failed, {counts['SKIP']} skipped")
    return 1 if counts["FAIL"] or not counts["PASS"] else 0


if __name__ == "__main__":
    sys.exit(main())
