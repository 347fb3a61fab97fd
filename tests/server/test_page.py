"""The page in a real browser: an article goes in, marks and ledger come out, and everybody can use it."""

import codecs
import csv
import io
import json
import os
import shutil
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = Path(os.environ.get("AXE_CORE", ".axe/node_modules/axe-core/axe.min.js"))
TEXT = "Ada denied it. Ada said it rained.\n\nCole accused Ada of theft. Why? It was cold."

pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as runner:
        browser = runner.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, client):
    """The page, which must not complain in the console nor ask for anything from elsewhere."""
    context = browser.new_context(accept_downloads=True, color_scheme="light")
    page = context.new_page()
    page.set_default_timeout(30_000)
    complaints, asked = [], []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"http://127.0.0.1:{client.port}/")
    page.complaints = complaints
    yield page
    assert complaints == []
    assert {url.split("/")[2] for url in asked if url.startswith("http")} == {f"127.0.0.1:{client.port}"}
    context.close()


def read(page, text=TEXT):
    page.get_by_label("Paste an article").fill(text)
    page.get_by_role("button", name="Read it").click()
    page.locator("#result").wait_for()


def shown(page):
    return [sentence.strip() for sentence in page.locator(".sentence:visible").evaluate_all(
        "all => all.map(one => [...one.childNodes].filter(node => !node.matches?.('.note')).map(n => n.textContent).join(''))"
    )]  # fmt: skip


def test_a_pasted_article_is_marked_with_its_ledger(page):
    read(page)
    assert shown(page) == [
        "Ada denied it.",
        "Ada said it rained.",
        "Cole accused Ada of theft.",
        "Why?",
        "It was cold.",
    ]
    assert page.get_by_role("rowheader").all_inner_texts() == ["Ada", "Cole", "author"]
    assert page.get_by_role("status").inner_text() == "5 of 5 sentences"
    page.get_by_role("link", name="Cole accused Ada of theft.").click()
    assert page.locator(".sentence:target").inner_text().endswith("Cole accused Ada of theft.")


def test_a_click_on_a_speaker_shows_only_their_sentences(page):
    read(page)
    page.get_by_role("button", name="Ada").click()
    assert shown(page) == ["Ada denied it.", "Ada said it rained."]
    assert page.get_by_role("status").inner_text() == "2 of 5 sentences, of Ada"
    page.get_by_label("denial").uncheck()
    assert shown(page) == ["Ada said it rained."]
    page.get_by_role("button", name="Show all").click()
    playwright.expect(page.locator(".sentence:visible")).to_have_count(5)


def test_labels_and_speakers_filter_by_keyboard_alone(page):
    read(page)
    assert page.evaluate("document.activeElement.id") == "result"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "speaker"
    page.keyboard.press("c")
    assert shown(page) == ["Cole accused Ada of theft."]
    page.get_by_label("allegation").focus()
    page.keyboard.press("Space")
    assert shown(page) == []


def test_downloads_hold_what_the_server_answered(page, client):
    read(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download JSON").click()
    assert waiting.value.suggested_filename == "article.json"
    assert json.loads(Path(waiting.value.path()).read_text(encoding="utf-8")) == client.classify(TEXT)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download CSV").click()
    sheet = Path(waiting.value.path()).read_bytes()
    assert sheet.startswith(codecs.BOM_UTF8)  # or else spreadsheets take it for something else
    assert len(list(csv.reader(io.StringIO(sheet.decode("utf-8-sig"))))) == 6


def test_the_sample_is_one_click_away(page):
    page.get_by_role("button", name="Use the sample").click()
    page.locator("#result").wait_for()
    assert "mackerel" in " ".join(shown(page))


def test_files_are_read(page, tmp_path):
    path = tmp_path / "ada.txt"
    path.write_text(TEXT, encoding="utf-8")
    page.set_input_files("#file", path)
    page.locator("#result").wait_for()
    assert len(shown(page)) == 5
    (tmp_path / "b.pdf").write_bytes(b"%PDF")
    page.set_input_files("#file", tmp_path / "b.pdf")
    assert page.get_by_role("alert").inner_text() == "Only .txt and .html files can be read here."


def test_a_result_keeps_its_name_when_the_next_file_fails(page, client, tmp_path):
    for name, text, end in (("ada.txt", TEXT, "#result"), ("empty.html", "<nav></nav>", "#error")):
        (tmp_path / name).write_text(text, encoding="utf-8")
        page.set_input_files("#file", tmp_path / name)
        page.locator(end).wait_for()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download JSON").click()
    assert waiting.value.suggested_filename == "ada.json"
    assert json.loads(Path(waiting.value.path()).read_text(encoding="utf-8")) == client.classify(TEXT)


def test_a_file_may_be_dropped_anywhere_even_on_a_result(page):
    read(page, "It rained.")
    page.evaluate(
        """text => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([text], "ada.TXT"));
            document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        TEXT,
    )
    playwright.expect(page.locator(".sentence:visible")).to_have_count(5)


def test_errors_are_shown_in_words(page):
    page.get_by_role("button", name="Read it").click()
    assert "There is no text yet" in page.get_by_role("alert").inner_text()
    read_failing = "They explode."
    page.get_by_label("Paste an article").fill(read_failing)
    page.get_by_role("button", name="Read it").click()
    playwright.expect(page.get_by_role("alert")).to_have_text("the server failed at this text; its log says where")
    read(page)
    assert page.get_by_role("alert").count() == 0


def test_progress_is_shown_and_can_be_stopped(page, classifier):
    classifier.gate.clear()
    page.get_by_label("Paste an article").fill(TEXT)
    page.get_by_role("button", name="Read it").click()
    page.get_by_role("progressbar", name="Reading").wait_for()
    page.get_by_role("button", name="Stop").click()
    playwright.expect(page.get_by_role("progressbar")).to_have_count(0)
    assert not page.locator("#result").is_visible()


def test_hostile_text_is_only_text(page):
    hostile = '<img src=x onerror="alert(1)"><script>alert(2)</script> denied it.'
    page.on("dialog", lambda dialog: page.complaints.append(dialog.message))
    read(page, hostile)
    assert shown(page) == [hostile]
    assert page.locator("#article img, #article script").count() == 0


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_sticks_out_sideways(page, width):
    page.set_viewport_size({"width": width, "height": 700})
    read(page, TEXT + " " + "x" * 300)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed; npm install --prefix .axe axe-core")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_barrier(page, scheme):
    page.emulate_media(color_scheme=scheme)
    found = barriers(page)
    read(page)
    found += barriers(page)
    page.set_viewport_size({"width": 360, "height": 700})
    assert found + barriers(page) == []


def barriers(page):
    page.evaluate(AXE.read_text(encoding="utf-8"))
    violations = page.evaluate("axe.run().then(result => result.violations)")
    return [
        (violation["id"], [node["html"][:120] for node in violation["nodes"]])
        for violation in violations
        if violation["impact"] in ("serious", "critical")
    ]
