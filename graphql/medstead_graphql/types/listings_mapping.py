"""Which rows of the mapping can be listed, filtered by what, ordered by what."""

from app.training.mapping import models
from medstead_graphql.compiler.listing import listing

ACCREDITATION = listing(
    "CourseAccreditation",
    models.CourseAccreditation,
    filters=("course_id", "awarding_body", "valid_from", "valid_to"),
    orders=("valid_from",),
    default_order=("-valid_from",),
    links={"course": "Course"},
)
COURSE_ACCESS = listing(
    "CourseAccess",
    models.CourseAccess,
    filters=("course_id", "kind", "employer_id", "local_authority", "language"),
    orders=("kind",),
    default_order=("kind",),
    links={"course": "Course", "employer": "Employer"},
)
COURSE_MERGE = listing(
    "CourseMerge",
    models.CourseMerge,
    filters=("kept_course_id", "merged_course_id", "merged_at", "undone_at"),
    orders=("merged_at",),
    default_order=("-merged_at",),
    links={"kept": "Course", "merged": "Course"},
)
GUIDANCE_DOCUMENT = listing(
    "GuidanceDocument",
    models.GuidanceDocument,
    filters=("code", "title", "kind", "status", "review_on"),
    orders=("code", "review_on"),
    default_order=("code",),
    lists={"clauses": "GuidanceClause"},
)
GUIDANCE_CLAUSE = listing(
    "GuidanceClause",
    models.GuidanceClause,
    filters=("document_id", "number"),
    orders=("number",),
    default_order=("number",),
    links={"document": "GuidanceDocument"},
    lists={"references": "TopicReference"},
)
TOPIC = listing(
    "Topic",
    models.Topic,
    filters=("code", "title", "theme", "audience", "status"),
    orders=("code",),
    default_order=("code",),
    lists={"references": "TopicReference", "cells": "MappingCell"},
)
TOPIC_REFERENCE = listing(
    "TopicReference",
    models.TopicReference,
    filters=("topic_id", "clause_id"),
    links={"topic": "Topic", "clause": "GuidanceClause"},
)
EXERCISE = listing(
    "MappingExercise",
    models.MappingExercise,
    filters=("name", "edition", "exercised_on", "status"),
    orders=("exercised_on",),
    default_order=("-exercised_on",),
    links={"previous": "MappingExercise"},
    lists={"cells": "MappingCell", "gaps": "MappingGap"},
)
CELL = listing(
    "MappingCell",
    models.MappingCell,
    filters=("exercise_id", "course_id", "topic_id", "clause_id", "coverage", "assessed_on"),
    orders=("assessed_on",),
    default_order=("-assessed_on",),
    links={"exercise": "MappingExercise", "course": "Course", "topic": "Topic", "clause": "GuidanceClause"},
)
ANALYSIS = listing(
    "MappingAnalysis",
    models.MappingAnalysis,
    filters=("exercise_id", "setting", "scope", "proven", "created_at"),
    orders=("created_at",),
    default_order=("-created_at",),
    links={"exercise": "MappingExercise"},
)
GAP = listing(
    "MappingGap",
    models.MappingGap,
    filters=("exercise_id", "kind", "topic_id", "course_id", "due_on", "status", "closed_at"),
    orders=("due_on", "created_at"),
    default_order=("due_on",),
    links={
        "exercise": "MappingExercise",
        "topic": "Topic",
        "course": "Course",
        "closingCourse": "Course",
        "closingSession": "Session",
    },
)
TEMPLATE = listing(
    "ProgrammeTemplate",
    models.ProgrammeTemplate,
    filters=("name", "version", "publisher_name", "published_at"),
    orders=("name", "published_at"),
    default_order=("-published_at",),
)
ORIGIN = listing(
    "ProgrammeOrigin",
    models.ProgrammeOrigin,
    filters=("template_version", "cloned_at"),
    orders=("cloned_at",),
    default_order=("-cloned_at",),
    links={"template": "ProgrammeTemplate"},
)
