"""Rooms: who leads, who follows, what is bounded, and when it ends; with a clock that the test moves."""

import json
from typing import Any

import pytest

from cfg_core.serving import rooms
from cfg_core.serving.admission import ServiceFull
from cfg_core.serving.attempts import Attempts
from cfg_core.serving.rooms import Room, Rooms, RoomState, room_code, room_id, token


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def secret(n: int) -> str:
    return f"{n:022d}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def there(clock: Clock) -> Rooms:
    return Rooms(clock=clock)


def opened(there: Rooms, n: int = 0, opener: str = "a") -> Room:
    return there.open(secret(n), f"{n:08d}", opener)


def asked(there: Rooms, phase: str = "open", question: str = "q") -> Room:
    room = opened(there)
    there.lead(room, RoomState(question=question, phase=phase))
    return room


def test_the_code_and_the_id_follow_from_the_secret_and_do_not_have_it() -> None:
    mine, other = "s" * 22, "t" * 22
    assert room_code(mine) == room_code(mine) != room_code(other)
    assert len(room_code(mine)) == 8
    assert room_code(mine).isdecimal()
    assert room_id(mine) == token("id", room_id(mine)) != room_id(other)


def test_a_room_is_found_by_its_code_and_led_by_its_secret_only(there: Rooms) -> None:
    room = opened(there, 3)
    assert there.find("00000003") is room
    assert there.get(room.id) is room
    assert there.led_by(secret(3)) is room
    for wrong in (room.id, secret(4), "", room.code):
        assert there.led_by(wrong) is None
    assert there.find("00000004") is None


def test_opening_again_with_the_same_secret_is_the_same_room(there: Rooms) -> None:
    assert opened(there) is opened(there, opener="elsewhere")
    assert len(there) == 1


def test_a_code_that_another_room_has_is_refused(there: Rooms) -> None:
    there.open(secret(0), "12345678", "here")
    with pytest.raises(ServiceFull, match="Another class has this code"):
        there.open(secret(1), "12345678", "elsewhere")


def test_rooms_are_bounded_per_address_and_in_all(there: Rooms) -> None:
    for n in range(rooms.ROOMS_OF_ADDRESS):
        opened(there, n)
    with pytest.raises(ServiceFull, match="of your network"):
        opened(there, 99)
    for n in range(rooms.ROOMS_OF_ADDRESS, rooms.ROOMS):
        opened(there, n, f"address {n}")
    with pytest.raises(ServiceFull, match=f"{rooms.ROOMS} classes on this server"):
        opened(there, 99, "another")


def test_the_members_of_all_rooms_of_one_address_are_bounded_together(there: Rooms) -> None:
    first, second = opened(there, 0), opened(there, 1)
    for n in range(rooms.MEMBERS - 1):
        there.join(first, str(n))
    there.join(second, "one more")
    for room in (first, second):
        with pytest.raises(ServiceFull, match="already 300 pages"):
            there.join(room, "one too many")
    assert there.join(first, "0") is first.members["0"]  # who is there stays
    there.join(opened(there, 2, "another address"), "welcome")


