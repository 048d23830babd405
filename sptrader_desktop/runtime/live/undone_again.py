"""When to ask again for what was not carried out."""

FIRST_S, LONGEST_S = 1.0, 60.0


class Undone:
    """Asked again less and less often: a market that is closed stays so for days."""

    def __init__(self) -> None:
        self._at, self._pause_s = 0.0, FIRST_S

    def begin_again(self) -> None:
        """Something is different now."""
        self._pause_s = FIRST_S

    def is_due(self, now: float) -> bool:
        if now < self._at:
            return False
        is_long_ago = now - self._at > LONGEST_S
        self._pause_s = FIRST_S if is_long_ago else min(2 * self._pause_s, LONGEST_S)
        self._at = now + self._pause_s
        return True
