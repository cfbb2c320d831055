"""python -m tests.benchmarks [--checkpoint FOLDER] [--rounds 9] [--only explore,share,…]

Prints one table; nothing is asserted. Close other programs first: ratios are firm, absolute figures are not.
"""

import argparse
import warnings

import torch
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from cfg_core.checkpoints.format import CheckpointError, load_checkpoint
from cfg_core.devices import set_cpu_threads
from cfg_core.program import print_any_text
from tests.benchmarks import evaluation, sampling, startup, toy2d


def main() -> None:
    print_any_text()
    p = argparse.ArgumentParser("python -m tests.benchmarks", description="Ratios, each taken side by side.")
    p.add_argument("--checkpoint", default="checkpoints/fashion-mnist", help="a folder, or a Hub name owner/name")
    p.add_argument("--rounds", type=int, default=9, help="how often each thing is timed")
    p.add_argument("--threads", type=int, help="of torch; by default all, and 1 is steadiest on a busy machine")
    p.add_argument(
        "--only", help="some kinds of measure, comma-separated: explore, share, guidance, rate, toy2d, startup, ddpm"
    )
    options = p.parse_args()
    warnings.filterwarnings("ignore", category=FutureWarning)
    set_cpu_threads()
    if options.threads:
        torch.set_num_threads(options.threads)
    try:
        checkpoint = load_checkpoint(options.checkpoint)
    except CheckpointError as error:
        p.error(str(error))
    denoiser, rounds = checkpoint.denoiser, max(1, options.rounds)
    kinds = {
        "explore": lambda: sampling.explore_rows(denoiser, rounds),
        "share": lambda: sampling.share_rows(denoiser, rounds),
        "guidance": lambda: evaluation.guidance_rows(denoiser, 2 * rounds),
        "rate": lambda: evaluation.rate_rows(denoiser, 2 * rounds),
        "toy2d": lambda: toy2d.rows(rounds),
        "startup": lambda: startup.rows(options.checkpoint, max(1, rounds // 2)),
        "ddpm": lambda: sampling.ddpm_rows(denoiser),
    }
    chosen = options.only.split(",") if options.only else list(kinds)
    if unknown := set(chosen) - kinds.keys():
        p.error(f"--only must name some of {', '.join(kinds)}, got {', '.join(sorted(unknown))}")

    title = f"{checkpoint.config.data}, {torch.get_num_threads()} threads, torch {torch.__version__}, medians"
    table = Table("measure", title=title)
    for column in ("ours", "reference", "ratio", "target"):
        table.add_column(column, justify="right", no_wrap=True)
    console = Console()
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        for kind in chosen:
            task = progress.add_task(kind)
            for row in kinds[kind]():
                table.add_row(row.measure, row.ours, row.reference, row.ratio, row.target)
            progress.remove_task(task)
    console.print(table)


if __name__ == "__main__":
    main()
