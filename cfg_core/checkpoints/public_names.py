"""Keeping local paths out of what is published: each is replaced by the own name of the folder or file it leads to.

Configs, cards and curve files say by which command and of which data they were made, and so where that lay on the
machine of whoever made them.
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

PROJECT = ("checkpoints", "assets", "runs")
"""Folders of the project itself: relative paths into them are kept, so that commands run as they are written."""


def public_data_name(data: str, licence: str) -> str:
    """The name under which a data set is published: a known one's or the Hub's as it is, of a path its last part."""
    public = not _is_path(data) or data.split(":")[0] in licence  # the licence of a set on the Hub names its repository
    return data if public else _own_name(data)


def local_paths(raw: Mapping[str, Any]) -> dict[str, str]:
    """Local path → what replaces it, of the JSON of a config or a curve file."""
    data, licence = str(raw.get("data", "")), str(raw.get("licence", ""))
    found = {data: public_data_name(data, licence)} if licence else {}
    values = [*_arguments(str(raw.get("command", ""))), *_model_names(raw), *([] if licence else [data])]
    for value in values:
        if value != data and _is_path(value) and not _is_public(value):
            found[value] = _own_name(value)
    return {path: name for path, name in found.items() if path != name}


def public_model_name(where: str) -> str:
    """The name under which a model is recorded: a Hub name or a path into the project as it is, else its last part."""
    return where if not _is_path(where) or _is_public(where) else _own_name(where)


def public_command(command: str) -> str:
    """A command as it may be published."""
    return replace_paths(command, local_paths({"command": command}))


def replace_paths(text: str, paths: Mapping[str, str]) -> str:
    """The text of a JSON file or a card with these paths replaced."""
    for path in sorted(paths, key=len, reverse=True):
        for spelling in {path, json.dumps(path)[1:-1], json.dumps(path, ensure_ascii=False)[1:-1]}:
            text = text.replace(spelling, paths[path])
    return text


def _arguments(command: str) -> Iterator[str]:
    try:
        parts = shlex.split(command)
    except ValueError:  # a quote that is not closed
        parts = command.split()
    for part in parts:
        yield part.split("=", 1)[1] if part.startswith("-") and "=" in part else part


def _model_names(raw: Mapping[str, Any]) -> Iterator[str]:
    for part in ("checkpoint", "classifier", "guide"):
        if isinstance(raw.get(part), Mapping):
            yield str(raw[part].get("name", ""))


def _is_path(value: str) -> bool:
    return "/" in value or "\\" in value


def _is_public(value: str) -> bool:
    """Whether it is a name on the Hub, or a relative path into a folder of the project."""
    parts = PurePosixPath(value).parts
    local = "\\" in value or ":" in value.split("/")[0] or value.startswith(("/", "~", ".")) or ".." in parts
    return not local and (parts[0] in PROJECT or (len(parts) == 2 and not value.endswith("/")))


def _own_name(path: str) -> str:
    name = PureWindowsPath(path).name  # knows both separators
    return name if name.strip(".") else "folder"
