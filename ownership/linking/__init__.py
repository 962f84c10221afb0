"""Linking: which records of which systems are the same company.

What people said comes first and is never asked again. Then evidence, strongest first: an id one system keeps of
another, the registrable web domain, the same name in the same country, and that a pair is nearly certainly alike.
Evidence that many records share proves nothing, and evidence that contradicts itself becomes a problem for a person.
The result is the same for any order of the records.
"""

from ownership.linking.background import Alike, Background
from ownership.linking.groups import LARGEST
from ownership.linking.keys import CROWD, domains_of
from ownership.linking.merging import LIVE_STATUSES, SEGMENT_FLOORS, segment_of
from ownership.linking.problems import PROBLEM_KINDS, Linked, Problem
from ownership.linking.records import link_records

__all__ = [
    "CROWD",
    "LARGEST",
    "LIVE_STATUSES",
    "PROBLEM_KINDS",
    "SEGMENT_FLOORS",
    "Alike",
    "Background",
    "Linked",
    "Problem",
    "domains_of",
    "link_records",
    "segment_of",
]
