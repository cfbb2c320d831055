"""The files of data sets on the Hub."""

import re
from pathlib import Path

from cfg_core.hub_errors import explained

PARQUET = "refs/convert/parquet"
"""The branch to which the Hub writes every data set as parquet."""


def hub_files(repository: str, split: str) -> tuple[list[Path], bool]:
    """The parquet files of a split, and whether the data set has a split of its own for tests.

    split: "train" or "test". Raises ValueError where the files are ambiguous, OSError where they cannot be
    fetched.
    """
    from huggingface_hub import HfApi, hf_hub_download

    def of(*parts: str) -> list[str]:
        return [file for file in files if set(parts) & set(re.split(r"[/.-]", file))]

    with explained(f"data: {repository} could not be fetched from the Hub"):
        for revision in ("main", PARQUET):
            every = HfApi().list_repo_files(repository, repo_type="dataset", revision=revision)
            if files := sorted(file for file in every if file.endswith(".parquet")):
                break
    for_tests = of("test") or of("validation")
    wanted = for_tests if for_tests and split == "test" else of("train")
    configurations = {file.split("/")[0] for file in wanted}
    if len(configurations) != 1:
        found = ", ".join(sorted(configurations)) or "no training split in parquet"
        raise ValueError(f"data: {repository} must have one configuration, got {found}")
    with explained(f"data: {repository} could not be fetched from the Hub"):
        paths = [Path(hf_hub_download(repository, f, repo_type="dataset", revision=revision)) for f in wanted]
    return paths, bool(for_tests)


def download(repository: str, file: str, missing: Path) -> Path:
    """One file of a data set, which is not at ``missing``. Raises OSError, in one sentence."""
    from huggingface_hub import hf_hub_download

    with explained(f"data: no file {missing}, and {repository} could not be fetched from the Hub"):
        return Path(hf_hub_download(repository, file, repo_type="dataset"))
