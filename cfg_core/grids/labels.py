"""Classes by their names or numbers, as people write them."""

from collections.abc import Sequence
from typing import Any

from cfg_core.checks import shown


def find_class(text: str, classes: Sequence[str]) -> str:
    """The label, as text, of the class of that name: of exactly that name, else of it in any case; else the text.

    Raises ValueError where several classes have that name.
    """
    for same in (lambda name: name == text, lambda name: name.casefold() == text.casefold()):
        labels = [str(label) for label, name in enumerate(classes) if same(name)]
        if len(labels) > 1:
            raise ValueError(
                f"class must be one class, got {shown(text)}, the name of {', '.join(labels)}; give a number"
            )
        if labels:
            return labels[0]
    return text


def find_classes(given: Any, classes: Sequence[str]) -> Any:
    """What ``GridRequest.parse`` takes as ``class``, of names or numbers: one, several with commas between them, a list
    of them, or "all"; anything else as it is. A name may have commas itself.

    Raises ValueError where several classes have one of the names.
    """
    if isinstance(given, list):
        return [find_class(each, classes) if isinstance(each, str) else each for each in given]
    if not isinstance(given, str):
        return given
    whole = find_class(given.strip(), classes)
    return whole if whole != given.strip() else ",".join(find_class(each.strip(), classes) for each in given.split(","))
