"""The rules of the house that a program can check. Those about imports are import-linter's (pyproject)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("inbox", "channels", "routing", "realtime")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

# A statement begins with its verb; a sentence that happens to use one has a capital or no such partner.
SQL = re.compile(
    r"^\s*(select\s.+\s?from\s|insert\s+into\s|update\s+\w+\s.*\bset\s|delete\s+from\s|with\s+\w+\s+as\s*\()",
    re.S,
)
SQL_HOMES = {
    "inbox/outbox.py", "inbox/db.py", "inbox/relay.py", "inbox/gateway.py", "inbox/safety.py", "inbox/doctor.py",
    "inbox/api/health.py",
}  # fmt: skip
SQL_FOLDERS = ("inbox/records/", "channels/sandbox/", "inbox/embedded/", "inbox/bench/")
ENVIRONMENT_HOMES = (
    "inbox/settings.py",
    "inbox/supervisor.py",
    "inbox/processes.py",
    "inbox/embedded/",
    "inbox/commands/",
    "inbox/bench/",
)
HANDLERS = {"get", "post", "patch", "put", "delete", "websocket"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every string literal, f-strings joined, with its line; docstrings left out."""
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body and isinstance(node.body[0], ast.Expr)
    }  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield (
                node.lineno,
                "".join(part.value if isinstance(part, ast.Constant) else " x " for part in node.values),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            yield node.lineno, node.value


def called(node: ast.expr) -> str:
    """The dotted name of what a call calls."""
    target = node.func if isinstance(node, ast.Call) else node
    return ast.unparse(target)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_sql_stands_beside_its_noun(path: Path) -> None:
    name = name_of(path)
    if name in SQL_HOMES or name.startswith(SQL_FOLDERS):
        return
    found = [f"{name}:{line}" for line, text in strings(parsed(path)) if SQL.match(text)]
    assert not found


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_only_actions_record_events(path: Path) -> None:
    name = name_of(path)
    if name.startswith("inbox/actions/") or name == "inbox/outbox.py":
        return
    calls = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)]
    assert not [f"{name}:{call.lineno}" for call in calls if called(call).endswith("work.record")]


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_the_environment_is_read_where_the_settings_are(path: Path) -> None:
    name = name_of(path)
    if name.startswith(ENVIRONMENT_HOMES):
        return
    found = [
        n.lineno
        for n in ast.walk(parsed(path))
        if isinstance(n, ast.Attribute) and ast.unparse(n) in ("os.environ", "os.getenv")
    ]
    assert not found, f"{name}: {found}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_queue_is_bounded(path: Path) -> None:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and called(node).rpartition(".")[2] in (
            "Queue",
            "LifoQueue",
            "PriorityQueue",
        ):
            assert node.args or any(k.arg == "maxsize" for k in node.keywords), (
                f"{name_of(path)}:{node.lineno}"
            )


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_nothing_is_imported_within_a_function_nor_for_the_type_checker_only(path: Path) -> None:
    tree = parsed(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = [n for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom)]
            assert not inner, f"{name_of(path)}:{node.name}"
        assert not (isinstance(node, ast.Name) and node.id == "TYPE_CHECKING"), name_of(path)


@pytest.mark.parametrize("path", [p for p in SOURCES if p.name == "__init__.py"], ids=name_of)
def test_packages_re_export_nothing(path: Path) -> None:
    assert not [n for n in ast.walk(parsed(path)) if isinstance(n, ast.Import | ast.ImportFrom)]


@pytest.mark.parametrize("noun", ["conversations", "messages", "attachments"])
def test_reads_of_what_customers_wrote_take_a_scope_first(noun: str) -> None:
    """A read that gives views to people asks who they are. What acts for the account says so in its name."""
    path = ROOT / "inbox" / "records" / f"{noun}.py"
    views = re.compile(r"(Conversation|Message)View|Page\b|Locked")
    for node in parsed(path).body:
        if not isinstance(node, ast.AsyncFunctionDef) or node.name.startswith("_"):
            continue
        gives = ast.unparse(node.returns) if node.returns else ""
        if any(re.match(r"\s*(insert into|update|with \w+ as)", text) for _, text in strings(node)):
            continue  # a write, which an action has asked for
        if views.search(gives) and not node.name.endswith("_unscoped"):
            assert node.args.args[0].arg == "scope", (
                f"{noun}.{node.name} gives {gives} without asking who wants it"
            )


