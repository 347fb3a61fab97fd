"""Web pages: the article without what is around it."""

import sys

import pytest

from stance.webpages import article_text

PAGE = """<!doctype html><html><head><title>Mayor denies theft - The Gazette</title><script>var a = 1;</script></head>
<body><nav><a href="/">Home</a> <a href="/sport">Sport</a></nav>
<article><h1>Mayor denies theft</h1>
<p>Mayor Ada Brook denied on Monday that she had taken money from the harbour fund &amp; its reserves.</p>
<p>Cole Reed, who leads the opposition, accused her of theft. "She emptied it," he said.</p></article>
<footer>All rights reserved. Cookie policy</footer></body></html>"""


def test_the_article_is_taken_out():
    pytest.importorskip("trafilatura", reason="needs the extra html")
    lines = article_text(PAGE).splitlines()
    assert lines[0] == "Mayor denies theft"
    assert lines[1].endswith("the harbour fund & its reserves.")
    assert lines[2].endswith('"She emptied it," he said.')
    assert len(lines) == 3
    assert article_text(PAGE.encode()) == article_text(PAGE)


@pytest.mark.parametrize("page", ["", "plain", b"\xff\xfe\x00", "<p></p>", "<div>" * 5000 + "x" + "</div>" * 5000])
def test_a_page_without_article_is_refused(page):
    pytest.importorskip("trafilatura", reason="needs the extra html")
    with pytest.raises(ValueError, match="found no article in this page"):
        article_text(page)


def test_a_missing_extra_is_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'stance\[html\]'"):
        article_text(PAGE)
