"""The demo's act of an offer: a lead is offered, missed, escalated and accepted, and a late answer is refused."""

from __future__ import annotations

import re
import shutil
import time
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import httpx

from config.settings import POLICY_DIR
from ownership.model import Ref
from store.offers import Offer
from tasks.explanation import why_lines

if TYPE_CHECKING:
    from cli.demo import Demo

USUAL, HURRIED = "acceptance:\n  hours: 24\n  remind_hours: 20\n", "acceptance:\n  hours: 0.005\n"
LEAD = {
    "email": "ines.ferreira@lagoa-robotics.example",
    "firstname": "Inês",
    "lastname": "Ferreira",
    "company": "Lagoa Robotics",
    "country": "Portugal",
    "lifecyclestage": "lead",
    "hs_lead_status": "NEW",
}
POLL_S = 0.5


def copy_policy(folder: Path) -> Path:
    """A copy of the shipped policy, which the demo may change; returns its folder."""
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(POLICY_DIR, folder)
    return folder


class Hurried(AbstractContextManager[None]):
    """While in it, the demo's policy gives 18 seconds to accept instead of a day. What is offered keeps its time."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "policy.yaml"

    def __enter__(self) -> None:
        self._rewrite(USUAL, HURRIED)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rewrite(HURRIED, USUAL)

    def _rewrite(self, old: str, new: str) -> None:
        text = self._file.read_text(encoding="utf-8")
        if old not in text:
            raise ValueError(f"{self._file} has no lines {old!r}")
        self._file.write_text(text.replace(old, new), encoding="utf-8")


class Somebody:
    """A rep at the web app: logs in, opens an offer and presses Accept, as a browser would."""

    def __init__(self, web_url: str, rep_id: str) -> None:
        self._client = httpx.Client(base_url=web_url, trust_env=False, timeout=30, follow_redirects=True)
        self._client.post("/login/development", data={"who": rep_id}).raise_for_status()

    def accept(self, offer_id: str) -> str:
        """Press Accept on the page of the offer as it stood when it was open; returns what the page says then."""
        page = self._client.get(f"/offers/{offer_id}")
        token = re.search(r'name="form_token" value="([^"]+)"', page.text)
        answer = self._client.post(f"/offers/{offer_id}/accept", data={"form_token": token[1] if token else ""})
        said = re.search(r'role="status"[^>]*>\s*([^<]+)', answer.text)
        return said[1].strip() if said else f"HTTP {answer.status_code}"


def play_offer(demo: Demo) -> None:
    """The whole act. Raises `Broken` for a claim that does not hold."""
    demo.act("9. A lead comes in: offered, missed, escalated, accepted")
    before = datetime.now(UTC)
    with Hurried(demo.context.settings.policy_dir):
        created = {"vendor": "hubspot", "object": "contact", "action": "create", "properties": LEAD}
        contact = str(demo.stack.control("POST", "/edit", json=created).json()["id"])
        demo.runs.wait_for_next("assign-changed-accounts", before)
    first = _offer(demo, contact)
    who, person = _name(demo, first), f"{LEAD['firstname']} {LEAD['lastname']}"
    demo.say(
        f"{person} of {LEAD['company']} fills in a form; {who} is asked, with 18 seconds to accept instead of a day"
    )
    while datetime.now(UTC) < first.due_by:
        time.sleep(POLL_S)
    demo.run("escalate-unaccepted", trigger="demo")
    missed, second = _state(demo, first), _offer(demo, contact)
    demo.claim(missed == "expired", f"{_name(demo, first)} missed it; the flow escalate-unaccepted closed the offer")
    demo.claim(second.owner_id != first.owner_id, f"{_name(demo, second)} is asked next, and owns it provisionally")
    demo.say(f"{_name(demo, second)} presses Accept on {demo.stack.web_url}/offers/{second.offer_id}")
    demo.say(f"“{Somebody(demo.stack.web_url, second.owner_id).accept(second.offer_id)}”")
    demo.claim(_state(demo, second) == "accepted", f"{_name(demo, second)} accepted it")
    late = Somebody(demo.stack.web_url, first.owner_id).accept(first.offer_id)
    demo.claim(late.startswith("Too late"), f"{_name(demo, first)}'s late answer is refused: “{late}”")
    for line in why_lines(demo.context, second.account_id):
        demo.say(line)


def _offer(demo: Demo, contact: str) -> Offer:
    """The open offer of a HubSpot contact's lead. Raises `Broken` when there is none."""
    ref = Ref("hubspot", "contact", contact)
    with demo.context.store.transaction(readonly=True) as uow:
        account_id = uow.accounts.by_refs([ref]).get(ref)
        offer = uow.offers.of_account(account_id) if account_id else None
    if offer is None:
        demo.claim(False, f"the lead hubspot/{contact} is offered to somebody")
        raise AssertionError
    return offer


def _state(demo: Demo, offer: Offer) -> str:
    with demo.context.store.transaction(readonly=True) as uow:
        now = uow.offers.get(offer.offer_id)
    return now.state if now else "gone"


def _name(demo: Demo, offer: Offer) -> str:
    return demo.context.policy.roster.name(offer.owner_id)


__all__ = ["copy_policy", "play_offer"]
