"""The attacks, each a function of an attacker that goes on until it is cancelled, and the table of all."""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable

from tests.attack.client import Attacker
from tests.attack.payloads import (
    GARBAGE,
    GARBAGE_FIELDS,
    HEAVIEST_REPLY,
    JSON_ROUTES,
    MANY_LABELS,
    SMALLEST,
    UNUSED_ROUTES,
    WORST_SCENE,
    files,
    largest,
    nested,
)

API = "/gradio_api"
SERVER = f"{API}/component_server"

FLOOD = 100.0
"""Requests a second of an attack that lives by their number."""

FEW = 12.0
"""Requests a second of an attack that needs no more."""

CONNECTIONS = 300
"""Connections that are held at once."""

KEPT = 20.0
"""Seconds between two calls that keep a session."""


# ---- memory and threads ------------------------------------------------------------------------------------------


async def unread_joins(attacker: Attacker) -> None:
    """A large cached grid, joined again and again under one session that is never read."""
    await attacker.draw(HEAVIEST_REPLY)
    body = attacker.join(HEAVIEST_REPLY, "unread")
    await attacker.repeat(FLOOD, lambda _: attacker.send(f"{API}/queue/join", body))


async def unread_calls(attacker: Attacker) -> None:
    """The same by calls of the endpoint for programs whose events are never read."""
    await attacker.draw(HEAVIEST_REPLY)
    await attacker.repeat(FLOOD, lambda _: attacker.send(f"{API}/call/grid", {"data": HEAVIEST_REPLY}))


async def long_names(attacker: Attacker) -> None:
    """Calls under session names of a megabyte, each another."""

    async def act(number: int) -> None:
        name = f"{number}{1_000_000 * 'x'}"
        if number % 2:
            await attacker.send(f"{API}/queue/join", attacker.join(SMALLEST, name))
        else:
            await attacker.send(SERVER, attacker.payload("rail", {}) | {"session_hash": name})

    await attacker.repeat(FEW, act)


async def run_grid(attacker: Attacker) -> None:
    """The largest grids past the queue, hung up."""
    await attacker.repeat(4, lambda number: attacker.hang_up(f"{API}/run/grid", {"data": largest(number)}))


async def full_lab(attacker: Attacker) -> None:
    """Every place taken, then models opened whose rail is not drawn yet."""
    opened = await attacker.call("open_session", {"query": {}})
    models = itertools.cycle(each["hash"] for each in opened.get("models", [{"hash": ""}]))

    async def act(number: int) -> None:
        if number < 320:
            reply = await attacker.call("open_session", {"query": {}})
            await attacker.call("pause_session", {"token": reply.get("token")})
        else:
            model = {"model": next(models)}
            await attacker.hang_up(SERVER, attacker.payload("open_session", {"query": model}))
            await attacker.hang_up(SERVER, attacker.payload("rail", model))

    await attacker.repeat(FLOOD / 2, act)


async def uploads(attacker: Attacker) -> None:
    """A thousand files a second."""

    async def act(number: int) -> None:
        form, kind = files(50 * number, 50)
        await attacker.send(f"{API}/upload?upload_id={number}", form, kind=kind)

    await attacker.repeat(20, act)


# ---- places and queues -------------------------------------------------------------------------------------------


async def seats(attacker: Attacker) -> None:
    """Sessions opened, and kept by pauses."""

    async def keep(token: str) -> None:
        await attacker.call("pause_session", {"token": token})

    await take_seats(attacker, keep)


async def seats_polling(attacker: Attacker) -> None:
    """Sessions opened, and kept by polls that hang up."""

    async def keep(token: str) -> None:
        poll = {"token": token, "request": {}, "seen": {}}
        await attacker.hang_up(SERVER, attacker.payload("poll", poll))

    await take_seats(attacker, keep)


async def take_seats(attacker: Attacker, keep: Callable[[str], Awaitable[None]]) -> None:
    """As few requests as hold as many sessions as there can be."""
    clock = asyncio.get_running_loop().time
    due: list[tuple[float, str]] = []  # when each session's next call is, a heap

    async def act(_: int) -> None:
        if due and due[0][0] <= clock():
            longest = due[0][1]
            heapq.heapreplace(due, (clock() + KEPT, longest))
            await keep(longest)
        elif token := (await attacker.call("open_session", {"query": {}})).get("token"):
            heapq.heappush(due, (clock(), token))

    await attacker.repeat(FEW, act)


async def demands(attacker: Attacker) -> None:
    """Thirty sessions, each with another of the largest grids every second."""
    opened = [await attacker.call("open_session", {"query": {}}) for _ in range(30)]
    tokens = itertools.cycle(each.get("token") for each in opened)
    fields = {"class": "all", "samples": 64, "steps": 102, "sampler": "ddim"}

    async def act(number: int) -> None:
        poll = {"token": next(tokens), "request": {**fields, "seed": number}, "seen": {}}
        await attacker.hang_up(SERVER, attacker.payload("poll", poll))

    await attacker.repeat(len(opened), act)


async def calls_hung_up(attacker: Attacker) -> None:
    """The largest grids through the queue; half of them never listened to, half hung up."""

    async def act(number: int) -> None:
        reply = await attacker.send(f"{API}/call/grid", {"data": largest(number)})
        if number % 2 and reply and reply.status_code == 200:
            await attacker.hang_up(f"{API}/call/grid/{reply.json()['event_id']}", method="GET")

    await attacker.repeat(FEW, act)


