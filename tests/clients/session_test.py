"""A scripted session of fhirpy with a running hub, as somebody who has only read the FHIR standard would write it.

IEUM_FHIR is the address of the FHIR interface; IEUM_SECRET, if set, is sent as bearer token.
"""

import json
import os
import time
import unittest
import uuid

import requests
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import (
    AuthorizationError,
    MultipleResourcesFound,
    OperationOutcome,
    ResourceNotFound,
)

BASE = os.environ["IEUM_FHIR"]
SECRET = os.environ.get("IEUM_SECRET")
NUMBERS = "urn:oid:2.999.1"


def client(**headers):
    authorization = f"Bearer {SECRET}" if SECRET else None
    return SyncFHIRClient(BASE, authorization=authorization, extra_headers=headers)


def raw(method, path, **options):
    """A request beside the client, for what the client does not show."""
    headers = options.pop("headers", {})
    if SECRET:
        headers["Authorization"] = f"Bearer {SECRET}"
    return requests.request(method, f"{BASE}/{path}", headers=headers, timeout=30, **options)


def count(found):
    """How many match. fhirpy's own count() sends `_totalMethod`, which no standard knows; see below."""
    return found.search(_summary="count").fetch_raw()["total"]


def number():
    """A patient number that no other test has."""
    return f"T-{uuid.uuid4()}"


