"""What Slack takes as blocks: the limits of Block Kit, and the words in which Slack says that one is passed.

Limits are those of docs.slack.dev/reference/block-kit (blocks/section-block, header-block, actions-block, input-block;
block-elements/button-element, plain-text-input-element; composition-objects/text-object) and of
docs.slack.dev/surfaces/modals; the 25 elements of an actions block are slackapi/python-slack-sdk#1253.
The words and the JSON pointers are as grafana/oncall#5121 shows them. Only the blocks named in `_BLOCKS` are known.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from emulators.slack.errors import SlackError

MAX_BLOCKS, MAX_VIEW_BLOCKS = 50, 100
MAX_ACTIONS, MAX_CONTEXT = 25, 10
MAX_SECTION, MAX_HEADER, MAX_LABEL, MAX_CONTEXT_TEXT = 3000, 150, 2000, 2000
MAX_BUTTON, MAX_VALUE, MAX_URL, MAX_ID = 75, 2000, 3000, 255
MAX_PLACEHOLDER, MAX_TYPED = 150, 3000
MAX_VIEW_WORDS, MAX_METADATA = 24, 3000
# Not in the reference: what all blocks of a message may say together before `msg_blocks_too_long`, as measured in
# slackapi/bolt-js#2509.
MAX_TOGETHER = 13_200

Block = dict[str, Any]
Faults = Iterator[str]


def check_blocks(blocks: Any) -> list[Block]:
    """The blocks of a message. Raises `SlackError` invalid_blocks with every fault, or msg_blocks_too_long."""
    faults = list(_all(blocks, "/blocks", MAX_BLOCKS))
    if faults:
        raise refused("invalid_blocks", faults)
    if sum(_said(block) for block in blocks) > MAX_TOGETHER:
        raise SlackError("msg_blocks_too_long")
    taken: list[Block] = blocks
    return taken


def check_view(view: Any) -> Block:
    """A modal. Raises `SlackError` invalid_arguments with every fault."""
    if not isinstance(view, dict) or view.get("type") != "modal":
        raise refused("invalid_arguments", ["unsupported type [json-pointer:/view/type]"])
    faults = list(_view_faults(view))
    if faults:
        raise refused("invalid_arguments", faults)
    return view


def refused(error: str, faults: list[str]) -> SlackError:
    """Slack's answer that names every fault, twice."""
    return SlackError(error, errors=faults, response_metadata={"messages": [f"[ERROR] {fault}" for fault in faults]})


def buttons_of(blocks: list[Block]) -> list[Block]:
    """Every button of a message, each with the id of its block; those that only open a link are among them."""
    return [
        {**element, "block_id": block.get("block_id", "")}
        for block in blocks
        if block["type"] == "actions"
        for element in block["elements"]
    ]


def _view_faults(view: Block) -> Faults:
    yield from _text(view, "title", "/view", MAX_VIEW_WORDS, {"plain_text"})
    for name in ("submit", "close"):
        if name in view:
            yield from _text(view, name, "/view", MAX_VIEW_WORDS, {"plain_text"})
    yield from _at_most(view, "callback_id", "/view", MAX_ID)
    yield from _at_most(view, "private_metadata", "/view", MAX_METADATA)
    yield from _all(view.get("blocks"), "/view/blocks", MAX_VIEW_BLOCKS)
    if "submit" not in view and any(isinstance(b, dict) and b.get("type") == "input" for b in view.get("blocks") or ()):
        yield "missing required field: submit [json-pointer:/view]"


def _all(blocks: Any, where: str, most: int) -> Faults:
    if not isinstance(blocks, list):
        yield f"must be an array [json-pointer:{where}]"
        return
    if len(blocks) > most:
        yield f"no more than {most} items allowed [json-pointer:{where}]"
    ids: set[str] = set()
    for place, block in enumerate(blocks):
        kind = block.get("type") if isinstance(block, dict) else None
        known = _BLOCKS.get(kind) if isinstance(kind, str) else None
        if known is None:
            yield f"unsupported type: {kind} [json-pointer:{where}/{place}/type]"
            continue
        yield from _at_most(block, "block_id", f"{where}/{place}", MAX_ID)
        if block.get("block_id") in ids:
            yield f"`block_id` {block['block_id']} already exists [json-pointer:{where}/{place}/block_id]"
        ids |= {block["block_id"]} if isinstance(block.get("block_id"), str) else set()
        yield from known(block, f"{where}/{place}")


