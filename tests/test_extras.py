"""Each surface with its own extra alone, from the wheel; and without it, the command that installs it.

An environment holds what ``pip install 'stance[web]'`` would bring, by the metadata of the wheel and of what that needs,
as links to what is installed here: no network, and nothing that only the tests need.
"""

import json
import re
import signal
import subprocess
import sysconfig
import urllib.request
import venv
import zipfile
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.test_supply import ROOT, source_tree
from tools.dist import build

pytestmark = pytest.mark.slow

PLAIN = [
    ["-m", "stance", "--version"],
    ["-m", "stance", "models"],
    ["-m", "stance", "classify", "*.txt", "-o", "out.jsonl"],
    ["-m", "stance", "classify", "article.txt", "--format", "table"],
    ["-m", "stance", "classify", "article.txt", "-o", "marked.html"],
    ["-m", "stance", "convert", "out.jsonl", "tasks.json"],
    ["-m", "stance", "convert", "out.jsonl", "brat"],
    ["-m", "stance", "convert", "out.jsonl", "sheet.csv"],
    ["-m", "stance", "convert", "sheet.csv", "corrected.jsonl", "--texts", "out.jsonl"],
    ["-m", "stance", "evaluate", "corrected.jsonl"],
    ["-c", "import pandas, stance; print(stance.classify_frame(pandas.read_csv('articles.csv'), 'body', 'url'))"],
    ["-c", "import stance; assert stance.classify('Ada denied it.')._repr_html_()"],
]
PLOT = "import stance.plots as p, stance; p.plot_speakers(stance.classify('Ada denied it.')).savefig('a.png')"
# Whoever has spaCy need not import the component: its entry point is enough.
COMPONENT = """
import importlib.util
if not importlib.util.find_spec("spacy"):
    import stance.integrations.spacy
import spacy
nlp = spacy.blank("en")
nlp.add_pipe("stance")
doc = nlp("The council accused Ada Brook of fraud. Brook denied it.")
assert [span.label_ for span in doc.spans["stance"]] == ["allegation", "denial"]
"""
SURFACES = {
    "completion": ["-m", "stance", "completion", "bash"],
    "export": ["-m", "stance", "export", "model", "-o", "small"],
    "html": ["-m", "stance", "classify", "page.html"],
    "parquet": ["-m", "stance", "classify", "articles.csv", "--text-column", "body", "-o", "sentences.parquet"],
    "plots": ["-c", PLOT],
    "spacy": ["-c", COMPONENT],
    "web": ["-m", "stance", "serve", "--port", "0"],
}
BROUGHT_ANYWAY = {"parquet"}  # its pyarrow is one of datasets' dependencies too


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel, unpacked; the weights are links."""
    tree = source_tree(tmp_path_factory.mktemp("source") / "tree")
    place = tmp_path_factory.mktemp("wheel")
    with zipfile.ZipFile(build(tree, "wheel")) as archive:
        archive.extractall(place)
    for file in (ROOT / "stance/models/default").glob("model*"):
        target = place / "stance/models/default" / file.name
        target.unlink(missing_ok=True)
        target.symlink_to(file)
    return place


@pytest.fixture(scope="module")
def environment(installed, tmp_path_factory):
    """Make the environment of an extra, in which commands can be run."""

    def environment(extra=""):
        folder = tmp_path_factory.mktemp(extra or "plain")
        venv.create(folder, symlinks=True)
        site = Path(sysconfig.get_path("purelib", "posix_prefix", {"base": str(folder)}))
        (meta,) = installed.glob("*.dist-info")
        for one in (PathDistribution(meta), *closure(wanted(PathDistribution(meta).requires, [extra]))):
            link(one, site)
        return Environment(folder / "bin" / "python", folder)

    return environment


def wanted(lines, extras):
    """Pick the requirements that hold here, with these extras."""
    for one in map(Requirement, lines or ()):
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield one


def closure(requirements):
    """Find all that pip would install for them."""
    found, rest = {}, list(requirements)
    while rest:
        one = rest.pop()
        key = (one.name.lower(), frozenset(one.extras))
        if key not in found:
            found[key] = distribution(one.name)
            rest += wanted(found[key].requires, one.extras)
    return found.values()


def link(dist: Distribution, site):
    for name in {file.parts[0] for file in dist.files} - {"..", "__pycache__"}:
        if not (site / name).exists():
            (site / name).symlink_to(dist.locate_file(name))


class Environment:
    """A Python with some packages, and a folder with the files that the commands speak of."""

    def __init__(self, python, folder):
        self.python, self.folder = python, folder
        text = (ROOT / "examples/daily-brief.txt").read_text(encoding="utf-8")
        (folder / "article.txt").write_text(text, encoding="utf-8")
        paragraphs = "".join(f"<p>{line}</p>" for line in text.splitlines())
        (folder / "page.html").write_text(f"<nav>Menu</nav><article>{paragraphs}</article>", encoding="utf-8")
        (folder / "articles.csv").write_text("url,body\na,Ada denied it.\n", encoding="utf-8")
        (folder / "model").symlink_to(ROOT / "stance/models/default")

    def run(self, command):
        """Run a command; return its exit code, and what it says on standard error."""
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        done = subprocess.run([self.python, *command], cwd=self.folder, **pipes, check=False)
        return done.returncode, done.stderr

    def serve(self, command):
        """Run the server until it has answered about the article; return likewise."""
        said = ""
        with subprocess.Popen([self.python, *command], cwd=self.folder, stderr=subprocess.PIPE, text=True) as process:
            for line in process.stderr:
                said += line
                if found := re.search(r"running on (http://\S+)", line):
                    assert ask(found[1], (self.folder / "article.txt").read_text(encoding="utf-8"))
                    process.send_signal(signal.SIGINT)
        return process.returncode, said


def ask(address, text):
    head = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}/v1/classify", json.dumps({"text": text}).encode(), head)
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)["sentences"]


def test_without_extras_the_rest_works(environment):
    plain = environment()
    failed = {" ".join(command): said for command in PLAIN for code, said in [plain.run(command)] if code}
    assert failed == {}


@pytest.mark.parametrize("extra", SURFACES)
def test_an_extra_brings_its_surface_and_the_others_ask_for_theirs(environment, extra):
    alone = environment(extra)
    code, said = (alone.serve if extra == "web" else alone.run)(SURFACES[extra])
    assert code in (0, 130), said
    for other in sorted(SURFACES.keys() - {extra, *BROUGHT_ANYWAY}):
        code, said = alone.run(SURFACES[other])
        sentence = said.splitlines()[-1] if SURFACES[other][0] == "-c" else said.removesuffix("\n")
        assert code, other
        assert re.fullmatch(rf"(stance: error|ModuleNotFoundError): .+ pip install 'stance\[{other}\]'", sentence), said
