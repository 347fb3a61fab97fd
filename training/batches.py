"""Which windows are read together: the same batches, whichever number of processes shares them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Sampler
from transformers.trainer_pt_utils import get_length_grouped_indices


class Batches(Sampler[list[int]]):
    """The batches of an epoch, of windows of similar length; of each, a process gets its share.

    The order depends on the seed and the epoch alone. Drawn from the random numbers that dropout uses too, it would
    change with the number of processes, and a run could not go on in another number than it began with.

    Args:
        lengths: How long each window is.
        size: Windows in a batch, over all processes.
        seed: Seed of the order.
        process: Which process this is.
        processes: How many there are.
        optional: Windows of which each epoch reads other ones, as many as ``share`` says.
        share: Share of them that an epoch reads.

    Example:
        >>> shares = [Batches([7, 2, 7, 2], 2, seed=13, process=process, processes=2) for process in (0, 1)]
        >>> [sum(len(batch) for batch in share) for share in shares]
        [2, 2]
        >>> sorted(index for share in shares for batch in share for index in batch)
        [0, 1, 2, 3]

    """

    def __init__(
        self,
        lengths: Sequence[int],
        size: int,
        seed: int,
        process: int = 0,
        processes: int = 1,
        optional: Sequence[int] = (),
        share: float = 1.0,
    ) -> None:
        self.lengths = lengths
        self.optional = optional
        self.left_out = len(optional) - math.ceil(share * len(optional))
        self.size = size
        self.seed = seed
        self.epoch = 0
        self.process = process
        self.processes = processes

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose batches are drawn next."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Count the batches; each process has as many."""
        return math.ceil((len(self.lengths) - self.left_out) / self.size)

    def __iter__(self) -> Iterator[list[int]]:
        """Draw this process's share of each batch."""
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        read = self._draw(generator)
        lengths = [self.lengths[index] for index in read]
        order = [read[index] for index in get_length_grouped_indices(lengths, self.size, generator=generator)]
        for first in range(0, len(order), self.size):
            batch = order[first : first + self.size]
            # The last batch may have fewer windows than there are processes: one is read twice then, as all must step.
            yield batch[self.process :: self.processes] or batch[:1]

    def _draw(self, generator: torch.Generator) -> list[int]:
        """List the windows of an epoch: all but the optional ones that it leaves out."""
        if not self.left_out:
            return list(range(len(self.lengths)))
        drawn = torch.randperm(len(self.optional), generator=generator)[: self.left_out]
        without = {self.optional[index] for index in drawn.tolist()}
        return [index for index in range(len(self.lengths)) if index not in without]
