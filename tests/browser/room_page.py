"""A teacher's page and students' pages of one class, in browsers."""

from typing import Any

SHOWS = """([label, w]) => {
  const {classes, done, ...shown} = document.querySelector('.pane.guided canvas')?.dataset ?? {};
  return classes === label && Number(shown.w) === w && done === 'true' && !document.querySelector('.pane.guided.stale');
}"""

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}

MODULE = "link[rel=modulepreload][href$='/room/room.js']"


def room_of(page: Any) -> Any:
    """The page's ``room``, once its module is known."""
    link = page.locator(MODULE).first
    link.wait_for(state="attached")
    return link.evaluate_handle("async link => (await import(link.href)).room")


def in_room(page: Any, script: str, argument: Any = None) -> Any:
    """What a function of the page's room gives."""
    return page.evaluate(f"([room, given]) => ({script})(room, given)", [room_of(page), argument])


def until_in_room(page: Any, condition: str) -> None:
    """Wait until a condition on ``room`` holds. It is no promise: Playwright would not wait for what that gives."""
    page.wait_for_function(f"room => {condition}", arg=room_of(page))


def start_class(page: Any) -> str:
    """Start a class on the teacher's page; returns its link."""
    page.locator(".class-strip .enter").click()
    page.locator(".class .start").click()
    page.locator(".class .digits").wait_for()
    page.locator(".class .shut").click()
    return in_room(page, "room => room.opened.link")


def wait_until_it_shows(page: Any, label: int, w: float) -> None:
    """The guided grid is of that class and w, and finished."""
    page.wait_for_function(SHOWS, arg=[str(label), w])


def set_input(page: Any, selector: str, value: float, *events: str) -> None:
    """As a script of the page would: no touch of a person."""
    page.locator(f".explore >> {selector}").evaluate(
        """(input, [value, events]) => {
          input.value = value;
          for (const name of events) input.dispatchEvent(new Event(name, {bubbles: true}));
        }""",
        [value, list(events)],
    )
