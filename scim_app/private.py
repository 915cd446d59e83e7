"""Files that nobody but their owner reads: the store knows everybody, the pepper opens what tokens open."""

import os
import stat
from pathlib import Path

from scim_app.errors import Refused

OTHERS = 0o077
"""What group and others may do, of the mode of a file."""


def keep_private() -> None:
    """Let whatever this process and its children make be their owner's alone, whatever the caller's umask is."""
    os.umask(OTHERS)


def make_folder(path: Path) -> None:
    """Make a folder that its owner alone enters, or take others' rights away from the one that is there.

    Raises:
        Refused: as for `secure`.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    secure(path)


def make_home(home: Path) -> None:
    """Make the home, or mend it: itself and what is directly in it; what is deeper nobody else reaches then.

    Raises:
        Refused: as for `secure`.
    """
    make_folder(home)
    for path in home.iterdir():
        if not path.is_symlink():
            secure(path)


def make_file(path: Path) -> None:
    """Make an empty file that its owner alone reads, or take others' rights away from the one that is there.

    Raises:
        Refused: as for `secure`.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    secure(path)


def secure(path: Path) -> None:
    """Take the rights of group and others away from a file or folder; where there is none, nothing happens.

    Raises:
        Refused: when it is somebody else's, or a folder that everybody writes to.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        return
    if not found.st_mode & OTHERS or not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        return
    if found.st_mode & stat.S_ISVTX:
        raise Refused(f"{path} is a folder that others write to: choose another one as DAGSTER_SCIM_HOME")
    if os.geteuid() not in (0, found.st_uid):
        raise Refused(
            f"others can read {path}, and it belongs to another user (uid {found.st_uid}): "
            f"give it to uid {os.geteuid()}, or let its owner run `chmod go-rwx {path}`"
        )
    path.chmod(stat.S_IMODE(found.st_mode) & ~OTHERS)
