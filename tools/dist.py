"""Build sdist and wheel into ``dist/``, the same bytes from the same sources: ``python -m tools.dist``.

The moment that is written into them is ``SOURCE_DATE_EPOCH``, by default that of the last commit.
"""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from . import ROOT

_MADE = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "runs", "site")
"""What is no source; setuptools would ship what is left of earlier builds, and what an earlier list of files has."""


def main() -> None:
    """Build both."""
    os.environ.setdefault("SOURCE_DATE_EPOCH", _last_commit())
    for what in ("sdist", "wheel"):
        sys.stdout.write(f"{build(ROOT, what)}\n")


def build(source: Path, what: str) -> Path:
    """Build a distribution with the project's own build backend, as pip does, from a copy of the sources alone.

    Args:
        source: The root of the sources.
        what: ``sdist`` or ``wheel``.

    Returns:
        The file, in the folder ``dist`` of the sources.

    """
    code = f"import sys, setuptools.build_meta as backend; print(backend.build_{what}(sys.argv[1]))"
    out = source / "dist"
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(source, Path(folder, "copy"), ignore=_MADE, symlinks=True)
        command = [sys.executable, "-c", code, str(out.absolute())]
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=True)
    file = out / done.stdout.splitlines()[-1]
    if what == "sdist":  # setuptools writes the time and the user into it
        normalise(file, int(os.environ["SOURCE_DATE_EPOCH"]))
    return file


def normalise(archive: Path, moment: int) -> None:
    """Pack a ``.tar.gz`` again, in order, with one time and no owner."""
    out = io.BytesIO()
    with (
        tarfile.open(archive) as before,
        gzip.GzipFile("", "wb", fileobj=out, mtime=moment) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as after,
    ):
        for member in sorted(before.getmembers(), key=lambda member: member.name):
            member.mtime, member.pax_headers = moment, {}
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            after.addfile(member, before.extractfile(member) if member.isfile() else None)
    archive.write_bytes(out.getvalue())


def _last_commit() -> str:
    command = ["git", "log", "-1", "--format=%ct"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
