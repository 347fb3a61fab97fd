"""Long jobs: each record exactly once and in order, whatever happens to the process, the disk or a record."""

import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import stance
from stance.cli import main
from stance.document import Document
from tests.test_cli import ADA, FakeClassifier

FAKE = (
    "import sys, time; from test_cli import FakeClassifier; from stance.classifier import StanceClassifier\n"
    "class Slow(FakeClassifier):\n"
    "    def stream(self, texts, *, min_confidence=None):\n"
    "        for doc in super().stream(texts): time.sleep(0.001); yield doc\n"
    "StanceClassifier.from_pretrained = lambda model: Slow()\n"
    "from stance.cli import main; sys.exit(main())"
)


class Choosy(FakeClassifier):
    """Cannot take texts with a number."""

    def stream(self, texts, *, min_confidence=None):
        for item, doc in zip(texts := list(texts), super().stream(texts, min_confidence=min_confidence), strict=True):
            if any(character.isdigit() for character in item[1]):
                raise RuntimeError("no numbers, please")
            yield doc


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    monkeypatch.setattr("stance.classifier.StanceClassifier.from_pretrained", lambda model=None: FakeClassifier())


@pytest.fixture
def archive(tmp_path):
    """Write an archive of many records, some of them broken, and give back its file."""

    def archive(count, broken=(), times=1):
        path = tmp_path / "archive.jsonl"
        lines = [json.dumps({"id": str(number), "text": f"Ada denied {number}." * times}) for number in range(count)]
        for number in broken:
            lines[number] = '{"id": "b", "text": 7}' if number % 2 else "{"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return archive


def ids(path):
    return [json.loads(line)["id"] for line in path.read_bytes().splitlines()]


def start(*argv, code=FAKE, **options):
    places = os.pathsep.join([str(Path(stance.__file__).parents[1]), str(Path(__file__).parent)])
    command = ["-c", code] if code else ["-m", "stance"]
    environment = {**os.environ, "PYTHONPATH": places, "HF_HUB_OFFLINE": "1"}
    return subprocess.Popen([sys.executable, *command, *map(str, argv)], env=environment, text=True, **options)


