"""The description of the HTTP service against the service: openapi.json is complete and whole."""

import json
import re
import unittest

from program import SOURCES

FOLDER = SOURCES / "plugins/event-providers/http"
METHODS = {"get", "put", "post", "delete"}


def operations(document):
    return {(method.upper(), path): operation
            for path, methods in document["paths"].items()
            for method, operation in methods.items()}


def references(value):
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


class OpenApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.document = json.loads((FOLDER / "openapi.json").read_text())
        routes = re.findall(r'{"([A-Z]+)", "([^"]+)", (\w+), \w+}',
                            (FOLDER / "routes.c").read_text())
        cls.routes = {(method, path.replace("*", "{id}")): scope for method, path, scope in routes}

    def test_every_call_is_described_and_nothing_else(self):
        self.assertEqual(set(operations(self.document)), set(self.routes))

    def test_it_tells_the_scope_that_each_call_needs(self):
        for call, operation in operations(self.document).items():
            scope = self.routes[call]
            told = operation.get("x-scope", "")
            self.assertEqual(scope, "ATAMO_SCOPE_" + told.upper().replace(":", "_") if told else "0",
                             call)
            self.assertEqual(operation["security"], [{"bearer": []}] if told else [], call)

    def test_every_reference_leads_somewhere(self):
        for reference in references(self.document):
            at = self.document
            for part in reference.removeprefix("#/").split("/"):
                self.assertIn(part, at, reference)
                at = at[part]

    def test_every_schema_is_used(self):
        used = {reference.rsplit("/", 1)[1] for reference in references(self.document)}
        self.assertEqual(set(self.document["components"]["schemas"]) - used, set())

    def test_every_operation_has_a_name_of_its_own_a_summary_and_answers(self):
        found = operations(self.document)
        names = [operation["operationId"] for operation in found.values()]
        self.assertEqual(len(names), len(set(names)))
        for call, operation in found.items():
            self.assertTrue(operation["summary"], call)
            self.assertTrue(any(code.startswith("2") for code in operation["responses"]), call)
            self.assertTrue(any(code.startswith("4") for code in operation["responses"]), call)

    def test_the_parts_of_a_path_are_its_parameters(self):
        for (_, path), operation in operations(self.document).items():
            named = {parameter["name"] for parameter in operation.get("parameters", [])
                     if parameter["in"] == "path"}
            self.assertEqual(set(re.findall(r"{(\w+)}", path)), named, path)
            for parameter in operation.get("parameters", []):
                self.assertEqual(parameter["in"] == "path", parameter.get("required") is True
                                 and parameter["in"] == "path", path)

    def test_its_methods_are_methods(self):
        for methods in self.document["paths"].values():
            self.assertLessEqual(set(methods), METHODS)


unittest.main()
