"""What a training loop needs to know of a method: its stages, each a plain object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    import torch
    from lightning.fabric import Fabric


@dataclass(frozen=True)
class Share:
    """Which of the processes that train together this one is: `rank` of `count`."""

    rank: int = 0
    count: int = 1


@dataclass(frozen=True)
class Run:
    """What a stage works with: its modules and optimizers as Fabric has set them up, by the names it gave them.

    Call modules from here, not those of the stage itself: only these average gradients over processes.
    """

    fabric: Fabric
    modules: Mapping[str, Any]
    optimizers: Mapping[str, Any]


class Stage(Protocol):
    """One stretch of training.

    Stages of one method may share modules: what an earlier stage has learned is in them when a later one begins.
    """

    name: str
    needs: tuple[str, ...]
    """Names of the stages that must be finished before this one."""
    steps: int
    """How many steps it takes."""

    def modules(self) -> Mapping[str, torch.nn.Module]:
        """Everything whose weights are to be saved, by names without dots."""
        ...

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """Asked for once, after `modules`, when these are on their device."""
        ...

    def batches(self, start: int, share: Share) -> Iterator[Any]:
        """This process's share of the batches of steps `start`, `start` + 1, ... without end.

        A batch depends on the number of its step alone (see `shuffled`), not on global random generators: so a
        resumed run sees what an uninterrupted one would have seen.
        """
        ...

    def step(self, batch: Any, run: Run) -> Mapping[str, float | torch.Tensor]:
        """Learn from one batch: forward, `run.fabric.backward`, optimizers, schedules. Returns losses by name.

        Random choices come from torch's global generator, which checkpoints keep, or from one kept by `state_dict`.
        """
        ...

    def validate(self, run: Run) -> Mapping[str, float]:
        """Figures on data held out, by name. Modules are in eval mode, gradients off; every process calls it."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """What else must survive (schedulers, averages): tensors, numbers, strings, lists and dicts of them."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        ...


def shuffled(count: int, batch_size: int, seed: int, start: int, share: Share) -> Iterator[np.ndarray]:
    """Indices (n,) of the samples of steps `start`, `start` + 1, ...: each epoch in another order, without its
    incomplete last batch.

    `batch_size` counts the samples of all processes together, so that their number does not change what is learned.
    """
    if not share.count <= batch_size <= count:
        raise ValueError(f"a batch of {batch_size} of {count} samples cannot be dealt to {share.count} processes")
    step, shown, order = start, -1, np.zeros(0, int)
    while True:
        epoch, place = divmod(step, count // batch_size)
        if epoch != shown:
            order, shown = np.random.default_rng((seed, epoch)).permutation(count), epoch
        yield order[place * batch_size : (place + 1) * batch_size][share.rank :: share.count]
        step += 1
