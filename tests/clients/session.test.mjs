// A scripted session of fhir-kit-client with a running hub, as somebody who has only read the FHIR standard would
// write it. IEUM_FHIR is the address of the FHIR interface; IEUM_SECRET, if set, is sent as bearer token.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import test from "node:test";
import { Client } from "fhir-kit-client";

const baseUrl = process.env.IEUM_FHIR;
assert.ok(baseUrl, "IEUM_FHIR is the address of a running hub");
const bearerToken = process.env.IEUM_SECRET;
const client = new Client({ baseUrl, bearerToken });
const numbers = "urn:oid:2.999.1";

/** A patient with a number that no other test has. */
function patient(value = `T-${randomUUID()}`, more = {}) {
  return { resourceType: "Patient", identifier: [{ system: numbers, value }], name: [{ family: "가상", given: ["바다"] }], ...more };
}

/** The status and the issues of a refusal. */
async function refused(promise) {
  const error = await promise.then(() => assert.fail("this must be refused"), (error) => error);
  const { status, data } = error.response;
  assert.equal(data.resourceType, "OperationOutcome");
  for (const issue of data.issue) {
    assert.ok(issue.diagnostics, "an issue says what to do");
    assert.match(issue.details.coding[0].code, /^IEUM-[A-Z]\d{3}$/);
  }
  return { status, issues: data.issue };
}

const header = (answer, name) => Client.httpFor(answer).response.headers.get(name);
const create = (body) => client.create({ resourceType: body.resourceType, body });
const search = (resourceType, searchParams, options) => client.search({ resourceType, searchParams, options });

test("the capability statement lists what this session uses", async () => {
  const statement = await client.capabilityStatement();
  assert.equal(statement.fhirVersion, "4.0.1");
  const rest = statement.rest.find((each) => each.mode === "server");
  const onPatient = rest.resource.find((each) => each.type === "Patient");
  const offered = onPatient.interaction.map((each) => each.code);
  for (const code of ["read", "vread", "update", "delete", "history-instance", "history-type", "create", "search-type"]) assert.ok(offered.includes(code), code);
  assert.equal(onPatient.conditionalUpdate, true);
  assert.ok(rest.interaction.some((each) => each.code === "transaction"));
});

test("create, read, read a version, update", async () => {
  const made = await create(patient(undefined, { gender: "female" }));
  assert.equal(Client.httpFor(made).response.status, 201);
  assert.equal(header(made, "etag"), 'W/"1"');
  assert.ok(header(made, "location").endsWith(`/Patient/${made.id}/_history/1`));
  assert.match(header(made, "content-type"), /^application\/fhir\+json/);
  assert.deepEqual({ ...(await client.read({ resourceType: "Patient", id: made.id })) }, { ...made });
  const changed = await client.update({ resourceType: "Patient", id: made.id, body: { ...made, gender: "male" } });
  assert.equal(changed.meta.versionId, "2");
  const first = await client.vread({ resourceType: "Patient", id: made.id, version: "1" });
  assert.equal(first.gender, "female");
});

test("an update with a stale version is refused", async () => {
  const made = await create(patient());
  const update = (gender) => client.update({ resourceType: "Patient", id: made.id, body: { ...made, gender }, options: { headers: { "If-Match": 'W/"1"' } } });
  await update("male");
  assert.equal((await refused(update("female"))).status, 412);
});

test("pages follow their links to the end and back", async () => {
  const value = `T-${randomUUID()}`;
  const made = [];
  for (let index = 0; index < 17; index += 1) made.push((await create(patient(value, { birthDate: `19${50 + index}-01-01` }))).id);
  let page = await search("Patient", { identifier: `${numbers}|${value}`, _sort: "birthdate", _count: 5, _total: "accurate" });
  assert.equal(page.total, 17);
  const seen = [];
  let pages = 0;
  let last;
  while (page) {
    pages += 1;
    seen.push(...page.entry.map((entry) => entry.resource.id));
    last = page;
    page = await client.nextPage({ bundle: page });
  }
  assert.equal(pages, 4);
  assert.deepEqual(seen, made);
  const before = await client.prevPage({ bundle: last });
  assert.deepEqual(before.entry.map((entry) => entry.resource.id), made.slice(10, 15));
});

test("a search by POST finds what a search by GET finds", async () => {
  const value = `T-${randomUUID()}`;
  const made = await create(patient(value));
  for (const options of [{}, { postSearch: true }]) {
    const found = await search("Patient", { identifier: `${numbers}|${value}` }, options);
    assert.deepEqual(found.entry.map((entry) => entry.resource.id), [made.id]);
  }
});

