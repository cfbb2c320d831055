"""Small pictures, and folders and parquet files of them."""

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image


def picture(width=8, height=8, colour=(200, 40, 40), mode="RGB"):
    return Image.new("RGB", (width, height), colour).convert(mode)


def folder(root: Path, **classes: list[Image.Image]) -> Path:
    for name, pictures in classes.items():
        (root / name).mkdir(parents=True)
        for n, each in enumerate(pictures):
            each.save(root / name / f"{n:03}.png")
    return root


def encoded(image: Image.Image) -> dict[str, object]:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return {"bytes": buffer.getvalue(), "path": None}


def parquet(path: Path, features: dict[str, object] | None = None, **columns: list) -> Path:
    count = len(next(iter(columns.values())))
    table = pa.table({"photo": [encoded(picture())] * count, **columns})
    if features:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, path)
    return path
