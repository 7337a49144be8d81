"""Files of keys: read within limits, written so that nobody ever sees half of one, and nobody else reads it."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

from scim_server import log

Stamp: TypeAlias = tuple[int, int, int, int]
"""What is different when a file is another."""

_MAX_BYTES = 65_536


class KeyFault(Exception):
    """Keys, or what is encrypted under them, cannot be used. The text says why and how to mend it, and never has a key in it."""


class KeyFileUnusable(KeyFault):
    """The file cannot be read or written, or holds something else."""


def stamp(file: Path) -> Stamp | None:
    """None if there is no such file. Raises KeyFileUnusable where nobody may look."""
    try:
        found = os.stat(file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as fault:
        raise _unreadable(file, fault) from fault
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def read(file: Path) -> str:
    """The text. Raises KeyFileUnusable, also if anybody on the machine could put a key of his there."""
    try:
        with open(file, "rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            data = opened.read(_MAX_BYTES + 1)
    except OSError as fault:
        raise _unreadable(file, fault) from fault
    if mode & stat.S_IWOTH:
        raise KeyFileUnusable(f"Everybody may write to {file}. Take that away (chmod 600), and make sure that the keys in it are yours.")
    if mode & stat.S_IROTH:
        log.get().warning("keys_readable_by_everybody", file=str(file), remedy="chmod 600")
    if len(data) > _MAX_BYTES or not data.isascii():
        raise KeyFileUnusable(f"{file} holds something else than keys. It must have one a line, as scim-server keys generate prints them.")
    return data.decode()


@contextmanager
def held(file: Path) -> Iterator[None]:
    """Of all processes, one at a time may change the file. Its folder is made if need be, for its owner only."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(file.parent, os.O_RDONLY)
    except OSError as fault:
        raise _unwritable(file, fault) from fault
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def write(file: Path, text: str) -> None:
    """Put the text there, on disk and whole, for the owner only; in place of an earlier file, with its owner and rights."""
    target = Path(os.path.realpath(file))
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    except OSError as fault:
        raise _unwritable(file, fault) from fault
    try:
        with os.fdopen(descriptor, "w") as opened:
            with suppress(FileNotFoundError):
                before = os.stat(target)
                os.fchown(opened.fileno(), before.st_uid, before.st_gid)
                os.fchmod(opened.fileno(), stat.S_IMODE(before.st_mode))
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(temporary, target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as fault:
        raise _unwritable(file, fault) from fault
    finally:
        with suppress(OSError):  # it is there only if something went wrong
            os.unlink(temporary)


def _unreadable(file: Path, fault: OSError) -> KeyFileUnusable:
    return KeyFileUnusable(f"The keys in {file} cannot be read: {fault.strerror}. Let the server's user read it, and nobody else.")


def _unwritable(file: Path, fault: OSError) -> KeyFileUnusable:
    return KeyFileUnusable(f"{file} cannot be written: {fault.strerror}. Choose a file that can, as the user whose file it is to be.")
