"""The small installation of docs/performance.md, by its own commands; pip fetches three packages for it."""

import re
import shutil
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.test_supply import ROOT, source_tree
from tools.dist import build

pytestmark = pytest.mark.slow

CLASSIFY = """
import sys, stance
doc = stance.classify("The council accused Ada Brook of fraud. Brook denied it.")
assert [sentence.label for sentence in doc.sentences] == ["allegation", "denial"]
assert not {"torch", "transformers"} & {name.partition(".")[0] for name in sys.modules}
"""
MOST = 200_000_000


@pytest.fixture
def place(tmp_path):
    """A folder with what the commands speak of, and an empty environment in it."""
    tree = source_tree(tmp_path / "tree")
    shutil.copytree(ROOT / "stance/models/default", tree / "stance/models/default", dirs_exist_ok=True)
    (tmp_path / "dist").mkdir()
    shutil.copy(build(tree, "wheel"), tmp_path / "dist")
    for name in ("constraints.txt", "requirements-light.txt"):
        shutil.copy(ROOT / name, tmp_path)
    venv.create(tmp_path / "environment", symlinks=True, with_pip=True)
    return tmp_path


def test_the_small_installation_is_small_and_classifies(place):
    base = place / "environment"
    site = Path(sysconfig.get_path("purelib", "posix_prefix", {"base": str(base)}))
    page = (ROOT / "docs/performance.md").read_text(encoding="utf-8").partition("## A small installation")[2]
    commands = re.search(r"```bash\n(.+?)```", page, re.S)[1]
    before = weight(site)
    subprocess.run(["bash", "-e"], input=f"PATH={base}/bin:$PATH\n{commands}", text=True, cwd=place, check=True)
    subprocess.run([base / "bin/python", "-c", CLASSIFY], cwd=base, check=True)
    assert weight(site) - before < MOST


def weight(folder):
    """What the files of a folder take on the disk, in bytes."""
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())
