"""Holds an export of `scilake provenance --out` against the tools of each community. Prints one JSON object: what each of them found."""

import json
import sys
from pathlib import Path

import bagit
import mlcroissant
import yaml
from cffconvert import Citation
from datacite import schema43
from openlineage.client import facet_v2  # noqa: F401  (the facets' module must load)
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent
from prov.model import ProvActivity, ProvAgent, ProvDocument, ProvEntity
from rocrate.rocrate import ROCrate

folder = Path(sys.argv[1])
found: dict[str, object] = {}

document = ProvDocument.deserialize(str(folder / "prov.json"), format="json")
found["prov"] = {
    "entities": sorted(str(record.identifier) for record in document.get_records(ProvEntity)),
    "activities": len(list(document.get_records(ProvActivity))),
    "agents": sorted(str(next(iter(record.get_attribute("prov:label")))) for record in document.get_records(ProvAgent)),
    "provn": len(document.get_provn()),
}

crate = ROCrate(str(folder))
found["rocrate"] = {
    "name": crate.name,
    "main": crate.mainEntity.id,
    "mainTypes": crate.mainEntity.type,
    "parts": sorted(part.id for part in crate.root_dataset["hasPart"]),
    "actions": [
        {
            "instrument": action["instrument"].id,
            "objects": sorted(one.id for one in action["object"]),
            "results": [one.id for one in action["result"]],
        }
        for action in crate.contextual_entities
        if action.type == "CreateAction"
    ],
}


def dataset(kind, content):
    return kind(namespace=content["namespace"], name=content["name"], facets=content["facets"])


events = [json.loads(line) for line in (folder / "openlineage.jsonl").read_text().splitlines()]
for event in events:
    # The client's classes refuse what the specification does not allow: ids that are no UUIDs, times that are none.
    RunEvent(
        eventTime=event["eventTime"],
        eventType=event["eventType"],
        producer=event["producer"],
        run=Run(runId=event["run"]["runId"]),
        job=Job(namespace=event["job"]["namespace"], name=event["job"]["name"]),
        inputs=[dataset(InputDataset, one) for one in event["inputs"]],
        outputs=[dataset(OutputDataset, one) for one in event["outputs"]],
    )
found["openlineage"] = {
    "types": [event["eventType"] for event in events],
    "columns": events[-1]["outputs"][0]["facets"]["columnLineage"]["fields"],
}

croissant = mlcroissant.Dataset(jsonld=str(folder / "croissant.json"))
issues = croissant.metadata.ctx.issues
found["croissant"] = {
    "errors": sorted(issues.errors),
    "warnings": sorted(issues.warnings),
    "fields": [field.name for field in croissant.metadata.record_sets[0].fields],
    "records": len(list(croissant.records(croissant.metadata.record_sets[0].uuid))),
}

with open(folder / "datacite.json") as file:
    record = json.load(file)
schema43.validate(record)
found["datacite"] = {"related": record["relatedIdentifiers"], "rights": [one["rights"] for one in record["rightsList"]]}

text = (folder / "CITATION.cff").read_text()
Citation(text).validate()
found["cff"] = {"references": [one["title"] for one in yaml.safe_load(text)["references"]]}

bag = bagit.Bag(str(folder))
bag.validate()
found["bagit"] = {"valid": bag.is_valid(), "payload": sorted(bag.payload_files())}

print(json.dumps(found))
