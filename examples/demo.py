"""Make scikit-image's astronaut (NASA, public domain) speak: out/demo.mp4."""

from __future__ import annotations

import time
from pathlib import Path

from skimage.data import astronaut

import vultus

VOICE = Path(vultus.__file__).parent / "assets" / "sample_speech.flac"


def main() -> None:
    out = Path("out")
    out.mkdir(exist_ok=True)
    began = time.monotonic()
    written = vultus.speak(astronaut(), voice=VOICE, output=out / "demo.mp4", emotion="0:neutral 4.2:happy@2")
    print(f"{written}: made in {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
