"""vultus: a voice and one photo in, a talking video out.

import vultus
vultus.speak("photo.jpg", voice="voice.wav", output="out.mp4", emotion="happy")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vultus.animate import open_portrait, render, speak, speak_text, track
    from vultus.compare import evaluate
    from vultus.dubbing import dub
    from vultus.learn import train
    from vultus.rigging import rig, rig_folder

__all__ = ["dub", "evaluate", "open_portrait", "render", "rig", "rig_folder", "speak", "speak_text", "track", "train"]

_ROOMS = {"train": "learn", "evaluate": "compare", "dub": "dubbing", "rig": "rigging", "rig_folder": "rigging"}
"""Where a main path is, if not in `vultus.animate`."""


def __getattr__(name: str) -> Any:
    """Import the main paths when they are first used: `import vultus` itself costs nothing."""
    if name in __all__:
        import importlib

        return getattr(importlib.import_module(f"vultus.{_ROOMS.get(name, 'animate')}"), name)
    raise AttributeError(f"module 'vultus' has no attribute {name!r}")
