"""A class in real browsers: a teacher's page and two students', one of them a phone."""

from typing import Any

from cfg_core.serving.engine import Engine
from tests.benchmarks.startup import free_port, running

from .conftest import CHECKPOINT, Open
from .explore_page import QUICK, class_position, open_setting, query, thumb_position, wait_until_idle
from .room_page import PHONE, in_room, start_class, until_in_room, wait_until_it_shows

SHARED = ("class", "w", "seed", "rule", "sampler", "steps", "samples")


def test_students_pages_show_what_the_teachers_shows(open_page: Open, engine: Engine) -> None:
    teacher = wait_until_idle(open_page(QUICK))
    start_class(teacher)
    code = teacher.locator(".class-strip .code").inner_text()
    student, phone = open_page(f"?room={in_room(teacher, 'room => room.opened.id')}"), open_page(QUICK, **PHONE)
    phone.locator(".class-strip .enter").tap()
    phone.locator(".class .typed").fill(code)
    phone.locator(".class .join").tap()
    until_in_room(teacher, "room.counts.following === 2")
    wait_until_idle(student)
    teacher.mouse.click(*class_position(teacher, "Bag"))
    teacher.mouse.click(*thumb_position(teacher, 8))
    for page in (student, phone):
        wait_until_it_shows(page, 8, 8)
    teacher.locator(".explore >> .dice").click()
    open_setting(teacher, "rules").locator("select.rule").select_option("interval")
    wait_until_idle(teacher)
    for page in (student, phone):
        page.wait_for_function("rule => window.explored.rule === rule", arg="interval")
        wait_until_idle(page)
        assert {name: query(page)[name] for name in SHARED} == {name: query(teacher)[name] for name in SHARED}
    for tab in ("toy2d", "tradeoff", "explore"):
        teacher.locator(f".shell [name={tab}]").click()
        for page in (student, phone):
            page.wait_for_function("tab => document.documentElement.dataset.tab === tab", arg=tab)
    teacher.locator(".class-strip .blank-all").click()
    for page in (student, phone):
        page.locator(".blanked").wait_for()
    assert not teacher.locator(".blanked").is_visible()
    for _ in range(100):  # a page that follows leaves the lab in a request of its own, not after the idle timeout
        if engine.stats().sessions == 2:  # the teacher's page's, and the class's own
            break
        teacher.wait_for_timeout(100)
    assert engine.stats().sessions == 2
    teacher.locator(".class-strip .end").click()
    for page in (student, phone):
        page.get_by_text("The class is over.").wait_for()
        assert "room" not in query(page)


def test_a_student_wanders_and_comes_back_and_all_may_reload(open_page: Open) -> None:
    teacher = wait_until_idle(open_page(QUICK))
    student = wait_until_idle(open_page(f"?room={start_class(teacher).partition('=')[2]}"))
    student.mouse.click(*class_position(student, "Boot"))
    until_in_room(teacher, "room.counts.exploring === 1")
    wait_until_it_shows(student, 9, 3)
    teacher.mouse.click(*class_position(teacher, "Bag"))
    wait_until_it_shows(teacher, 8, 3)
    student.reload()
    wait_until_it_shows(student, 9, 3)
    assert student.locator(".class-strip .where").inner_text() == "You are exploring."
    student.get_by_role("button", name="back to the class").click()
    wait_until_it_shows(student, 8, 3)
    teacher.reload()
    until_in_room(teacher, "room.counts.following === 1")
    student.reload()
    wait_until_it_shows(student, 8, 3)
    teacher.mouse.click(*class_position(teacher, "Coat"))
    wait_until_it_shows(student, 4, 3)
    in_room(teacher, "room => room.end()")


def test_answers_come_to_the_teacher_and_are_shown_to_all_when_they_are_shown(open_page: Open) -> None:
    teacher = wait_until_idle(open_page(QUICK))
    link = f"?room={start_class(teacher).partition('=')[2]}"
    students = [open_page(link), open_page(link, **PHONE)]
    in_room(teacher, "room => room.ask('best w')")
    for n, student in enumerate(students):
        until_in_room(student, "room.question === 'best w'")
        assert in_room(student, "(room, w) => room.answer('best w', w)", n + 0.5) is True
        assert in_room(student, "room => room.answers('best w')") == []
    until_in_room(teacher, "room.answers('best w').length === 2")
    in_room(teacher, "room => room.show('best w')")
    for student in students:
        until_in_room(student, "room.answers('best w').join() === '0.5,1.5'")
        assert in_room(student, "room => room.answer('best w', 3)") is False
    assert in_room(teacher, "room => room.csv").splitlines()[1:] == ['"best w","0.5"', '"best w","1.5"']
    in_room(teacher, "room => room.end()")


def test_after_a_restart_of_the_server_everybody_is_where_the_class_is_and_no_answer_is_lost(browser: Any) -> None:
    port = free_port()
    teacher, student = browser.new_page(), browser.new_page()
    with running(str(CHECKPOINT), port=port) as app:
        teacher.goto(f"{app.address}/{QUICK}")
        wait_until_idle(teacher)
        link = start_class(teacher)
        student.goto(link)
        wait_until_idle(student)
        in_room(teacher, "room => room.ask('q')")
        until_in_room(student, "room.question === 'q'")
        assert in_room(student, "room => room.answer('q', 'left')") is True
    until_in_room(student, "!room.connected")
    with running(str(CHECKPOINT), port=port):
        until_in_room(teacher, "room.connected && room.counts.following === 1")
        assert in_room(teacher, "room => room.opened.link") == link
        teacher.mouse.click(*class_position(teacher, "Bag"))
        wait_until_it_shows(student, 8, 3)
        in_room(teacher, "room => room.show('q')")
        until_in_room(student, "room.answers('q').join() === 'left'")
    teacher.close()
    student.close()


def test_a_guessed_code_and_a_link_of_no_class_are_a_sentence(open_page: Open) -> None:
    page = open_page(QUICK, flaky=True)  # a browser writes refused calls to its console
    page.locator(".class-strip .enter").click()
    page.locator(".class .typed").fill("1234 5678")
    page.locator(".class .join").click()
    page.get_by_text("there is no class of that code now").wait_for()
    stranger = open_page(f"{QUICK}&room={'x' * 22}", flaky=True)
    stranger.get_by_text("The class is over.").wait_for()
    wait_until_idle(stranger)
    assert in_room(stranger, "room => room.role") == "alone"


FORGE = """async given => {
  const headers = {'Content-Type': 'application/json'}, body = JSON.stringify({address: '?class=9', ...given});
  const reply = await fetch('room/lead', {method: 'POST', headers, body});
  return [reply.status, (await reply.json()).error];
}"""


def test_a_forged_secret_leads_nobody(open_page: Open) -> None:
    teacher = wait_until_idle(open_page(QUICK))
    student = wait_until_idle(open_page(f"?room={start_class(teacher).partition('=')[2]}", flaky=True))
    room = in_room(student, "room => new URLSearchParams(location.search).get('room')")
    for secret in (room, "x" * 22):
        assert student.evaluate(FORGE, {"secret": secret}) == [404, "there is no class of that code now"]
    teacher.mouse.click(*class_position(teacher, "Bag"))
    wait_until_it_shows(student, 8, 3)
    in_room(teacher, "room => room.end()")
