"""The pictures of README and documentation: ``make browser pictures``; with ``ARGS="spacy terminal"`` some of them."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import spacy
from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from spacy import displacy

import stance
from stance.classifier import StanceClassifier
from stance.display import to_table
from stance.integrations.spacy import DISPLACY_OPTIONS
from stance.plots import plot_speakers
from stance.server.app import STATIC
from stance.server.options import Options

from . import ROOT, speed
from .serving import serving

IMAGES = ROOT / "docs" / "images"
SAMPLE = (STATIC / "sample.txt").read_text(encoding="utf-8")
ARTICLES = (
    "Mayor Ada Brook denied that she had taken money. Cole Reed had accused her of theft.",
    "The ferry leaves at nine.",
)
"""Those of the pages."""

_PATIENCE = 600_000
_STYLE = """<style>
body { margin: 0; padding: 12px 16px; background: #fff; color: #1c1b19; font: 14px/1.4 system-ui, sans-serif }
pre { margin: 0; font: 13px/1.35 "DejaVu Sans Mono", monospace }
table { border-collapse: collapse; border: 0 }
th, td { padding: 4px 10px; text-align: start }
tbody tr:nth-child(odd) { background: #f5f5f5 }
</style>"""

Shots = Iterator[Path]


def main(wanted: Sequence[str]) -> None:
    """Write every picture, or some, each in light and dark where it has both."""
    IMAGES.mkdir(exist_ok=True)
    classifier = stance.load()
    with sync_playwright() as runner:
        browser = runner.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"], timeout=_PATIENCE
        )
        for name in wanted or PICTURES:
            for picture in PICTURES[name](browser, classifier):
                # A palette of 128 colours is enough for text, and a third of the size.
                Image.open(picture).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(picture, optimize=True)
                sys.stdout.write(f"{picture.relative_to(ROOT)}: {picture.stat().st_size} bytes\n")
        browser.close()


def web(browser: Browser, classifier: StanceClassifier) -> Shots:
    """Take the page with the sample in it, and on a phone."""
    with serving(classifier, Options(port=0, timeout=600)) as served:
        for scheme, name, width, height in (
            ("light", "web-light", 1280, 1900),
            ("dark", "web-dark", 1280, 1900),
            ("light", "web-phone", 390, 1200),
        ):
            page = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme=scheme,  # type: ignore[arg-type]
                reduced_motion="reduce",
            )
            page.goto(f"http://127.0.0.1:{served.port}/")
            page.get_by_role("button", name="Use the sample").click()
            page.locator("#result").wait_for(timeout=_PATIENCE)
            page.evaluate("document.activeElement.blur(); scrollTo({top: 0, behavior: 'instant'})")
            page.screenshot(path=IMAGES / f"{name}.png")
            page.close()
            yield IMAGES / f"{name}.png"


def notebook(browser: Browser, classifier: StanceClassifier) -> Shots:
    """Take what a notebook shows of a document."""
    html = f'<body style="margin:0">{classifier.classify(SAMPLE).to_html()}'
    for scheme in ("light", "dark"):
        yield shoot(browser, html, f"notebook-{scheme}", 1000, scheme)


def speakers(_: Browser, classifier: StanceClassifier) -> Shots:
    """Draw the chart of speakers."""
    plot_speakers(classifier.classify(SAMPLE)).savefig(IMAGES / "speakers.png", dpi=120)
    yield IMAGES / "speakers.png"


def speed_plot(_: Browser, __: StanceClassifier) -> Shots:
    """Draw how time and memory grow, as ``benchmarks/speed.json`` has it."""
    speed.plot().savefig(IMAGES / "speed.png", dpi=120)
    yield IMAGES / "speed.png"


def terminal(browser: Browser, classifier: StanceClassifier) -> Shots:
    """Take the table of ``stance classify``."""
    console = Console(file=io.StringIO(), record=True, width=96, force_terminal=True, color_system="truecolor")
    console.print(to_table(classifier.classify(" ".join(ARTICLES)), console.width))
    html = console.export_html(inline_styles=True, code_format="<pre>{code}</pre>")
    yield shoot(browser, _STYLE + html, "terminal", 800)


def frame(browser: Browser, classifier: StanceClassifier) -> Shots:
    """Take the data frame of the page as a notebook shows it."""
    articles = pd.DataFrame({"url": ["https://example.org/1", "https://example.org/2"], "body": ARTICLES})
    sentences = stance.classify_frame(articles, text="body", id="url", classifier=classifier)
    shown = sentences[["id", "text", "label", "confidence", "speaker", "target"]].round(2)
    yield shoot(browser, _STYLE + shown.to_html(border=0), "frame", 900)


def spans(browser: Browser, _: StanceClassifier) -> Shots:
    """Take what displaCy renders."""
    nlp = spacy.blank("en")
    nlp.add_pipe("stance")
    html = displacy.render(nlp(" ".join(ARTICLES)), style="span", options=DISPLACY_OPTIONS, jupyter=False)
    yield shoot(browser, _STYLE + html, "spacy", 800)


PICTURES: Mapping[str, Callable[[Browser, StanceClassifier], Shots]] = MappingProxyType(
    {
        "web": web,
        "notebook": notebook,
        "speakers": speakers,
        "terminal": terminal,
        "frame": frame,
        "speed": speed_plot,
        "spacy": spans,
    }
)


def shoot(browser: Browser, html: str, name: str, width: int, scheme: str = "light") -> Path:
    """Take a page as high as what is on it."""
    page = browser.new_page(viewport={"width": width, "height": 100}, color_scheme=scheme)  # type: ignore[arg-type]
    page.set_content(f"<!doctype html>{html}", timeout=_PATIENCE)
    page.screenshot(path=IMAGES / f"{name}.png", full_page=True, timeout=_PATIENCE)
    page.close()
    return IMAGES / f"{name}.png"


if __name__ == "__main__":
    main(sys.argv[1:])
