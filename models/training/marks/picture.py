"""Pictures for the pages about marks: what is drawn, and what is read on parcels of our own."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from inspector.frame import Pixels
from inspector.markreader import MarkReader
from models.scenes import marks
from models.scenes.art import Art
from models.training.marks.scenes import Ground

BOARD = (140, 170, 200)
CELL, GAP = 96, 8


def drawn(seed: int = 1, across: int = 12) -> Pixels:
    """A row of drawings for each mark, one of other handling marks and one of prints that are none: BGR uint8."""
    rng = np.random.default_rng(seed)
    rows = [[_cell(marks.draw(mark, rng)) for _ in range(across)] for mark in marks.MARKS]
    rows.append([_cell(marks.stranger(rng)) for _ in range(across)])
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def read(reader: MarkReader, places: Sequence[Ground], across: int = 4, side: int = 300) -> Pixels:
    """Parcels with what is read on them, its score and the way its top points: BGR uint8."""
    cells = []
    for place in places:
        height, width = place.pixels.shape[:2]
        scale = side / max(height, width)
        picture = np.full((side, side, 3), 255, np.uint8)
        small = cv2.resize(place.pixels, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
        picture[: small.shape[0], : small.shape[1]] = small
        for mark in reader.marks(place.pixels, (0.0, 0.0, float(width), float(height))):
            sure = reader.thresholds[mark.mark]
            if isinstance(sure, str) or mark.score < sure.present:
                continue
            x, y, w, h = (v * scale for v in mark.box)
            cv2.rectangle(picture, (int(x), int(y)), (int(x + w), int(y + h)), (190, 60, 0), 2)
            middle, turn = np.array([x + w / 2, y + h / 2]), np.deg2rad(mark.rotation)
            tip = middle + max(w, h) * 0.7 * np.array([np.sin(turn), -np.cos(turn)])
            cv2.arrowedLine(picture, _pixel(middle), _pixel(tip), (0, 90, 220), 2, cv2.LINE_AA, tipLength=0.25)
            text = f"{mark.mark.replace('_', ' ')} {mark.score:.2f}"
            (wide, high), under = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.4, 1)
            left, bottom = int(np.clip(x, 0, side - wide)), int(y - 4 if y > 14 else y + h + 12)
            cv2.rectangle(picture, (left, bottom - high - 2), (left + wide, bottom + under), (190, 60, 0), cv2.FILLED)
            white = (255, 255, 255)
            cv2.putText(picture, text, (left, bottom), cv2.FONT_HERSHEY_SIMPLEX, 0.4, white, 1, cv2.LINE_AA)
        cells.append(picture)
    cells += [np.full((side, side, 3), 255, np.uint8)] * (-len(cells) % across)
    return np.concatenate([np.concatenate(cells[i : i + across], axis=1) for i in range(0, len(cells), across)])


def _cell(art: Art) -> Pixels:
    alpha = art.bgra[..., 3:].astype(np.float32) / 255
    laid = art.bgra[..., :3] * alpha + np.array(BOARD, np.float32) * (1 - alpha)
    scale = CELL / max(laid.shape[:2])
    small = cv2.resize(laid, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    cell = np.full((CELL + GAP, CELL + GAP, 3), BOARD, np.float32)
    top, left = (CELL + GAP - small.shape[0]) // 2, (CELL + GAP - small.shape[1]) // 2
    cell[top : top + small.shape[0], left : left + small.shape[1]] = small
    return cell.astype(np.uint8)


def _pixel(point: np.ndarray) -> tuple[int, int]:
    return int(point[0]), int(point[1])