def test_the_members_of_all_rooms_are_bounded(there: Rooms) -> None:
    for n in range(rooms.ALL_MEMBERS // rooms.MEMBERS):
        room = opened(there, n, f"address {n}")
        for m in range(rooms.MEMBERS):
            there.join(room, str(m))
    with pytest.raises(ServiceFull):
        there.join(opened(there, 9, "another"), "one too many")


def test_counts_are_of_connected_pages(there: Rooms) -> None:
    room = opened(there)
    here, gone = there.join(room, "a"), there.join(room, "b")
    there.enter(room, here, exploring=False)
    there.enter(room, gone, exploring=True)
    assert room.counts == {"following": 1, "exploring": 1}
    there.leave(room, gone)
    assert room.counts == {"following": 1, "exploring": 0}


def test_of_two_streams_of_one_member_the_newer_has_the_higher_number(there: Rooms) -> None:
    room = opened(there)
    member = there.join(room, "a")
    older, newer = (there.enter(room, member, exploring=False) for _ in range(2))
    assert older < newer == member.newest
    there.leave(room, member)
    assert room.counts["following"] == 1


def test_a_member_whose_page_is_gone_is_forgotten_and_its_answers_stay(there: Rooms, clock: Clock) -> None:
    room = asked(there)
    there.join(room, "a")
    there.answer(room, "a", "q", 3)
    clock.now += rooms.WITHOUT_STREAM + 1
    assert there.get(room.id) is room
    assert room.members == {}
    assert len(room.answers["q"]) == 1


def test_a_room_ends_after_its_longest_life_or_without_its_teacher(there: Rooms, clock: Clock) -> None:
    ended: list[Room] = []
    there = Rooms(ended.append, clock)
    room = opened(there)
    for _ in range(7):
        clock.now += 1000
        assert there.led_by(secret(0)) is room
    clock.now += 1000
    assert there.led_by(secret(0)) is None
    left = opened(there, 1)
    clock.now += rooms.WITHOUT_TEACHER + 1
    assert there.find(left.code) is None
    assert ended == [room, left]
    assert room.ended
    assert left.ended


def test_the_state_changes_its_version_once_and_wakes_the_followers(there: Rooms) -> None:
    room, woken = opened(there), []
    room.followers.add(lambda: woken.append(room.state.address))
    there.lead(room, RoomState("?w=3"))
    there.lead(room, RoomState("?w=3"))
    assert (room.version, woken) == (1, ["?w=3"])


def test_the_last_answer_of_a_member_counts_while_the_question_is_open(there: Rooms, clock: Clock) -> None:
    room = asked(there)
    clock.now += rooms.REJOIN
    for member in ("a", "b"):
        there.join(room, member)
    there.answer(room, "a", "q", 1)
    there.answer(room, "a", "q", {"x": 0.5, "y": 0.25})
    there.answer(room, "b", "q", "left")
    assert room.shown_answers is None
    there.lead(room, RoomState(question="q", phase="shown"))
    assert room.shown_answers is not None
    assert sorted(map(json.dumps, room.shown_answers)) == ['"left"', '{"x": 0.5, "y": 0.25}']
    assert not there.answer(room, "b", "q", "right")
    assert there.answer(room, "b", "q", "left")  # it is kept, though its reply was lost


def test_answers_of_before_a_restart_are_taken_in_any_phase_for_a_while_but_never_replaced(
    there: Rooms, clock: Clock
) -> None:
    room = asked(there, "revealed")
    there.join(room, "a")
    there.answer(room, "a", "q", 1)
    assert not there.answer(room, "a", "q", 2)
    assert room.shown_answers == [1]
    there.join(room, "b")
    clock.now += rooms.REJOIN
    assert not there.answer(room, "b", "q", 1)


def test_nobody_answers_who_is_not_in_the_room_or_what_was_not_asked(there: Rooms) -> None:
    room = asked(there)
    there.join(room, "a")
    for member, question in (("stranger", "q"), ("a", "other")):
        with pytest.raises(KeyError):
            there.answer(room, member, question, 1)


@pytest.mark.parametrize("value", ["x" * rooms.LONGEST_ANSWER, float("nan"), [[1] * 60], object()])
def test_an_answer_is_a_small_json_value(there: Rooms, value: Any) -> None:
    room = asked(there)
    there.join(room, "a")
    with pytest.raises(ValueError, match="answer"):
        there.answer(room, "a", "q", value)


def test_questions_and_answers_of_one_are_bounded(there: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    room = asked(there)
    monkeypatch.setattr(rooms, "MEMBERS", 3)
    for n in range(3):
        there.join(room, str(n))
        there.answer(room, str(n), "q", n)
    room.members["late"] = room.members["0"]
    with pytest.raises(ValueError, match="at most 3 answers"):
        there.answer(room, "late", "q", 1)
    for n in range(rooms.QUESTIONS - 1):
        there.expect(room, f"another {n}")
    with pytest.raises(ValueError, match=f"at most {rooms.QUESTIONS} questions"):
        there.lead(room, RoomState(question="one too many"))


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"address": "x" * 3000}, "address"),
        ({"address": "a\nb"}, "address"),
        ({"blank": 1}, "blank"),
        ({"question": "q" * 100}, "question"),
        ({"phase": "over"}, "phase"),
    ],
)
def test_a_state_is_refused_with_a_sentence_that_names_the_field(raw: dict[str, Any], field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field} must"):
        RoomState.parse(raw)


@pytest.mark.parametrize("value", [None, 3, "", "short", "x" * 23, "ü" * 22, "x" * 21 + "\n"])
def test_what_is_no_token_is_refused_and_not_repeated(value: Any) -> None:
    with pytest.raises(ValueError, match="22 letters") as refused:
        token("secret", value)
    assert not isinstance(value, str) or not value or value not in str(refused.value)


def test_attempts_are_bounded_per_address_and_in_all_until_the_time_is_over(clock: Clock) -> None:
    attempts = Attempts(2, 3, 60, clock)
    for _ in range(2):
        assert not attempts.exhausted("a")
        attempts.count("a")
    assert attempts.exhausted("a")
    assert not attempts.exhausted("b")
    attempts.count("b")
    assert attempts.exhausted("c")
    clock.now += 60
    assert not attempts.exhausted("a")
