"""A browser that reaches nothing else, for tests of what people look at."""

import shutil
from contextlib import contextmanager

import pytest

playwright = pytest.importorskip("playwright.sync_api")

expect = playwright.expect
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
needs_browser = pytest.mark.skipif(
    not any(map(shutil.which, BROWSERS)),
    reason=f"the report needs a browser to be looked at: {', '.join(BROWSERS)}",
)


@contextmanager
def a_browser():
    path = next(filter(None, map(shutil.which, BROWSERS)))
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@contextmanager
def opened(browser, path, width=1440, height=900):
    """A page, just opened; afterwards: no error, and no request that left it."""
    size = {"width": width, "height": height}
    context = browser.new_context(offline=True, viewport=size)
    page = context.new_page()
    errors, requests = [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda m: m.type == "error" and errors.append(m.text))
    context.on("request", lambda request: requests.append(request.url[:200]))
    page.goto(path.as_uri())
    yield page
    context.close()
    assert errors == []
    assert [r for r in requests if not r.startswith(("file:", "data:", "blob:"))] == []
    assert len([r for r in requests if r.startswith("file:")]) == 1


def see_images_and_videos(place):
    """Wait until all that a place shows has been decoded; count it."""
    shown = place.locator("img, video").all()
    for element in shown:
        element.scroll_into_view_if_needed()
        assert element.evaluate(
            """async e => {
                if (e.tagName === "IMG") { await e.decode(); return e.naturalWidth; }
                if (e.readyState < 1)
                    await new Promise((yes, no) => {
                        e.onloadedmetadata = yes; e.onerror = no; e.load();
                    });
                return e.videoWidth;
            }"""
        )
    return len(shown)
