"""The policy of the tests, read once: reading it takes longer than most of them."""

from functools import cache

from config.policy_files import load_policy

read_policy = cache(load_policy)
