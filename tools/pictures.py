"""The pictures of README and documentation: ``make browser pictures``."""

from __future__ import annotations

import shutil
import sys
import threading
import time

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

import stance
from stance.plots import plot_speakers
from stance.server.app import STATIC, create_server
from stance.server.options import Options

from . import ROOT

IMAGES = ROOT / "docs" / "images"
SAMPLE = STATIC / "sample.txt"


def main() -> None:
    """Write every picture, in light and dark where it has both."""
    IMAGES.mkdir(exist_ok=True)
    classifier = stance.load()
    doc = classifier.classify(SAMPLE.read_text(encoding="utf-8"))
    plot_speakers(doc).savefig(IMAGES / "speakers.png", dpi=120)
    server = create_server(classifier, Options(port=0, timeout=600))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.1)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    with sync_playwright() as runner:
        browser = runner.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            shoot_page(browser, address, scheme, f"web-{scheme}", 1280, 1900)
            shoot_html(browser, doc.to_html(), scheme)
        shoot_page(browser, address, "light", "web-phone", 390, 1200)
        browser.close()
    server.should_exit = True
    thread.join()
    for picture in IMAGES.glob("*.png"):
        # A palette of 128 colours is enough for text, and a third of the size.
        Image.open(picture).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(picture, optimize=True)
        sys.stdout.write(f"{picture.relative_to(ROOT)}: {picture.stat().st_size} bytes\n")


def shoot_page(browser: Browser, address: str, scheme: str, name: str, width: int, height: int) -> None:
    """Take the page with the sample in it."""
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(address)
    page.get_by_role("button", name="Use the sample").click()
    page.locator("#result").wait_for(timeout=600_000)
    page.evaluate("document.activeElement.blur(); scrollTo({top: 0, behavior: 'instant'})")
    page.screenshot(path=IMAGES / f"{name}.png")
    page.close()


def shoot_html(browser: Browser, html: str, scheme: str) -> None:
    """Take what a notebook shows."""
    page = browser.new_page(viewport={"width": 1000, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    page.set_content(f'<!doctype html><body style="margin:0">{html}')
    page.screenshot(path=IMAGES / f"notebook-{scheme}.png", full_page=True)
    page.close()


if __name__ == "__main__":
    main()
