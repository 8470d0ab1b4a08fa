"""Clips of people who do not exist, with labels that are exact because the picture was drawn from them.

`rendered_clip` gives one clip in memory; `making.synthesize` fills a folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vultus.data.synthetic.clips import RenderedClip, rendered_clip

__all__ = ["RenderedClip", "rendered_clip"]


def __getattr__(name: str) -> Any:
    if name in __all__:  # imported when asked for: the command line reads only the plan's defaults
        from vultus.data.synthetic import clips

        return getattr(clips, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
