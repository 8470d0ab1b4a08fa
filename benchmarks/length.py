"""Does `vultus speak` keep up with the voice, and does its memory stay flat? The command line, started cold.

python -m benchmarks.length [MINUTES ...]           (1 and 10 unless named)
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from benchmarks.material import portraits
from benchmarks.voices import write_long_voice

MINUTES = (1.0, 10.0)


def speak_cold(portrait: Path, voice: Path, output: Path) -> tuple[float, float, float]:
    """Wall-clock seconds, processor seconds and peak resident megabytes of one `vultus speak`, 512 px at 25 fps."""
    vultus = Path(sys.executable).with_name("vultus")
    command = [vultus, "speak", portrait, "--voice", voice, "-o", output, "--crop", "face", "--size", "512"]
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"vultus speak failed with status {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    minutes = [float(argument) for argument in sys.argv[1:]] or MINUTES
    print(f"{'voice':>8}{'wall-clock':>12}{'of the voice':>14}{'processor':>12}{'peak memory':>14}{'file':>10}")
    with tempfile.TemporaryDirectory() as folder:
        portrait, voice, output = (Path(folder) / name for name in ("portrait.png", "voice.wav", "out.mp4"))
        Image.fromarray(next(iter(portraits(()).values()))).save(portrait)
        for length in minutes:
            write_long_voice(voice, 60 * length)
            wall_s, work_s, peak_mb = speak_cold(portrait, voice, output)
            times = f"{60 * length:6.0f} s{wall_s:10.1f} s{wall_s / (60 * length):14.0%}{work_s:10.1f} s"
            print(f"{times}{peak_mb:11.0f} MB{output.stat().st_size / 2**20:7.1f} MB", flush=True)


if __name__ == "__main__":
    main()