test("a search brings what it points to and what points to it", async () => {
  const made = await create(patient());
  const subject = { reference: `Patient/${made.id}` };
  const condition = await create({ resourceType: "Condition", subject, code: { text: "가상 진단" } });
  const included = await search("Condition", { patient: made.id, _include: "Condition:patient" });
  assert.deepEqual(included.entry.map((entry) => [entry.resource.id, entry.search.mode]), [[condition.id, "match"], [made.id, "include"]]);
  const reverse = await search("Patient", { _id: made.id, _revinclude: "Condition:patient" });
  assert.deepEqual(reverse.entry.map((entry) => entry.resource.id), [made.id, condition.id]);
  const resolved = await client.resolve({ reference: subject.reference });
  assert.equal(resolved.id, made.id);
  const everything = await client.operation({ name: "$everything", resourceType: "Patient", id: made.id, method: "GET" });
  assert.equal(everything.entry.length, 2);
});

test("a conditional update creates, then updates", async () => {
  const value = `T-${randomUUID()}`;
  const update = (more) => client.update({ resourceType: "Patient", searchParams: { identifier: `${numbers}|${value}` }, body: patient(value, more) });
  const first = await update({});
  assert.equal(Client.httpFor(first).response.status, 201);
  const second = await update({ gender: "other" });
  assert.equal(Client.httpFor(second).response.status, 200);
  assert.deepEqual([second.id, second.meta.versionId], [first.id, "2"]);
});

test("a transaction joins new resources by urn:uuid", async () => {
  const fullUrl = `urn:uuid:${randomUUID()}`;
  const value = `T-${randomUUID()}`;
  const entry = [
    { fullUrl, resource: patient(value), request: { method: "POST", url: "Patient", ifNoneExist: `identifier=${numbers}|${value}` } },
    { resource: { resourceType: "Encounter", status: "finished", class: { system: "http://terminology.hl7.org/CodeSystem/v3-ActCode", code: "AMB" }, subject: { reference: fullUrl } }, request: { method: "POST", url: "Encounter" } },
    { resource: { resourceType: "Condition", code: { text: "가상 진단" }, subject: { reference: `Patient?identifier=${numbers}|${value}` } }, request: { method: "POST", url: "Condition" } },
  ];
  // The last entry points to a patient by its number, which must exist before the transaction.
  const without = { resourceType: "Bundle", type: "transaction", entry: entry.slice(0, 2) };
  const first = await client.transaction({ body: without });
  assert.deepEqual(first.entry.map((each) => each.response.status.slice(0, 3)), ["201", "201"]);
  const second = await client.transaction({ body: { resourceType: "Bundle", type: "transaction", entry } });
  assert.deepEqual(second.entry.map((each) => each.response.status.slice(0, 3)), ["200", "201", "201"]);
  const [{ resource: found }] = (await search("Patient", { identifier: value })).entry;
  for (const [type, count] of [["Encounter", 2], ["Condition", 1]]) {
    const bundle = await search(type, { subject: `Patient/${found.id}`, _summary: "count" });
    assert.equal(bundle.total, count, type);
  }
});

test("a batch answers each entry by itself", async () => {
  const body = { resourceType: "Bundle", type: "batch", entry: [
    { request: { method: "GET", url: `Patient/${randomUUID()}` } },
    { resource: patient(), request: { method: "POST", url: "Patient" } },
  ] };
  const answer = await client.batch({ body });
  assert.deepEqual(answer.entry.map((each) => each.response.status.slice(0, 3)), ["404", "201"]);
  assert.equal(answer.entry[0].response.outcome.resourceType, "OperationOutcome");
});

test("history tells every version, of one record, of a type, of everything", async () => {
  const made = await create(patient());
  await client.update({ resourceType: "Patient", id: made.id, body: { ...made, active: false } });
  await client.delete({ resourceType: "Patient", id: made.id });
  const told = (bundle) => bundle.entry.filter((entry) => entry.fullUrl.endsWith(`/Patient/${made.id}`)).map((entry) => entry.request.method);
  const scopes = [{ resourceType: "Patient", id: made.id }, { resourceType: "Patient" }, {}];
  for (const scope of scopes) assert.deepEqual(told(await client.history(scope)), ["DELETE", "PUT", "PUT"], JSON.stringify(scope));
  assert.equal((await refused(client.read({ resourceType: "Patient", id: made.id }))).status, 410);
});

test("refusals say what is wrong, where, and what to do", async () => {
  const { status, issues } = await refused(create(patient(undefined, { contact: [{ gender: "nobody" }] })));
  assert.ok([400, 422].includes(status), `${status}`);
  assert.deepEqual(issues[0].expression, ["Patient.contact[0].gender"]);
  assert.equal((await refused(search("Patient", { birthdate: "soon" }))).status, 400);
  assert.equal((await refused(client.read({ resourceType: "Patient", id: randomUUID() }))).status, 404);
  assert.equal((await refused(client.request("Pateint"))).status, 404);
});

test("nobody enters without an account", { skip: bearerToken ? false : "the hub is open" }, async () => {
  for (const token of [undefined, "wrong"]) {
    const stranger = new Client({ baseUrl, bearerToken: token });
    assert.equal((await refused(stranger.search({ resourceType: "Patient" }))).status, 401);
  }
});
