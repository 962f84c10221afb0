"""Who is who in the outside systems."""

from ownership.identities import OutsidePerson, identify
from ownership.model import Rep

ANN = Rep("ann", "Ann", "Ann@x.example", "ae", "smb")
BOB = Rep("bob", "Bob", "bob@x.example", "ae", "smb", external_ids={"hubspot": "9"})


def test_a_rep_is_found_by_e_mail_whatever_its_case() -> None:
    who = identify([ANN], [OutsidePerson("salesforce", "005A", "ann@X.example", True)])
    assert who.label("salesforce", "005A") == "ann"
    assert who.user_of[("salesforce", "ann")] == "005A"


def test_an_id_on_the_roster_wins_over_an_e_mail_address() -> None:
    people = [
        OutsidePerson("hubspot", "1", "bob@x.example", True),
        OutsidePerson("hubspot", "9", "b@other.example", True),
    ]
    assert identify([BOB], people).user_of[("hubspot", "bob")] == "9"


def test_an_inactive_user_still_names_the_owner_but_is_never_written() -> None:
    who = identify([ANN], [OutsidePerson("salesforce", "005A", "ann@x.example", False)])
    assert who.label("salesforce", "005A") == "ann"
    assert who.reachable("ann") == frozenset()


def test_who_is_inactive_in_one_system_is_written_in_none_and_it_is_said_where() -> None:
    people = [
        OutsidePerson("salesforce", "005A", "ann@x.example", False),
        OutsidePerson("hubspot", "1", "ann@x.example", True),
        OutsidePerson("hubspot", "9", "bob@x.example", True),
    ]
    who = identify([ANN, BOB], people)
    assert who.reachable("ann") == frozenset()
    assert who.unreachable_because("ann", "hubspot").startswith("ann is inactive in salesforce, so nothing is written")
    assert who.reachable("bob") == {"hubspot"}  # who never was a user somewhere owns accounts elsewhere
    assert who.unreachable_because("bob", "hubspot") == ""
    assert who.unreachable_because("bob", "salesforce").startswith("bob has no active user in salesforce")


def test_an_old_user_beside_an_active_one_holds_nothing_up() -> None:
    people = [
        OutsidePerson("salesforce", "005A", "ann@x.example", False),
        OutsidePerson("salesforce", "005B", "ann@x.example", True),
    ]
    assert identify([ANN], people).reachable("ann") == {"salesforce"}


def test_somebody_who_is_not_on_the_roster_is_not_mistaken_for_nobody() -> None:
    who = identify([ANN], [])
    assert who.label("salesforce", "005Z") == "?005Z"
    assert who.label("salesforce", None) is None


def test_of_two_active_users_the_lowest_id_is_written() -> None:
    people = [OutsidePerson("salesforce", user, "ann@x.example", True) for user in ("005B", "005A")]
    assert identify([ANN], people).user_of[("salesforce", "ann")] == "005A"
