"""The classes of pyqtgraph that charts are made of. It ships no types, so it is imported and subclassed here and nowhere else."""

import pyqtgraph


class Item(pyqtgraph.GraphicsObject):  # type: ignore[misc] # untyped library
    """Something drawn in a chart's own coordinates."""


class Box(pyqtgraph.ViewBox):  # type: ignore[misc] # untyped library
    """What maps bars and prices to the screen."""


class Axis(pyqtgraph.AxisItem):  # type: ignore[misc] # untyped library
    """A scale at the edge of a chart."""


class Canvas(pyqtgraph.GraphicsLayoutWidget):  # type: ignore[misc] # untyped library
    """The widget that holds boxes and axes."""
