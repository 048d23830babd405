"""How far apart two colours are: for reading (WCAG 2), and for eyes that lack one kind of cone (Viénot, Brettel and Mollon 1999)."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Linear RGB of sRGB's primaries to the responses of the three cones.
TO_CONES = np.array([[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]])
WITHOUT = {
    "protan": np.array([[0, 2.02344, -2.52581], [0, 1, 0], [0, 0, 1]]),
    "deutan": np.array([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]]),
}


def linear(colour: str) -> Floats:
    values = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def difference(one: str, other: str, missing: str) -> float:
    """The distance in CIELAB as somebody sees it who lacks that cone: 2.3 is just seen, 20 is plain."""
    as_seen = np.linalg.inv(TO_CONES) @ WITHOUT[missing] @ TO_CONES
    return float(np.linalg.norm(lab(as_seen @ linear(one)) - lab(as_seen @ linear(other))))


def lab(rgb: Floats) -> Floats:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(np.clip(to_xyz @ rgb, 0, None) / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])
