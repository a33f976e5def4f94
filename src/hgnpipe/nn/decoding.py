"""Reconstruction error of many pictures, with its gradient, a few pictures at a time.

The decoder does nine tenths of the work of a training step (paper, Sec. A.1: up to 64
channels at every pixel), and what it remembers for the reverse pass is nearly all of
the memory. The error is a sum over pictures, so that each few of them can be decoded,
compared and differentiated while they are in the cache, and forgotten.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

CACHED = 32
"""Pictures that a processor decodes at a time; a GPU takes them all."""


def reconstruction_error(
    decode: Callable[[Tensor], Tensor],
    parameters: Sequence[Tensor],
    q: Float[Tensor, "N *n"],
    pictures: Float[Tensor, "N *p"],
    chunk: int | None = None,
) -> Float[Tensor, ""]:
    """Mean squared error of the decoded positions, per element.

    The same value and first derivatives as ``mse_loss(decode(q), pictures)``. It cannot
    be differentiated twice.

    Args:
        decode: Positions ``(n, *n)`` to pictures ``(n, *p)``, each by itself.
        parameters: Everything beside ``q`` that ``decode`` is to be trained in.
        q: Positions.
        pictures: What they should look like.
        chunk: Pictures at a time; by default `CACHED` on a processor, all on a GPU.
    """
    if chunk is None:
        chunk = CACHED if q.device.type == "cpu" else len(q)
    if chunk >= len(q) or not torch.is_grad_enabled():
        return F.mse_loss(decode(q), pictures)
    return _ChunkedError.apply(decode, chunk, pictures, q, *parameters)


def random_frames(
    size: tuple[int, int],
    num: int,
    device: torch.device,
    generator: torch.Generator | None,
) -> Int64[Tensor, "B shown"]:
    """Which frames of each video to decode: distinct ones, all if there are no more.

    Args:
        size: Number of videos, and of frames of each.
        num: Frames to decode of each.
        device: Where the indices are to be.
        generator: Source of the order, on ``device``.
    """
    batch, length = size
    if num >= length:
        return torch.arange(length, device=device).expand(batch, -1)
    order = torch.rand(batch, length, device=device, generator=generator)
    return order.argsort(dim=1)[:, :num]


class _ChunkedError(torch.autograd.Function):
    """Computes the gradient together with the value; backward only scales it."""

    @staticmethod
    def forward(
        ctx: Any,
        decode: Callable[[Tensor], Tensor],
        chunk: int,
        pictures: Tensor,
        q: Tensor,
        *parameters: Tensor,
    ) -> Tensor:
        total = q.new_zeros(())
        slopes = [torch.zeros_like(weight) for weight in parameters]
        dq = torch.empty_like(q)
        for first in range(0, len(q), chunk):
            part = slice(first, first + chunk)
            with torch.enable_grad():
                point = q[part].detach().requires_grad_()
                error = (decode(point) - pictures[part]).square().sum()
                error = error / pictures.numel()
                found = torch.autograd.grad(
                    error, (point, *parameters), allow_unused=True
                )
            total += error.detach()
            dq[part] = found[0]
            for slope, more in zip(slopes, found[1:], strict=True):
                if more is not None:
                    slope += more
        ctx.save_for_backward(dq, *slopes)
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor | None, ...]:
        return (None, None, None, *(scale * slope for slope in ctx.saved_tensors))
