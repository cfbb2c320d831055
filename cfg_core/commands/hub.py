"""``python -m cfg_core hub``: push, pull and verify a model; deploy the page as a Space."""

import argparse
from pathlib import Path

from cfg_core.checkpoints.hub import deploy, hub_name, planned, pull, push
from cfg_core.evaluation.curves import CURVES_FOLDER, read_curves


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser("python -m cfg_core hub", description="To the Hub and back.")
    commands = p.add_subparsers(dest="command", required=True)
    up = commands.add_parser("push", help="upload a checkpoint with its figures and a picture")
    up.add_argument("folder", type=Path)
    up.add_argument("repository", help="owner/name")
    up.add_argument("--curves", type=Path, default=CURVES_FOLDER, help="folder of curve files for the card's figures")
    down = commands.add_parser("pull", help="download a checkpoint and verify it")
    down.add_argument("repository", help="owner/name")
    down.add_argument("folder", type=Path, help="a new folder")
    page = commands.add_parser("deploy", help="create a Space and upload the page to it")
    page.add_argument("--space", required=True, help="owner/name")
    page.add_argument(
        "--checkpoint", nargs="+", default=[], type=hub_name, help="owner/name, offered before those that ship"
    )
    page.add_argument("--dry-run", action="store_true", help="say what would be uploaded")
    return p


def main(arguments: list[str] | None = None) -> None:
    """Run one of the commands; exits with 2 and one sentence for what cannot be done."""
    p = parser()
    a = p.parse_args(arguments)
    try:
        if a.command == "push":
            found = read_curves(a.curves).of_models if a.curves.is_dir() else {}
            print(f"{a.folder} is at {push(a.folder, a.repository, list(found.values()))}")
        elif a.command == "pull":
            checkpoint = pull(a.repository, a.folder)
            print(f"{a.repository} ({checkpoint.hash}) is in {a.folder}")
        elif a.dry_run:
            print(planned(a.space, a.checkpoint))
        else:
            print(f"The page is at {deploy(a.space, a.checkpoint)}")
    except (ValueError, OSError) as error:
        p.error(str(error))
