"""The index of all accounts in a folder: built once, then read by as many processes as like, which share its memory.

What is in the index, and what it answers, is decided in `ownership.matching.index`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ownership.matching.index import Index
from ownership.matching.normal import NORM_VERSION

LAYOUT = 1
"""Changes when the arrays mean something else."""
ABOUT = "about.json"


class UnreadableIndex(ValueError):
    """The folder holds no index this release can read. Says which folder, and what to do."""


def save_index(index: Index, folder: Path) -> None:
    """Write an index into a folder of its own. What says that it is whole is written last."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ABOUT).unlink(missing_ok=True)
    arrays = index.arrays()
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    about = {"layout": LAYOUT, "norm_version": NORM_VERSION, "arrays": sorted(arrays)}
    (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")


def load_index(folder: Path) -> Index:
    """The index from its folder, which has to stay as it is while the index is used. Raises `UnreadableIndex`."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if (about["layout"], about["norm_version"]) != (LAYOUT, NORM_VERSION):
            raise UnreadableIndex(f"{folder}: the index was built by another release; build it again")
        return Index.of_arrays({name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in about["arrays"]})
    except (OSError, KeyError, EOFError, json.JSONDecodeError) as problem:
        raise UnreadableIndex(f"{folder}: there is no whole index in it ({problem}); build it again") from None
