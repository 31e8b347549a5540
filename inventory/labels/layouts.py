"""Papers: rolls of label printers, a label a page, and sheets. All in millimeters."""

from typing import NamedTuple


class Layout(NamedTuple):
    name: str
    page: tuple[float, float]
    label: tuple[float, float]
    columns: int = 1
    rows: int = 1
    margin: tuple[float, float] = (0, 0)  # from the left and from the top, to the first label
    pitch: tuple[float, float] = (0, 0)  # from one label to the next

    @property
    def per_page(self) -> int:
        return self.columns * self.rows

    def corner(self, place: int) -> tuple[float, float]:
        """Top left of the label at a place of the page, counted from 0 along the rows."""
        row, column = divmod(place, self.columns)
        return self.margin[0] + column * self.pitch[0], self.margin[1] + row * self.pitch[1]


def _roll(width: float, height: float, use: str) -> Layout:
    return Layout(f"{width:g} x {height:g} mm, {use}", (width, height), (width, height))


A4, LETTER = (210, 297), (215.9, 279.4)
LAYOUTS: dict[str, Layout] = {
    "62x29": _roll(62, 29, "label printer"),
    "57x32": _roll(57, 32, "label printer"),
    "102x51": _roll(102, 51, "label printer"),
    "102x152": _roll(102, 152, "shipping labels"),
    "a4-3x8": Layout("A4, 24 labels of 70 x 37 mm", A4, (70, 37), 3, 8, (0, 0.5), (70, 37)),
    "a4-3x7": Layout("A4, 21 labels of 63.5 x 38.1 mm", A4, (63.5, 38.1), 3, 7, (7.2, 15.15), (66.05, 38.1)),
    "a4-2x7": Layout("A4, 14 labels of 99.1 x 38.1 mm", A4, (99.1, 38.1), 2, 7, (4.65, 15.15), (101.6, 38.1)),
    "letter-3x10": Layout("Letter, 30 labels of 66.7 x 25.4 mm", LETTER, (66.7, 25.4), 3, 10, (4.75, 12.7), (69.85, 25.4)),
}  # fmt: skip
DEFAULT = "62x29"
