"""vultus: a voice and one photo in, a talking video out.

import vultus
vultus.speak("photo.jpg", voice="voice.wav", output="out.mp4", emotion="happy")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vultus.animate import open_portrait, render, speak, speak_text, track
    from vultus.compare import evaluate
    from vultus.learn import train

__all__ = ["evaluate", "open_portrait", "render", "speak", "speak_text", "track", "train"]


def __getattr__(name: str) -> Any:
    """Import the main paths when they are first used: `import vultus` itself costs nothing."""
    if name in __all__:
        from vultus import animate, compare, learn

        return getattr({"train": learn, "evaluate": compare}.get(name, animate), name)
    raise AttributeError(f"module 'vultus' has no attribute {name!r}")
