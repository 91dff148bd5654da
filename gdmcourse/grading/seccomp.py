"""A filter of system calls, as the program of the kernel's packet filter that bubblewrap takes.

Refused is what no notebook of a course needs: what reaches other processes, keys, mounts or devices; memory
that no count shows; and what two runs could tell each other something by, as locks on files that both see.
"""

import errno
import platform
import struct

AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # of <linux/audit.h>

# System calls by name: their numbers on x86_64 and on aarch64, None where there is no such call.
REFUSED: dict[str, tuple[int, int | None]] = {
    "mincore": (27, 232),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semget": (64, 190),
    "msgget": (68, 186),
    "flock": (73, 32),
    "ptrace": (101, 117),
    "syslog": (103, 116),
    "personality": (135, 92),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "acct": (163, 89),
    "mount": (165, 40),
    "umount2": (166, 39),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "init_module": (175, 105),
    "delete_module": (176, 106),
    "quotactl": (179, 60),
    "readahead": (187, 213),
    "io_setup": (206, 0),  # the whole machine has one number of these
    "fadvise64": (221, 223),
    "mq_open": (240, 180),
    "kexec_load": (246, 104),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "inotify_init": (253, None),
    "migrate_pages": (256, 238),
    "unshare": (272, 97),
    "vmsplice": (278, 75),
    "move_pages": (279, 239),
    "inotify_init1": (294, 26),
    "perf_event_open": (298, 241),
    "fanotify_init": (300, 262),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "setns": (308, 268),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "finit_module": (313, 273),
    "memfd_create": (319, 279),
    "kexec_file_load": (320, 294),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "preadv2": (327, 286),
    "pwritev2": (328, 287),
    # From here on the numbers are the same on every architecture.
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    "mount_setattr": (442, 442),
    "quotactl_fd": (443, 443),
    "memfd_secret": (447, 447),
}
LAST = 449  # later calls are unknown here; the C library does without them, as on an older kernel
CLONE3 = 435  # its flags can't be seen; the C library takes clone in its place
CLONE, FCNTL, SOCKET = (56, 220), (72, 25), (41, 198)
NEW_NAMESPACES = 0x7E020000
LOCKS = (5, 6, 7, 36, 37, 38, 1024, 1025, 1026, 1031)  # of fcntl: locks, leases, watches, large pipes
# Families of sockets: local, and the one by which a process asks for its addresses. There is no network to
# reach by the others, and what their buffers hold is counted for the whole machine.
FAMILIES = (1, 16)
X32 = 0x40000000  # marks the calls of a second table that x86_64 has

LOAD, EQUAL, GREATER, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x25, 0x35, 0x45, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # where they lie in what the filter sees


def known(machine: str = platform.machine()) -> bool:
    """Whether there is a filter for this kind of processor."""
    return machine in AUDIT


def program(machine: str = platform.machine()) -> bytes:
    """The filter for this kind of processor; a refused call fails with "operation not permitted"."""
    table = list(AUDIT).index(machine)
    numbers = [pair[table] for pair in REFUSED.values()]
    lines = [_line(LOAD, ARCHITECTURE), _line(EQUAL, AUDIT[machine], yes=1), _fail(errno.EPERM)]
    lines += [
        _line(LOAD, NUMBER),
        *_unless(AT_LEAST, X32, errno.EPERM),
        *_unless(GREATER, LAST, errno.ENOSYS),
    ]
    lines += _unless(EQUAL, CLONE3, errno.ENOSYS)
    for number in numbers:
        if number is not None:
            lines += _unless(EQUAL, number, errno.EPERM)
    lines += _when(CLONE[table], 0, _unless(ANY_BIT, NEW_NAMESPACES, errno.EPERM))
    locks = [line for command in LOCKS for line in _unless(EQUAL, command, errno.ENOLCK)]
    lines += _when(FCNTL[table], 1, locks)
    families = [_line(EQUAL, family, yes=len(FAMILIES) - n) for n, family in enumerate(FAMILIES)]
    lines += _when(SOCKET[table], 0, [*families, _fail(errno.EAFNOSUPPORT)])
    return b"".join([*lines, _line(RETURN, ALLOW)])


def _line(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    """One instruction; ``yes`` and ``no`` are how many the next ones it skips."""
    return struct.pack("=HBBI", code, yes, no, value)


def _fail(error: int) -> bytes:
    return _line(RETURN, FAIL | error)


def _unless(test: int, value: int, error: int) -> list[bytes]:
    """Fail where the test of what is loaded is met."""
    return [_line(test, value, no=1), _fail(error)]


def _when(number: int, argument: int, lines: list[bytes]) -> list[bytes]:
    """For one call, look at an argument's lower half and then allow it unless a line made it fail."""
    body = [_line(LOAD, ARGUMENTS + 8 * argument), *lines, _line(RETURN, ALLOW)]
    return [_line(EQUAL, number, no=len(body)), *body]
