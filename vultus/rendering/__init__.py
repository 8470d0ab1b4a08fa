"""Turning geometry and pixels into frames: rasteriser, portrait renderer and its parts."""
