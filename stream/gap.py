"""Gaps: rows that a log or the landing zone had lost before the watch read them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Gap:
    """Rows that were gone before they were read.

    Parameters
    ----------
    place
        Topic, incarnation and partition.
    begin, end
        Offsets from `begin` up to `end`, exclusive, are gone.
    is_before
        Nothing of the partition was read before: it was old already when the watch began.
    """

    place: str
    begin: int
    end: int
    is_before: bool

    @property
    def line(self) -> str:
        """Return one line for people.

        Examples
        --------
        >>> Gap("t/s/p=0", 5, 25, is_before=False).line
        'GAP in t/s/p=0: offsets 5 to 24 were deleted before they were watched; going on at 25'
        """
        gone = f"offsets {self.begin} to {self.end - 1} were deleted before they were watched"
        return f"GAP in {self.place}: {gone}; going on at {self.end}"
