"""What a checkpoint's samples are worth at each guidance strength: every metric of cfg_core.metrics over w.

    python -m cfg_core.evaluate --checkpoint checkpoints/fashion-mnist \\
        --classifier checkpoints/fashion-mnist-classifier --w 0 0.1 0.3 1 3 --out assets/curves/fashion-mnist.json
    python -m cfg_core.evaluate … --rule classifier --guide checkpoints/fashion-mnist-guide --out …

Features and class probabilities are the clean-image classifier's. FID is measured against the whole training split,
precision and recall against as many of its pictures as there are samples. The floor, the same figures of held-out real
pictures, stands beside them. Beside the JSON lies a CSV of the same figures.

What is drawn is kept in ``OUT.drawn/`` until the sweep is finished: the same command resumes it. ``torchrun
--nproc_per_node 2 -m -- cfg_core.evaluate …`` divides it between processes, or GPUs.
"""

import argparse
import csv
import io
import json
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from safetensors.torch import load, save
from torch import Tensor

from cfg_core import checkpoints, data, guide, sampling
from cfg_core import judge as judges
from cfg_core.checks import choice, number
from cfg_core.denoiser import Denoiser
from cfg_core.guidance import RULES, rules
from cfg_core.metrics import METRICS, Estimate, Judged, Manifold, Reference
from cfg_core.noise import Noise, grid_noise
from cfg_core.samplers import SAMPLERS

MIN_SAMPLES = 1000
"""Below this a Fréchet distance is mostly its own bias, and is not called FID."""

ROWS = 96
"""Pictures that are drawn together, over all w; from 64 to 128 is fastest on a CPU."""

CHUNK = 480
"""Samples, at every w, whose features are written to one file; a kill loses no more."""

Figures = dict[str, Estimate]
"""Metric → its figure."""


@dataclass(frozen=True)
class Options:
    """A sweep over w. precision: a key of checkpoints.PRECISIONS. Raises ValueError for a field out of range."""

    w: tuple[float, ...]
    samples: int = 10_000
    sampler: str = "dpmpp_2m"
    steps: int = 12
    rule: str = "cfg"
    seed: int = 0
    precision: str = "default"

    def __post_init__(self) -> None:
        for w in self.w:
            number("w", w, -1, 100)
        if number("samples", self.samples, 1, 10_000_000, whole=True) < MIN_SAMPLES:
            raise ValueError(f"samples must be at least {MIN_SAMPLES} for a figure called FID, got {self.samples}")
        choice("sampler", self.sampler, SAMPLERS)
        number("steps", self.steps, 1, 10_000, whole=True)
        choice("rule", self.rule, RULES)
        choice("precision", self.precision, checkpoints.PRECISIONS)
        number("seed", self.seed, 0, 2**32 - 1, whole=True)


# ---- drawing ----


