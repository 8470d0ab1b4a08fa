"""One person's radiance field, driven by a voice, that speaks and blinks.

After Y. Zhang, H. Yu, W. Liang, S. Zhang, "Audio-Driven Talking Face Generation with Blink Embedding and Hash Grid
Landmarks Encoding". See docs/methods/blink_nerf.md.
"""
