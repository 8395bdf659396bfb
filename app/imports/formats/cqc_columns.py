"""Columns of the Care Quality Commission's files, its service types and user bands, and the primary setting."""

from collections.abc import Iterable

from app.imports.formats.values import Synonyms, heading_key

MONTHLY = Synonyms({
    "location_id": ("location id", "cqc location id"),
    "name": ("location name",),
    "provider_id": ("provider id", "cqc provider id"),
    "provider_name": ("provider name",),
    "registered_on": ("location hsca start date", "location start date", "hsca start date"),
    "dormant": ("dormant y n", "dormant"),
    "care_home": ("care home", "care home y n"),
    "ods_code": ("location ods code", "ods code"),
    "telephone": ("location telephone number", "telephone number", "phone number"),
    "web_address": ("location web address", "web address"),
    "beds": ("care homes beds", "care home beds", "beds", "number of beds"),
    "location_type": ("location type sector", "type sector", "location type"),
    "latest_rating": ("location latest overall rating", "latest overall rating", "overall rating"),
    "rating_published_on": ("publication date", "rating publication date", "report publication date"),
    "region": ("location region", "region"),
    "nhs_region": ("location nhs region", "nhs region"),
    "local_authority": ("location local authority", "local authority"),
    "icb_code": (
        "location onspd icb code", "location onspd ccg code", "location icb code", "location onspd icb ccg code",
        "onspd icb code", "onspd ccg code",
    ),
    "icb_name": ("location onspd icb", "location onspd ccg", "location icb", "location onspd icb name", "onspd icb"),
    "street": ("location street address", "street address", "location address line 1", "location address 1"),
    "line_2": ("location address line 2", "address line 2"),
    "city": ("location city", "city"),
    "county": ("location county", "county"),
    "postcode": ("location postal code", "location postcode", "postal code", "postcode"),
    "uprn": ("location uprn id", "location uprn", "uprn", "uprn id"),
    "latitude": ("location latitude", "latitude"),
    "longitude": ("location longitude", "longitude"),
    "brand_id": ("brand id", "location brand id"),
    "brand_name": ("brand name", "location brand name"),
    "dual_registered": ("location dual registered", "dual registered"),
    "primary_location_id": (
        "primary id dual registration locations", "primary id", "primary location id",
        "primary id dual registration location",
    ),
})  # fmt: skip

WEEKLY = Synonyms({
    "location_id": ("cqc location id for office use only", "cqc location id"),
    "name": ("name",),
    "address": ("address",),
    "postcode": ("postcode",),
    "telephone": ("phone number", "telephone number"),
    "web_address": ("service s website if available", "service website", "website"),
    "services": ("service types", "service type"),
    "bands": ("specialisms services", "specialisms"),
    "provider_id": ("cqc provider id for office use only", "cqc provider id"),
    "provider_name": ("provider name",),
    "local_authority": ("local authority",),
    "region": ("region",),
    "location_url": ("location url",),
})  # fmt: skip

PERSONAL = ("registered manager", "nominated individual", "main partner", "contact name")
"""Words of headings whose cells name a person: they are not read."""

ACTIVITY = "regulated activity"
SERVICE = "service type"
BAND = "service user band"

_SETTINGS = (
    ("care_home_with_nursing", {"care home service with nursing", "nursing homes", "nursing home"}),
    (
        "care_home_without_nursing",
        {
            "care home service without nursing",
            "residential homes",
            "residential home",
            "care home service",
            "care home",
        },
    ),
    ("extra_care", {"extra care housing services", "extra care housing", "supported housing"}),
    ("supported_living", {"supported living service", "supported living"}),
    ("domiciliary", {"domiciliary care service", "homecare agencies", "homecare agency"}),
    ("shared_lives", {"shared lives"}),
)
_WEEKLY_SERVICES = {
    "nursing homes": "Care home service with nursing",
    "nursing home": "Care home service with nursing",
    "residential homes": "Care home service without nursing",
    "residential home": "Care home service without nursing",
    "homecare agencies": "Domiciliary care service",
    "supported living": "Supported living service",
    "supported housing": "Extra Care housing services",
    "extra care housing": "Extra Care housing services",
    "shared lives": "Shared Lives",
    "hospice": "Hospice services",
    "hospices": "Hospice services",
}
_WEEKLY_BANDS = {
    "caring for adults over 65 yrs": "Older People",
    "caring for adults under 65 yrs": "Younger Adults",
    "dementia": "Dementia",
    "learning disabilities": "Learning disabilities or autistic spectrum disorder",
    "mental health conditions": "Mental Health",
    "physical disabilities": "Physical Disability",
    "sensory impairments": "Sensory Impairment",
    "sensory impairment": "Sensory Impairment",
    "substance misuse problems": "People who misuse drugs and alcohol",
    "eating disorders": "People with an eating disorder",
    "caring for people whose rights are restricted under the mental health act": (
        "People detained under the Mental Health Act"
    ),
    "caring for children": "Children 0-18 years",
    "caring for children 0 18yrs": "Children 0-18 years",
    "services for everyone": "Whole Population",
}


def primary_setting(service_types: Iterable[str]) -> str:
    """One setting of a location with several services.

    With nursing goes before without nursing, then extra care, supported living, domiciliary and Shared Lives; "other"
    where no service is adult social care.
    """
    keys = {heading_key(service) for service in service_types}
    return next((setting for setting, words in _SETTINGS if keys & words), "other")


def weekly_service(name: str) -> str:
    """A service type of the weekly directory under its name in the monthly file."""
    return _WEEKLY_SERVICES.get(heading_key(name), name)


def weekly_band(name: str) -> str:
    """A specialism of the weekly directory as a service user band of the monthly file."""
    return _WEEKLY_BANDS.get(heading_key(name), name)
