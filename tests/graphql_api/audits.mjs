// Runs the audits of the npm package graphql-http against a server and prints their results as JSON.
import { createRequire } from "node:module";

const [folder, url, token] = process.argv.slice(2);
const { serverAudits } = createRequire(`${folder}/`)("graphql-http");
const fetchFn = (input, init = {}) =>
  fetch(input, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });
const results = [];
for (const audit of serverAudits({ url, fetchFn })) {
  const { status, name, reason } = await audit.fn();
  results.push({ status, name, reason });
}
console.log(JSON.stringify(results));
