"""What no UTF-8 can hold is replaced, character by character; the rest stays."""

import pytest

from stance.surrogates import replace_surrogates


@pytest.mark.parametrize(
    ("text", "clean"),
    [("", ""), ("Ада 😀\r\n\0", "Ада 😀\r\n\0"), ("\ud800\udc00x\udfff", "\ufffd\ufffdx\ufffd")],
)
def test_lone_surrogates_become_the_replacement_character(text, clean):
    assert replace_surrogates(text) == clean
