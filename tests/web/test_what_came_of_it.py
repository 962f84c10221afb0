"""What came of a form is said on the page that follows, whatever the names in it are written in."""

import pytest

from web.rendering import back

LARGEST_COOKIE = 4096  # characters of a name and its value, more than which no browser keeps


@pytest.mark.parametrize("name", ["Acme ", "Ökologie ", "مرحبا ", "株式会社", "🚀"])
def test_it_fits_a_cookie_in_every_script(name: str) -> None:
    kept = back("/", name * 500).headers["set-cookie"].partition(";")[0]
    assert len(kept) <= LARGEST_COOKIE
