"""Classes by name or number."""

import pytest

from cfg_core.grids.labels import find_class, find_classes

CLASSES = ("A", "a", "b", "crane", "Crane", "crane", "7", "[red]")


@pytest.mark.parametrize(
    ("text", "label"),
    [("A", "0"), ("a", "1"), ("B", "2"), ("Crane", "4"), ("7", "6"), ("[RED]", "7"), ("dog", "dog"), ("3", "3")],
)
def test_a_class_is_found_by_its_exact_name_and_else_in_any_case(text, label):
    assert find_class(text, CLASSES) == label


@pytest.mark.parametrize("text", ["crane", "CRANE"])
def test_a_name_of_several_classes_is_refused_with_their_numbers(text):
    numbers = "3, 5" if text == "crane" else "3, 4, 5"
    with pytest.raises(ValueError, match=f"got '{text}', the name of {numbers}; give a number"):
        find_class(text, CLASSES)


@pytest.mark.parametrize(
    ("given", "labels"),
    [
        ("all", "all"),
        (3, 3),
        (None, None),
        ("bag", "1"),
        (" 0, BAG ", "0,1"),
        ("tench, Tinca tinca", "2"),
        (["tench, Tinca tinca", 0, "all"], ["2", 0, "all"]),
        ("Bag,dog", "1,dog"),
    ],
)
def test_several_classes_are_found_by_their_names_which_may_have_commas(given, labels):
    assert find_classes(given, ("Coat", "Bag", "tench, Tinca tinca")) == labels
