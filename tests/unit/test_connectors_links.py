"""Ids of other systems, in whichever form people keep them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.fields import to_links, whole_id
from emulators.salesforce.values import full_id


@pytest.mark.parametrize(
    ("kept", "whole"),
    [
        ("001D000000IRFma", "001D000000IRFmaIAH"),
        ("001D000000IRFmaIAH", "001D000000IRFmaIAH"),
        ("acme", "acme"),
        ("001D000000IRFm?", "001D000000IRFm?"),
    ],
)
def test_a_salesforce_id_of_fifteen_characters_is_made_whole_and_nothing_else_is_touched(kept: str, whole: str) -> None:
    assert to_links(salesforce=kept, hubspot="001D000000IRFma") == {"salesforce": whole, "hubspot": "001D000000IRFma"}


@given(st.text("aZ09bQ", min_size=15, max_size=15))
def test_what_is_made_whole_is_an_id_to_salesforce(kept: str) -> None:
    assert full_id(whole_id(kept)) == whole_id(kept)
