"""`python -m emulators.world --out FILE`: write the world, and its usage table where asked, and say what is in it."""

from __future__ import annotations

import argparse
from pathlib import Path

from emulators.world.build import world_summary, write_usage_db, write_world


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m emulators.world", description="Write the seeded world.")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--usage-db", type=Path, help="SQLite file to write the usage table to")
    parser.add_argument("--size", type=int, help="how many distinct companies")
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args(arguments)
    try:
        world = write_world(chosen.out, chosen.size, chosen.seed)
    except ValueError as refused:
        parser.error(str(refused))
    if chosen.usage_db:
        write_usage_db(chosen.usage_db, world)
    for what, count in world_summary(world).items():
        print(f"{count:>7,}  {what}")


if __name__ == "__main__":
    main()
