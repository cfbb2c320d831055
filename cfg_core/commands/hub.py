"""A model to the Hub and back; the page as a Space.

python -m cfg_core hub push checkpoints/fashion-mnist owner/name
python -m cfg_core hub pull owner/name folder
python -m cfg_core hub deploy --space owner/name --checkpoint facebook/DiT-XL-2-256 --dry-run
"""

import argparse
from pathlib import Path

from cfg_core.checkpoints.diffusers_models import HUB_NAME
from cfg_core.checks import shown
from cfg_core.commands.common import command_parser
from cfg_core.devices import set_cpu_threads
from cfg_core.evaluation.curves import CURVES_FOLDER, read_curves
from cfg_core.publishing.hub import pull, push
from cfg_core.publishing.spaces import deploy, planned, published_texts


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = command_parser("hub", "A model to the Hub and back; the page as a Space.")
    commands = p.add_subparsers(dest="command", required=True, metavar="push | pull | deploy")
    up = commands.add_parser("push", help="upload a model with figures and samples")
    up.add_argument("folder", type=Path, help="of the model")
    up.add_argument("repository", type=repository_name, help="owner/name")
    up.add_argument(
        "--curves", type=Path, help="folder of curve files, for the card's figures; by default those of the project"
    )
    down = commands.add_parser("pull", help="download a model and verify it")
    down.add_argument("repository", type=repository_name, help="owner/name")
    down.add_argument("folder", type=Path, help="a new folder")
    page = commands.add_parser("deploy", help="create a Space and upload the page")
    page.add_argument("--space", required=True, type=repository_name, help="owner/name")
    page.add_argument(
        "--checkpoint", nargs="+", default=[], type=hub_name, help="owner/name, offered before those that ship"
    )
    page.add_argument("--dry-run", action="store_true", help="print what would be uploaded, without a request")
    return p


def main(arguments: list[str] | None = None) -> None:
    """Run one of the commands; exits with 2 and one sentence for what cannot be done."""
    p = parser()
    a = p.parse_args(arguments)
    set_cpu_threads()
    try:
        if a.command == "push":
            if a.curves and not a.curves.is_dir():
                raise ValueError(f"curves must be a folder of curve files, got {a.curves}")
            found = read_curves(a.curves or CURVES_FOLDER).of_models
            print(f"{a.folder} is at {push(a.folder, a.repository, list(found.values()), print)}")
        elif a.command == "pull":
            checkpoint = pull(a.repository, a.folder)
            print(f"{a.repository} ({checkpoint.hash}) is in {a.folder}")
        else:
            for path, name in published_texts()[1].items():
                print(f"the path {path} is published as {name}")
            print(planned(a.space, a.checkpoint) if a.dry_run else f"The page is at {deploy(a.space, a.checkpoint)}")
    except (ValueError, OSError) as error:
        p.error(str(error))


def hub_name(text: str) -> str:
    """The text, if it may be a name on the Hub, with a revision or without, as argparse wants it."""
    if not HUB_NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"must be owner/name or owner/name@revision on the Hub, got {shown(text)}")
    return text


def repository_name(text: str) -> str:
    """The text, if it may be the name of a repository of one's own."""
    if not HUB_NAME.fullmatch(text) or "@" in text:
        raise argparse.ArgumentTypeError(f"must be owner/name on the Hub, got {shown(text)}")
    return text
