"""The 2-D lab as a person uses it. Each figure on the page must be what the Python function gives for its link."""

from urllib.parse import urlsplit

import pytest

from cfg_core.guidance.rules.interval import LOW
from cfg_core.toy2d.scene import HALVES, REACH
from cfg_core.toy2d.trajectory import draw_trajectory

from .conftest import Open
from .toy2d_page import SMALL, TAB, holds, linked, settled

VIEW = HALVES[0]
SEEN = """() => {
  const canvas = document.querySelector('.toy2d canvas');
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return data.reduce((a, b) => (31 * a + b) | 0, 7);
}"""


def test_it_starts_with_samples_and_their_distance(open_page: Open) -> None:
    page = open_page(TAB)
    holds(page)
    label = page.locator(".toy2d canvas").get_attribute("aria-label")
    assert label == "100 samples of class A at w = 3, over the density p(x|c) p(c|x)ʷ; clean samples"
    assert page.locator('.shell [role="tab"][aria-selected="true"]').inner_text() == "2-D lab"


def test_w_by_mouse_and_keys(open_page: Open) -> None:
    page = settled(open_page(TAB))
    slider = page.locator(".toy2d input.w")
    box = slider.bounding_box()
    page.mouse.move(box["x"] + 12 + 3 / 8 * (box["width"] - 24), box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 12, box["y"] + box["height"] / 2, steps=20)
    page.mouse.up()
    holds(page, w=0.0)
    assert (
        "No guidance" in page.locator(".toy2d .sentence").inner_text()
        or "Too few steps" in page.locator(".toy2d .sentence").inner_text()
    )
    slider.focus()
    page.keyboard.press("End")
    holds(page, w=8.0)
    page.keyboard.press("ArrowLeft")
    holds(page, w=7.9)


def test_a_class_is_moved_by_hand_and_by_keys_and_never_out_of_reach(open_page: Open) -> None:
    page = settled(open_page(TAB))
    canvas, handle = page.locator(".toy2d canvas").bounding_box(), page.locator(".toy2d .handles button").nth(1)

    def at(x: float, y: float) -> tuple[float, float]:
        return canvas["x"] + (x + VIEW) / 2 / VIEW * canvas["width"], canvas["y"] + (VIEW - y) / 2 / VIEW * canvas[
            "height"
        ]

    page.mouse.move(*at(*SMALL.means[1]))
    page.mouse.down()
    page.mouse.move(*at(0.5, 1.5), steps=15)
    page.mouse.up()
    settled(page)
    (x, y) = linked(page).means[1]
    assert (x, y) == pytest.approx((0.5, 1.5), abs=0.02)
    holds(page, means=(SMALL.means[0], (x, y), SMALL.means[2]))
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    moved = (round(x + 0.1, 2), round(y - 0.5, 2))
    holds(page, means=(SMALL.means[0], moved, SMALL.means[2]))
    assert handle.get_attribute("aria-label").startswith(f"class B at {moved[0]:g}, {moved[1]:g}".replace("-", "−"))
    for _ in range(10):
        page.keyboard.press("Shift+ArrowDown")
    holds(page, means=(SMALL.means[0], (moved[0], -REACH), SMALL.means[2]))


def test_a_class_is_chosen_by_touch(open_page: Open) -> None:
    page = settled(open_page(TAB, viewport={"width": 390, "height": 844}, has_touch=True))
    page.locator(".toy2d .handles button").nth(2).dispatch_event(
        "pointerdown", {"pointerType": "touch", "pointerId": 1}
    )
    page.locator(".toy2d .classes button").nth(2).tap()
    holds(page, label=2)


def test_class_sampler_steps_langevin_seed_and_heat_map(open_page: Open) -> None:
    page = settled(open_page(TAB))
    page.locator(".toy2d .classes button").nth(1).click()
    page.keyboard.press("ArrowRight")
    holds(page, label=2)
    page.locator(".toy2d .sampler").select_option("ddim")
    page.locator(".toy2d .langevin").select_option("4")
    page.locator(".toy2d .density").select_option("all")
    for field, value in (("steps", "20"), ("seed", "11")):
        page.locator(f".toy2d .{field}").fill(value)
        page.keyboard.press("Enter")
    scene = holds(page, label=2, sampler="ddim", langevin=4, density="all", steps=20, seed=11)
    assert "Corrected" in page.locator(".toy2d .sentence").inner_text()
    page.reload()
    assert holds(page, label=2, sampler="ddim", langevin=4, density="all", steps=20, seed=11) == scene


