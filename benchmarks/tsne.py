"""t-SNE (van der Maaten and Hinton 2008), exact, for some hundreds of points."""

from __future__ import annotations

import numpy as np

STEPS, EARLY_STEPS, EARLY = 600, 150, 4.0
"""Of gradient descent; in the early ones similarities are `EARLY` times as strong."""
_TINY = 1e-12


def similarities(points: np.ndarray, perplexity: float) -> np.ndarray:
    """P (N, N) of points (N, D): symmetric, of sum 1, each row's bandwidth found so that its perplexity is as asked."""
    squared = ((points[:, None].astype(np.float64) - points[None]) ** 2).sum(-1)
    count = len(points)
    found = np.zeros((count, count))
    for k in range(count):
        others = np.delete(squared[k], k)
        others = others - others.min()
        low, high = -30.0, 30.0
        for _ in range(60):  # bisection of the bandwidth's logarithm
            beta = np.exp((low + high) / 2)
            share = np.exp(-beta * others)
            share /= share.sum()
            entropy = -(share * np.log(share + _TINY)).sum()
            low, high = ((low + high) / 2, high) if entropy > np.log(perplexity) else (low, (low + high) / 2)
        found[k] = np.insert(share, k, 0.0)
    return np.asarray((found + found.T) / (2 * count))


def tsne(points: np.ndarray, perplexity: float = 10.0, seed: int = 0) -> np.ndarray:
    """Points (N, D) as (N, 2). Raises ValueError for fewer than three times as many as the perplexity."""
    count = len(points)
    if count < 3 * perplexity:
        raise ValueError(f"{count} points are too few for a perplexity of {perplexity:g}")
    wanted = similarities(points, perplexity)
    placed = np.random.default_rng(seed).normal(0, 1e-2, (count, 2))
    speed, gain = np.zeros_like(placed), np.ones_like(placed)
    rate = max(count / EARLY / 4, 10.0)
    for step in range(STEPS):
        early = step < EARLY_STEPS
        apart = placed[:, None] - placed[None]
        near = 1 / (1 + (apart**2).sum(-1))
        np.fill_diagonal(near, 0)
        pull = (wanted * (EARLY if early else 1.0) - near / near.sum()) * near
        slope = 4 * (pull[..., None] * apart).sum(1)
        gain = np.maximum(np.where(np.sign(slope) != np.sign(speed), gain + 0.2, gain * 0.8), 0.01)
        speed = (0.5 if early else 0.8) * speed - rate * gain * slope
        placed = placed + speed
        placed -= placed.mean(0)
    return placed
