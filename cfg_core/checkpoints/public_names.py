"""Keeping local paths out of what is published: each is replaced by the own name of the folder or file it leads to.

Configs, cards and curve files say by which command and of which data they were made, and so where that lay on the
machine of whoever made them.
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from cfg_core.data.folders import folder_name

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
    """The name under which a model is recorded: a folder as ``public_path`` gives it, a Hub name as it is."""
    return public_path(where) if Path(where).exists() else where


def public_path(path: str) -> str:
    """A path of this machine as it is recorded: a relative one into the project as it is, else its last part."""
    return path if _is_of_project(path) else folder_name(path)


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
    for part in ("checkpoint", "classifier", "guide", "weaker"):
        if isinstance(raw.get(part), Mapping):
            yield str(raw[part].get("name", ""))


def _is_path(value: str) -> bool:
    return "/" in value or "\\" in value


def _is_public(value: str) -> bool:
    """Whether it is a name on the Hub, or a relative path into a folder of the project."""
    parts = PurePosixPath(value).parts
    return _is_of_project(value) or (len(parts) == 2 and not _is_local(value) and not value.endswith("/"))


def _is_of_project(value: str) -> bool:
    return not _is_local(value) and PurePosixPath(value).parts[0] in PROJECT


def _is_local(value: str) -> bool:
    """Whether it can only be a path of one machine: absolute, or relative to a folder that is not the project's."""
    started = value.startswith(("/", "~", ".")) or ":" in value.split("/")[0]
    return started or "\\" in value or ".." in PurePosixPath(value).parts


def _own_name(path: str) -> str:
    name = PureWindowsPath(path).name  # knows both separators
    return name if name.strip(".") else "folder"
