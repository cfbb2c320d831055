"""A class over HTTP: who leads and who follows, what travels, what strangers get; and what it holds of the lab."""

import re
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from cfg_core.serving import rooms
from cfg_core.serving.engine import Engine
from cfg_core.ui import middleware, room
from tests.conftest import served
from tests.ui.room_client import PAGE, RoomClient, until

PICTURES = {
    "request": {"class": 3, "samples": 4, "steps": 3, "w": 2},
    "reference": {"class": 3, "samples": 4, "steps": 3, "w": 0},
}


@pytest.fixture(scope="module")
def address(engine: Engine) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "OPENINGS", 1000)
        with served(engine) as (address, _):
            yield address


@pytest.fixture
def teacher(address: str) -> Iterator[RoomClient]:
    teacher = RoomClient(address)
    yield teacher
    teacher.call("close", secret=teacher.secret)


def token() -> str:
    return secrets.token_urlsafe(16)


def test_a_class_is_opened_found_by_its_code_and_followed(teacher: RoomClient) -> None:
    opened = teacher.open()
    assert opened["link"] == f"{PAGE}?room={opened['id']}"
    assert opened["qr"].startswith("<svg")
    assert re.fullmatch(r"\d{8}", opened["code"])
    status, found = teacher.call("find", code=f"{opened['code'][:4]} {opened['code'][4:]}")
    assert (status, found["id"]) == (200, opened["id"])
    with teacher.stream("follow", id=opened["id"], token=token()) as events:
        assert until(events, "at")["address"] == ""
        teacher.lead(address="?w=3&tab=toy2d", blank=True)
        state = until(events, "address", "?w=3&tab=toy2d")
        assert state["blank"] is True
        assert state["pictures"] == ""
        assert teacher.call("close", secret=teacher.secret)[0] == 200
        assert until(events, "ended")
    assert teacher.call("find", code=opened["code"])[0] == 404


def test_followers_get_what_the_teacher_shows_drawn_once_and_hold_no_place(teacher: RoomClient, engine: Engine) -> None:
    opened = teacher.open()
    teacher.lead(address="?w=2", pictures=PICTURES)
    streams = [teacher.stream("follow", id=opened["id"], token=token()) for _ in range(3)]
    got, evaluations = [], []
    for stream in streams:
        with stream as events:
            frames: dict[int, Any] = {}
            key = until(events, "at")["pictures"]
            for event in events:
                assert event["key"] == key
                shown = [frame["serial"] for frame in event["frames"]]
                frames |= {f["serial"]: f for f in [*event["frames"], *event["strip"]] if f["pixels"]}
                if not event["missing"]:
                    break
            got.append([frames[serial]["pixels"] for serial in shown])
            assert [frames[serial]["w"] for serial in shown] == [0.0, 2.0]
            assert all(frames[serial]["done"] for serial in shown)
            assert event["request"]["class"] == 3
        evaluations.append(engine.stats().evaluations)
    assert got[0] == got[1] == got[2]
    assert evaluations[0] == evaluations[1] == evaluations[2]
    assert engine.stats().sessions == 1  # the class's own


def test_a_page_is_sent_again_only_what_it_does_not_hold(teacher: RoomClient) -> None:
    opened, mine = teacher.open(), token()
    teacher.lead(address="?w=2", pictures=PICTURES)
    with teacher.stream("follow", id=opened["id"], token=mine) as events:
        at = until(events, "at")["at"]
        last = until(events, "missing", 0)
        seen = {f["serial"]: f["evaluations"] for f in [*last["frames"], *last["strip"]]}
    held = {"at": at, "scene": last["scene"], "number": 0, "seen": seen}
    with teacher.stream("follow", id=opened["id"], token=mine, **held) as events:
        again = next(events)  # no state, which it has
        assert [f["pixels"] for f in again["frames"] if f["serial"] in seen] == [None] * len(again["frames"])
        assert not {f["serial"] for f in again["strip"]} & seen.keys()


def test_a_page_that_explores_is_sent_no_pictures(teacher: RoomClient) -> None:
    opened = teacher.open()
    teacher.lead(address="?w=2", pictures=PICTURES)
    with teacher.stream("follow", id=opened["id"], token=token(), exploring=True) as events:
        assert until(events, "at")["address"] == "?w=2"
        teacher.lead(address="?w=3", pictures=PICTURES)
        assert next(events)["address"] == "?w=3"


def test_behind_a_proxy_that_holds_streams_back_each_reply_ends_after_its_news(teacher: RoomClient) -> None:
    opened, mine = teacher.open(), token()
    teacher.lead(address="?w=3")
    with teacher.stream("follow", id=opened["id"], token=mine, once=True) as events:
        [state] = events
    with teacher.stream("follow", id=opened["id"], token=mine, once=True, at=state["at"]) as events:
        assert list(events) == []  # after a beat


def test_the_teacher_sees_counts_and_answers_and_shows_them(teacher: RoomClient) -> None:
    opened, mine = teacher.open(), token()
    teacher.lead(address="?w=3", question="q1")
    with (
        teacher.stream("watch", secret=teacher.secret) as watch,
        teacher.stream("follow", id=opened["id"], token=mine) as events,
    ):
        assert until(events, "at")["question"] == "q1"
        assert until(watch, "counts", {"following": 1, "exploring": 0})
        assert teacher.call("answer", id=opened["id"], token=mine, question="q1", answer=0.4)[0] == 200
        told = until(watch, "answers")
        assert (told["question"], list(told["answers"].values())) == ("q1", [0.4])
        assert mine not in str(told)
        teacher.lead(address="?w=3", question="q1", phase="shown")
        assert until(events, "phase", "shown")["answers"] == [0.4]


