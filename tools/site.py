"""Hooks of the documentation site: pages that lie elsewhere in the repository, and examples rendered by the library.

Every page is written for the repository, so that its links work there as well. Here they are turned into links of the
site: to the page, where the file is one, and to nothing but their words where it is none.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from stance import labelled
from stance.document import Document

ROOT = Path(__file__).parents[1]
ELSEWHERE = {
    "model-card.md": "stance/models/default/README.md",
    "data-card.md": "seeds/README.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
    "security.md": "SECURITY.md",
}
"""Pages of the site whose text lies outside ``docs/``."""

_PAGES = {source: page for page, source in ELSEWHERE.items()} | {"README.md": "index.md"}
_LINK = re.compile(r"(!?\[[^\]]*\])\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)")
_FETCHED = re.compile(r"""<(?:script|img|link|iframe|source|video)\b[^>]*?\b(?:src|href)=["']?(?:https?:)?//[^>]*""")
_EXAMPLE = re.compile(r"<!-- example: (\S+) -->")


def on_files(files: Files, *, config: Any) -> Files:  # noqa: ANN401  # MkDocs gives its own configuration
    """Add the pages that lie elsewhere."""
    for page, source in ELSEWHERE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Fill in the rendered examples, and turn links to files into links to pages."""
    source = ELSEWHERE.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    linked = _LINK.sub(lambda link: relink(link[1], link[2], link[3] or "", source), markdown)
    return _EXAMPLE.sub(lambda example: render(example[1]), linked)


def on_post_page(output: str, *, page: Page, **_: object) -> str:
    """Refuse a page that would fetch something from elsewhere when it is read."""
    if found := _FETCHED.search(output):
        raise PluginError(f"{page.file.src_uri} fetches something from elsewhere: {found[0]}")
    return output


def relink(words: str, target: str, place: str, source: str) -> str:
    """Turn a link between files of the repository into one between pages.

    Args:
        words: What stands in square brackets, with them.
        target: The file, from the folder of ``source``.
        place: A heading in it, such as ``#errors``, or nothing.
        source: The file that has the link, from the root of the repository.

    Returns:
        The link, or its words alone where the site has no such page.

    Raises:
        FileNotFoundError: If there is no such file.

    Example:
        >>> relink("[the recipe]", "../README.md", "#limits", "docs/training.md")
        '[the recipe](index.md#limits)'
        >>> relink("[the licence]", "LICENSE", "", "CONTRIBUTING.md")
        'the licence'

    """
    file = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    if not (ROOT / file).exists():
        raise FileNotFoundError(f"{source} links to {target}, and there is no {file}")
    page = _PAGES.get(file) or (file.removeprefix("docs/") if file.startswith("docs/") else None)
    return f"{words}({page}{place})" if page else words[1:-1]


def render(identifier: str) -> str:
    """Render an article of ``examples/concepts.jsonl`` as the library does."""
    articles = {article["id"]: article for article in labelled.read(ROOT / "examples/concepts.jsonl")}
    return Document.from_dict(articles[identifier]).to_html()
