"""A talking video of a real photo: scikit-image's public-domain portrait of the astronaut Eileen Collins."""

from importlib.resources import files
from pathlib import Path

from PIL import Image
from skimage.data import astronaut

import vultus

out = Path("out")
out.mkdir(exist_ok=True)
Image.fromarray(astronaut()).save(out / "astronaut.png")
voice = Path(str(files("vultus.assets") / "sample_speech.flac"))

vultus.speak(out / "astronaut.png", voice=voice, output=out / "demo.mp4")
print(f"Look at {out / 'demo.mp4'}")
