"""How long something will still take, in words that do not flicker: the longer it takes, the rounder."""


def time_left(seconds: float | None) -> str:
    """`5 s left`, `1 min 20 s left`, `2 h 5 min left`; nothing while it is not known."""
    if seconds is None:
        return ""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s left"
    if whole < 600:
        minutes, rest = divmod(round(seconds / 10) * 10, 60)
        return f"{minutes} min {rest} s left" if rest else f"{minutes} min left"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min left" if hours else f"{minutes} min left"
