"""What importing the package costs and offers."""

import subprocess
import sys

import pytest

import stance


def test_import_loads_neither_torch_nor_transformers():
    code = (
        "import sys, stance; stance.__version__; print(*sorted({'torch', 'transformers', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []


@pytest.mark.parametrize("name", stance.__all__)
def test_public_names_resolve(name):
    assert getattr(stance, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        _ = stance.nonsense
