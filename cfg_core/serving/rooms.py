"""Rooms: a class that follows its teacher's page. Pure logic of one event loop: no web server, no threads.

A room is known by its ``id``, a hash of the secret that only the teacher's browser has: who knows the secret leads, who
knows the id follows, and after a restart of the server both find the same room again under the same id. The ``code`` is
what is read aloud. It follows from the secret too, by a slow hash, so that nobody can make a secret for another's code.
Nothing about a person is kept: a member is a random token of its page.
"""

import base64
import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cfg_core.checks import boolean, choice, json_value, line
from cfg_core.serving.admission import ServiceFull

ROOMS, ROOMS_OF_ADDRESS = 32, 4
"""Rooms at once, and of these opened from one client address."""

MEMBERS, ALL_MEMBERS = 300, 600
"""Members of the rooms that one client address has opened, and of all rooms. They bound the open streams of members,
which do not count towards the share of their own address: a school's students all come from one."""

LONGEST_LIFE, WITHOUT_TEACHER, WITHOUT_STREAM = 7200.0, 1800.0, 60.0
"""Seconds after which a room ends, ends without its teacher, and forgets a member whose page is gone."""

REJOIN = 120.0
"""Seconds after a room was opened in which answers of before a restart of the server are taken, in any phase."""

QUESTIONS, LONGEST_ANSWER, LONGEST_ADDRESS, LONGEST_QUESTION = 64, 120, 2000, 60
"""Questions of a room that have answers, and characters of an answer, of an address's query and of a question's id."""

PHASES = ("open", "shown", "revealed")
"""Of a question: answers are taken; all see them; all see what is right, too."""

TOKEN = re.compile(r"[\w-]{22}", re.ASCII)
"""Of a secret, of a room's id and of a member's token: 16 bytes in base64url."""

CODE_DIGITS = 8
SCRYPT = {"n": 2**14, "r": 8, "p": 1, "dklen": 16}


def token(name: str, value: Any) -> str:
    """The value, if it is 16 bytes in base64url; otherwise raises ValueError, which does not repeat it."""
    if not isinstance(value, str) or not TOKEN.fullmatch(value):
        raise ValueError(f"{name} must be 22 letters, digits, - or _, got a {type(value).__name__} of other form")
    return value


def room_id(secret: str) -> str:
    """The id of a secret's room; the secret cannot be had from it."""
    return base64.urlsafe_b64encode(hashlib.sha256(b"room " + secret.encode()).digest()[:16]).decode().rstrip("=")


def room_code(secret: str) -> str:
    """The code of a secret's room, eight digits; slow, so that to find a secret of another's code takes weeks."""
    digest = hashlib.scrypt(secret.encode(), salt=b"guidance-lab room", **SCRYPT)
    return str(int.from_bytes(digest, "big") % 10**CODE_DIGITS).zfill(CODE_DIGITS)


@dataclass(frozen=True)
class RoomState:
    """What the teacher's page shows. address: its query. blank: whether everything is hidden. question: the id of the
    question that is asked, "" for none; phase: one of PHASES."""

    address: str = ""
    blank: bool = False
    question: str = ""
    phase: str = PHASES[0]

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> "RoomState":
        """Of what the teacher's page sends. Raises ValueError."""
        blank = raw.get("blank", False)
        boolean("blank", blank)
        return cls(
            line("address", raw.get("address", ""), LONGEST_ADDRESS),
            blank,
            line("question", raw.get("question", ""), LONGEST_QUESTION),
            choice("phase", raw.get("phase", PHASES[0]), PHASES),
        )


@dataclass(eq=False)
class Member:
    """exploring: whether the page is on its own. streams: its open ones. newest: number of the newest, which ends the
    others. seen: when the last one ended."""

    exploring: bool = False
    streams: int = 0
    newest: int = 0
    seen: float = 0.0


@dataclass(eq=False)
class Room:
    """opener: client address that opened it. opened, taught: when it was, and when its teacher's page last called.
    version: counts the changes of the state. answers: question → tag of a member → its answer, JSON; answered: counts
    them. followers, watchers: called at each change of what members see, and of what the teacher sees."""

    id: str
    code: str
    opener: str
    opened: float
    taught: float
    state: RoomState = field(default_factory=RoomState)
    version: int = 0
    ended: bool = False
    members: dict[str, Member] = field(default_factory=dict)
    answers: dict[str, dict[str, str]] = field(default_factory=dict)
    answered: int = 0
    followers: set[Callable[[], None]] = field(default_factory=set)
    watchers: set[Callable[[], None]] = field(default_factory=set)

    def notify_followers(self) -> None:
        """What members see has changed."""
        for listener in list(self.followers):
            listener()

    def notify_watchers(self) -> None:
        """What the teacher sees has changed."""
        for listener in list(self.watchers):
            listener()

    @property
    def counts(self) -> dict[str, int]:
        """How many pages follow, and how many explore on their own, of those that are connected."""
        found = Counter(member.exploring for member in self.members.values() if member.streams)
        return {"following": found[False], "exploring": found[True]}

    @property
    def shown_answers(self) -> list[Any] | None:
        """The answers to the question, in no order that says whose they are; None while they are not shown."""
        if not self.state.question or self.state.phase == PHASES[0]:
            return None
        return [json.loads(each) for each in sorted(self.answers.get(self.state.question, {}).values())]


