"""On-balance volume: volume added where the close rises and taken off where it falls.

Only its course means something, its level depends on where the data starts: `warm_up` is all.
"""

import numpy as np
import pandas as pd

from sptrader_desktop.sdk import main

__metadata_version__ = 2
__metadata__ = {
    "name": "obv",
    "title": "On-Balance Volume (OBV)",
    "family": "volume",
    "description": "The running sum of the volumes, each with the sign of its bar's change of close; it starts at zero.",
    "outputs": ["obv"],
    "warm_up": "all",
}


class OBV:
    def calculate(self, data: pd.DataFrame) -> pd.Series:
        return (np.sign(data["close"].diff()).fillna(0.0) * data["volume"]).cumsum().rename("obv")


if __name__ == "__main__":
    main(OBV, __metadata__)