def kill_and_resume(archive, out, kills, *argv, code=FAKE):
    """Run over the archive, killed ``kills`` times at random places, until it is done."""
    partial, records = out.with_name(f"{out.name}.partial"), len(archive.read_bytes().splitlines())
    places = sorted(random.Random(7).sample(range(1, records * 6 // 10), kills))
    for place in places:
        process = start("classify", archive, "-o", out, "--resume", *argv, code=code)
        while process.poll() is None and (not partial.exists() or partial.read_bytes().count(b"\n") < place):
            time.sleep(0.001)
        assert process.poll() is None, "it ended before it could be killed"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not out.exists()
    return start("classify", archive, "-o", out, "--resume", *argv, code=code).wait()


def test_a_killed_run_ends_with_each_record_once(archive, tmp_path):
    path, out = archive(1500, broken=(3, 700)), tmp_path / "out.jsonl"
    assert kill_and_resume(path, out, 3, "--errors-to", tmp_path / "bad.jsonl") == 3
    assert ids(out) == [str(number) for number in range(1500) if number not in (3, 700)]
    assert [json.loads(line)["record"] for line in (tmp_path / "bad.jsonl").open()] == [4, 701]
    assert not (tmp_path / "out.jsonl.partial").exists()


@pytest.mark.slow
def test_a_real_run_killed_twenty_times(archive, tmp_path):
    path, out, bad = archive(4000, broken=(7, 1500, 3999)), tmp_path / "out.jsonl", tmp_path / "bad.jsonl"
    assert kill_and_resume(path, out, 20, "--errors-to", bad, code=None) == 3
    assert ids(out) == [str(number) for number in range(4000) if number not in (7, 1500, 3999)]
    uncut, errors = tmp_path / "uncut.jsonl", tmp_path / "errors.jsonl"
    assert start("classify", path, "-o", uncut, "--errors-to", errors, code=None).wait() == 3
    assert (uncut.read_bytes(), errors.read_bytes()) == (out.read_bytes(), bad.read_bytes())


def test_it_goes_on_from_any_byte(archive, tmp_path):
    path, out, bad = archive(5, broken=(1, 3)), tmp_path / "out.jsonl", tmp_path / "bad.jsonl"
    command = ["classify", str(path), "-o", str(out), "--errors-to", str(bad)]
    assert main(command) == 3
    whole, errors = out.read_bytes(), bad.read_bytes()
    lines = iter(whole.splitlines(keepends=True))
    failures = iter(errors.splitlines(keepends=True))
    ordered = [(out, next(lines)) if number not in (1, 3) else (bad, next(failures)) for number in range(5)]
    partial = tmp_path / "out.jsonl.partial"
    for done, (file, line) in enumerate(ordered):
        for torn in {0, 1, len(line) - 1}:
            out.unlink(missing_ok=True)
            written = {out: b"", bad: b""}
            for earlier, content in ordered[:done]:
                written[earlier] += content
            written[file] += line[:torn]
            partial.write_bytes(written[out])
            bad.write_bytes(written[bad])
            assert main([*command, "--resume"]) == 3
            assert (out.read_bytes(), bad.read_bytes()) == (whole, errors)


def test_what_is_complete_is_left_alone(archive, tmp_path, capsys):
    command = ["classify", str(archive(3)), "-o", str(tmp_path / "out.jsonl"), "--resume"]
    assert main(command) == 0
    out = tmp_path / "out.jsonl"
    before = out.read_bytes(), out.stat().st_mtime_ns, out.stat().st_ino
    assert main(command) == 0
    assert "is complete already" in capsys.readouterr().err
    assert (out.read_bytes(), out.stat().st_mtime_ns, out.stat().st_ino) == before


def test_half_a_result_is_not_thrown_away(archive, tmp_path, capsys):
    out = tmp_path / "out.jsonl"
    assert main(["classify", str(archive(1)), "-o", str(out)]) == 0
    out.rename(tmp_path / "out.jsonl.partial")
    path = archive(3)
    assert main(["classify", str(path), "-o", str(out)]) == 2
    assert "go on with it by --resume, or delete it" in capsys.readouterr().err
    assert main(["classify", str(path), "-o", str(out), "--resume"]) == 0
    assert ids(out) == ["0", "1", "2"]


def test_a_wrong_option_leaves_nothing_that_is_in_the_way(tmp_path, capsys):
    table, out = tmp_path / "a.csv", tmp_path / "out.jsonl"
    table.write_text("id,body\na,It rained.\n", encoding="utf-8")
    assert main(["classify", str(table), "-o", str(out)]) == 2
    assert "--text-column" in capsys.readouterr().err
    assert main(["classify", str(table), "-o", str(out), "--text-column", "body"]) == 0
    assert ids(out) == ["a"]


@pytest.mark.parametrize("more", [[], ["--resume"]])
def test_errors_of_a_run_that_has_ended_are_in_nobodys_way(archive, tmp_path, more):
    command = ["classify", str(archive(3, broken=[0])), "--errors-to", str(tmp_path / "bad.jsonl"), "-o"]
    assert main([*command, str(tmp_path / "out.jsonl")]) == 3
    assert main([*command, str(tmp_path / "out.jsonl")]) == 3
    assert main([*command, str(tmp_path / "other.jsonl"), *more]) == 3
    assert ids(tmp_path / "other.jsonl") == ["1", "2"]


def test_a_finished_result_is_compared_with_the_input(archive, tmp_path, capsys):
    out = tmp_path / "out.jsonl"
    assert main(["classify", str(archive(2)), "-o", str(out)]) == 0
    before = out.read_bytes()
    assert main(["classify", str(archive(3)), "-o", str(out), "--resume"]) == 2
    assert "is complete, but the input goes on at" in capsys.readouterr().err
    other = tmp_path / "other.txt"
    other.write_text("It snowed.", encoding="utf-8")
    assert main(["classify", str(other), "-o", str(out), "--resume"]) == 2
    assert "does not belong to this input" in capsys.readouterr().err
    assert out.read_bytes() == before


def test_a_file_of_another_kind_is_no_result_to_go_on_with(archive, tmp_path, capsys):
    (tmp_path / "out.jsonl").write_text("notes\n", encoding="utf-8")
    assert main(["classify", str(archive(1)), "-o", str(tmp_path / "out.jsonl"), "--resume"]) == 2
    assert "out.jsonl holds other lines than this command writes" in capsys.readouterr().err


def test_the_partial_file_is_no_article(archive, tmp_path, capsys):
    out = tmp_path / "out.jsonl"
    (tmp_path / "out.jsonl.partial").write_bytes(b"{}\n")
    assert main(["classify", str(archive(1)), str(tmp_path / "out.jsonl.partial"), "-o", str(out), "--resume"]) == 2
    assert "out.jsonl.partial would be overwritten" in capsys.readouterr().err


@pytest.mark.parametrize("other", [{"id": "0", "text": "Another."}, {"id": "x", "text": "Ada denied 0."}])
def test_half_a_result_of_another_input_is_refused(archive, tmp_path, capsys, other):
    line = Document.from_dict({**other, "sentences": []}).to_json()
    (tmp_path / "out.jsonl.partial").write_text(f"{line}\n", encoding="utf-8")
    assert main(["classify", str(archive(3)), "-o", str(tmp_path / "out.jsonl"), "--resume"]) == 2
    assert "does not belong to this input: record 1, " in capsys.readouterr().err


def test_without_a_file_for_errors_the_first_one_ends_the_run(archive, tmp_path, capsys):
    path, out = archive(5, broken=(3,)), tmp_path / "out.jsonl"
    assert main(["classify", str(path), "-o", str(out)]) == 2
    assert "archive.jsonl, line 4: 'text' must be a string, not int" in capsys.readouterr().err
    assert not out.exists()
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[3] = '{"id": "3", "text": "Ada denied 3."}'
    path.write_text("\n".join(lines), encoding="utf-8")
    assert main(["classify", str(path), "-o", str(out), "--resume"]) == 0
    assert ids(out) == ["0", "1", "2", "3", "4"]


def test_one_that_the_model_cannot_take_leaves_the_others_alone(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("stance.classifier.StanceClassifier.from_pretrained", lambda model=None: Choosy())
    for name, text in (("a", ADA), ("b", "Ada denied 7."), ("c", "Cole left.")):
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    (tmp_path / "d.txt").write_bytes(b"caf\xe9")
    bad = tmp_path / "bad.jsonl"
    assert main(["classify", str(tmp_path / "*.txt"), "--errors-to", str(bad)]) == 3
    out, err = capsys.readouterr()
    assert [json.loads(line)["text"] for line in out.splitlines()] == [ADA, "Cole left."]
    assert err == f"stance: 2 records could not be classified; {bad} tells why\n"
    failures = [json.loads(line) for line in bad.read_text(encoding="utf-8").splitlines()]
    assert [(one["record"], one["id"], one["error"]) for one in failures] == [
        (2, str(tmp_path / "b.txt"), "RuntimeError: no numbers, please"),
        (4, str(tmp_path / "d.txt"), "not UTF-8 at byte 3; save the file as UTF-8"),
    ]


def test_a_full_disk_is_a_clear_error_and_loses_nothing(archive, tmp_path):
    path, out = archive(200), tmp_path / "out.jsonl"

    def small_disk():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    process = start("classify", path, "-o", out, stderr=subprocess.PIPE, preexec_fn=small_disk)
    _, err = process.communicate()
    assert (process.returncode, err) == (2, f"stance: error: {out}.partial: File too large\n")
    assert not out.exists()
    assert start("classify", path, "-o", out, "--resume").wait() == 0
    assert ids(out) == [str(number) for number in range(200)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_disk_behind_standard_output(archive):
    with Path("/dev/full").open("w") as full:
        process = start("classify", archive(200), stdout=full, stderr=subprocess.PIPE)
        _, err = process.communicate()
    assert (process.returncode, err) == (2, "stance: error: standard output: No space left on device\n")
    process = start("classify", archive(20), "-o", "/dev/full", "--format", "jsonl", stderr=subprocess.PIPE)
    _, err = process.communicate()
    assert (process.returncode, err) == (2, "stance: error: /dev/full: No space left on device\n")


def test_a_target_that_cannot_be_written(archive, tmp_path, capsys):
    path = archive(3)
    assert main(["classify", str(path), "-o", str(tmp_path / "no" / "out.jsonl")]) == 2
    assert f"{tmp_path / 'no' / 'out.jsonl'}.partial: No such file or directory" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="needs Linux's /sys, where nobody may make a file")
def test_a_target_where_nothing_may_be_written(archive, capsys):
    assert main(["classify", str(archive(3)), "-o", "/sys/out.jsonl"]) == 2
    assert re.search(r"/sys/out\.jsonl\.partial: (Permission denied|Read-only file system)", capsys.readouterr().err)


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="only Linux tells it in a file")
def test_memory_does_not_grow_with_the_archive(archive, tmp_path):
    def peak(count):
        # Not ru_maxrss, which a process inherits from the one that starts it: here a whole pytest.
        code = FAKE.replace("sys.exit(main())", "main(); print(open('/proc/self/status').read())")
        process = start(
            "classify", archive(count, times=1000), "-o", tmp_path / f"{count}.jsonl", code=code, stdout=subprocess.PIPE
        )
        return int(re.search(r"VmHWM:\s+(\d+) kB", process.communicate()[0])[1])

    assert peak(2000) < peak(100) + 20_000  # what is kept of each record would be 36 MB at least


@pytest.mark.parametrize("name", ["out.csv", "out.html", "out.parquet"])
def test_half_of_what_cannot_be_resumed_is_begun_anew(archive, tmp_path, name):
    (tmp_path / f"{name}.partial").write_bytes(b"half of it")
    assert main(["classify", str(archive(3)), "-o", str(tmp_path / name)]) == 0
    assert b"half of it" not in (tmp_path / name).read_bytes()
    assert not (tmp_path / f"{name}.partial").exists()
