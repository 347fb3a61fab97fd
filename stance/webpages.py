"""Web pages: the text of the article in an HTML file, without menus, advertisements and footers."""

from __future__ import annotations

from stance.extras import require


def article_text(html: str | bytes) -> str:
    """Take the main text out of a web page.

    Args:
        html: The page; bytes are decoded as the page itself or their form tells.

    Returns:
        The article, a line a paragraph. It is a text of its own: positions in it are none in the page.

    Raises:
        ModuleNotFoundError: If the extra ``html`` is not installed.
        ValueError: If the page has no article that can be told from the rest.

    Example:
        >>> article_text("<nav>Home | Sport</nav><article><p>Mayor Ada Brook denied it.</p></article>")
        'Mayor Ada Brook denied it.'

    """
    text = require("trafilatura", "html").extract(html, include_comments=False)
    if not text:
        raise ValueError("found no article in this page; save the page whole, or paste its text into a .txt file")
    return str(text)
