"""Clips of people who do not exist, with labels that are exact because the picture was drawn from them."""

from __future__ import annotations

from vultus.data.synthetic.clips import RenderedClip, rendered_clip
from vultus.data.synthetic.making import Report, synthesize
from vultus.data.synthetic.plan import SynthesisOptions

__all__ = ["RenderedClip", "Report", "SynthesisOptions", "rendered_clip", "synthesize"]
