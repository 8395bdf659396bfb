"""The demonstration's certificates: a template, a webinar that was certified, one reissued, one revoked; champions."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, func, select

from app.directory.models import Employer, Employment
from app.identity.secrets import Vault
from app.training.certificates import issuing, revoking
from app.training.certificates.issuing import Wanted
from app.training.certificates.models import Certificate, CertificateTemplate
from app.training.certificates.rules import TemplateText
from app.training.certificates.templates import save_template
from app.training.champion_register.operations import appoint, end_with_employment
from app.training.champion_register.pathway import Step, reach_step, set_pathway
from app.training.errors import TrainingRefusal
from app.training.models import Attendance, MedicationChampion, TrainingSession
from app.training.requirements import nominations
from tenants.clock import london_date
from tenants.context import TenantContext
from tenants.session import Database, UnitOfWork

APPOINTED = 3
STEPS = (
    Step("Carer who gives medicines", "care_or_support_worker"),
    Step("Medication Champion", "enhanced_care_worker"),
    Step("Lead champion of a provider", "practice_leader"),
    Step("Deputy manager for medicines", "deputy_manager"),
)
DISCLAIMER = (
    "Guidance only. A certificate shows that somebody took part in training; it is no assessment of competence, "
    "which the employer makes before anybody gives medicines."
)


async def add_certificates(database: Database, context: TenantContext, vault: Vault, issuer: str) -> None:
    """All of it, once: a tenant that has a template is left as it is."""
    async with database.unit_of_work(context) as work:
        if (await work.session.scalars(select(CertificateTemplate.id).limit(1))).first() is not None:
            return
        text = TemplateText(
            issuer_name=issuer,
            signatory_name="Pip Programme-Lead",
            signatory_role="Programme lead",
            disclaimer=DISCLAIMER,
            expiry_rule="months",
            validity_months=24,
            logo_text="Medicines training (demonstration)",
        )
        await save_template(work, 0, text)
        session_id = await _best_attended(work)
        run_id = None if session_id is None else await issuing.request_certificates(work, Wanted(session_id))
    more = run_id is not None
    while more and run_id is not None:  # a worker may do the same meanwhile: each finds what the other left
        async with database.unit_of_work(context) as work:
            more = await issuing.issue_chunk(work, run_id, vault)
    async with database.unit_of_work(context) as work:
        first = (await work.session.scalars(select(Certificate.id).order_by(Certificate.serial).limit(2))).all()
        if len(first) == 2:
            await revoking.revoke(work, first[0], "Left after ten minutes; the report was read wrongly")
            await issuing.reissue(work, first[1], "The name was spelled wrongly", vault)
    async with database.unit_of_work(context) as work:
        await _champions(work)
        await end_with_employment(work)


async def _best_attended(work: UnitOfWork) -> UUID | None:
    """The past session that most people qualified at."""
    statement = (
        select(TrainingSession.id)
        .join(
            Attendance,
            and_(Attendance.tenant_id == TrainingSession.tenant_id, Attendance.session_id == TrainingSession.id),
        )
        .where(Attendance.qualifies, TrainingSession.ends_at <= work.now, TrainingSession.state != "cancelled")
        .group_by(TrainingSession.tenant_id, TrainingSession.id)
        .order_by(func.count().desc(), TrainingSession.id)
        .limit(1)
    )
    return (await work.session.scalars(statement)).first()


async def _champions(work: UnitOfWork) -> None:
    """Appoint some whom the list of champions names as trained, and set the pathway that they are on."""
    steps = await set_pathway(work, STEPS)
    rows = await work.session.execute(
        select(MedicationChampion.learner_id, MedicationChampion.tenant_location_id, MedicationChampion.trained_on)
        .distinct()
        .join(Employment, and_(Employment.tenant_id == MedicationChampion.tenant_id,
                               Employment.learner_id == MedicationChampion.learner_id))
        .join(Employer, and_(Employer.tenant_id == Employment.tenant_id, Employer.id == Employment.employer_id,
                             Employer.tenant_location_id == MedicationChampion.tenant_location_id))
        .where(
            MedicationChampion.trained_on <= london_date(work.now),
            MedicationChampion.state == "active",
            MedicationChampion.ended_on.is_(None),
            Employment.ended_on.is_(None),
        )
        .order_by(MedicationChampion.trained_on, MedicationChampion.learner_id)
    )  # fmt: skip
    appointed: set[UUID] = set()
    for row in rows:
        await reach_step(work, row.learner_id, steps[0], row.trained_on - timedelta(days=200))
        await reach_step(work, row.learner_id, steps[1], row.trained_on)
        if len(appointed) < APPOINTED and row.learner_id not in appointed:
            appointed |= await _appointed(work, row.learner_id, row.tenant_location_id, len(appointed) + 1)


async def _appointed(work: UnitOfWork, learner_id: UUID, location_id: UUID, number: int) -> set[UUID]:
    """Nominate, approve and appoint somebody; none if a nomination waits or the role is held already."""
    try:
        made = await nominations.nominate(
            work,
            learner_id=learner_id,
            tenant_location_id=location_id,
            nominator_name=f"Manager {number} (invented)",
            nominator_role="Registered manager",
            statement="Leads our medicines rounds and teaches new colleagues.",
        )
        await nominations.approve(work, made, 1, "Tier 3 is complete")
        await appoint(
            work, learner_id, location_id, contact_route=f"Home's office, extension {100 + number}", deputy=number == 2
        )
    except TrainingRefusal:
        return set()
    return {learner_id}
