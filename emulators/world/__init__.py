"""A seeded world for the emulated vendors: real companies, made-up people and dealings, and the mess of real CRMs."""

from emulators.world.build import World, build_world, to_json, world_summary, write_usage_db, write_world

__all__ = ["World", "build_world", "to_json", "world_summary", "write_usage_db", "write_world"]
