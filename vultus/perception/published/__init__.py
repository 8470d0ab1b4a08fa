"""Networks that others trained and published, read from their official files: what the papers measure with.

```
from vultus.perception import published

published.Vgg19.load().embed(pictures, "relu3_4")        # pictures (N, H, W, 3) uint8 RGB -> (N, 256, H / 4, W / 4)
published.Lpips.load().distance(a, b)                    # pictures -> (N,)
published.InceptionV3.load().embed(pictures)             # pictures -> (N, 2048)
published.SyncNetV2.load().embed_clip(faces, waveform)   # 25 fps, 16 kHz -> lips and sound, (n, 1024) each
published.ClipViTB32.load().embed_pictures(pictures)     # -> (N, 512); .embed_texts(texts) -> (N, 512)
published.ArcFace.load().embed(faces)                    # aligned to 112 px -> (N, 512); also CurricularFace
published.EmoNet.load().probabilities(faces)             # -> (N, 8) in the order of core.controls.EMOTIONS
```

`load(path=None)` reads a file of the user's or the one that `vultus weights fetch NAME` put into the store (`store`);
it raises MissingPartError where it was never fetched, InputError where a file is not exactly of the official format.
Nothing in a file is ever executed. Called themselves, as torch modules, the networks take tensors in [0, 1] and let
gradients through to them; their own weights are frozen. wav2vec2 lives in `perception.wav2vec2`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from vultus.core.weights import require_torch

if TYPE_CHECKING:
    from vultus.perception.published.alexnet import AlexNet
    from vultus.perception.published.arcface import ArcFace, CurricularFace
    from vultus.perception.published.clip import ClipViTB32
    from vultus.perception.published.emonet import EmoNet
    from vultus.perception.published.inception import InceptionV3
    from vultus.perception.published.lpips import Lpips
    from vultus.perception.published.syncnet import SyncNetV2
    from vultus.perception.published.vgg import Vgg19

__all__ = [
    "AlexNet",
    "ArcFace",
    "ClipViTB32",
    "CurricularFace",
    "EmoNet",
    "InceptionV3",
    "Lpips",
    "SyncNetV2",
    "Vgg19",
]

_MODULES = {
    "AlexNet": "alexnet",
    "ArcFace": "arcface",
    "ClipViTB32": "clip",
    "CurricularFace": "arcface",
    "EmoNet": "emonet",
    "InceptionV3": "inception",
    "Lpips": "lpips",
    "SyncNetV2": "syncnet",
    "Vgg19": "vgg",
}


def __getattr__(name: str) -> Any:
    """Import a network when it is first asked for. Raises MissingPartError where torch is not installed."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require_torch(name)
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
