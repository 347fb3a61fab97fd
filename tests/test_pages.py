"""What the pages tell to type is there: commands, options, extras, make targets, modules, recipes, lines of a set.

Their Python runs too, see ``conftest.py``. Commands are not run, since many of them install, train or serve.
"""

import importlib.util
import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from stance import labelled
from stance.cli import parser
from tests.test_supply import PROJECT
from training.configuration import read_recipe

PAGES = [Path(name) for name in ("README.md", "CONTRIBUTING.md", "seeds/README.md", "stance/models/default/README.md")]
PAGES += sorted(Path("docs").glob("*.md"))
ENVIRONMENT = re.compile(r"[A-Z_]+=\S+")


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands(line):
    """Give the words of each command of a shell line, without variables before it and redirections behind it."""
    tokens = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    tokens.whitespace_split = True
    own = []
    for word in [*tokens, ";"]:
        if set(word) <= set("|&;<>"):
            if own:
                yield own
            # What a redirection names is a file.
            own = [] if not set(word) & set("<>") else ["file"]
        elif own or not ENVIRONMENT.fullmatch(word):
            own.append(word)


LINES = [
    (page.name, line)
    for page in PAGES
    for block in blocks(page, "bash")
    for line in block.splitlines()
    if line and "$(" not in line
]
# Plain blocks show what a terminal shows.
LINES += [
    (page.name, line[2:])
    for page in PAGES
    for line in re.findall(r"^\$ .*", page.read_text(encoding="utf-8"), re.MULTILINE)
]


@pytest.mark.parametrize(("page", "line"), LINES, ids=[f"{page}-{line[:40]}" for page, line in LINES])
def test_what_a_page_tells_to_type_can_be_typed(page, line):
    for program, *arguments in commands(line):
        name = Path(program).name
        if name == "stance" and "--help" not in arguments:
            assert parser().parse_args(arguments).run
        elif name.startswith("python") and arguments[0] == "-m":
            assert importlib.util.find_spec(arguments[1])
        elif name == "make":
            targets = re.search(r"^\.PHONY: (.*)$", Path("Makefile").read_text(encoding="utf-8"), re.MULTILINE)[1]
            assert {word for word in arguments if "=" not in word} <= {*targets.split()}
        for extra in re.findall(r"(?:stance|\.)\[([\w,]+)\]", line):
            assert {*extra.split(",")} <= {*PROJECT["optional-dependencies"]}


def test_the_help_on_the_page_is_that_of_the_command():
    page = Path("docs/command-line.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^\$ stance --help\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert shown.split() == parser().format_help().split()


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "yaml")], ids=str)
def test_the_recipes_on_the_pages_are_valid(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number, block in enumerate(blocks(Path(__file__).parents[1] / page, "yaml")):
        values = yaml.safe_load(block)
        for file in [
            values["evaluation"],
            *(source["path"] for stage in values["stages"] for source in stage["sources"]),
        ]:
            Path(file).parent.mkdir(exist_ok=True)
            Path(file).touch()
        Path(f"{number}.yaml").write_text(block, encoding="utf-8")
        assert read_recipe(f"{number}.yaml").stages


def test_the_example_of_a_labelled_set_is_one():
    first, _ = blocks(Path("docs/labelled-sets.md"), "json")
    labelled.validate(json.loads(first))
