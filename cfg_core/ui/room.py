"""The routes of a class that follows its teacher's page: short calls, each of which may be made twice, and two streams.
The rooms themselves are serving/rooms.py."""

import asyncio
import json
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import segno
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cfg_core.checks import line, shown
from cfg_core.serving.admission import ServiceFull
from cfg_core.serving.attempts import Attempts
from cfg_core.serving.registry import ModelRegistry
from cfg_core.serving.rooms import QUESTIONS, Room, Rooms, RoomState, room_code, token
from cfg_core.ui.class_pictures import ClassPictures, Sent
from cfg_core.ui.client_address import client_address
from cfg_core.ui.middleware import release_share
from cfg_core.ui.refusal import Refused
from cfg_core.ui.requests import PageRequests
from cfg_core.ui.room_streams import RoomStreams

log = logging.getLogger(__name__)

WRONG_CODES, OPENINGS, ALL_ATTEMPTS = 30, 12, 600
"""Wrong codes and openings of one address a minute, and of all addresses together."""

LONGEST_SEEN, LONGEST_NAME, LONGEST_PAGE = 128, 100, 200
"""Grids that a page says it holds, and characters of what a stream named and of the page's address."""

NO_CLASS = "there is no class of that code now"


class RoomRoutes:
    """The calls below /room/. Each takes one JSON object by POST; what is invalid is answered by a sentence in
    ``error``."""

    def __init__(self, models: ModelRegistry) -> None:
        self._models = models
        self._requests = PageRequests(models)
        self._rooms = Rooms(self._ended)
        self._pictures: dict[str, ClassPictures] = {}
        self._wrong_codes = Attempts(WRONG_CODES, ALL_ATTEMPTS, 60)
        self._openings = Attempts(OPENINGS, ALL_ATTEMPTS, 60)
        self._instance = secrets.token_urlsafe(8)
        self._streams = RoomStreams(self._rooms, self._instance)
        self._calls: dict[str, Callable[[Mapping[str, Any], Request], Awaitable[Response]]] = {
            "open": self._open,
            "lead": self._lead,
            "close": self._close,
            "watch": self._watch,
            "find": self._find,
            "follow": self._follow,
            "answer": self._answer,
        }

    def route(self) -> Route:
        """For the web server."""
        return Route("/room/{call}", self._serve, methods=["POST"])

    async def _serve(self, request: Request) -> Response:
        call = self._calls.get(request.path_params["call"])
        try:
            payload = json.loads(await request.body() or b"null")  # whole and in bounds: ui/request_body.py
            if call is None:
                raise Refused(404, "there is nothing at this address")
            if not isinstance(payload, Mapping):
                raise Refused(400, f"a call must be an object, got {shown(payload)}")
            return await call(payload, request)
        except Refused as refused:
            status, sentence = refused.status, str(refused)
        except ServiceFull as error:
            status, sentence = 429, str(error)
        except ValueError as error:
            status, sentence = 400, str(error)
        log.info("class refused call=%.20s status=%d: %s", request.path_params["call"], status, sentence)
        return JSONResponse({"error": sentence, "instance": self._instance}, status)

    # ---- the teacher ----

    async def _open(self, payload: Mapping[str, Any], request: Request) -> Response:
        """{secret, page, questions} → the room of the secret, opened if there is none: its id, code and link, the link
        as QR code, the seconds that it lasts. page: the address of the page without a query. questions: ids of those
        that were asked before a restart."""
        secret, page, address = token("secret", payload.get("secret")), payload.get("page"), client_address(request)
        parts = urlsplit(line("page", page, LONGEST_PAGE))
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
            raise ValueError(f"page must be an address of http or https without a query, got {shown(page)}")
        questions = payload.get("questions", [])
        if not isinstance(questions, list) or len(questions) > QUESTIONS:
            raise ValueError(f"questions must be a list of at most {QUESTIONS}, got {shown(questions)}")
        if self._openings.exhausted(address):
            raise Refused(429, f"at most {OPENINGS} classes are started a minute; please try again in a moment")
        self._openings.count(address)
        code = await asyncio.to_thread(room_code, secret)
        room = self._rooms.open(secret, code, address)
        for question in questions:
            self._rooms.expect(room, question)
        if room.id not in self._pictures:
            self._pictures[room.id] = ClassPictures(
                self._models, self._requests, room.notify_followers, lambda: room.counts["following"]
            )
            log.info("class opened classes=%d", len(self._rooms))
        link = f"{page}?room={room.id}"
        return self._json(
            {
                "id": room.id,
                "code": room.code,
                "link": link,
                "qr": segno.make(link, micro=False).svg_inline(omitsize=True, border=2),
                "seconds": round(self._rooms.seconds_left(room)),
            }
        )

    async def _lead(self, payload: Mapping[str, Any], request: Request) -> Response:
        """{secret, address, blank, question, phase, pictures: {request, reference} or null}: the class shows this.
        Where the pictures are refused it shows all the rest of it: a question is asked, and answers stay in time."""
        room, raw, state = self._led(payload), payload.get("pictures"), RoomState.parse(payload)
        raw = raw if isinstance(raw, Mapping) else {}
        try:
            for each in (raw.get("request"), raw.get("reference")):
                if isinstance(each, Mapping) and "model" in each:
                    await self._models.open_async(each["model"])
            if not room.ended:
                self._pictures[room.id].show(raw)
        except ValueError:
            if not room.ended:
                self._pictures[room.id].show({})
            raise
        finally:
            if not room.ended:
                self._rooms.lead(room, state)
        return self._json({"ok": True})

    async def _close(self, payload: Mapping[str, Any], request: Request) -> Response:
        """{secret}: the class is over."""
        self._rooms.close(self._led(payload))
        return self._json({"ok": True})

    async def _watch(self, payload: Mapping[str, Any], request: Request) -> Response:
        """{secret} → the teacher's stream."""
        return self._streams.of_teacher(self._led(payload), payload["secret"])

    def _led(self, payload: Mapping[str, Any]) -> Room:
        room = self._rooms.led_by(token("secret", payload.get("secret")))
        if room is None:
            raise Refused(404, NO_CLASS)
        return room

    # ---- members ----

    async def _find(self, payload: Mapping[str, Any], request: Request) -> Response:
        """{code} → the id of its room. A wrong one is answered the same whatever is wrong with it."""
        address, code = client_address(request), payload.get("code")
        if self._wrong_codes.exhausted(address):
            raise Refused(
                429, "too many wrong codes came from your network; please try again in a minute, or use the link"
            )
        room = self._rooms.find("".join(filter(str.isdecimal, code[:20]))) if isinstance(code, str) else None
        if room is None:
            self._wrong_codes.count(address)
            raise Refused(404, NO_CLASS)
        return self._json({"id": room.id})

    async def _follow(self, payload: Mapping[str, Any], request: Request) -> Response:
        """{id, token, exploring, at, scene, number, seen: {serial: evaluations}, once} → the member's stream.

        at: of the last state. scene, number: of the last pictures; seen: the frames of the scene that the page holds.
        """
        room, seen = self._followed(payload), payload.get("seen")
        member = self._rooms.join(room, token("token", payload.get("token")))
        release_share(request.scope)  # a stream a member: bounded by their number instead
        held = [
            (key, value) for key, value in (seen if isinstance(seen, Mapping) else {}).items() if type(value) is int
        ]
        if len(held) > LONGEST_SEEN:
            raise ValueError(f"seen must have at most {LONGEST_SEEN} grids, got {len(held)}")
        at, scene = (line(name, payload.get(name, ""), LONGEST_NAME) for name in ("at", "scene"))
        number = payload.get("number")
        same = at.startswith(f"{self._instance}.")  # serials begin anew with each process
        sent = Sent(scene, dict(held), number if isinstance(number, int) else 0) if same else Sent()
        return self._streams.of_member(
            room,
            self._pictures[room.id],
            member,
            exploring=payload.get("exploring") is True,
            at=at,
            sent=sent,
            once=payload.get("once") is True,
        )

    async def _answer(self, payload: Mapping[str, Any], request: Request) -> Response:
        """{id, token, question, answer} → whether the answer is kept: it is not once the question is closed."""
        room, name = self._followed(payload), token("token", payload.get("token"))
        try:
            question = line("question", payload.get("question"))
            kept = self._rooms.answer(room, name, question, payload.get("answer"))
        except KeyError:
            raise Refused(404, "there is no such question in this class") from None
        return self._json({"kept": kept})

    def _followed(self, payload: Mapping[str, Any]) -> Room:
        room = self._rooms.get(token("id", payload.get("id")))
        if room is None:
            raise Refused(404, NO_CLASS)
        return room

    # ---- helpers ----

    def _ended(self, room: Room) -> None:
        self._streams.forget(room)
        if pictures := self._pictures.pop(room.id, None):
            pictures.close()

    def _json(self, value: dict[str, Any]) -> JSONResponse:
        return JSONResponse({**value, "instance": self._instance})
