"""Somebody who works with the keyboard and a wedge scanner alone, and whose actions are counted as in the design of the admin."""

import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from playwright.sync_api import Page, expect

ENTER = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
TAB = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
FNC1 = {"key": "]", "code": "BracketRight", "windowsVirtualKeyCode": 221, "modifiers": 2}  # Ctrl+]
GS = "\x1d"


def opened(page: Page) -> None:
    """It takes scans from here on."""
    expect(page.locator("#scan-form:not([data-state=opening])")).to_be_attached()


@dataclass
class Clerk:
    """`actions`: a scan, a field that is typed, a key. `sent`: what reached the scan bus, in order.

    `loads`: pages, whether the browser loaded them or the desk put them in the place of another.
    """

    page: Page
    actions: int = 0
    loads: int = 0
    sent: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.devtools = self.page.context.new_cdp_session(self.page)
        self.clock = time.time()
        self.page.on("request", self._note)

    def _note(self, request: Any) -> None:
        if request.is_navigation_request() or request.headers.get("accept") == "text/html":
            self.loads += 1
        elif "/static/" not in request.url:
            self.requests.append(request.url)
        if request.method == "POST" and (text := parse_qs(request.post_data or "").get("text")):
            self.sent.append(text[0])

    def begin(self) -> None:
        """From here on it is counted."""
        self.actions = self.loads = 0
        self.sent.clear()
        self.requests.clear()

    def scan(self, code: str, end: dict[str, Any] = ENTER, *, every: float = 0.003, after: float = 0.2) -> None:
        """The times are the scanner's own, however busy this machine is. `after`: since the key before."""
        self.actions += 1
        opened(self.page)
        self.clock = max(self.clock + after, time.time())
        for character in code:
            self.presses(character, every)
        self.end(end)

    def end(self, end: dict[str, Any] = ENTER) -> None:
        self._press(end)

    def presses(self, character: str, every: float = 0.003) -> None:
        """The scanner: one of its code."""
        self._press(FNC1 if character == GS else {"key": character, "text": character, "unmodifiedText": character})
        self.clock += every

    def _press(self, key: dict[str, Any]) -> None:
        up = {name: value for name, value in key.items() if name not in ("text", "unmodifiedText")}
        self.devtools.send("Input.dispatchKeyEvent", {"type": "keyDown", "timestamp": self.clock, **key})
        self.devtools.send("Input.dispatchKeyEvent", {"type": "keyUp", "timestamp": self.clock, **up})

    def key(self, name: str) -> None:
        """The browser's own clock stamps it, and it comes after what the other one has stamped."""
        self.actions += 1
        self.page.wait_for_timeout(max(0, self.clock + 0.2 - time.time()) * 1000)
        self.page.keyboard.press(name)
        self.clock = time.time()

    def types(self, text: str) -> None:
        """A field, however many characters, at the pace of a quick person."""
        self.actions += 1
        for character in text:
            self.clock = max(self.clock + 0.16, time.time())
            self._press({"key": character, "text": character, "unmodifiedText": character})
