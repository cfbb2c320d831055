"""python -m tests.attack.attacker NAME ADDRESS SECONDS

One attack on the app at an address, in a process of its own, until its time is over or it is terminated. Prints a line
when it begins, and as JSON how many requests were sent, and what became of them.
"""

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress

import httpx

from tests.attack.attacks import ATTACKS
from tests.attack.client import ADDRESS, Attacker

PATIENCE = 10.0
"""Seconds after which a request is given up."""


async def attack(name: str, address: str, seconds: float) -> Attacker:
    """Make one attack for some time."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=address, headers=ADDRESS, timeout=PATIENCE, limits=limits) as http:
        attacker = Attacker(address, http)
        await attacker.look_up()
        task = asyncio.ensure_future(ATTACKS[name](attacker))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        print("begun", flush=True)
        with suppress(asyncio.TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(task, seconds)
    return attacker


if __name__ == "__main__":
    os.nice(10)  # an attacker elsewhere takes no core from the app
    done = asyncio.run(attack(sys.argv[1], sys.argv[2], float(sys.argv[3])))
    print(json.dumps({"sent": done.sent, "answers": done.answers}))
