"""The lesson in a room, by keyboard: a teacher's page and two students', one of them a phone."""

from typing import Any

from .conftest import Open
from .explore_page import class_position, wait_until_idle
from .room_page import PHONE, in_room, start_class, until_in_room
from .test_lesson import STEPS, choose, shows_step

RELOADED, WANDERED = 3, 4
"""Steps at which everybody reloads, and at which a student wanders and comes back."""


def reload_all(teacher: Any, students: list[Any]) -> None:
    for page in (*students, teacher):
        page.reload()
    until_in_room(teacher, "room.connected && room.counts.following === 2")


def wander(teacher: Any, student: Any) -> None:
    student.locator(".explore .rail li", has_text="Boot").wait_for()
    student.mouse.click(*class_position(student, "Boot"))
    until_in_room(teacher, "room.counts.exploring === 1")
    student.locator(".class-strip .back").press("Enter")
    until_in_room(teacher, "room.counts.following === 2")
    student.wait_for_function("window.measured?.explore && window.explored.class === 8")


def test_the_lesson_from_first_to_last_step_by_keyboard_in_a_room(open_page: Open) -> None:
    teacher = wait_until_idle(open_page("?lesson=guidance&at=1&class=8&samples=1&w=0"))
    link = start_class(teacher)
    students = [open_page(link[link.index("?") :]), open_page(link[link.index("?") :], **PHONE)]
    for at, step in enumerate(STEPS, 1):
        for page in (teacher, *students):
            shows_step(page, at)
        if at == RELOADED:
            reload_all(teacher, students)
        if at == WANDERED:
            wander(teacher, students[0])
        if step.question:
            for student in students:
                student.locator(".lesson .answers > *").first.wait_for()
                choose(student, step.question.kind)
            until_in_room(teacher, f"room.answers('guidance/{at}').length === 2")
            assert in_room(students[0], "room => room.answers(room.question)") == []
            teacher.keyboard.press("PageDown")
            for page in (teacher, *students):
                page.locator(".lesson .histogram svg").wait_for()
            teacher.keyboard.press("PageDown")
            for page in (teacher, *students):
                page.locator(".lesson .reveal:not(:empty)").wait_for()
        if at < len(STEPS):
            teacher.keyboard.press("PageDown")
    assert len(in_room(teacher, "room => room.csv").splitlines()) == 1 + 2 * sum(bool(s.question) for s in STEPS)
    in_room(teacher, "room => room.end()")
