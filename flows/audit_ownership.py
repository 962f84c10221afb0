"""Audit: pulled = decided + excepted, and every CRM shows the ledger's owner. The CRM is read, not remembered.

The day's key figures are taken last; they only read what is there. What is kept for some time only is removed.
"""

from __future__ import annotations

from prefect import flow, runtime

from tasks.accesses import forget_old_accesses_task
from tasks.audit import audit_completeness_task, audit_ledger_task, audit_target_task, seal_ledger_task
from tasks.context import recorded_run
from tasks.kpis import take_kpis_task
from tasks.report import finish, report_audit


@flow(name="audit-ownership", flow_run_name="audit ownership, {trigger}", log_prints=True)
def audit_ownership(trigger: str = "by hand") -> dict[str, object]:
    """Check completeness, the ledger, and what each CRM shows; seal the ledger. Findings become exceptions."""
    with recorded_run("audit-ownership", trigger=trigger, flow_run_id=runtime.flow_run.id) as context:
        truths = [audit_target_task(context, target) for target in context.connectors.targets]
        completeness = audit_completeness_task(context)
        broken_at = audit_ledger_task(context)
        seal = seal_ledger_task(context, broken_at)
        report_audit(context, completeness, truths, broken_at, seal)
        kpis = take_kpis_task(context)
        forgotten = forget_old_accesses_task(context)
        return finish(
            context,
            completeness=completeness,
            truths=truths,
            ledger_broken_at=broken_at,
            seal=seal,
            kpis=kpis,
            accesses_forgotten=forgotten,
        )
