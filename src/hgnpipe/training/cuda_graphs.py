"""Iterations of training that are recorded once and replayed: CUDA graphs.

A rollout is thousands of small operations, and a processor needs longer to launch them
one by one than a GPU to do them. A recording is launched as a whole. It always does the
same, on the same memory: iterations are of one kind if they do the same operations, and
the numbers that change from one to the next are written into that memory.
"""

import gc
import warnings
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

Step = Callable[[Tensor, Any], Tensor]
"""One iteration: batch and schedule to a vector of what it is to report."""

Record = Callable[[Callable[[], Tensor]], tuple[Callable[[], None], Tensor]]
"""Work to a replay of it, and the tensor where each replay leaves its result."""

WARM_UP = 3
"""Iterations of a kind before it is recorded: libraries choose their kernels there."""
MAX_RECORDINGS = 4
"""Recordings that are kept: a rollout that grows makes a kind of every length."""


@runtime_checkable
class Scheduled(Protocol):
    """A module whose iterations can be recorded.

    In place of an iteration, its ``loss`` takes what ``schedule`` makes of it, with
    tensors where that has floats, and does not make the processor wait for them.
    """

    def schedule(self, iteration: int) -> tuple[Any, ...]:
        """All that the loss needs to know of an iteration.

        Floats are values; everything else decides which operations there are.
        """
        ...


class RecordedSteps:
    """Does what ``step`` does; from the fourth iteration of a kind on, by replaying.

    Two iterations are of one kind if batches have one shape and schedules differ in
    nothing but floats: those are values, which may change; everything else decides
    which operations there are. Of many kinds, the last few are kept: they follow each
    other, and each takes memory of the GPU.

    Args:
        schedule: Schedule of an iteration, see `Scheduled`.
        step: One iteration. Of its inputs, only tensors and generators may differ
            between replays; it must not wait for the device.
        record: See `Record`; nothing is done while it records.

    Warns:
        If a kind cannot be recorded; all others are then done as they are, too.
    """

    def __init__(
        self, schedule: Callable[[int], tuple[Any, ...]], step: Step, record: Record
    ) -> None:
        self.schedule, self.step = schedule, step
        self.record: Record | None = record
        self.seen: Counter[Hashable] = Counter()
        self.recordings: OrderedDict[Hashable, _Recording] = OrderedDict()

    def __call__(self, batch: Tensor, iteration: int) -> Tensor:
        """One iteration; the result is overwritten by the next of its kind."""
        schedule = self.schedule(iteration)
        structure = (type(schedule), *map(_structure, schedule))
        kind = (batch.shape, batch.dtype, structure)
        if kind not in self.recordings:
            self.seen[kind] += 1
            if self.seen[kind] <= WARM_UP or self.record is None:
                return self.step(batch, schedule)
            try:
                self.recordings[kind] = _Recording(
                    self.step, self.record, batch, schedule
                )
            except RuntimeError as error:  # slower is better than not at all
                self.record = None
                self.recordings.clear()
                reason = str(error).partition("\n")[0]
                warnings.warn(f"Cannot be recorded: {reason}", stacklevel=2)
                return self.step(batch, schedule)
        self.recordings.move_to_end(kind)
        if len(self.recordings) > MAX_RECORDINGS:
            self.recordings.popitem(last=False)
        return self.recordings[kind].replay(batch, schedule)


class _Recording:
    """One kind of iteration, and the memory that its inputs are written into."""

    def __init__(
        self, step: Step, record: Record, batch: Tensor, schedule: tuple[Any, ...]
    ) -> None:
        self.batch = batch.clone()
        self.schedule = [
            torch.full((), x, device=batch.device) if isinstance(x, float) else x
            for x in schedule
        ]
        build = getattr(type(schedule), "_make", tuple)  # a NamedTuple, or a tuple
        self.launch, self.result = record(
            lambda: step(self.batch, build(self.schedule))
        )

    def replay(self, batch: Tensor, schedule: tuple[Any, ...]) -> Tensor:
        self.batch.copy_(batch)
        for place, value in zip(self.schedule, schedule, strict=True):
            if isinstance(value, float):
                place.fill_(value)
        self.launch()
        return self.result


def _structure(value: Any) -> Hashable:
    return float if isinstance(value, float) else value


def record_cuda_graph(generator: torch.Generator) -> Record:
    """Records CUDA graphs that share their memory, and draw from ``generator``.

    Replays must follow each other on one stream. Seeding the generator between two of
    them has the effect that it has without a recording. A recording that fails leaves
    the generator usable.
    """
    pool = torch.cuda.graph_pool_handle()

    def record(work: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(generator)
        stream = torch.cuda.current_stream()
        try:
            with _no_garbage(), torch.cuda.graph(graph, pool=pool, stream=stream):
                result = work()
        except RuntimeError:
            # Its state waits for the end of the recording, for ever: give it another.
            fresh = torch.Generator(generator.device).manual_seed(0)
            generator.graphsafe_set_state(fresh.graphsafe_get_state())
            raise
        return graph.replay, result

    return record


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Collects garbage before, and none meanwhile.

    An earlier recording that is thrown away while another is made, for example that of
    a start that was not chosen, makes that one fail.
    """
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
