from tasks.rehearsal import Rehearsal as Company  # noqa: F401
from tasks.rehearsal import rehearse


def found_company(folder, database_url=None):  # type: ignore[no-untyped-def]
    return rehearse(folder, database_url=database_url)