async def scenes_hung_up(attacker: Attacker) -> None:
    """The worst scenes of the 2-D lab and their trajectories, hung up."""

    async def act(number: int) -> None:
        body = attacker.payload(("draw", "trajectory")[number % 2], {**WORST_SCENE, "seed": number}, "toy2d")
        await attacker.hang_up(SERVER, body)

    await attacker.repeat(FEW, act)


# ---- bodies and routes -------------------------------------------------------------------------------------------


async def large_json(attacker: Attacker) -> None:
    """680 KB of labels, for programs and for the page."""
    request = {"token": "", "request": {"class": MANY_LABELS}, "seen": {}}
    bodies = [
        (f"{API}/call/grid", {"data": [MANY_LABELS, *SMALLEST[1:]]}),
        (SERVER, attacker.payload("poll", request)),
        (SERVER, attacker.payload("open_session", {"query": request["request"]})),
        (f"{API}/queue/join", attacker.join([MANY_LABELS, *SMALLEST[1:]], "large")),
    ]
    await attacker.repeat(FEW, lambda number: attacker.send(*bodies[number % len(bodies)]))


async def nested_json(attacker: Attacker) -> None:
    """Lists in lists, shallow enough to be read and too deep to be."""
    depths = nested(500), nested(5_000), nested(15_000), nested(400_000)

    async def act(number: int) -> None:
        await attacker.send(f"{API}/{JSON_ROUTES[number // len(depths) % 3]}", depths[number % len(depths)])

    await attacker.repeat(FEW, act)


async def garbage(attacker: Attacker) -> None:
    """Bodies that are no JSON, and fields that are no values."""

    async def act(number: int) -> None:
        if number % 2:
            route = JSON_ROUTES[number // 2 % len(JSON_ROUTES)]
            await attacker.send(f"{API}/{route}", GARBAGE[number // 2 // len(JSON_ROUTES) % len(GARBAGE)])
            return
        value = GARBAGE_FIELDS[number // 2 % len(GARBAGE_FIELDS)]
        fields = {"model": value, "w": value, "class": value}
        functions = {"poll": {"token": value, "request": fields, "seen": value}, "open_session": {"query": fields}}
        for function, data in functions.items():
            await attacker.send(SERVER, attacker.payload(function, data))
        await attacker.send(SERVER, attacker.payload("draw", fields | {"means": [value]}, "toy2d"))
        await attacker.send(f"{API}/call/grid", {"data": [value, *SMALLEST[1:]]})

    await attacker.repeat(FLOOD / 2, act)


async def unused_routes(attacker: Attacker) -> None:
    """Routes that neither the page nor the documented endpoints use."""

    async def act(number: int) -> None:
        method = ("GET", "POST", "HEAD")[number // len(UNUSED_ROUTES) % 3]
        await attacker.send(UNUSED_ROUTES[number % len(UNUSED_ROUTES)], method=method)

    await attacker.repeat(FLOOD, act)


async def unknown_sessions(attacker: Attacker) -> None:
    """Calls and streams of sessions and events that there are not."""

    async def act(number: int) -> None:
        name = f"unknown{number}"
        await attacker.send(f"{API}/queue/data?session_hash={name}", method="GET")
        await attacker.send(f"{API}/call/grid/{name}", method="GET")
        await attacker.send(f"{API}/cancel", {"session_hash": name, "fn_index": 0, "event_id": name})
        await attacker.send(f"{API}/reset", {"event_id": name})
        for function in ("poll", "trajectory", "pause_session", "close_session"):
            await attacker.call(function, {"token": name, "request": {}})

    await attacker.repeat(FEW, act)


# ---- connections -------------------------------------------------------------------------------------------------


async def idle_connections(attacker: Attacker) -> None:
    """Connections that say nothing."""

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)

    await attacker.hold(CONNECTIONS, talk)


async def slow_headers(attacker: Attacker) -> None:
    """Requests whose headers never end, a byte a second."""
    await attacker.hold(CONNECTIONS, attacker.trickle(attacker.head("/", headers="X-Slow: ")))


async def slow_bodies(attacker: Attacker) -> None:
    """Requests whose bodies never end, a byte a second."""
    headers = "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    await attacker.hold(CONNECTIONS, attacker.trickle(attacker.head(SERVER, "POST", headers)))


async def unread_pages(attacker: Attacker) -> None:
    """Connections that ask for the page a hundred times and read nothing."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(100 * attacker.head("/", headers="\r\n"))
        await asyncio.sleep(KEPT)

    await attacker.hold(CONNECTIONS, talk)


ATTACKS: dict[str, Callable[[Attacker], Awaitable[None]]] = {
    each.__name__: each
    for each in (
        unread_joins, unread_calls, long_names, run_grid, full_lab, uploads, seats, seats_polling, demands,
        calls_hung_up, scenes_hung_up, large_json, nested_json, garbage, unused_routes, unknown_sessions,
        idle_connections, slow_headers, slow_bodies, unread_pages,
    )
}  # fmt: skip
"""All of them by name."""

FEW_DESCRIPTORS = ("idle_connections", "slow_headers", "slow_bodies", "unread_pages")
"""Those made while the app may open 256 files and connections."""

SHORT = ("unread_joins", "calls_hung_up", "uploads", "nested_json", "garbage", "unused_routes", "unknown_sessions")
"""Those of the short form: what they find needs no long time."""
