"""What is shipped: no unsafe call in the source, wheel and sdist with nothing missing or superfluous, true metadata."""

import ast
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import stance
from tools.dist import build

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SOURCES = sorted(
    file for folder in ("stance", "training", "tools", "benchmarks", "fuzz") for file in (ROOT / folder).rglob("*.py")
)
UNSAFE_MODULES = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__", "system", "popen"}


def dotted(node):
    return ast.unparse(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""


def unsafe(call):
    """Say what is unsafe about a call, if anything is."""
    name = dotted(call.func)
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if (isinstance(call.func, ast.Name) and name in UNSAFE_CALLS) or name in {"os.system", "os.popen"}:
        return f"{name} runs code"
    if name == "torch.load" and "weights_only=True" not in ast.unparse(call):
        return "torch.load without weights_only=True unpickles"
    if name in {"yaml.load", "yaml.unsafe_load", "yaml.full_load"}:
        return f"{name} makes objects; use yaml.safe_load"
    is_shell = name.startswith("subprocess.") and "shell" in given
    if is_shell or "trust_remote_code" in given or "allow_pickle" in given:
        return f"{name} runs what others wrote"
    return None


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_source_unpickles_or_runs_code_of_others(file):
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        found += [name for name in names if name.split(".")[0] in UNSAFE_MODULES]
        found += [unsafe(node)] if isinstance(node, ast.Call) and unsafe(node) else []
    assert found == []


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_source_is_of_the_oldest_python_that_is_promised(file):
    oldest = min(versions())
    assert oldest in SpecifierSet(PROJECT["requires-python"])
    ast.parse(file.read_text(encoding="utf-8"), feature_version=tuple(map(int, oldest.split("."))))


def versions():
    """The Python versions that the classifiers promise."""
    prefix = "Programming Language :: Python :: 3."
    found = [line.removeprefix(prefix[:-2]) for line in PROJECT["classifiers"] if line.startswith(prefix)]
    return sorted(found, key=lambda version: tuple(map(int, version.split("."))))


def test_classifiers_and_requires_python_say_the_same():
    supported = SpecifierSet(PROJECT["requires-python"])
    assert versions()
    assert all(version in supported for version in versions())
    before = versions()[0].split(".")
    assert f"{before[0]}.{int(before[1]) - 1}" not in supported
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in versions()


@pytest.mark.parametrize("python", versions())
def test_every_dependency_is_pinned_to_a_version_in_its_range(python):
    pins = dict(pinned(python))
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    wanted = [Requirement(line) for lines in lists for line in lines]
    wanted = [one for one in wanted if one.name != PROJECT["name"]]
    assert [one.name for one in wanted if one.name.lower() not in pins] == []
    assert [str(one) for one in wanted if pins[one.name.lower()] not in one.specifier] == []


@pytest.mark.parametrize("python", versions())
def test_no_package_is_pinned_twice(python):
    names = [name for name, _ in pinned(python)]
    assert sorted(set(names)) == sorted(names)


def pinned(python):
    """Yield name and version of each constraint that holds on a Python."""
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            one = Requirement(line)
            if one.marker is None or one.marker.evaluate({"python_version": python}):
                yield one.name, str(one.specifier).removeprefix("==")


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert PROJECT["version"] == stance.__version__ == citation["version"]


def source_tree(place):
    """Copy what lies in the repository, with small weights."""
    junk = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info", "model.safetensors", "*.onnx")
    for name in ("stance", "training", "configs", "tests", "docs", "seeds"):
        shutil.copytree(ROOT / name, place / name, ignore=junk)
    for name in ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in", "conftest.py", "mkdocs.yml"):
        shutil.copy(ROOT / name, place / name)
    for name in ("model.safetensors", "model_int8.onnx"):
        (place / "stance/models/default" / name).write_bytes(b"weights")
    return place


def files(folder, under):
    return {f"{under}/{file.relative_to(folder)}" for file in folder.rglob("*") if file.is_file()}


@pytest.fixture(autouse=True, scope="module")
def moment():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        yield


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return source_tree(tmp_path_factory.mktemp("one") / "tree")


@pytest.fixture(scope="module")
def expected(tree):
    """What must be installed."""
    return (
        files(tree / "stance", "stance")
        | files(tree / "training", "stance/training")
        | files(tree / "configs", "stance/configs")
    )


@pytest.fixture(scope="module")
def wheel(expected, tree):
    return build(tree, "wheel")


@pytest.fixture(scope="module")
def sdist(wheel, tree):
    return build(tree, "sdist")


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_else(wheel, expected):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    meta = f"stance-{stance.__version__}.dist-info"
    names = {name for name in names if not name.endswith("/")}
    assert {name for name in names if not name.startswith(meta)} == expected
    assert {name.removeprefix(f"{meta}/") for name in names - expected} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
        "top_level.txt",
    }


@pytest.mark.slow
def test_the_sdist_holds_what_the_wheel_is_built_from_and_nothing_else(sdist, tree):
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames() if archive.getmember(name).isfile()}
    sources = {name for folder in ("stance", "training", "configs") for name in files(tree / folder, folder)}
    generated = {name for name in names if name.startswith("stance.egg-info/")}
    assert names - generated - sources == {
        "LICENSE",
        "MANIFEST.in",
        "PKG-INFO",
        "README.md",
        "pyproject.toml",
        "setup.cfg",
    }
    assert sources <= names


@pytest.mark.slow
def test_builds_are_identical_to_the_byte(wheel, sdist, tmp_path):
    again = source_tree(tmp_path / "elsewhere")
    assert build(again, "wheel").read_bytes() == wheel.read_bytes()
    assert build(again, "sdist").read_bytes() == sdist.read_bytes()


@pytest.mark.slow
def test_nothing_that_is_left_over_is_shipped(wheel, sdist, tmp_path):
    again = source_tree(tmp_path / "tree")
    for left in ("build/lib/stance/gone.py", "stance/models/default/model.onnx", "stance/models/default/model.tmp"):
        (again / left).parent.mkdir(parents=True, exist_ok=True)
        (again / left).write_text("", encoding="utf-8")
    (again / "stance.egg-info").mkdir()
    (again / "stance.egg-info/SOURCES.txt").write_text("stance/models/default/model.onnx\n", encoding="utf-8")
    assert build(again, "wheel").read_bytes() == wheel.read_bytes()
    assert build(again, "sdist").read_bytes() == sdist.read_bytes()


@pytest.mark.slow
def test_the_wheel_built_from_the_sdist_is_the_same(wheel, sdist, tmp_path):
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    assert build(unpacked, "wheel").read_bytes() == wheel.read_bytes()
