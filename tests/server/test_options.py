"""The server's options: sane as they are, each on the command line, and refused where they cannot work."""

import argparse
import subprocess
import sys
from dataclasses import fields

import pytest

from stance.server.options import Options, add_options


def parsed(*argv):
    parser = argparse.ArgumentParser()
    add_options(parser)
    return Options.from_arguments(parser.parse_args(argv))


def test_without_arguments_they_are_the_defaults():
    assert parsed() == Options(allow_host=[])


def test_every_option_is_on_the_command_line():
    argv = [part for option in fields(Options) for part in (f"--{option.name.replace('_', '-')}", "99")]
    options = parsed(*argv)
    assert [str(getattr(options, option.name)).strip("[]'.0") for option in fields(Options)] == ["99"] * len(
        fields(Options)
    )


def test_numbers_are_numbers():
    options = parsed("--timeout", "0.5", "--queue", "70", "--allow-host", "a", "--allow-host", "b")
    assert (options.timeout, options.queue, options.allow_host) == (0.5, 70, ["a", "b"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"queue": 10}, "--queue 10 holds fewer texts than one request may have: 64"),
        ({"timeout": 0}, "--timeout must be above 0, not 0"),
        ({"max_bytes": -1}, "--max-bytes must be above 0, not -1"),
    ],
)
def test_what_cannot_work_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Options(**options)


@pytest.mark.parametrize("content", ["", "two words", "ö", "a\nb"])
def test_a_token_is_one_word(tmp_path, content):
    (tmp_path / "token").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match="one word of printable ASCII"):
        Options(token_file=str(tmp_path / "token")).token()


def test_a_token_in_another_encoding_is_no_token(tmp_path):
    (tmp_path / "token").write_text("secret", encoding="utf-16")
    with pytest.raises(ValueError, match="one word of printable ASCII"):
        Options(token_file=str(tmp_path / "token")).token()


def test_names_of_a_public_address_are_the_callers_choice():
    assert Options(host="0.0.0.0").allowed_hosts() == ()
    assert Options(host="0.0.0.0", allow_host=["news.example"]).allowed_hosts() == ("news.example",)


def test_without_the_extra_it_is_named():
    code = "import sys; sys.modules['fastapi'] = None\nfrom stance.cli import main\nsys.exit(main(['serve']))"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert process.returncode == 2
    assert process.stderr == "stance: error: fastapi is not installed; install it with: pip install 'stance[web]'\n"
