"""When a bar is over, inside the compiled rules."""

from sptrader_desktop.core.closes import close_instant
from sptrader_desktop.core.compiled import inlined

closes_at = inlined(close_instant)
