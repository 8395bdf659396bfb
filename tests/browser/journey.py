"""What a person does with a browser, and what every page must stand: axe, 320 pixels, no message in the console."""

from pathlib import Path

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.identity.people import PASSWORD

STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
AXE = {"runOnly": {"type": "tag", "values": STANDARD}, "resultTypes": ["violations"]}
FOCUSED = """() => {
  const element = document.activeElement;
  const label = element.labels?.[0]?.textContent ?? element.getAttribute("aria-label") ?? element.textContent;
  return label.replace(/\\s+/g, " ").trim();
}"""

SETTLED_WIDTH = """() => new Promise((settle) => {
  const end = performance.now() + 2000;
  const look = () => {
    const width = document.documentElement.scrollWidth;
    if (width <= 320 || performance.now() > end) settle(width);
    else requestAnimationFrame(look);
  };
  look();
})"""
"""How wide the page is once the menu has heard of the narrow window and moved its entries behind “More”."""


class Journey:
    """A window with the pages that a person goes through."""

    def __init__(self, page: Page, pictures: Path | None) -> None:
        self.page = page
        self._pictures = pictures
        self.complaints: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def open(self, path: str) -> None:
        """Open a page by its address."""
        await self.page.goto(path)

    async def fill(self, label: str, text: str) -> None:
        """Type into the field with this label."""
        await self.page.get_by_label(label, exact=True).fill(text)

    async def press(self, button: str) -> None:
        """Press a button, and wait for the page it leads to."""
        async with self.page.expect_navigation():
            await self.page.get_by_role("button", name=button, exact=True).click()

    async def follow(self, link: str) -> None:
        """Follow a link, the first of that name."""
        async with self.page.expect_navigation():
            await self.page.get_by_role("link", name=link, exact=True).first.click()

    async def sign_in(self, email: str, password: str = PASSWORD) -> None:
        """Sign in by password."""
        await self.open("/console/sign-in")
        await self.fill("E-mail address", email)
        await self.fill("Password", password)
        await self.press("Sign in")

    async def heading(self) -> str:
        """The page's main heading."""
        return " ".join((await self.page.locator("h1").inner_text()).split())

    async def main(self) -> str:
        """The words of the page's main part."""
        return await self.page.locator("main").inner_text()

    async def tab_to(self, name: str) -> None:
        """Press Tab until the element of this name has the focus."""
        passed = []
        for _ in range(60):
            await self.page.keyboard.press("Tab")
            focused = await self.page.evaluate(FOCUSED)
            if focused == name:
                return
            passed.append(focused)
        raise AssertionError(f"the keyboard never came to {name!r}, only to {passed}")

    async def check(self, name: str) -> None:
        """The page has no fault that axe sees by WCAG 2.2 AA, no complaint, and fits 320 pixels."""
        await self._picture(name)
        results = await Axe().run(self.page, options=AXE)
        assert results.violations_count == 0, f"{name}: {results.generate_report()}"
        size = self.page.viewport_size
        assert size is not None
        await self.page.set_viewport_size({"width": 320, "height": 640})
        width = await self.page.evaluate(SETTLED_WIDTH)
        await self._picture(f"{name}-320")
        assert width <= 320, f"{name} is {width} pixels wide"
        await self.page.set_viewport_size(size)
        expected = [text for text in self.complaints if "Failed to load resource" not in text]
        assert expected == [], f"{name}: {expected}"

    async def _picture(self, name: str) -> None:
        if self._pictures is not None:
            await self.page.screenshot(path=self._pictures / f"{name}.png", full_page=True)
