"""Clips of people who do not exist, with labels that are exact because the picture was drawn from them."""

from __future__ import annotations

from vultus.data.synthetic.clips import RenderedClip, rendered_clip

__all__ = ["RenderedClip", "rendered_clip"]
