"""Docker does not run here, so what it would be given is read and checked against the product itself."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from inbox.settings import Settings

ROOT = Path(__file__).parents[2]
OURS = ("web", "worker", "migrate")
# Read by obstore, for BLOB_URL: https://developmentseed.org/obstore/latest/api/store/aws/
OBJECT_STORE = {"AWS_ENDPOINT", "AWS_ALLOW_HTTP", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def instructions() -> list[tuple[str, str]]:
    joined = re.sub(r"\\\n\s*", " ", DOCKERFILE)
    lines = [line for line in joined.splitlines() if line and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def variables(text: str) -> set[str]:
    return set(re.findall(r"\$\{([A-Z0-9_]+)", text))


def test_there_is_a_service_for_every_part() -> None:
    assert set(SERVICES) == {"web", "worker", "migrate", "postgres", "redis", "meilisearch", "files"}


@pytest.mark.parametrize("name", OURS)
def test_what_our_processes_are_given_are_settings_they_know(name: str) -> None:
    known = {field.upper() for field in Settings.__struct_fields__}
    assert set(SERVICES[name]["environment"]) - OBJECT_STORE <= known


def test_the_image_sets_only_settings_that_exist() -> None:
    known = {field.upper() for field in Settings.__struct_fields__} | {"PATH", "PYTHONUNBUFFERED"}
    final = [words for word, words in instructions()[-12:] if word == "ENV"]
    assert {pair.split("=")[0] for words in final for pair in shlex.split(words)} <= known


def test_only_the_migration_knows_the_owner_of_the_tables() -> None:
    assert "DATABASE_OWNER_URL" in SERVICES["migrate"]["environment"]
    for name in ("web", "worker"):
        assert "OWNER" not in str(SERVICES[name]["environment"])


def test_no_secret_has_a_default() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|KEY$|KEY_ID$|_KEY_", variable):
                assert re.fullmatch(r"\$\{[A-Z0-9_]+:\?[^}]+\}", str(value)), (name, variable)
            assert ":-" not in str(value), (name, variable)
    urls = " ".join(str(SERVICES[name]["environment"]) for name in OURS)
    assert not re.search(r"://\w+:[^$@]+@", urls)


def test_the_env_script_writes_every_variable_that_is_asked_for() -> None:
    written = set(re.findall(r"^([A-Z0-9_]+)=", (ROOT / "scripts/env").read_text(), re.MULTILINE))
    assert variables((ROOT / "docker-compose.yml").read_text()) == written


def test_ours_start_after_what_they_need_is_healthy_and_migrated() -> None:
    for name in ("web", "worker"):
        conditions = {key: value["condition"] for key, value in SERVICES[name]["depends_on"].items()}
        assert conditions.pop("migrate") == "service_completed_successfully"
        assert conditions == dict.fromkeys(("postgres", "redis", "meilisearch", "files"), "service_healthy")
    assert SERVICES["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"


@pytest.mark.parametrize("name", ["postgres", "redis", "meilisearch", "files"])
def test_what_others_wait_for_says_when_it_is_healthy(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= set(check)


def test_what_must_last_is_on_named_volumes_that_are_declared() -> None:
    used = {
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if not volume.startswith(".")
    }
    assert used == set(COMPOSE["volumes"])
    for name in ("postgres", "meilisearch", "files"):
        assert SERVICES[name]["volumes"]


def test_files_mounted_from_the_repository_exist() -> None:
    mounts = [v.split(":")[0] for service in SERVICES.values() for v in service.get("volumes", [])]
    for mount in mounts:
        if mount.startswith("."):
            assert (ROOT / mount).is_file(), mount


def test_redis_never_evicts() -> None:
    command = SERVICES["redis"]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_images_are_pinned_to_a_version() -> None:
    for name, service in SERVICES.items():
        assert re.search(r":v?\d", service["image"]), name


def test_only_the_web_is_published_and_to_this_machine_only() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:8000:8000"]}


def test_the_version_of_the_image_is_that_of_the_product() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert SERVICES["web"]["image"] == f"meridian-inbox:{project['version']}"


def test_dockerfile_copies_what_exists_and_the_build_context_holds_it() -> None:
    stages = set(re.findall(r" AS (\w+)", DOCKERFILE))
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for word, words in instructions():
        if word != "COPY":
            continue
        *sources, _ = [part for part in words.split() if not part.startswith("--")]
        if found := re.search(r"--from=(\w+)", words):
            assert found[1] in stages, words
            continue
        for source in sources:
            assert (ROOT / source).exists(), words
            assert source.split("/")[0] in allowed, words


def test_every_package_of_the_wheel_is_in_the_image() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    for package in build["packages"]:
        assert f"COPY {package}/ {package}/" in DOCKERFILE


def test_the_image_runs_our_command_as_an_ordinary_user_and_reports_its_health() -> None:
    found = dict(instructions())
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert found["ENTRYPOINT"].strip('[]"') in scripts
    assert found["USER"] not in ("root", "0")
    assert "/health/ready" in found["HEALTHCHECK"]
