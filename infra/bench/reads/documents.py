"""The documents that are measured, in the words of each server."""

NESTED = """query Nested($employers: Int!, $people: Int!, $completions: Int!) {
  employers(first: $employers, orderBy: [NAME_ASC]) { nodes { id name
    employments(first: $people, orderBy: [STARTED_ON_DESC]) { nodes { startedOn learner { id displayName
      completions(first: $completions, orderBy: [COMPLETED_AT_DESC]) { nodes { id completedAt minutes } } } } } } }
}"""

PAGE = """query Page($course: ID!, $first: Int!, $after: String, $before: DateTime) {
  completions(
    first: $first
    after: $after
    where: {courseId: {equals: $course}, completedAt: {before: $before}}
    orderBy: [COMPLETED_AT_DESC]
  ) { nodes { id completedAt minutes learner { id displayName } course { title } } PAGE_INFO }
}"""

THEIR_NESTED = """query Nested($tenant: UUID!, $employers: Int!, $people: Int!, $completions: Int!) {
  employers(first: $employers, condition: {tenantId: $tenant}, orderBy: [NAME_ASC]) { nodes { rowId name
    employmentsByTenantIdAndEmployerId(first: $people, orderBy: [STARTED_ON_DESC]) { nodes { startedOn
      tenantLearner { rowId displayName
        completionsByTenantIdAndLearnerId(first: $completions, orderBy: [COMPLETED_AT_DESC]) {
          nodes { rowId completedAt minutes } } } } } } }
}"""

THEIR_PAGE = """query Page($tenant: UUID!, $course: UUID!, $first: Int!, $after: Cursor, $offset: Int) {
  completions(
    first: $first
    after: $after
    offset: $offset
    condition: {tenantId: $tenant, courseId: $course}
    orderBy: [COMPLETED_AT_DESC]
  ) { nodes { rowId completedAt minutes tenantLearner { rowId displayName } tenantCourse { title } } PAGE_INFO }
}"""

PAGE_INFO = "pageInfo { hasNextPage endCursor }"