def test_where_pictures_are_refused_the_class_has_the_question_all_the_same(teacher: RoomClient) -> None:
    opened = teacher.open()
    teacher.lead(address="?w=2", pictures=PICTURES)
    with teacher.stream("follow", id=opened["id"], token=token()) as events:
        assert until(events, "at")["pictures"]
        assert teacher.call("lead", secret=teacher.secret, question="q1", pictures={"request": {"w": 99}})[0] == 400
        assert until(events, "question", "q1")["pictures"] == ""  # and not those of before


def test_a_newer_stream_of_a_page_ends_the_older(teacher: RoomClient) -> None:
    opened, mine = teacher.open(), token()
    with (
        teacher.stream("watch", secret=teacher.secret) as watch,
        teacher.stream("follow", id=opened["id"], token=mine) as older,
    ):
        until(older, "at")
        with teacher.stream("follow", id=opened["id"], token=mine) as newer:
            until(newer, "at")
            teacher.lead(address="?w=1")
            assert list(older) == []
            assert until(newer, "address", "?w=1")
            assert until(watch, "counts", {"following": 1, "exploring": 0})


def test_a_forged_secret_and_an_unknown_id_are_answered_as_a_wrong_code_is(teacher: RoomClient) -> None:
    opened = teacher.open()
    answers = [teacher.call("find", code="0" * 8), teacher.call("find", code=[]), teacher.call("find")]
    answers += [teacher.call(name, secret=opened["id"]) for name in ("lead", "close", "watch")]
    answers += [teacher.call(name, id=token(), token=token(), question="q") for name in ("follow", "answer")]
    assert len({str(answer) for answer in answers}) == 1
    assert answers[0][0] == 404
    assert teacher.call("find", code=opened["code"])[0] == 200


def test_codes_cannot_be_guessed_in_bulk(engine: Engine) -> None:
    with served(engine) as (address, _):
        teacher = RoomClient(address)
        opened = teacher.open()
        for _ in range(room.WRONG_CODES):
            assert teacher.call("find", code="nothing")[0] == 404
        status, reply = teacher.call("find", code=opened["code"])
        assert status == 429
        assert "id" not in reply
        with teacher.stream("follow", id=opened["id"], token=token()) as events:  # the link still leads in
            assert until(events, "at")


@pytest.mark.parametrize(
    ("call", "fields", "sentence"),
    [
        ("open", {"secret": "short"}, "secret must be 22 letters"),
        ("open", {"page": "javascript:alert(1)"}, "page must be an address of http or https"),
        ("open", {"page": "http://a/?room=x"}, "page must be an address of http or https"),
        ("open", {"page": "http://a/" + "x" * 300}, "page must be at most 200 characters"),
        ("open", {"questions": "q"}, "questions must be a list"),
        ("lead", {"address": 3}, "address must be a text"),
        ("lead", {"phase": "over"}, "phase must be one of open, shown, revealed, got 'over'"),
        ("lead", {"pictures": {"request": {"w": 99}}}, "w must be a number from -1 to 8, got 99"),
        ("follow", {"token": None}, "token must be 22 letters"),
        ("follow", {"seen": {str(n): 1 for n in range(200)}}, "seen must have at most 128 grids, got 200"),
        ("answer", {"question": "q", "answer": "x" * 500}, "answer must be at most 120 characters of JSON, got 502"),
        ("answer", {"question": None}, "question must be a text"),
    ],
)
def test_invalid_input_gets_one_sentence(teacher: RoomClient, call: str, fields: dict[str, Any], sentence: str) -> None:
    opened, mine = teacher.open(), token()
    teacher.lead(question="q")
    with teacher.stream("follow", id=opened["id"], token=mine) as events:
        until(events, "at")
        usual = {"secret": teacher.secret, "page": PAGE, "id": opened["id"], "token": mine}
        status, reply = teacher.call(call, **{**usual, **fields})
    assert status == 400
    assert sentence in reply["error"]


def test_a_class_too_many_is_refused_and_streams_of_members_are_bounded_by_their_number(
    teacher: RoomClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "MEMBERS", 3)
    monkeypatch.setattr(middleware, "OF_ADDRESS", 2)
    opened = teacher.open()
    streams = [teacher.stream("follow", id=opened["id"], token=token()) for _ in range(3)]
    for stream in streams:  # more than the requests that an address may have in progress
        until(stream.__enter__(), "at")
    status, reply = teacher.call("follow", id=opened["id"], token=token())
    assert status == 429
    assert "This class is full" in reply["error"]
    for stream in streams:
        stream.__exit__(None, None, None)
    others = [RoomClient(teacher.address) for _ in range(rooms.ROOMS_OF_ADDRESS - 1)]
    for other in others:
        other.open()
    status, reply = teacher.call("open", secret=token(), page=PAGE)
    assert status == 429
    assert "classes of your network" in reply["error"]
    for other in others:
        other.call("close", secret=other.secret)


def test_after_a_restart_the_teacher_opens_the_same_class_again(engine: Engine) -> None:
    secret, mine = token(), token()
    ids = []
    for _ in range(2):
        with served(engine) as (address, _):
            teacher = RoomClient(address)
            teacher.secret = secret
            assert teacher.call("lead", secret=secret)[0] == 404
            opened = teacher.open(questions=["q1"])
            ids.append((opened["id"], opened["code"]))
            with teacher.stream("follow", id=opened["id"], token=mine) as events:
                until(events, "at")
                assert teacher.call("answer", id=opened["id"], token=mine, question="q1", answer="left")[0] == 200
    assert ids[0] == ids[1]
