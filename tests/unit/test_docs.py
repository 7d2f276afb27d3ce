"""What the documents name exists, and what they list is complete."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from inbox import errors, events
from inbox.app import build_api
from inbox.cli import _COMMANDS
from inbox.settings import Settings, markdown_table
from realtime import protocol

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text() for page in PAGES}
OPERATIONS, API = TEXTS["docs/operations.md"], TEXTS["docs/api.md"]

FOLDERS = {"inbox", "channels", "routing", "realtime", "frontend", "tests", "docs", "scripts"}
FORBIDDEN = re.compile(
    r"/(?:work|root|home|Users|tmp)/|\b(?:pypi\.org|pythonhosted\.org|npmjs\.org)|index-url|artifactory",
    re.IGNORECASE,
)
BUILT = {"docs/images/inbox.png"}  # a picture of the running product, made from it


def code(text: str) -> Iterator[str]:
    """What stands in backticks, and the lines of code blocks."""
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from block.splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a line that contains `heading`, without its head."""
    lines = text[text.index(heading) :].splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("|--"))
    table = []
    for line in lines[first + 1 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", TEXTS)
def test_every_path_that_is_named_exists(page: str) -> None:
    for words in code(TEXTS[page]):
        for path in re.findall(r"(?<![\w./$<-])(\w+/[\w./-]*\w/?)", words):
            if path.split("/")[0] in FOLDERS and ("." in path or path.endswith("/")):
                assert (ROOT / path.rstrip(".")).exists(), path


@pytest.mark.parametrize("page", TEXTS)
def test_every_link_inside_the_repository_leads_somewhere(page: str) -> None:
    text = re.sub(r"^```.*?^```", "", TEXTS[page], flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        if file.resolve().relative_to(ROOT.resolve()).as_posix() in BUILT:
            continue
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            assert anchor in map(slug, headings), target


@pytest.mark.parametrize("page", TEXTS)
def test_every_command_that_is_named_exists(page: str) -> None:
    for words in code(TEXTS[page]):
        for command in re.findall(r"(?:^|[\s/])inbox ([a-z]+)\b", words):
            assert command in _COMMANDS, command
            assert (ROOT / "inbox" / "commands" / f"{command}.py").exists(), command


@pytest.mark.parametrize("page", TEXTS)
def test_every_make_target_that_is_named_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for words in code(TEXTS[page]):
        for target in re.findall(r"(?:^|&& |\s)make ([a-z]+)", words):
            assert target in targets, target


@pytest.mark.parametrize("page", TEXTS)
def test_no_page_names_a_machine_or_a_registry(page: str) -> None:
    assert FORBIDDEN.findall(TEXTS[page]) == []


def test_the_table_of_settings_is_the_one_that_inbox_settings_prints() -> None:
    between = re.search(r"<!-- settings:.*?-->\n(.*?)<!-- end of settings -->", OPERATIONS, re.DOTALL)
    assert between is not None
    assert between[1] == markdown_table()


@pytest.mark.parametrize("page", TEXTS)
def test_every_variable_that_is_named_is_a_setting(page: str) -> None:
    known = {name.upper() for name in Settings.__struct_fields__}
    suffixes = tuple(name.rpartition("_")[2] for name in known)
    for words in code(TEXTS[page]):
        for variable in re.findall(r"^([A-Z]+(?:_[A-Z]+)+)(?==|$)", words):
            if variable.endswith(suffixes) and not variable.startswith("AWS_"):
                assert variable in known | {name for name in dir(protocol) if name.isupper()}, variable


def test_the_metrics_are_those_that_exist() -> None:
    ours = {metric.name for metric in REGISTRY.collect() if metric.name.startswith("inbox_")}
    table = [row[0].strip("`").partition("{")[0] for row in rows(OPERATIONS, "| metric |")]
    assert sorted(name.removesuffix("_total") for name in table) == sorted(ours)
    named = set(re.findall(r"\binbox_[a-z_]+\b", OPERATIONS))
    assert {name.removesuffix("_total") for name in named} <= ours


def test_the_labels_of_the_metrics_are_those_that_exist() -> None:
    for name, *_ in rows(OPERATIONS, "| metric |"):
        metric, _, labels = name.strip("`").rstrip("}").partition("{")
        collector = REGISTRY._names_to_collectors[metric]
        assert list(getattr(collector, "_labelnames", ())) == [
            label for label in labels.split(",") if label
        ], metric


def test_the_close_codes_are_those_of_the_protocol() -> None:
    ours = {
        str(value): name
        for name, value in vars(protocol).items()
        if name.isupper() and isinstance(value, int) and not name.startswith("MAX_")
    }
    assert {row[0]: row[1].strip("`") for row in rows(API, "**Close codes:**")} == ours


def test_the_reasons_of_a_reset_are_those_of_the_protocol() -> None:
    doc = protocol.Reset.__doc__ or ""
    ours = re.findall(r"[a-z_]+", doc.partition("Reasons:")[2])
    told = re.search(r"Reasons of a reset:(.*?)\n\n", API, re.DOTALL)
    assert told is not None
    assert re.findall(r"`([a-z_]+)`", told[1]) == ours


def test_every_event_is_described_once() -> None:
    ours = sorted(str(kind.__struct_config__.tag) for kind in events.Event.__args__)
    table = [name for row in rows(API, "## Events") for name in re.findall(r"`([a-z]+\.[a-z]+)`", row[0])]
    assert sorted(table) == ours


def test_every_kind_of_error_is_described_with_its_status() -> None:
    def kinds(base: type[errors.ProblemError]) -> Iterator[type[errors.ProblemError]]:
        yield base
        for kind in base.__subclasses__():
            yield from kinds(kind)

    ours = {(kind.slug, str(kind.status)) for kind in kinds(errors.ProblemError)}
    assert {(row[0].strip("`"), row[1]) for row in rows(API, "## Errors")} == ours


def test_every_address_of_the_api_is_listed_and_no_other() -> None:
    paths = build_api(None, None).openapi_schema.to_schema()["paths"]
    ours = {(method.upper(), path) for path, item in paths.items() for method in item}
    listed = set()
    for row in rows(API, "## All addresses"):
        methods: list[str] = []
        for words in re.findall(r"`([^`]+)`", row[0]):
            *verbs, last = words.split()
            if not last.startswith("/"):
                methods.append(last)
                continue
            listed |= {(method, last) for method in (*methods, *verbs)}
            methods = []
    assert listed == ours


def test_the_log_lines_are_those_that_are_written() -> None:
    source = "\n".join(path.read_text() for path in (ROOT / "inbox").rglob("*.py"))
    ours = set(re.findall(r"""\blog\.(?:debug|info|warning|error|exception)\(\s*"([a-z_.]+)\"""", source))
    table = [name for row in rows(OPERATIONS, "| line |") for name in re.findall(r"`([^`]+)`", row[0])]
    assert sorted(table) == sorted(ours)


@pytest.mark.parametrize("page", [name for name in TEXTS if name.startswith("docs/decisions/")])
def test_a_decision_is_half_a_page_with_its_reasons_and_its_costs(page: str) -> None:
    text = TEXTS[page]
    number = int(Path(page).name.partition("-")[0])
    assert text.startswith(f"# {number}. ")
    assert all(f"**{word}.**" in text for word in ("Decision", "Why", "Instead of", "Costs"))
    assert len(text.splitlines()) <= 25