def draw(denoiser: Denoiser, options: Options, samples: range) -> Iterator[Tensor]:
    """These samples, block by block, as pictures (W, B, C, S, S) in [−1, 1] of 256 levels, as the real ones have.

    Sample i is of class i modulo the number of classes and has the same noise at every w.
    """
    count = len(options.w)
    for first in samples[:: max(1, ROWS // count)]:
        block = range(first, min(first + max(1, ROWS // count), samples.stop))
        noise = grid_noise(options.seed, block, denoiser.shape, denoiser.device)
        job = sampling.begin(
            denoiser,
            _repeated(noise, count),
            _labels(denoiser, block).repeat(count),
            torch.tensor(options.w, dtype=torch.float32).repeat_interleave(len(block)),
            sampler=options.sampler,
            steps=options.steps,
            rule=options.rule,
        )
        yield data.to_unit(data.to_bytes(sampling.sample(denoiser, job))).unflatten(0, (count, len(block)))


def _labels(denoiser: Denoiser, samples: range) -> Tensor:
    return torch.tensor(samples) % len(denoiser.classes)


def _repeated(noise: Noise, times: int) -> Noise:
    return lambda step: noise(step).repeat(times, 1, 1, 1)


def judge_drawn(
    folder: Path,
    denoiser: Denoiser,
    judge: judges.Judge,
    options: Options,
    share: tuple[int, int] = (0, 1),
    report: Callable[[int], None] = lambda done: None,
) -> None:
    """Draw the chunks whose features the folder does not hold yet: those of process ``share[0]`` of ``share[1]``.

    ``report`` hears, block by block, how many samples were done.
    """
    for chunk in _chunks(options)[share[0] :: share[1]]:
        if _file(folder, chunk).exists():
            report(len(chunk))
            continue
        found = []
        for pictures in draw(denoiser, options, chunk):
            found.append(judge.features(pictures.flatten(0, 1)).unflatten(0, pictures.shape[:2]))
            report(pictures.shape[1])
        features = torch.cat(found, 1)
        checkpoints.write_whole(_file(folder, chunk), save({"features": features.contiguous()}))


def _chunks(options: Options) -> list[range]:
    return [range(first, min(first + CHUNK, options.samples)) for first in range(0, options.samples, CHUNK)]


def _file(folder: Path, chunk: range) -> Path:
    return folder / f"{chunk.start}-{chunk.stop}.safetensors"


def gather(folder: Path, denoiser: Denoiser, judge: judges.Judge, options: Options) -> list[Judged]:
    """What the folder holds, for each w."""
    features = torch.cat([load(_file(folder, chunk).read_bytes())["features"] for chunk in _chunks(options)], 1)
    labels = _labels(denoiser, range(options.samples))
    return [_judged(judge, of_w, labels) for of_w in features]


def judge_real(judge: judges.Judge, dataset: data.DataSet, rows: Sequence[int]) -> Judged:
    """These pictures of a data set, at bounded memory."""
    chosen = torch.as_tensor(rows)
    features = torch.cat([judge.features(data.to_unit(dataset.images[block])) for block in chosen.split(judges.BLOCK)])
    return _judged(judge, features, dataset.labels[chosen])


def _judged(judge: judges.Judge, features: Tensor, labels: Tensor) -> Judged:
    return Judged(features.double().numpy(), judge.probabilities_of(features).double().numpy(), labels.numpy())


# ---- measuring ----


def compared(judge: judges.Judge, training: data.DataSet, options: Options) -> Reference:
    """The training pictures: all for FID, and as many as there are samples, picked by the seed, for the manifold."""
    every = judge_real(judge, training, range(len(training.labels))).features
    picked = np.random.default_rng(options.seed).permutation(len(every))[: options.samples]
    return Reference(every, Manifold.fit(every[picked]))


def held_out(judge: judges.Judge, test: data.DataSet, options: Options) -> Judged:
    """As many test pictures as there are samples, or all where there are fewer, picked by the seed."""
    picked = np.random.default_rng(options.seed).permutation(len(test.labels))[: options.samples]
    return judge_real(judge, test, picked.tolist())


def measure(reference: Reference, judged: Judged) -> Figures:
    """Every metric."""
    return {name: metric.estimate(reference, judged) for name, metric in METRICS.items()}


# ---- files ----


def resume(folder: Path, identity: dict[str, Any]) -> None:
    """Make the folder of what is drawn. Raises ValueError where it holds what another sweep drew."""
    folder.mkdir(parents=True, exist_ok=True)
    sign, content = folder / "sweep.json", json.dumps(identity, indent=2)
    if sign.exists() and sign.read_text() != content:
        raise ValueError(f"out must not be that of another unfinished sweep; delete {folder} or choose another name")
    checkpoints.write_whole(sign, content.encode())


def flat(figures: Figures) -> dict[str, float]:
    """metric, metric_low and metric_high, one after the other."""
    return {
        f"{name}{end}": value
        for name, figure in figures.items()
        for end, value in (("", figure.value), ("_low", figure.low), ("_high", figure.high))
    }


def record(floor: Figures, figures: Sequence[Figures], options: Options, **provenance: Any) -> dict[str, Any]:
    """The JSON of a sweep: where it comes from, the floor, and one entry a w."""
    return {
        **provenance,
        "versions": {"torch": torch.__version__, "numpy": np.__version__},
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        **{name: value for name, value in asdict(options).items() if name != "w"},
        "interval": "95 % percentile bootstrap over the samples (recall: over the real pictures), the rest held fixed",
        "floor": flat(floor),
        "results": [{"w": w, **flat(found)} for w, found in zip(options.w, figures, strict=True)],
    }


def table_of(found: dict[str, Any]) -> str:
    """The figures of a sweep as CSV, the floor in the last row."""
    text = io.StringIO()
    rows = [*found["results"], {"w": "real", **found["floor"]}]
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


# ---- the command line ----


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser("python -m cfg_core.evaluate", description="Metrics of samples over w.")
    p.add_argument("--checkpoint", required=True, help="folder or Hub name of the model")
    p.add_argument("--classifier", required=True, help="folder or Hub name of the classifier that judges")
    p.add_argument("--data-root", type=Path, help="folder that holds data sets in the Hub's layout")
    p.add_argument("--w", type=float, nargs="+", default=[0, 0.1, 0.3, 1, 3], help="guidance strengths")
    p.add_argument("--samples", type=int, default=Options.samples, help=f"at least {MIN_SAMPLES}, for each w")
    p.add_argument("--sampler", default=Options.sampler, help=f"one of {', '.join(SAMPLERS)}")
    p.add_argument("--steps", type=int, default=Options.steps)
    p.add_argument("--rule", default=Options.rule, help=f"one of {', '.join(RULES)}")
    p.add_argument("--guide", help="folder or Hub name of the noise-aware classifier that a rule needs")
    p.add_argument("--seed", type=int, default=Options.seed)
    p.add_argument("--precision", default=Options.precision, help=f"one of {', '.join(checkpoints.PRECISIONS)}")
    p.add_argument("--out", type=Path, required=True, help="JSON file to write; a CSV comes beside it")
    p.add_argument("--note", default="", help="a remark that the file carries")
    return p


def main(arguments: list[str] | None = None) -> None:
    """Draw, measure, print a table and write the files; exits with 2 and one sentence on bad input."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    p = parser()
    a = p.parse_args(arguments)
    command = "python -m cfg_core.evaluate " + shlex.join(sys.argv[1:] if arguments is None else arguments)
    processes, folder = PartialState(cpu=checkpoints.device().type == "cpu"), a.out.with_name(a.out.name + ".drawn")
    try:
        options = Options(tuple(a.w), a.samples, a.sampler, a.steps, a.rule, a.seed, a.precision)
        checkpoint = checkpoints.load(a.checkpoint, processes.device, checkpoints.PRECISIONS[options.precision])
        judge = judges.load(a.classifier, processes.device, checkpoint)
        guiding = used_guide(checkpoint, options.rule, a.guide)
        choice("rule", options.rule, rules(checkpoint.denoiser))
        channels, size, _ = checkpoint.denoiser.shape
        training, test = data.splits(checkpoint.config.data, a.data_root, size, channels)
        with processes.main_process_first():
            resume(
                folder,
                {"checkpoint": checkpoint.hash, "classifier": judge.hash, "guide": guiding, **asdict(options)},
            )
    except (ValueError, OSError) as error:
        p.error(str(error))
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    share = processes.process_index, processes.num_processes
    with Progress(*columns, disable=not processes.is_main_process) as progress:
        task = progress.add_task(f"samples at {len(options.w)} w", total=options.samples / processes.num_processes)
        judge_drawn(folder, checkpoint.denoiser, judge, options, share, lambda done: progress.advance(task, done))
        processes.wait_for_everyone()
        if not processes.is_main_process:
            return
        drawn = gather(folder, checkpoint.denoiser, judge, options)
        reference = compared(judge, training, options)
        task = progress.add_task("measuring", total=len(drawn) + 1)
        figures = []
        for judged in (held_out(judge, test, options), *drawn):
            figures.append(measure(reference, judged))
            progress.advance(task)
    model, extractor = checkpoint.config, judge.config
    found = record(
        figures[0],
        figures[1:],
        options,
        checkpoint={"name": a.checkpoint, "hash": checkpoint.hash, "images_seen": model.images_seen},
        p_uncond=model.p_uncond,
        classifier={"name": a.classifier, "hash": judge.hash, "test_accuracy": extractor.test_accuracy},
        guide=guiding,
        features=f"{extractor.architecture.features} penultimate features of the classifier",
        data=model.data,
        reference={"split": "train", "pictures": len(training.labels), "manifold": len(reference.manifold.points)},
        held_out={"split": "test", "pictures": min(options.samples, len(test.labels))},
        command=command,
        note=a.note,
    )
    checkpoints.write_whole(a.out, (json.dumps(found, indent=2) + "\n").encode())
    checkpoints.write_whole(a.out.with_suffix(".csv"), table_of(found).encode())
    shutil.rmtree(folder)
    show(found)


def used_guide(checkpoint: checkpoints.Checkpoint, rule: str, where: str | None) -> dict[str, str] | None:
    """Equip the checkpoint where its rule needs a noise-aware classifier: its name and hash, None where it needs none.

    Raises ValueError where one is needed and not given, or given and not needed, and as ``guide.equip`` does.
    """
    if RULES[rule].classifier != (where is not None):
        raise ValueError(f"guide must be given for the rules that need it and only for them, got {where} for {rule}")
    return None if where is None else {"name": where, "hash": guide.equip(checkpoint, where)}


def show(found: dict[str, Any]) -> None:
    """The JSON of a sweep as a table in the terminal."""
    from rich.console import Console
    from rich.table import Table

    how = f"{found['rule']}, {found['sampler']}, {found['steps']} steps"
    table = Table(title=f"{found['checkpoint']['name']}, {how}, {found['samples']:,} samples")
    for heading in ("w", *(metric.title for metric in METRICS.values())):
        table.add_column(heading, justify="right")
    for row in (*found["results"], {"w": f"real ({found['held_out']['pictures']:,})", **found["floor"]}):
        cells = (f"{row[name]:.3f}\n{row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f}" for name in METRICS)
        table.add_row(str(row["w"]), *cells)
    Console().print(table)


if __name__ == "__main__":
    main()
