"""A toy method of two stages, and a program that trains it and may be killed: `toy.py OUT DEVICES KILL_AT WHERE`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vultus.training import checkpoint
from vultus.training.loop import LoopConfig, train
from vultus.training.stage import Run, Share, Stage, shuffled

BATCH, SAMPLES = 16, 72


@dataclass(frozen=True)
class ToyConfig:
    """Everything a toy is made of."""

    hidden: int = 8
    lr: float = 0.02
    dropout: float = 0.1
    steps: int = 30


@dataclass(frozen=True)
class Method:
    """The modules two stages share."""

    encoder: nn.Module
    decoder: nn.Module


class Regression:
    """Learns y = |x| with dropout (random numbers), momentum (optimizer's state) and a schedule (stage's state)."""

    needs: tuple[str, ...] = ()

    def __init__(self, name: str, learns: nn.Module, method: Method, config: ToyConfig) -> None:
        self.name, self.steps, self.learns, self.method, self.config = name, config.steps, learns, method, config
        data = torch.Generator().manual_seed(5)
        self.x = torch.randn(SAMPLES, 3, generator=data)
        self.y = self.x.abs()

    def modules(self) -> Mapping[str, nn.Module]:
        for module in (self.method.encoder, self.method.decoder):
            module.requires_grad_(module is self.learns or self.name == "coarse")
        return {"encoder": self.method.encoder, "decoder": self.method.decoder}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        learning = [p for m in (self.method.encoder, self.method.decoder) for p in m.parameters() if p.requires_grad]
        optimizer = torch.optim.Adam(learning, self.config.lr)
        self.schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.98)
        return {"all": optimizer}

    def batches(self, start: int, share: Share) -> Iterator[torch.Tensor]:
        for chosen in shuffled(SAMPLES, BATCH, 7, start, share):
            yield torch.from_numpy(chosen)

    def loss(self, chosen: torch.Tensor | slice, run: Run) -> torch.Tensor:
        return nn.functional.mse_loss(run.modules["decoder"](run.modules["encoder"](self.x[chosen])), self.y[chosen])

    def step(self, batch: torch.Tensor, run: Run) -> Mapping[str, torch.Tensor]:
        loss = self.loss(batch, run)
        run.optimizers["all"].zero_grad()
        run.fabric.backward(loss)
        run.optimizers["all"].step()
        self.schedule.step()
        return {"mse": loss.detach()}

    def validate(self, run: Run) -> Mapping[str, float]:
        return {"mse": float(self.loss(slice(None), run))}

    def state_dict(self) -> dict[str, Any]:
        return {"schedule": self.schedule.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.schedule.load_state_dict(state["schedule"])


def build(config: ToyConfig) -> list[Stage]:
    encoder = nn.Sequential(nn.Linear(3, config.hidden), nn.ReLU(), nn.Dropout(config.dropout))
    method = Method(encoder, nn.Linear(config.hidden, 3))
    coarse, fine = Regression("coarse", encoder, method, config), Regression("fine", method.decoder, method, config)
    fine.needs = ("coarse",)
    return [coarse, fine]


def run(out: Path, config: ToyConfig | None = None, devices: int = 1, **options: Any) -> dict[str, dict[str, float]]:
    config = config or ToyConfig()
    loop = LoopConfig(accelerator="cpu", devices=devices, log_every=2, validate_every=10, save_every=4)
    return train(lambda: build(config), config, out, loop, **options)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killer(at: int, where: str) -> Callable[..., None]:
    """A callback that kills this process after `at` steps of all, or within the first save after that."""
    done = 0

    def on_step(*_: object) -> None:
        nonlocal done
        done += 1
        if done == at and where == "step":
            die()
        if done == at and where == "save":
            checkpoint.tensors_of = lambda modules: die()  # type: ignore[assignment, return-value]

    return on_step


if __name__ == "__main__":
    torch.set_num_threads(1)
    out, devices, kill_at, where = sys.argv[1:]
    toy = ToyConfig(dropout=0.0) if int(devices) > 1 else ToyConfig()
    run(Path(out), toy, int(devices), resume=True, on_step=killer(int(kill_at), where))
