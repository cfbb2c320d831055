"""The calls of the named endpoints while they wait: Gradio's queue, with the bounds that it lacks."""

import logging
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import gradio as gr
from fastapi import Request
from gradio.data_classes import PredictBodyInternal
from gradio.queueing import Event, Queue

from cfg_core.ui.client_address import client_address

log = logging.getLogger(__name__)

OF_FUNCTION, OF_ADDRESS, OF_SESSION = 64, 48, 16
"""Calls whose reply has not been taken: of one function, and of these from one address (a classroom has one) and of one
session. More are refused."""

SERVED_OF_ADDRESS = 4
"""Calls of one function and address that are served at once; others come in between."""

LISTEN_SECONDS = 10.0
"""A call that nobody listens for by then is dropped."""


@dataclass(frozen=True)
class Call:
    """A call whose reply has not been taken. address: of its sender."""

    event: Event
    address: str


class CallQueue(Queue):
    """Gradio's queue, but a call is served only once somebody listens for its reply, and ends when they hang up.

    So no reply is kept that nobody reads. A queue that is full refuses calls of its own function only, and serves the
    addresses in it in turn.
    """

    def __init__(self, page: gr.Blocks) -> None:
        super().__init__(
            live_updates=True, concurrency_count=page.max_threads, update_intervals=1, max_size=None, blocks=page
        )
        self._calls: dict[str, Call] = {}
        self._listened: set[str] = set()
        self._turns: dict[str, float] = {}

    async def push(
        self, body: PredictBodyInternal, request: Request, username: str | None
    ) -> tuple[bool, str | list[dict[str, Any]], Literal["success", "error", "queue_full", "validator_error"]]:
        """Accept a call: (True, its number, "success"), or (False, a sentence, why not)."""
        self._forget_delivered()
        self._drop_unheard()
        address, function = client_address(request), self.blocks.fns.get(-1 if body.fn_index is None else body.fn_index)
        same = [call for call in self._calls.values() if call.event.fn is function]
        for calls, most, whose in (
            (len(same), OF_FUNCTION, "all callers"),
            (sum(call.address == address for call in same), OF_ADDRESS, "your address"),
            (sum(call.event.session_hash == body.session_hash for call in same), OF_SESSION, "your session"),
        ):
            if calls >= most:
                log.warning("call refused function=%s calls=%d", function and function.api_name, calls)
                return False, f"{most} calls of {whose} wait for their reply; please try again later.", "queue_full"
        accepted = await super().push(body, request, username)
        if accepted[0] and (event := self.event_ids_to_events.get(str(accepted[1]))):
            self._calls[event._id] = Call(event, address)
        return accepted

    def get_events(self) -> tuple[list[Event], bool, str] | None:
        """The next call to be served: of a function that may serve one more, from the address served longest ago."""
        self._drop_unheard()
        served = Counter((e.concurrency_id, self._address(e)) for job in self.active_jobs for e in job or ())
        for concurrency_id, queue in self.event_queue_per_concurrency_id.items():
            if queue.concurrency_limit is not None and queue.current_concurrency >= queue.concurrency_limit:
                continue
            ready = [
                event
                for event in queue.queue
                if event.session_hash in self._listened
                and served[concurrency_id, self._address(event)] < SERVED_OF_ADDRESS
            ]
            if ready:
                event = min(ready, key=lambda each: self._turns.get(self._address(each), 0.0))
                self._turns[self._address(event)] = time.monotonic()
                queue.queue.remove(event)
                return [event], False, concurrency_id
        return None

    def compute_analytics_summary(self, records: Any) -> dict[str, Any]:
        """Nothing: Gradio would summarise 10,000 calls after each of them, for a view that is not offered here."""
        return self.cached_event_analytics_summary

    # ---- who listens ------------------------------------------------------------------------------------------------

    def session_of(self, event_id: Any) -> str:
        """The session of a call whose reply has not been taken; "" if there is no such call."""
        call = self._calls.get(event_id) if isinstance(event_id, str) else None
        return call.event.session_hash if call else ""

    def is_listened(self, session: str) -> bool:
        """Whether somebody listens for the replies of a session."""
        return session in self._listened

    def listen(self, session: str) -> bool:
        """Begin to listen for the replies of a session; returns whether it has calls, and nobody else listens."""
        self._forget_delivered()
        if session in self._listened or all(call.event.session_hash != session for call in self._calls.values()):
            return False
        self._listened.add(session)
        return True

    def listened(self, session: str, *, to_the_end: bool) -> None:
        """End to listen. Unless it was to the end of all replies, the session's calls are dropped."""
        self._listened.discard(session)
        if not to_the_end:
            for call in [call for call in self._calls.values() if call.event.session_hash == session]:
                self._drop(call.event)
        self._forget_delivered()

    # ---- what is kept -----------------------------------------------------------------------------------------------

    def _address(self, event: Event) -> str:
        call = self._calls.get(event._id)
        return call.address if call else ""

    def _forget_delivered(self) -> None:
        """Gradio marks a call as pending until its reply is taken, and never forgets the names of sessions."""
        pending = self.pending_event_ids_session
        taken = [key for key, call in self._calls.items() if key not in pending.get(call.event.session_hash, ())]
        for key in taken:
            del self._calls[key]
        for session in [session for session, ids in pending.items() if not ids]:
            self._forget(session)
        addresses = {call.address for call in self._calls.values()}
        self._turns = {address: turn for address, turn in self._turns.items() if address in addresses}

    def _drop_unheard(self) -> None:
        """Drop the calls that nobody has listened for."""
        late = time.monotonic() - LISTEN_SECONDS
        for call in list(self._calls.values()):
            if call.event.session_hash not in self._listened and call.event.enqueue_time < late:
                self._drop(call.event)

    def _drop(self, event: Event) -> None:
        """Take a call out of the queue, or end what serves it."""
        log.info("call dropped function=%s", event.fn.api_name)
        event.alive = False
        queue = self.event_queue_per_concurrency_id[event.concurrency_id].queue
        if event in queue:
            queue.remove(event)
            self.event_ids_to_events.pop(event._id, None)
        for task in self._asyncio_tasks:  # Gradio gives the task that serves a call its number
            if task.get_name().endswith(event._id):
                task.cancel()
        del self._calls[event._id]
        self.pending_event_ids_session.get(event.session_hash, set()).discard(event._id)
        self._forget(event.session_hash)

    def _forget(self, session: str) -> None:
        """Forget a session without calls that nobody listens for."""
        if session not in self._listened and not self.pending_event_ids_session.get(session):
            self.pending_event_ids_session.pop(session, None)
            self.pending_messages_per_session.pop(session, None)
