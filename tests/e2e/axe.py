"""axe-core in the page: what people with other eyes, hands and ears would stumble over."""

from pathlib import Path

from playwright.async_api import Page

_SOURCE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"
THEMES = ("light", "dark", "hc")


async def violations(page: Page) -> list[str]:
    """Every violation: all rules in the light theme, contrast also in the others. Leaves the theme as it was."""
    if not await page.evaluate("typeof axe === 'object'"):
        await page.evaluate(_SOURCE.read_text())
    before = await page.evaluate("document.documentElement.dataset.theme")
    found = []
    for theme in THEMES:
        rules = None if theme == THEMES[0] else {"type": "rule", "values": ["color-contrast"]}
        found += await page.evaluate(
            """async ([theme, rules]) => {
                document.documentElement.dataset.theme = theme;
                const result = await axe.run(document, rules ? { runOnly: rules } : {});
                return result.violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) =>
                    `${location.pathname} ${theme}: ${id} at ${target.join(' ')}: ${failureSummary}`));
            }""",
            [theme, rules],
        )
    await page.evaluate("theme => document.documentElement.dataset.theme = theme", before)
    return found
