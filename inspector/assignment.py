"""Which thing in the picture is which line of the packing list: the assignment with the greatest total evidence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def assign(gain: npt.NDArray[np.float64]) -> list[tuple[int, int]]:
    """Pairs (row, column) of the one-to-one assignment with the greatest sum of gain (rows, columns), in order of rows.

    A pair that gains nothing (<= 0 or not finite) is not made. The Hungarian algorithm with shortest augmenting paths,
    O(rows^2 columns) (Jonker and Volgenant 1987, after Kuhn 1955); each row also has a column of its own that gains 0.
    """
    rows, columns = gain.shape
    if not rows or not columns:
        return []
    cost = np.zeros((rows, columns + rows))
    cost[:, :columns] = -np.where(np.isfinite(gain), np.maximum(gain, 0.0), 0.0)
    column_of, row_of = np.full(rows, -1), np.full(columns + rows, -1)
    of_row, of_column = np.zeros(rows), np.zeros(columns + rows)
    for start in range(rows):
        reached = np.zeros(columns + rows, np.bool_)
        shortest = np.full(columns + rows, np.inf)
        before = np.full(columns + rows, -1)
        row, distance, passed = start, 0.0, []
        while True:
            along = distance + cost[row] - of_row[row] - of_column
            better = ~reached & (along < shortest)
            shortest[better], before[better] = along[better], row
            column = int(np.where(reached, np.inf, shortest).argmin())
            distance = float(shortest[column])
            reached[column] = True
            if row_of[column] < 0:
                break
            row = int(row_of[column])
            passed.append(row)
        of_row[start] += distance
        of_row[passed] += distance - shortest[column_of[passed]]
        of_column[reached] -= distance - shortest[reached]
        row = -1
        while row != start:
            row = int(before[column])
            row_of[column] = row
            column_of[row], column = column, int(column_of[row])
    pairs = [(row, int(column_of[row])) for row in range(rows)]
    return [(row, column) for row, column in pairs if column < columns and gain[row, column] > 0]


def total(gain: npt.NDArray[np.float64], pairs: Sequence[tuple[int, int]]) -> float:
    """Sum of the gain of pairs."""
    return float(sum(gain[pair] for pair in pairs))