def test_the_parameters_of_rule_and_sampler_are_controls_and_stand_in_the_link(open_page: Open) -> None:
    page = settled(open_page(TAB))
    lab = page.locator(".toy2d")
    lab.locator(".rule").select_option("interval")
    lab.locator(".sampler").select_option("ddim")
    low, eta = lab.locator("input[name=log_snr_low]"), lab.get_by_label("η")
    shown = low.evaluate("n => [n.type, +n.min, +n.max, +n.step, +n.value, n.closest('label').title]")
    assert shown == ["number", LOW.low, LOW.high, LOW.step, LOW.default, LOW.help]
    for control, value in ((low, "-2"), (eta, "0.5")):
        control.fill(value)
        control.press("Tab")
    chosen = {"rule": "interval", "sampler": "ddim", "parameters": (("eta", 0.5), ("log_snr_low", -2.0))}
    scene = holds(page, **chosen)
    assert {"toy2d_eta=0.5", "toy2d_log_snr_low=-2"} <= set(urlsplit(page.url).query.split("&"))
    page.reload()
    assert holds(page, **chosen) == scene
    lab.locator(".rule").select_option("cfg")
    holds(page, sampler="ddim", parameters=(("eta", 0.5),))
    assert "log_snr" not in page.url
    assert low.count() == 0


def test_a_parameter_out_of_range_gets_a_sentence(open_page: Open) -> None:
    page = settled(open_page(TAB))
    rho = page.locator(".toy2d").get_by_label("ρ")
    rho.fill("50")
    rho.press("Tab")
    page.locator(".toy2d .message", has_text="rho must be a number from 1 to 20, got 50").wait_for()
    holds(page)
    assert rho.input_value() == "7"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("steps", "1000", "steps must be a whole number from 1 to 200, got 1000"),
        ("steps", "many", "steps must be a whole number from 1 to 200, got 'many'"),
        ("seed", "-1", "seed must be a whole number from 0 to 4294967295, got -1"),
    ],
)
def test_nonsense_gets_a_sentence(open_page: Open, field: str, value: str, sentence: str) -> None:
    page = settled(open_page(TAB))
    page.locator(f".toy2d .{field}").fill(value)
    page.keyboard.press("Enter")
    page.wait_for_function("() => !document.querySelector('.toy2d .message').hidden")
    assert page.locator(".toy2d .message").inner_text() == sentence
    holds(page)
    assert page.locator(f".toy2d .{field}").input_value() == str(getattr(SMALL, field))


def test_a_nonsense_link_gets_a_sentence_and_samples(open_page: Open) -> None:
    page = open_page(TAB + "&toy2d_w=99&toy2d_means=1,2,3&toy2d_sampler=ddim")
    holds(page, sampler="ddim")
    assert page.locator(".toy2d .message").inner_text() == (
        "In this link, w must be a number from 0 to 8, got 99; "
        "means must be 3 to 12 points of two numbers each, got ((1, 2), (3,))."
    )


def test_the_way_from_noise_can_be_scrubbed_and_played(open_page: Open) -> None:
    page = settled(open_page(TAB))
    clean = page.evaluate(SEEN)
    page.locator(".toy2d .moment").focus()
    page.keyboard.press("Home")
    page.wait_for_function("() => document.querySelector('.toy2d canvas').dataset.moment === '0'")
    film = draw_trajectory(SMALL)
    assert page.locator(".toy2d footer output").inner_text() == f"λ = {film.log_snrs[0]:.1f}".replace("-", "−")
    assert page.evaluate(SEEN) != clean
    page.locator(".toy2d .play").click()
    page.wait_for_function(
        "() => { const at = +document.querySelector('.toy2d canvas').dataset.moment; return at > 0 && at < 1; }"
    )
    page.wait_for_function("() => document.querySelector('.toy2d canvas').dataset.moment === '1'")
    assert page.locator(".toy2d footer output").inner_text() == "clean samples"
    assert not page.locator(".toy2d.playing").count()


def test_with_reduced_motion_nothing_moves_by_itself(open_page: Open) -> None:
    page = settled(open_page(TAB, reduced_motion="reduce"))
    for expected in ("0", "0.1", "0.2"):
        page.locator(".toy2d .play").click()
        page.wait_for_function(f"() => document.querySelector('.toy2d canvas').dataset.moment === '{expected}'")
    assert not page.locator(".toy2d.playing").count()


def test_exact_draws_are_shown_on_demand(open_page: Open) -> None:
    page = settled(open_page(TAB))
    page.locator(".toy2d .exact").click()
    page.wait_for_function("() => document.querySelector('.toy2d canvas').dataset.exact === 'true'")
    assert page.locator(".toy2d .exact").get_attribute("aria-pressed") == "true"
    assert page.locator(".toy2d canvas").get_attribute("aria-label").startswith("100 exact draws of class A at w = 3")
    page.locator(".toy2d .mine").click()
    page.wait_for_function("() => document.querySelector('.toy2d canvas').dataset.exact === 'false'")


def test_every_control_has_a_name(open_page: Open) -> None:
    page = settled(open_page(TAB))
    unnamed = page.locator(".toy2d").evaluate("""lab => [...lab.querySelectorAll('button, select, input')]
      .filter(control => !(control.ariaLabel || control.innerText || control.labels?.[0]?.innerText))
      .map(control => control.outerHTML)""")
    assert unnamed == []
