"""The processes that train one model together, each on its share of every batch, as `torchrun` starts them.

Knows ranks and what is added up over them; one process alone is a crew of one, to which all of this does nothing. Knows
no model and no data.

Gradients are added up by hand in one piece: the loss of a batch is a mean over all its targets, of which the shares of
the processes hold unlike numbers, and torch's wrapper would weigh each share alike. So two processes take the very
steps of one, up to which values dropout leaves out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from training.errors import TrainingError

Item = TypeVar("Item")

UNAVAILABLE = 69


class DeviceError(TrainingError):
    """A device that was asked for and is not there."""

    exit_code = UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Crew:
    """`rank` of `size` processes, from 0; the first one speaks and writes."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        return self.rank == 0

    def share(self, batch: Sequence[Item]) -> Sequence[Item]:
        """This process's part of a batch; may be empty."""
        return batch[self.rank :: self.size]

    def total(self, value: float) -> float:
        """The sum over all processes."""
        if self.size == 1:
            return value
        summed = torch.tensor(value, dtype=torch.float64)
        dist.all_reduce(summed)
        return summed.item()

    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Every gradient becomes the sum over all processes; a process without one has none to add."""
        if self.size == 1:
            return
        known = list(parameters)
        for parameter in known:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [parameter.grad for parameter in known if parameter.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        start = 0
        for gradient in gradients:
            gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
            start += gradient.numel()

    def as_first(self, value: Tensor) -> Tensor:
        """The first process's value, for all."""
        if self.size > 1:
            dist.broadcast(value, 0)
        return value

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            dist.barrier()


ALONE = Crew()


@contextmanager
def crew(device: torch.device) -> Iterator[Crew]:
    """The processes that `torchrun` started, joined; where it did not, this process alone."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield ALONE
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Crew(dist.get_rank(), size)
    finally:
        dist.destroy_process_group()


def device(name: str) -> torch.device:
    """What trains: `cpu`, `cuda`, or `auto`, which is CUDA where it is there. Raises DeviceError with a sentence."""
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        why = "torch sees no GPU" if torch.version.cuda else f"torch {torch.__version__} is built without CUDA"
        raise DeviceError(f"There is no GPU to train on ({why}); leave out --device to train on the processor.")
    if name == "cpu" or not there:
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