class Rooms:
    """All rooms. ended: called with each that ends. clock: seconds, from any origin."""

    def __init__(
        self, ended: Callable[[Room], None] = lambda room: None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ended, self._clock = ended, clock
        self._rooms: dict[str, Room] = {}

    def __len__(self) -> int:
        return len(self._rooms)

    def open(self, secret: str, code: str, opener: str) -> Room:
        """The room of a secret, opened if there is none. code: ``room_code`` of it. opener: a client address.

        Raises ServiceFull.
        """
        if room := self.led_by(secret):
            return room
        if len(self._rooms) >= ROOMS:
            raise ServiceFull(f"There are already {ROOMS} classes on this server, as many as there may be.")
        if sum(room.opener == opener for room in self._rooms.values()) >= ROOMS_OF_ADDRESS:
            raise ServiceFull(f"There are already {ROOMS_OF_ADDRESS} classes of your network, as many as there may be.")
        if any(room.code == code for room in self._rooms.values()):
            raise ServiceFull("Another class has this code; please start the class once more.")
        now = self._clock()
        room = self._rooms[room_id(secret)] = Room(room_id(secret), code, opener, now, now)
        return room

    def led_by(self, secret: str) -> Room | None:
        """The room of this secret, whose teacher calls now; None if there is none."""
        room = self.get(room_id(secret))
        if room:
            room.taught = self._clock()
        return room

    def get(self, room: str) -> Room | None:
        """The room of this id."""
        self.expire()
        return self._rooms.get(room)

    def find(self, code: str) -> Room | None:
        """The room of this code."""
        self.expire()
        return next((room for room in self._rooms.values() if room.code == code), None)

    def seconds_left(self, room: Room) -> float:
        """Until it ends even with its teacher."""
        return max(0.0, room.opened + LONGEST_LIFE - self._clock())

    # ---- the teacher ----

    def expect(self, room: Room, question: str) -> None:
        """Keep answers to this question. Raises ValueError for one too many."""
        if question and question not in room.answers:
            if len(room.answers) >= QUESTIONS:
                raise ValueError(f"a class must have at most {QUESTIONS} questions, got another")
            room.answers[line("question", question, LONGEST_QUESTION)] = {}

    def lead(self, room: Room, state: RoomState) -> None:
        """The class shows this from now on. Raises ValueError for a question too many."""
        self.expect(room, state.question)
        if state != room.state:
            room.state = state
            room.version += 1
            room.notify_followers()

    def close(self, room: Room) -> None:
        """End it."""
        room.ended = True
        del self._rooms[room.id]
        self._ended(room)
        room.notify_followers()
        room.notify_watchers()

    # ---- members ----

    def join(self, room: Room, token: str) -> Member:
        """The member of this token, a new one if there is none. Raises ServiceFull."""
        if member := room.members.get(token):
            return member
        of_opener = [each for each in self._rooms.values() if each.opener == room.opener]
        everybody = sum(len(each.members) for each in self._rooms.values())
        if sum(len(each.members) for each in of_opener) >= MEMBERS or everybody >= ALL_MEMBERS:
            raise ServiceFull(f"This class is full: there are already {MEMBERS} pages in it, as many as there may be.")
        member = room.members[token] = Member(seen=self._clock())
        return member

    def enter(self, room: Room, member: Member, exploring: bool) -> int:
        """A stream of the member begins, which ends with ``leave``; returns its number."""
        member.streams += 1
        member.newest += 1
        member.exploring = exploring
        room.notify_watchers()
        return member.newest

    def leave(self, room: Room, member: Member) -> None:
        """A stream of the member has ended."""
        member.streams -= 1
        member.seen = self._clock()
        room.notify_watchers()

    def answer(self, room: Room, token: str, question: str, value: Any) -> bool:
        """Keep a member's answer, the last one that is given while the question is open; returns whether it is kept.

        Raises ValueError where it is too long, and KeyError for a member or a question that there is not.
        """
        if question not in room.answers or token not in room.members:
            raise KeyError(question)
        text = json.dumps(json_value("answer", value), separators=(",", ":"), ensure_ascii=False)
        if len(text) > LONGEST_ANSWER:
            raise ValueError(f"answer must be at most {LONGEST_ANSWER} characters of JSON, got {len(text)}")
        answers, tag = room.answers[question], member_tag(token)
        again = tag not in answers and self._clock() < room.opened + REJOIN
        if not again and (question != room.state.question or room.state.phase != PHASES[0]):
            return answers.get(tag) == text
        if tag not in answers and len(answers) >= MEMBERS:
            raise ValueError(f"a question must have at most {MEMBERS} answers, got another")
        if answers.get(tag) != text:
            answers[tag] = text
            room.answered += 1
            room.notify_watchers()
            if room.state.phase != PHASES[0]:
                room.notify_followers()
        return True

    # ---- the end ----

    def expire(self) -> None:
        """End the rooms whose time is over, and forget members whose page is gone."""
        now = self._clock()
        for room in list(self._rooms.values()):
            if now - room.opened > LONGEST_LIFE or now - room.taught > WITHOUT_TEACHER:
                self.close(room)
            gone = [t for t, m in room.members.items() if not m.streams and now - m.seen > WITHOUT_STREAM]
            for token in gone:
                del room.members[token]


def member_tag(token: str) -> str:
    """What tells the answers of one member from others', and says nothing else."""
    return hashlib.sha256(b"tag " + token.encode()).hexdigest()[:12]
