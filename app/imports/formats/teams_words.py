"""The words of Microsoft Teams attendance reports in the languages and versions that exporters use."""

from app.imports.formats.values import Synonyms, heading_key

SUMMARY = "summary"
PARTICIPANTS = "participants"
ACTIVITIES = "activities"

SECTIONS = {
    SUMMARY: {
        "summary", "meeting summary", "webinar summary", "zusammenfassung", "resume", "resumen",
        "resumen de la reunion",
    },
    PARTICIPANTS: {
        "participants", "attendees", "participant details", "participants details", "teilnehmer", "teilnehmende",
        "participantes", "asistentes", "registration", "registrations", "registrants", "attendee details",
    },
    ACTIVITIES: {
        "in meeting activities", "in meeting activity", "activities", "meeting activities", "in webinar activities",
        "in event activities", "aktivitaten in der besprechung", "besprechungsaktivitaten", "activites en reunion",
        "activites pendant la reunion", "actividades en la reunion", "actividades durante la reunion",
    },
}  # fmt: skip

PEOPLE = Synonyms({
    "name": (
        "name", "full name", "display name", "participant name", "participant", "attendee name", "vollstandiger name",
        "nom", "nom complet", "nombre", "nombre completo",
    ),
    "given_name": ("first name", "vorname", "prenom", "given name"),
    "family_name": ("last name", "surname", "nachname", "nom de famille", "apellidos", "apellido"),
    "joined": (
        "first join", "first join time", "join time", "joined", "join", "joined at", "erster beitritt", "beitrittszeit",
        "zeitpunkt des beitritts", "beitrittszeitpunkt", "premiere connexion", "premier acces", "heure de connexion",
        "heure d arrivee", "primera union", "hora de union", "primera incorporacion", "hora de incorporacion",
        "hora de entrada",
    ),
    "left": (
        "last leave", "last leave time", "leave time", "left", "leave", "left at", "letztes verlassen",
        "letzter austritt", "zeitpunkt des verlassens", "austrittszeit", "austrittszeitpunkt", "derniere sortie",
        "dernier depart", "heure de depart", "heure de deconnexion", "ultima salida", "hora de salida",
        "hora de abandono",
    ),
    "duration": (
        "in meeting duration", "duration", "time in session", "attendance duration", "in session duration",
        "in webinar duration", "in event duration", "meeting duration", "time in meeting", "total duration",
        "total time in session", "total attendance time", "dauer", "besprechungsdauer", "dauer der teilnahme",
        "dauer in der besprechung", "duree", "duree de la reunion", "duree en reunion", "duree de participation",
        "duracion", "duracion de la reunion", "duracion en la reunion", "tiempo en la sesion",
    ),
    "email": (
        "email", "email address", "e mail", "e mail address", "e mail adresse", "adresse e mail",
        "correo electronico", "correo", "courriel", "registration email",
    ),
    "upn": (
        "participant id upn", "participant id", "upn", "user principal name", "teilnehmer id upn", "teilnehmer id",
        "id du participant upn", "id de participant upn", "id de participante upn", "identificador de participante upn",
    ),
    "role": ("role", "rolle", "rol", "funcion", "attendee role"),
    "registered": (
        "registration time", "registered on", "registration date", "registrierungszeit", "heure d inscription",
        "hora de registro",
    ),
    "registration": ("registration status", "registrierungsstatus", "statut d inscription", "estado de registro"),
    "learner": ("medstead learner",),
    "action": (
        "user action", "action", "benutzeraktion", "action de l utilisateur", "accion del usuario",
        "accion de usuario",
    ),
    "timestamp": (
        "timestamp", "utc event timestamp", "event timestamp", "zeitstempel", "horodatage", "marca de tiempo",
    ),
})  # fmt: skip

FACTS = Synonyms({
    "title": (
        "meeting title", "title", "webinar title", "event title", "besprechungstitel", "titre de la reunion",
        "titulo de la reunion", "meeting name", "subject",
    ),
    "started": (
        "start time", "meeting start time", "event start time", "webinar start time", "startzeit",
        "startzeit der besprechung", "heure de debut", "heure de debut de la reunion", "hora de inicio",
        "hora de inicio de la reunion", "actual start time",
    ),
    "ended": (
        "end time", "meeting end time", "event end time", "webinar end time", "endzeit", "endzeit der besprechung",
        "heure de fin", "heure de fin de la reunion", "hora de finalizacion", "hora de finalizacion de la reunion",
        "actual end time",
    ),
    "participants": (
        "attended participants", "total number of participants", "total participants", "participants", "attendees",
        "total attended", "anzahl der teilnehmer", "gesamtzahl der teilnehmer", "teilgenommene teilnehmer",
        "nombre total de participants", "participants presents", "numero total de participantes",
        "participantes asistentes", "unique viewers", "attended",
    ),
    "duration": (
        "meeting duration", "duration", "event duration", "webinar duration", "besprechungsdauer", "dauer",
        "duree de la reunion", "duracion de la reunion",
    ),
    "registered": ("registered participants", "total registrations", "registrations", "registered", "total registered"),
    "mean": (
        "average attendance time", "average time in session", "durchschnittliche anwesenheitszeit",
        "temps de presence moyen", "tiempo medio de asistencia",
    ),
    "identifier": ("meeting id", "besprechungs id", "id de la reunion", "webinar id", "event id"),
})  # fmt: skip

_ROLES = {
    "attendee": {
        "attendee", "teilnehmer", "teilnehmende", "participant", "asistente", "participante", "none", "guest",
        "viewer",
    },
    "presenter": {
        "presenter", "referent", "referentin", "presentateur", "presentatrice", "moderador", "moderator", "speaker",
        "external presenter", "co presenter",
    },
    "organizer": {
        "organizer", "organiser", "organisator", "organisatorin", "organisateur", "organisatrice", "organizador",
        "co organizer", "co organiser", "producer",
    },
}  # fmt: skip
_JOINED = {"joined", "joined before", "join", "beigetreten", "a rejoint", "rejoint", "se unio", "unido", "entro"}
_LEFT = {"left", "leave", "verlassen", "a quitte", "quitte", "abandono", "salio", "ha salido"}


def role_of(text: str | None) -> str:
    """attendee, presenter, organizer or unknown."""
    key = heading_key(text or "")
    return next((role for role, words in _ROLES.items() if key in words), "unknown")


def section_of(cell: str) -> str | None:
    """The section that a heading such as "2. Participants" opens, in any language we know; None for other text."""
    key = heading_key(cell)
    number, _, words = key.partition(" ")
    if number in {"1", "2", "3"} and cell.lstrip("\ufeff ")[1:2] in {".", ")"}:
        named = next((section for section, known in SECTIONS.items() if words in known), None)
        return named or (SUMMARY, PARTICIPANTS, ACTIVITIES)[int(number) - 1]
    return next((section for section, known in SECTIONS.items() if key in known), None)


def is_joining(action: str | None) -> bool | None:
    """True for "Joined", False for "Left", None for anything else."""
    key = heading_key(action or "")
    return True if key in _JOINED else False if key in _LEFT else None
