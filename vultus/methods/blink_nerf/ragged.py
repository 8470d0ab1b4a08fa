"""Samples of many frames at once: rays of one frame meet more of the head than those of another."""

from __future__ import annotations

import torch
from torch import Tensor


def side_by_side(rows: Tensor, each: Tensor, frames: int) -> tuple[Tensor, Tensor]:
    """Rows (M, D) that belong to frames `each` (M,), ascending -> (frames, most of a frame, D), and where each is (M,).

    Row m is found at [each[m], where[m]]; what is left over is 0.
    """
    count = torch.bincount(each, minlength=frames)
    where = torch.arange(len(each), device=each.device) - (count.cumsum(0) - count)[each]
    padded = rows.new_zeros(frames, int(count.max()) if len(each) else 0, rows.shape[1])
    padded[each, where] = rows
    return padded, where
