"""The blocks of Wav2Lip's skeleton, which generator and sync expert are made of."""

from __future__ import annotations

from torch import Tensor, nn

Pair = int | tuple[int, int]


class Block(nn.Module):
    """Convolution, batch normalisation, ReLU; with `residual` its input is added before the last."""

    def __init__(
        self, wide_in: int, wide: int, kernel: Pair = 3, stride: Pair = 1, padding: Pair = 1, residual: bool = False
    ) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(wide_in, wide, kernel, stride, padding), nn.BatchNorm2d(wide))
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """(N, wide_in, H, W) to (N, wide, H', W')."""
        y = self.body(x)
        return (y + x if self.residual else y).relu()


class Up(nn.Module):
    """Transposed convolution, batch normalisation, ReLU: twice the size, or from one pixel to `kernel` of them."""

    def __init__(self, wide_in: int, wide: int, kernel: int = 3, from_one: bool = False) -> None:
        super().__init__()
        grow = (
            nn.ConvTranspose2d(wide_in, wide, kernel)
            if from_one
            else nn.ConvTranspose2d(wide_in, wide, kernel, 2, 1, output_padding=1)
        )
        self.body = nn.Sequential(grow, nn.BatchNorm2d(wide))

    def forward(self, x: Tensor) -> Tensor:
        """(N, wide_in, H, W) to (N, wide, 2 H, 2 W), or from (N, wide_in, 1, 1) to (N, wide, kernel, kernel)."""
        return self.body(x).relu()


def residuals(wide: int, count: int) -> list[nn.Module]:
    """So many residual blocks."""
    return [Block(wide, wide, residual=True) for _ in range(count)]


class SpeechEncoder(nn.Module):
    """A mel picture (N, 1, 80, 16) to an embedding (N, embedding, 1, 1)."""

    def __init__(self, widths: tuple[int, ...], blocks: tuple[int, ...], embedding: int) -> None:
        super().__init__()
        strides: tuple[Pair, ...] = (1, (3, 1), 3, (3, 2))
        layers: list[nn.Module] = []
        before = 1
        for wide, stride, count in zip(widths, strides, blocks, strict=True):
            layers += [Block(before, wide, stride=stride), *residuals(wide, count)]
            before = wide
        layers += [Block(before, embedding, padding=0), Block(embedding, embedding, kernel=1, padding=0)]
        self.layers = nn.Sequential(*layers)

    def forward(self, mel: Tensor) -> Tensor:
        """See the class."""
        return self.layers(mel)
