"""How far a command has come, for those who watch it."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import TypeVar

Item = TypeVar("Item")


def with_progress(
    items: Iterable[Item], total: int | None = None, unit: str = "articles"
) -> Generator[Item, None, None]:
    """Show on standard error, where that is a terminal, how many items are done.

    Args:
        items: What is being worked on.
        total: How many there are, where that is known.
        unit: What they are.

    Yields:
        The items.

    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), unit, TimeElapsedColumn())
    with Progress(
        *columns, console=console, transient=True, redirect_stdout=False, disable=not console.is_terminal
    ) as progress:
        # Progress.track has a thread of its own, even where nothing is shown.
        task = progress.add_task("", total=total)
        for item in items:
            yield item
            progress.advance(task)