class Session(unittest.TestCase):
    def setUp(self):
        self.client = client()

    def patient(self, value=None, family="가상", given="하늘", **more):
        identifier = [{"system": NUMBERS, "value": value or number()}]
        name = [{"family": family, "given": [given], "text": family + given}]
        return self.client.resource("Patient", identifier=identifier, name=name, **more)

    def test_capability_statement_names_the_version(self):
        statement = self.client.execute("metadata", method="get")
        self.assertEqual(statement["resourceType"], "CapabilityStatement")
        self.assertEqual(statement["fhirVersion"], "4.0.1")

    def test_create_read_and_update(self):
        patient = self.patient(gender="female", birthDate="1980-02-29").save()
        self.assertTrue(patient.id)
        self.assertEqual(patient["meta"]["versionId"], "1")
        again = self.client.reference("Patient", patient.id).to_resource()
        self.assertEqual(again.serialize(), patient.serialize())
        patient["gender"] = "unknown"
        patient.save()
        self.assertEqual(patient["meta"]["versionId"], "2")
        self.assertEqual(again.refresh()["gender"], "unknown")

    def test_refresh_asks_whether_it_changed(self):
        patient = self.patient().save()
        before = patient.serialize()
        self.assertEqual(patient.refresh().serialize(), before)
        answer = raw("GET", f"Patient/{patient.id}", headers={"If-None-Match": 'W/"1"'})
        self.assertEqual(answer.status_code, 304)

    def test_update_can_create_under_an_id_of_the_client(self):
        patient = self.patient(id=f"t-{uuid.uuid4()}")
        answer = raw("PUT", f"Patient/{patient.id}", json=patient.serialize())
        self.assertEqual(answer.status_code, 201)
        self.assertTrue(answer.headers["Location"].endswith(f"Patient/{patient.id}/_history/1"))
        self.assertEqual(self.client.reference("Patient", patient.id).to_resource().id, patient.id)

    def test_search_finds_by_each_kind_of_parameter(self):
        value = number()
        patient = self.patient(value, gender="female", birthDate="1980-02-29").save()
        found = self.client.resources("Patient").search(identifier=f"{NUMBERS}|{value}")
        self.assertEqual(found.get().id, patient.id)
        for narrower in [
            {"gender": "female"},
            {"birthdate__ge": "1980-02-01", "birthdate__lt": "1980-03-01"},
            {"name": "가상"},
            {"family__exact": "가상"},
            {"name__contains": "하늘"},
        ]:
            self.assertEqual(found.search(**narrower).get().id, patient.id, narrower)
        self.assertIsNone(found.search(gender="male").first())

    def test_initial_consonants_find_a_korean_name(self):
        value = number()
        patient = self.patient(value, family="김", given="민수").save()
        found = self.client.resources("Patient").search(identifier=value, name="ㄱㅁㅅ")
        self.assertEqual([each.id for each in found.fetch()], [patient.id])

    def test_pages_hold_everything_once_and_in_order(self):
        value = number()
        made = [self.patient(value, given=f"{index:02}").save().id for index in range(23)]
        found = self.client.resources("Patient").search(identifier=value).sort("given").limit(5)
        self.assertEqual(count(found), 23)
        first = found.fetch_raw()
        self.assertEqual(len(first["entry"]), 5)
        self.assertTrue(any(link["relation"] == "next" for link in first["link"]))
        self.assertEqual([each.id for each in found.fetch_all()], made)

    def test_references_includes_and_chains(self):
        value = number()
        patient = self.patient(value).save()
        observation = self.client.resource(
            "Observation",
            status="final",
            code={"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
            subject=patient.to_reference(),
            valueQuantity={"value": 72, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
        ).save()
        observations = self.client.resources("Observation")
        self.assertEqual(observations.search(patient=patient).get().id, observation.id)
        chained = observations.search(patient__Patient__identifier=f"{NUMBERS}|{value}")
        self.assertEqual(chained.get().id, observation.id)
        self.assertEqual(chained.search(value_quantity__gt="71").get().id, observation.id)
        bundle = chained.include("Observation", "subject").fetch_raw()
        modes = {entry["resource"]["resourceType"]: entry["search"]["mode"] for entry in bundle["entry"]}
        self.assertEqual(modes, {"Observation": "match", "Patient": "include"})
        whole = patient.execute("$everything", method="get")
        self.assertEqual({entry["resource"]["id"] for entry in whole["entry"]}, {patient.id, observation.id})

    def test_conditional_update_creates_then_updates(self):
        value = number()
        found = self.client.resources("Patient").search(identifier=f"{NUMBERS}|{value}")
        first, created = found.update(self.patient(value))
        self.assertTrue(created)
        second, created = found.update(self.patient(value, gender="male"))
        self.assertFalse(created)
        self.assertEqual((second.id, second["meta"]["versionId"]), (first.id, "2"))

    def test_conditional_update_refuses_to_guess(self):
        value = number()
        for _ in range(2):
            self.patient(value).save()
        found = self.client.resources("Patient").search(identifier=f"{NUMBERS}|{value}")
        with self.assertRaises(MultipleResourcesFound):
            found.update(self.patient(value))

    def test_conditional_create_happens_once(self):
        value = number()
        careful = client(**{"If-None-Exist": f"identifier={NUMBERS}|{value}"})
        body = self.patient(value).serialize()
        made = careful.execute("Patient", data=body)
        again = careful.execute("Patient", data=body)
        self.assertEqual(again["id"], made["id"])
        self.assertEqual(count(self.client.resources("Patient").search(identifier=value)), 1)

    def test_a_lost_update_is_refused(self):
        patient = self.patient().save()
        stale = client(**{"If-Match": 'W/"1"'})
        body = {**patient.serialize(), "gender": "male"}
        self.assertEqual(stale.execute(f"Patient/{patient.id}", "put", body)["meta"]["versionId"], "2")
        with self.assertRaises(MultipleResourcesFound):  # fhirpy's name for every 412
            stale.execute(f"Patient/{patient.id}", "put", {**body, "gender": "female"})

    def test_transaction_joins_new_resources(self):
        value = number()
        mother = f"urn:uuid:{uuid.uuid4()}"
        bundle = {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {
                    "resource": {
                        "resourceType": "Observation",
                        "status": "final",
                        "code": {"text": "체온"},
                        "subject": {"reference": mother},
                    },
                    "request": {"method": "POST", "url": "Observation"},
                },
                {
                    "fullUrl": mother,
                    "resource": self.patient(value).serialize(),
                    "request": {"method": "POST", "url": "Patient"},
                },
            ],
        }
        answer = self.client.execute("", data=bundle)
        self.assertEqual(answer["type"], "transaction-response")
        self.assertEqual([entry["response"]["status"][:3] for entry in answer["entry"]], ["201", "201"])
        patient = self.client.resources("Patient").search(identifier=value).get()
        self.assertIsNotNone(self.client.resources("Observation").search(patient=patient).first())

    def test_transaction_is_all_or_nothing(self):
        value = number()
        good = {"resource": self.patient(value).serialize(), "request": {"method": "POST", "url": "Patient"}}
        bad = {
            "resource": {"resourceType": "Observation", "status": "no such status"},
            "request": {"method": "POST", "url": "Observation"},
        }
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [good, bad]}
        with self.assertRaises(OperationOutcome):
            self.client.execute("", data=bundle)
        self.assertEqual(count(self.client.resources("Patient").search(identifier=value)), 0)

    def test_batch_entries_stand_alone(self):
        good = {"resource": self.patient().serialize(), "request": {"method": "POST", "url": "Patient"}}
        bad = {"request": {"method": "GET", "url": f"Patient/{uuid.uuid4()}"}}
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": [bad, good]}
        answer = self.client.execute("", data=bundle)
        self.assertEqual([entry["response"]["status"][:3] for entry in answer["entry"]], ["404", "201"])

    def test_bulk_export_gives_what_a_search_finds(self):
        value = number()
        patient = self.patient(value)
        patient.save()
        headers = {"Prefer": "respond-async", "Accept": "application/fhir+json"}
        asked = raw("GET", "Patient/$export?_type=Patient", headers=headers)
        self.assertEqual(asked.status_code, 202)
        place = asked.headers["Content-Location"].removeprefix(f"{BASE}/")
        status = raw("GET", place)
        while status.status_code == 202:
            time.sleep(min(float(status.headers["Retry-After"]), 1))
            status = raw("GET", place)
        self.assertEqual(status.status_code, 200)
        manifest = status.json()
        self.assertEqual(manifest["requiresAccessToken"], SECRET is not None)
        lines = []
        for file in manifest["output"]:
            accept = {"Accept": "application/fhir+ndjson"}
            content = raw("GET", file["url"].removeprefix(f"{BASE}/"), headers=accept).text
            lines += [json.loads(line) for line in content.splitlines()]
        ids = [line["id"] for line in lines]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertIn(patient.id, ids)
        self.assertEqual(raw("DELETE", place).status_code, 202)
        self.assertEqual(raw("GET", place).status_code, 404)

    def test_bulk_import_takes_what_was_exported(self):
        resource = {"resourceType": "Patient", "id": str(uuid.uuid4()), "active": True}
        headers = {"Prefer": "respond-async", "Content-Type": "application/fhir+ndjson"}
        asked = raw("POST", "$import", headers=headers, data=json.dumps(resource) + "\n")
        self.assertEqual(asked.status_code, 202)
        place = asked.headers["Content-Location"].removeprefix(f"{BASE}/")
        while (status := raw("GET", place)).status_code == 202:
            time.sleep(0.1)
        self.assertEqual(status.json()["error"], [])
        self.assertTrue(self.client.reference("Patient", resource["id"]).to_resource()["active"])

    def test_history_and_deletion(self):
        patient = self.patient().save()
        patient["gender"] = "male"
        patient.save()
        patient.delete()
        with self.assertRaises(ResourceNotFound):
            self.client.reference("Patient", patient.id).to_resource()
        self.assertEqual(raw("GET", f"Patient/{patient.id}").status_code, 410)
        history = self.client.execute(f"Patient/{patient.id}/_history", method="get")
        self.assertEqual(history["type"], "history")
        methods = [entry["request"]["method"] for entry in history["entry"]]
        self.assertEqual(methods, ["DELETE", "PUT", "PUT"])
        first = self.client.execute(f"Patient/{patient.id}/_history/1", method="get")
        self.assertNotIn("gender", first)

    def test_conditional_deletion(self):
        value = number()
        patient = self.patient(value).save()
        self.client.resources("Patient").search(identifier=f"{NUMBERS}|{value}").delete()
        with self.assertRaises(ResourceNotFound):
            patient.refresh()


