"""python -m tests.benchmarks.soak [--checkpoint FOLDER] [--sessions 10] [--minutes 30] [--cache 16]

Changing sessions for half an hour: every minute all of them leave and others enter. Prints a line a minute: memory,
open files, temporary files, errors; they should stay flat. The cache of finished grids is small, so that it is soon
full and whatever still grows is something else.
"""

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from cfg_core.program import print_any_text
from tests.benchmarks.session import ProcessMeter, Record, Session
from tests.benchmarks.startup import Page, running


def main() -> None:
    print_any_text()
    p = argparse.ArgumentParser("python -m tests.benchmarks.soak", description="Changing sessions for a long time.")
    p.add_argument("--checkpoint", default="checkpoints/fashion-mnist", help="a folder, or a Hub name owner/name")
    p.add_argument("--sessions", type=int, default=10)
    p.add_argument("--minutes", type=int, default=30)
    p.add_argument("--cache", type=int, default=16, help="megabytes of finished grids that the app keeps")
    options = p.parse_args()
    record, console = Record(), Console()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["GRADIO_TEMP_DIR"] = scratch
        with running(str(Path(options.checkpoint).resolve()), "--cache", str(options.cache)) as page:
            meter = ProcessMeter(page.app.pid)
            table = Table("minute", "memory", "threads", "open files", "temporary files", "grids", "errors")
            for minute in range(options.minutes):
                asyncio.run(sessions(page, options.sessions, minute, record))
                files = sum(1 for path in Path(scratch).rglob("*") if path.is_file())
                process = meter.process
                counts = process.num_threads(), process.num_fds(), files, len(record.waits), len(record.errors)
                table.add_row(str(minute + 1), f"{meter.memory() / 2**20:.0f} MB", *map(str, counts))
                console.print(f"minute {minute + 1}: {meter.memory() / 2**20:.0f} MB")
    console.print(table, *record.errors[:3])


async def sessions(page: Page, number: int, minute: int, record: Record) -> None:
    async with httpx.AsyncClient() as client:
        until = time.perf_counter() + 60
        tasks = [Session(page, client, record, 1000 * minute + n).run(until) for n in range(number)]
        await asyncio.gather(*tasks)


if __name__ == "__main__":
    main()
