// Pages through connections with a well-known client and prints the ids that it ends up with, in its own order.
// Arguments: folder of the packages, address, token, client, rows of a page, JSON list of root fields.
import { createRequire } from "node:module";

const [folder, url, token, client, size, fields] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const headers = { authorization: `Bearer ${token}` };
const first = Number(size);
const documentOf = (field) => `query Page($first: Int, $after: String, $last: Int, $before: String) {
  ${field}(first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;
const nextOf = (info, backwards) =>
  backwards ? { last: first, before: info.startCursor } : { first, after: info.endCursor };
const moreOf = (info, backwards) => (backwards ? info.hasPreviousPage : info.hasNextPage);

// Apollo merges the pages in its cache by Relay's rules; what the cache holds in the end is what a page would show.
async function apollo(field, backwards) {
  const { ApolloClient, InMemoryCache, HttpLink, gql } = require("@apollo/client");
  const { relayStylePagination } = require("@apollo/client/utilities");
  const cache = new InMemoryCache({ typePolicies: { Query: { fields: { [field]: relayStylePagination() } } } });
  const opened = new ApolloClient({ cache, link: new HttpLink({ uri: url, headers }) });
  const query = gql(documentOf(field));
  const variables = backwards ? { last: first } : { first };
  const watched = opened.watchQuery({ query, variables });
  const told = watched.subscribe(() => {});
  const { data } = await opened.query({ query, variables });
  let info = data[field].pageInfo;
  while (moreOf(info, backwards)) {
    const page = await watched.fetchMore({ variables: nextOf(info, backwards) });
    info = page.data[field].pageInfo;
  }
  const shown = cache.readQuery({ query, variables })[field].edges.map((edge) => edge.node.id);
  told.unsubscribe();
  opened.stop();
  return shown;
}

async function urql(field, backwards) {
  const { Client, cacheExchange, fetchExchange } = require("@urql/core");
  const opened = new Client({
    url,
    exchanges: [cacheExchange, fetchExchange],
    fetchOptions: { headers },
    preferGetMethod: false,
  });
  const shown = [];
  let variables = backwards ? { last: first } : { first };
  for (;;) {
    const { data, error } = await opened.query(documentOf(field), variables).toPromise();
    if (error) throw error;
    const ids = data[field].edges.map((edge) => edge.node.id);
    if (backwards) shown.unshift(...ids);
    else shown.push(...ids);
    const info = data[field].pageInfo;
    if (!moreOf(info, backwards)) return shown;
    variables = nextOf(info, backwards);
  }
}

const read = { apollo, urql }[client];
const told = {};
for (const field of JSON.parse(fields)) {
  told[field] = { forwards: await read(field, false), backwards: await read(field, true) };
}
console.log(JSON.stringify(told));
