import { graphql } from "relay-runtime";

export const query = graphql`
  query LearnersPageQuery($count: Int!, $where: LearnerFilter) {
    ...LearnersPage_learners @arguments(count: $count, where: $where)
    tenant { id name settings { version } }
  }
`;
export const fragment = graphql`
  fragment LearnersPage_learners on Query
  @refetchable(queryName: "LearnersPagePaginationQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" }, where: { type: "LearnerFilter" }) {
    learners(first: $count, after: $cursor, where: $where, orderBy: [CREATED_AT_ASC]) @connection(key: "LearnersPage_learners", filters: ["where"]) {
      edges { node { id ...LearnersPage_learner } }
    }
  }
`;
export const learner = graphql`
  fragment LearnersPage_learner on Learner
  @refetchable(queryName: "LearnersPageLearnerQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 5 }, cursor: { type: "String" }) {
    id
    createdAt
    completions(first: $count, after: $cursor) @connection(key: "LearnersPage_completions") {
      edges { node { id completedAt course { title } } }
    }
  }
`;
export const change = graphql`
  mutation LearnersPageChangeMutation($input: TenantSettingsInput!) {
    updateTenantSettings(input: $input) {
      __typename
      ... on SettingsChanged { tenant { settings { version } } }
      ... on UserError { code message path }
    }
  }
`;
export const figures = graphql`
  query LearnersPageFiguresQuery($period: PeriodInput!) {
    impactSummary(period: $period) { usefulness { value distribution { label count } definition { id name } } }
  }
`;
export const any = graphql`
  query LearnersPageNodeQuery($id: ID!) { node(id: $id) { id __typename ... on Course { title } } }
`;
