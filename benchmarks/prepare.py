"""`vultus prepare`: how fast, how large, and whether a run killed again and again ends in the same lists.

    python -m benchmarks.prepare [RAW] [--kills 10] [--workers 2]

RAW is a folder of videos (../shared/data/real unless given). Processor time counts all processes; "x real time on two
cores" is video seconds over half of it, which is what two cores that do nothing else take.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.material import SHARED
from vultus.data.manifest import FAILED_FILE, MANIFEST_FILE, PARTIAL_FOLDER

CORES = 2


def start(raw: Path, out: Path, workers: int) -> subprocess.Popen[bytes]:
    """A run of the command in a process of its own."""
    command = [sys.executable, "-m", "vultus", "prepare", "video", str(raw), str(out), "--workers", str(workers)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def measured_run(raw: Path, out: Path, workers: int) -> tuple[float, float]:
    """Prepare all; seconds by the clock and of processor time, worker processes included."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    start(raw, out, workers).wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - began, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def killed_runs(raw: Path, out: Path, workers: int, kills: int, within_s: float) -> list[float]:
    """Kill as many runs with SIGKILL, each after a random while, then let one end; the seconds each was given."""
    chance = random.Random(0)
    given = []
    for _ in range(kills):
        process = start(raw, out, workers)
        given.append(chance.uniform(0.5, within_s))
        time.sleep(given[-1])
        process.send_signal(signal.SIGKILL)
        process.wait()
    start(raw, out, workers).wait()
    return given


def lists(out: Path) -> tuple[bytes, bytes]:
    """The bytes of both lists."""
    return (out / MANIFEST_FILE).read_bytes(), (out / FAILED_FILE).read_bytes()


def report_speed(out: Path, wall_s: float, cpu_s: float) -> None:
    """Print what a run took and left."""
    rows = [json.loads(line) for line in lists(out)[0].splitlines()]
    video_s = sum(row["duration_s"] for row in rows)
    size_mb = sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 1e6
    print(f"{len(rows)} clips, {video_s:.0f} s of video: {wall_s:.0f} s by the clock, {cpu_s:.0f} s of processor time")
    print(f"{CORES * video_s / cpu_s:.1f} x real time on two cores; {60 * size_mb / video_s:.1f} MB a minute")
    for line in lists(out)[1].splitlines():
        failure = json.loads(line)
        print(f"  failed: {failure['name']}: {failure['reason']}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("raw", nargs="?", type=Path, default=SHARED)
    options.add_argument("--kills", type=int, default=10)
    options.add_argument("--workers", type=int, default=CORES)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="vultus-") as folder:
        whole, killed = Path(folder, "whole"), Path(folder, "killed")
        wall_s, cpu_s = measured_run(chosen.raw, whole, chosen.workers)
        report_speed(whole, wall_s, cpu_s)
        given = killed_runs(chosen.raw, killed, chosen.workers, chosen.kills, wall_s / 5)
        print(f"killed {len(given)} times after {', '.join(f'{seconds:.0f}' for seconds in given)} s")
        print(f"lists identical: {lists(whole) == lists(killed)}; rest left: {(killed / PARTIAL_FOLDER).exists()}")


if __name__ == "__main__":
    main()
