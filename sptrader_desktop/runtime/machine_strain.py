"""What the computer did to a worker while its job ran: a script that got no processor, or was ended for lack of memory, is not at fault."""

from dataclasses import dataclass
from pathlib import Path

HARDLY = 0.1
MOSTLY = 0.5


@dataclass(frozen=True, slots=True)
class Strain:
    """Seconds in which a process computed and in which it waited for a processor, and how many processes the system has ended for memory.

    Where the system does not tell, they stay 0, and nothing is put down to it.
    """

    ran: float = 0.0
    waited: float = 0.0
    ended_for_memory: int = 0

    def since(self, before: "Strain") -> "Strain":
        return Strain(self.ran - before.ran, self.waited - before.waited, self.ended_for_memory - before.ended_for_memory)

    def is_starved(self, seconds: float) -> bool:
        """Within so many seconds: it wanted to compute for most of them and hardly could."""
        return self.ran < HARDLY * seconds and self.waited > MOSTLY * seconds


def strain_of(pid: int) -> Strain:
    ran, waited = [*map(int, _text(f"/proc/{pid}/schedstat").split()[:2])] or [0, 0]
    kills = next((line.split()[1] for line in _text("/proc/vmstat").splitlines() if line.startswith("oom_kill ")), "0")
    return Strain(ran / 1e9, waited / 1e9, int(kills))


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return ""
