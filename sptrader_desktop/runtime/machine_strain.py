"""What the computer did to a worker while its job ran: a script that got no processor, or was ended for lack of memory, is not at fault."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

HARDLY = 0.1
MOSTLY = 0.5


@dataclass(frozen=True, slots=True)
class Strain:
    """Seconds in which a process computed, and how many processes the system has ended for memory; Linux tells, elsewhere it stays 0."""

    ran: float = 0.0
    ended_for_memory: int = 0

    def since(self, before: "Strain") -> "Strain":
        return Strain(self.ran - before.ran, self.ended_for_memory - before.ended_for_memory)


@dataclass(slots=True)
class Eagerness:
    """Of how many looks at a process how many saw it want to compute."""

    looks: int = 0
    eager: int = 0

    def look(self, pid: int) -> None:
        self.looks += 1
        with suppress(psutil.Error):
            self.eager += psutil.Process(pid).status() == psutil.STATUS_RUNNING

    def is_starved(self, ran: float, seconds: float) -> bool:
        """It wanted to compute for most of these seconds and hardly could."""
        return ran < HARDLY * seconds and self.eager > MOSTLY * self.looks


def strain_of(pid: int) -> Strain:
    ran = 0.0
    with suppress(psutil.Error):
        times = psutil.Process(pid).cpu_times()
        ran = times.user + times.system
    return Strain(ran, _ended_for_memory())


def _ended_for_memory() -> int:
    try:
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
