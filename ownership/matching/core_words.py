"""The words of a name that tell companies apart, whatever their order and however they are shortened.

"Tokyo, The University of" and "Univ. of Tokyo" are called by the same words.
"""

from __future__ import annotations

from functools import lru_cache

_LITTLE = (
    "a an and at by for from in of on the to with",
    "das dem den der des die fur im und von",
    "d de des du e et l la le les",
    "da das de del di do dos e el los las y",
    "al dei della den het och og van",
)
LITTLE_WORDS = frozenset(word for of_a_language in _LITTLE for word in of_a_language.split())
"""Articles, prepositions and "and" of the languages that names are mostly in."""

IN_FULL = {
    "acad": "academy",
    "admin": "administration",
    "assn": "association",
    "assoc": "association",
    "assocs": "associates",
    "bd": "board",
    "bldg": "building",
    "bros": "brothers",
    "cntr": "center",
    "centre": "center",
    "coll": "college",
    "ctr": "center",
    "dept": "department",
    "dev": "development",
    "dist": "district",
    "div": "division",
    "elec": "electric",
    "eng": "engineering",
    "equip": "equipment",
    "fed": "federal",
    "fndn": "foundation",
    "ft": "fort",
    "gen": "general",
    "govt": "government",
    "grp": "group",
    "hldg": "holding",
    "hldgs": "holdings",
    "hosp": "hospital",
    "inds": "industries",
    "indus": "industries",
    "ins": "insurance",
    "inst": "institute",
    "instr": "instrument",
    "intl": "international",
    "int": "international",
    "lab": "laboratory",
    "labs": "laboratories",
    "mach": "machine",
    "med": "medical",
    "mfg": "manufacturing",
    "mgmt": "management",
    "mgt": "management",
    "mt": "mount",
    "mtn": "mountain",
    "nat": "national",
    "natl": "national",
    "pharm": "pharmaceutical",
    "pharma": "pharmaceuticals",
    "prods": "products",
    "res": "research",
    "ry": "railway",
    "sch": "school",
    "sci": "science",
    "soc": "society",
    "st": "saint",
    "svc": "service",
    "svcs": "services",
    "sys": "systems",
    "tech": "technology",
    "techs": "technologies",
    "univ": "university",
}
"""What is commonly shortened in names of companies and institutions."""


@lru_cache(maxsize=50_000)
def core_words(words: tuple[str, ...]) -> frozenset[str]:
    """The words in full without the little ones; of a name of nothing but these all of them."""
    core = [IN_FULL.get(word, word) for word in words if word not in LITTLE_WORDS]
    return frozenset(core or words)
