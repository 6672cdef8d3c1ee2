"""Does configs/atamo.schema.json fit the configurations in configs/, and refuse mistakes?

usage: check_schema.py examples|layout SOURCE_DIR

Ends with 77 if python3-jsonschema or python3-yaml is not installed. `layout` only writes the schema
anew with line breaks.
"""

import json
import pathlib
import sys

MISTAKES = [
    "agent: {}",
    "hub: {max_clients: 0}",
    "hub: {stop_limit: 10}",
    "access: {token: x}",
    "access: {tokens: [x]}",
    "agents: {a: {}}",
    "agents: {a: {plugin: log, worker: 2}}",
    "agents: {a: {plugin: log, rate: 100/m}}",
    "auditors: {a: {plugin: trace, when_slow: wait}}",
    "events: {a: {required: [{data.x: numbr}]}}",
    "rules: [{on: x}]",
    "rules: [{id: a, when: {data: 5}}]",
    "rules: [{id: a, when: {data: {x: [{prefx: a}]}}}]",
    "rules: [{id: a, then: {agent: mail}}]",
    "rules: [{include: x.yaml, on: y}]",
    "rules: [{id: a, then: [{agent: a, action: b, retry: {base: 1s}}]}]",
    "- {id: a, whn: {}}",
    "{config: a.yaml, tests: [{name: a, event: {}}]}",
]


def loader(yaml):
    """YAML 1.2 as far as this needs it: PyYAML follows 1.1, where the key `on` is true."""

    class Loader(yaml.SafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {
        first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:bool" or first in "tTfF"]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Loader


def examples(folder, schema):
    try:
        import jsonschema
        import yaml
    except ImportError:
        return 77
    load = loader(yaml)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    failed = 0
    files = sorted(folder.rglob("*.yaml"))
    for file in files:
        for error in validator.iter_errors(yaml.load(file.read_text(), load)):
            print(f"{file}: {error.json_path}: {error.message}")
            failed = 1
    for text in MISTAKES:
        if validator.is_valid(yaml.load(text, load)):
            print(f"the schema takes {text}")
            failed = 1
    return failed if files else 1


def main():
    folder = pathlib.Path(sys.argv[2]) / "configs"
    file = folder / "atamo.schema.json"
    schema = json.loads(file.read_text())
    if sys.argv[1] == "layout":
        file.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
        return 0
    return examples(folder, schema)


sys.exit(main())
