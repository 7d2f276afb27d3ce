"""The API does what its own description says: requests are generated from it, as an owner and as nobody."""

import asyncio
from typing import Any

import hypothesis
import jsonschema_rs
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from world import World

# Ends the session with which the requests are made.
_ENDS_THE_SESSION = {"SignOut", "ChangeMe"}
_PROBLEMS = {400, 401, 403, 404, 405, 409, 413, 422, 429}


def check_shape(document: dict[str, Any], operation: dict[str, Any], answer: Any) -> None:
    """The answer is a documented one of this operation, or a problem document. (schemathesis' own check
    rewrites prefixItems into a form that its validator refuses.)"""
    kind = answer.headers.get("content-type", [""])[0].partition(";")[0]
    if answer.status_code in _PROBLEMS:
        problem = answer.json()
        assert kind == "application/problem+json"
        assert problem["status"] == answer.status_code
        assert problem["title"]
        return
    documented = operation["responses"].get(str(answer.status_code))
    assert documented is not None, f"{operation['operationId']}: {answer.status_code} is not documented"
    schema = documented.get("content", {}).get("application/json", {}).get("schema")
    if schema is not None:
        whole = {**schema, "components": document["components"]}
        jsonschema_rs.Draft202012Validator(whole).validate(answer.json())


class Explorer:
    """Calls every operation with requests generated from the description. Raises what a check finds."""

    def __init__(self, document: dict[str, Any], url: str, headers: dict[str, str], examples: int) -> None:
        self._document, self._headers, self._examples = document, headers, examples
        self._schema = schemathesis.openapi.from_dict(document)
        self._schema.config.update(base_url=url)
        self.calls = 0

    def run(self) -> int:
        for found in self._schema.get_all_operations():
            operation = found.ok()
            described = self._document["paths"][operation.path][operation.method]
            if described["operationId"] not in _ENDS_THE_SESSION:
                self._call(operation, described)
        return self.calls

    def _call(self, operation: Any, described: dict[str, Any]) -> None:
        @hypothesis.given(case=operation.as_strategy())
        @hypothesis.settings(
            max_examples=self._examples, deadline=None, database=None, derandomize=True,
            suppress_health_check=list(hypothesis.HealthCheck), phases=[hypothesis.Phase.generate],
        )  # fmt: skip
        def call(case: schemathesis.Case) -> None:
            self.calls += 1
            answer = case.call_and_validate(headers=self._headers, checks=[not_a_server_error], timeout=10)
            check_shape(self._document, described, answer)

        call()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("who", ["owner", "nobody"])
async def test_requests_made_from_the_description_meet_no_server_error_and_the_documented_shapes(
    world: World, who: str
) -> None:
    await world.customer("Inés").writes("hi")
    await world.olga.sees("hi")
    document = (await world.installation.http.get(f"{world.installation.url}/openapi.json")).json()
    headers = {"x-forwarded-for": world.address}
    if who == "owner":
        cookie = f"meridian={world.olga.http.cookies['meridian']}"
        headers |= {"cookie": cookie, "x-csrf-token": world.olga.http.headers["x-csrf-token"]}
    examples = 8 if who == "owner" else 3
    explorer = Explorer(document, world.installation.url, headers, examples)
    calls = await asyncio.to_thread(explorer.run)
    assert calls > 60
