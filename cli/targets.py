"""`steward pushes`, `pause` and `resume`: what each system still has to be told, why, and whether it is told now."""

from __future__ import annotations

from collections.abc import Iterable

import click


@click.command("pushes")
@click.option("--target", help="Only this system, by its name.")
def pushes(target: str | None) -> None:
    """Say of each system whether it is written to, what waits, and every record it does not show, with its words."""
    from tasks.context import open_context
    from tasks.pushes import push_lines

    context = open_context()
    for name in [_known(context.connectors.targets, target)] if target else context.connectors.targets:
        for line in push_lines(context, name):
            click.echo(line)


@click.command("pause")
@click.argument("target")
@click.option("--because", default="paused by hand", show_default=True, help="Why, for whoever looks next.")
def pause(target: str, because: str) -> None:
    """Write nothing to TARGET until it is resumed. Decisions go on, and their changes wait."""
    from tasks.breaker import pause as pause_target
    from tasks.context import open_context

    context = open_context()
    pause_target(context, _known(context.connectors.targets, target), because)
    click.echo(f"{target} is paused; `steward resume {target}` goes on")


@click.command("resume")
@click.argument("target")
@click.option("--as", "who", default="a person", help="Who says it; it is kept.")
def resume(target: str, who: str) -> None:
    """Write to TARGET again with the next push, whether it was paused or left alone after failures."""
    from tasks.breaker import resume as resume_target
    from tasks.context import open_context

    context = open_context()
    resume_target(context, _known(context.connectors.targets, target), who)
    click.echo(f"{target} is written to again with the next push")


def _known(targets: Iterable[str], name: str) -> str:
    known = sorted(targets)
    if name not in known:
        raise click.UsageError(f"there is no system {name}; there are {', '.join(known) or 'none'}")
    return name