@pytest.mark.parametrize("path", sorted((ROOT / "inbox" / "api").glob("*.py")), ids=name_of)
def test_handlers_are_thin(path: Path) -> None:
    for node in parsed(path).body:
        if isinstance(node, ast.AsyncFunctionDef) and {called(d) for d in node.decorator_list} & HANDLERS:
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1  # type: ignore[operator]
            assert lines <= 45, f"{name_of(path)}: {node.name} has {lines} lines"
            statements = sum(isinstance(n, ast.stmt) for part in body for n in ast.walk(part))
            assert statements <= 24, f"{name_of(path)}: {node.name} has {statements} statements"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_files_hold_one_idea_and_functions_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 450
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 75, f"{name_of(path)}:{node.name}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_error_is_swallowed_without_a_word(path: Path) -> None:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ExceptHandler):
            bare = node.type is None
            silent = all(isinstance(part, ast.Pass) for part in node.body)
            assert not bare, f"{name_of(path)}:{node.lineno}: except without a type"
            assert not silent, (
                f"{name_of(path)}:{node.lineno}: pass; contextlib.suppress names what is expected"
            )


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_tests_replace_nothing_of_ours(path: Path) -> None:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", "") or ""}
            assert not {name for name in names if name.startswith(("unittest.mock", "mock"))}, name_of(path)
        if isinstance(node, ast.Call) and called(node).endswith("setattr") and node.args:
            target = ast.unparse(node.args[0])
            assert not re.match(r"['\"]?(inbox|channels|routing|realtime)\.", target), (
                f"{name_of(path)}:{node.lineno}"
            )


@pytest.mark.parametrize(
    "path", [p for p in TESTS if "/unit/" not in p.as_posix() or p.parent.name == "unit"], ids=name_of
)
def test_tests_are_sentences(path: Path) -> None:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            assert node.name.count("_") >= 3, f"{name_of(path)}:{node.name}"


def test_every_table_of_the_migrations_begins_its_key_with_the_account() -> None:
    text = "\n".join(path.read_text() for path in sorted((ROOT / "inbox" / "migrations").glob("*.sql")))
    tables = re.findall(r"create table (\w+) \((.*?)\n\);", text, re.S)
    assert len(tables) >= 19
    for table, body in tables:
        inline = re.search(r"^\s*account_id\s+uuid\s+primary key", body, re.M)
        assert inline or "primary key (account_id" in body, table


def test_the_values_of_statements_travel_as_parameters() -> None:
    """An f-string of SQL interpolates columns, fragments and numbers of ours, never what somebody wrote."""
    allowed = re.compile(
        r"^(_?[A-Z_]+(\[.*\])?|sets|where|key|direction|ladder|sign|limit \+ 1|opening|self\._prelude|name|n"
        r"|['\"] and ['\"]\.join\(where\)|_?VIEW_SQL\.replace\(.*|_BATCH|.*\bLIMIT"
        r"|['\"], ['\"]\.join\(\(f?['\"].*for \w+ in _[A-Z_]+\)\))$"
    )
    for path in SOURCES:
        if not name_of(path).startswith(
            ("inbox/records/", "inbox/relay.py", "inbox/outbox.py", "inbox/gateway.py")
        ):
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.JoinedStr):
                whole = "".join(p.value if isinstance(p, ast.Constant) else " x " for p in node.values)
                if SQL.match(whole):
                    used = [ast.unparse(p.value) for p in node.values if isinstance(p, ast.FormattedValue)]
                    assert all(allowed.match(u) for u in used), f"{name_of(path)}:{node.lineno}: {used}"
