"""Toasts counted as they appear: under load one may be gone again before a test looks for it."""

from playwright.sync_api import Page

WATCH = """
() => {
  window.toasted = [];
  const added = (changes) => changes.flatMap(({ addedNodes }) => [...addedNodes]);
  new MutationObserver((changes) => window.toasted.push(...added(changes).map((toast) => toast.textContent)))
    .observe(document.getElementById("toasts"), { childList: true });
}
"""


def watch_toasts(page: Page) -> None:
    """Count those that appear on this page from now on."""
    page.evaluate(WATCH)


def toasted(page: Page, text: str) -> int:
    """How many with this text have appeared since."""
    return int(page.evaluate("(text) => window.toasted.filter((each) => each.includes(text)).length", text))