class Errors(unittest.TestCase):
    def setUp(self):
        self.client = client()

    def outcome(self, action):
        with self.assertRaises(OperationOutcome) as caught:
            action()
        outcome = caught.exception.resource
        self.assertEqual(outcome["resourceType"], "OperationOutcome")
        for issue in outcome["issue"]:
            self.assertIn(issue["severity"], ["fatal", "error"])
            self.assertTrue(issue["diagnostics"], "an issue says what to do")
            self.assertRegex(issue["details"]["coding"][0]["code"], r"^IEUM-[A-Z]\d{3}$")
        return outcome["issue"]

    def test_an_unknown_element_is_named_with_its_place(self):
        issues = self.outcome(self.client.resource("Patient", nickname="하늘").save)
        self.assertEqual(issues[0]["expression"], ["Patient.nickname"])

    def test_every_fault_is_told_and_no_value_repeated(self):
        patient = self.client.resource("Patient", gender="somebody-s-secret", birthDate="1980-02-30")
        issues = self.outcome(patient.save)
        places = sorted(place for issue in issues for place in issue["expression"])
        self.assertEqual(places, ["Patient.birthDate", "Patient.gender"])
        self.assertNotIn("somebody-s-secret", str(issues))

    def test_what_is_not_json_is_refused(self):
        headers = {"Content-Type": "application/fhir+json"}
        answer = raw("POST", "Patient", data="{", headers=headers)
        self.assertEqual(answer.status_code, 400)
        self.assertEqual(answer.json()["resourceType"], "OperationOutcome")

    def test_an_unknown_type_and_an_unknown_id_are_not_found(self):
        for path in ["Pateint/1", f"Patient/{uuid.uuid4()}"]:
            with self.assertRaises(ResourceNotFound):
                self.client.execute(path, method="get")

    def test_a_bad_parameter_is_refused(self):
        self.outcome(self.client.resources("Patient").search(birthdate="yesterday").fetch)

    def test_an_unknown_parameter_is_refused_unless_the_client_is_lenient(self):
        issues = self.outcome(self.client.resources("Patient").search(no_such_thing="1").fetch)
        self.assertIn("no-such-thing", issues[0]["diagnostics"])
        lenient = client(Prefer="handling=lenient")
        everything = count(lenient.resources("Patient"))
        self.assertEqual(lenient.resources("Patient").search(no_such_thing="1").count(), everything)

    @unittest.skipUnless(SECRET, "the hub is open")
    def test_nobody_enters_without_an_account(self):
        for authorization in [None, "Bearer wrong"]:
            with self.assertRaises(AuthorizationError) as caught:
                SyncFHIRClient(BASE, authorization=authorization).resources("Patient").fetch()
            self.assertIn("OperationOutcome", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
