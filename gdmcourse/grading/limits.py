"""What a student's code may use of the machine, and the part of it that each process is told by itself."""

from dataclasses import dataclass

try:
    import resource
except ModuleNotFoundError:  # Windows has no such limits; the watcher's still hold
    resource = None  # type: ignore[assignment]

GIB, MIB = 1 << 30, 1 << 20
ANY_USER = 4096  # processes of one user where they can't be told from the user's own


@dataclass(frozen=True)
class Limits:
    """What a student's code may use; times in seconds of wall clock, sizes in bytes.

    ``cell``, ``setup`` and ``notebook`` hold for one run, ``total`` for all runs of a submission;
    ``processes`` counts threads too; ``grace`` is the time to stop when told to.
    """

    cell: float = 20.0
    setup: float = 120.0
    notebook: float = 180.0
    total: float = 1800.0
    memory: int = 4 * GIB
    disk: int = 256 * MIB
    file: int = 32 * MIB
    processes: int = 256
    cpus: float = 2.0
    grace: float = 3.0

    def apply(self, processes: int = ANY_USER) -> None:
        """Set the limits of this process and its children (called between fork and exec)."""
        if resource is None:
            return
        seconds = int(4 * (self.setup + self.notebook))
        for name, limit in (
            ("CPU", seconds),
            ("DATA", self.memory - self.memory // 8),  # a MemoryError comes before the group's end
            ("FSIZE", self.file),
            ("NPROC", processes),
            ("NOFILE", 512),
            ("CORE", 0),
        ):
            set_limit(name, limit)


def set_limit(name: str, limit: int, lasting: bool = True) -> None:
    """Lower one limit of this process, where the system has it; children may raise one that isn't lasting."""
    what = getattr(resource, f"RLIMIT_{name}", None)
    if what is not None:
        hard = resource.getrlimit(what)[1]
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(what, (limit, limit if lasting else hard))
