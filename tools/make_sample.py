"""Make the sample voice that is shipped with vultus: `python tools/make_sample.py` (needs the program `flite`).

Writes `vultus/assets/sample_speech.flac` and its card. The text is chosen to show lips: closures, tucks, rounding,
wide vowels and a pause.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

TEXT = (
    "Hello! My name is Vultus. I turn one photo and a voice into a talking face. "
    "Watch my lips: paper, movie, five thumbs, two blue shoes."
)
VOICE = "slt"
STRETCH = 0.98
LEAD_S, TAIL_S = 0.2, 0.6
PEAK = 0.7

ASSETS = Path(__file__).resolve().parents[1] / "vultus" / "assets"


def main() -> None:
    flite = shutil.which("flite")
    if flite is None:
        sys.exit("make_sample: flite is not installed; install the package flite (Debian, Ubuntu) or build it.")
    with tempfile.TemporaryDirectory() as folder:
        spoken = Path(folder) / "spoken.wav"
        command = [flite, "-voice", VOICE, "--setf", f"duration_stretch={STRETCH}", "-t", TEXT, "-o", str(spoken)]
        subprocess.run(command, check=True)
        samples, rate = soundfile.read(spoken, dtype="float64")
    samples *= PEAK / np.abs(samples).max()
    samples = np.concatenate([np.zeros(round(LEAD_S * rate)), samples, np.zeros(round(TAIL_S * rate))])
    soundfile.write(ASSETS / "sample_speech.flac", samples, rate, subtype="PCM_16")
    card = {
        "name": "sample_speech",
        "what": "a few seconds of clear synthetic English, 16 kHz mono",
        "text": TEXT,
        "made_by": f"tools/make_sample.py: flite 2, voice cmu_us_{VOICE}, duration_stretch {STRETCH}",
        "duration_s": round(len(samples) / rate, 2),
        "licence": "the recording: Apache-2.0, as vultus itself; flite and its voice: BSD-like "
        "(Carnegie Mellon University), which puts no terms on speech made with them",
        "synthetic": True,
    }
    (ASSETS / "sample_speech.json").write_text(json.dumps(card, indent=2) + "\n")


if __name__ == "__main__":
    main()
