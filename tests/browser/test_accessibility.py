"""axe-core, an accessibility checker, finds nothing serious on any tab, in light and in dark."""

from pathlib import Path

import pytest

from .conftest import Open
from .explore_page import QUICK, wait_until_idle

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"

pytestmark = pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: npm ci")

READY = "name => !['opening', 'drawing'].includes(document.querySelector('.' + name)?.dataset.state)"

RUN = """async () => {
  const {violations} = await axe.run('.gradio-container', {resultTypes: ['violations']});
  return violations.filter(each => ['serious', 'critical'].includes(each.impact))
    .flatMap(each => each.nodes.map(node => `${each.id}: ${node.html.slice(0, 160)} ${node.failureSummary}`));
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_is_found_on_any_tab(open_page: Open, scheme: str) -> None:
    page = wait_until_idle(open_page(QUICK, color_scheme=scheme, bypass_csp=True))
    page.add_script_tag(path=str(AXE))
    found = {}
    for tab in page.get_by_role("tab").all():
        tab.click()
        name = page.evaluate("document.documentElement.dataset.tab")
        page.wait_for_function(READY, arg=name)
        page.wait_for_function("document.getAnimations().every(each => each.playState !== 'running')")
        found[name] = page.evaluate(RUN)
    assert found == {name: [] for name in found}
    assert len(found) > 2