def _section(block: Block, where: str) -> Faults:
    yield from _text(block, "text", where, MAX_SECTION)


def _header(block: Block, where: str) -> Faults:
    yield from _text(block, "text", where, MAX_HEADER, {"plain_text"})


def _divider(_: Block, __: str) -> Faults:
    yield from ()


def _context(block: Block, where: str) -> Faults:
    elements = block.get("elements")
    yield from _count(elements, f"{where}/elements", MAX_CONTEXT)
    for place, element in enumerate(elements if isinstance(elements, list) else ()):
        yield from _text({"element": element}, "element", f"{where}/elements/{place}", MAX_CONTEXT_TEXT)


def _actions(block: Block, where: str) -> Faults:
    elements = block.get("elements")
    yield from _count(elements, f"{where}/elements", MAX_ACTIONS)
    ids: set[str] = set()
    for place, element in enumerate(elements if isinstance(elements, list) else ()):
        at = f"{where}/elements/{place}"
        if not isinstance(element, dict) or element.get("type") != "button":
            yield f"unsupported type [json-pointer:{at}/type]"
            continue
        yield from _button(element, at)
        action_id = str(element.get("action_id") or "")
        if action_id and action_id in ids:
            yield f"`action_id` {action_id} already exists for another element [json-pointer:{at}/action_id]"
        ids.add(action_id)


def _button(button: Block, where: str) -> Faults:
    yield from _text(button, "text", where, MAX_BUTTON, {"plain_text"})
    yield from _at_most(button, "action_id", where, MAX_ID)
    yield from _at_most(button, "value", where, MAX_VALUE)
    yield from _at_most(button, "url", where, MAX_URL)
    if button.get("style", "primary") not in ("primary", "danger"):
        yield f"must be one of: primary, danger [json-pointer:{where}/style]"


def _input(block: Block, where: str) -> Faults:
    yield from _text(block, "label", where, MAX_LABEL, {"plain_text"})
    element = block.get("element")
    if not isinstance(element, dict) or element.get("type") != "plain_text_input":
        yield f"unsupported type [json-pointer:{where}/element/type]"
        return
    yield from _at_most(element, "action_id", f"{where}/element", MAX_ID)
    if "placeholder" in element:
        yield from _text(element, "placeholder", f"{where}/element", MAX_PLACEHOLDER, {"plain_text"})
    if not 0 < int(element.get("max_length", MAX_TYPED)) <= MAX_TYPED:
        yield f"must be between 1 and {MAX_TYPED} [json-pointer:{where}/element/max_length]"


_BLOCKS: dict[str, Callable[[Block, str], Faults]] = {
    "section": _section,
    "header": _header,
    "divider": _divider,
    "context": _context,
    "actions": _actions,
    "input": _input,
}


def _text(holder: Block, name: str, where: str, most: int, kinds: Collection[str] = ("plain_text", "mrkdwn")) -> Faults:
    """A text object of one of these kinds, with something to say and not too much."""
    text, at = holder.get(name), f"{where}/{name}"
    if not isinstance(text, dict):
        yield f"missing required field: {name} [json-pointer:{where}]"
        return
    if text.get("type") not in kinds:
        yield f"must be one of: {', '.join(sorted(kinds))} [json-pointer:{at}/type]"
    said = text.get("text")
    if not isinstance(said, str) or not said:
        yield f"must be more than 0 characters [json-pointer:{at}/text]"
    elif len(said) > most:
        yield f"must be less than {most + 1} characters [json-pointer:{at}/text]"


def _at_most(holder: Block, name: str, where: str, most: int) -> Faults:
    value = holder.get(name, "")
    if not isinstance(value, str):
        yield f"must be a string [json-pointer:{where}/{name}]"
    elif len(value) > most:
        yield f"must be less than {most + 1} characters [json-pointer:{where}/{name}]"


def _count(elements: Any, where: str, most: int) -> Faults:
    if not isinstance(elements, list) or not elements:
        yield f"must have at least 1 item [json-pointer:{where}]"
    elif len(elements) > most:
        yield f"no more than {most} items allowed [json-pointer:{where}]"


def _said(block: Block) -> int:
    """How many characters a block shows."""
    texts = [block.get("text"), *(element.get("text") for element in block.get("elements", ()))]
    return sum(len(text["text"]) if isinstance(text, dict) else len(str(text or "")) for text in texts)
