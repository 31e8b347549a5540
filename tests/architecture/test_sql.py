"""No SQL is made of input: its text comes from literals, from the schema, or from what the code declares and is listed here."""

from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from django.conf import settings

from tests.architecture.sql_texts import Project, Reader
from tests.architecture.test_style import PRODUCT, sources

pytestmark = pytest.mark.once

# What SQL is made of besides, and why no input is in it.
DECLARED = {
    "accounts.services.privacy: data.*": "declared in <app>/privacy.py",
    "accounts.services.retention: data_class.*": "declared in <app>/retention.py",
    "core.invariants: invariant.sql": "declared in <app>/invariants.py",
    "core.wall: *": "made by migrate, of models, settings and <app>/database.py",
    "core.bulk_rows: *": "columns of the model, quoted, and their types",
    "core.api: plan.*": "compiled from a serializer: core.reading",
    "core.expanding: plan.*": "compiled from a serializer: core.reading",
    "core.csv_lists: self.plan.*": "compiled from a serializer: core.reading",
    "notifications.api.events: plan.*": "compiled from a serializer: core.reading",
    "*: self.row_conditions()": "conditions are SQL of core.choosing and its like, with their values beside",
    "core.api: self._conditions(query)": "conditions are SQL of core.choosing and its like, with their values beside",
    "core.listing: where": "conditions are SQL of core.choosing and its like, with their values beside",
    "*: window.sql('f')": "the keys of an order: core.paging",
    "core.searching: self.rank(*)": "composed by the database driver",
    "core.admin_export: shown.queryset.*": "composed by Django's ORM, its values beside",
    "inventory.queries.search: having(*)": "one of the templates of its module",
    "*: grouping.*": "of GROUPINGS, which the module declares; input chooses one",
    "*: goods.chosen(*)": "conditions of inventory.queries.analytics_sources, their values beside",
    "*: source.*": "of SOURCES, which a module declares",
    "inventory.queries.attribute_owners: owners.function_name": "of a kept statement",
    "inventory.queries.attribute_owners: first.sql": "of inventory.queries.attributes.key_of, which has it as constants",
    "inventory.queries.attribute_owners: end.sql": "the same",
    "core.rows: *": "columns of a model, and a condition that its callers have as a constant, its values beside",
    "*: Columns(*)": "columns of a model",
    "notifications.services.relaying: handler.*": "declared in <app>/handlers.py",
    "notifications.measuring: metrics()[[]one.metric].sql": "declared in <app>/alert_metrics.py",
    "orders.services.order_locking: map(str, BESIDE.values())": "columns of models",
    "orders.services.stepping: one.statement.head": "the text of a statement that a service has as a constant",
    "core.kept: *": "names of functions, made of constants of the services, and the day of today",
    "inventory.queries.analytics_sources: Warehouse.Kind.TRANSIT": "a choice of a model",
    "notifications.services.events: declared.*": "an event type, declared in <app>/events.py",
    "*: settings.*": "the operator's",
    "core.management.commands.restore_drill: *": "the operator's database, and a name of random letters",
}


@pytest.fixture(scope="module")
def found() -> set[str]:
    return Reader(Project.read(Path(settings.BASE_DIR), sources(*PRODUCT))).open()


def test_sql_is_made_of_literals_names_of_the_schema_and_declarations(found: set[str]) -> None:
    unknown = [piece for piece in sorted(found) if not any(fnmatchcase(piece, pattern) for pattern in DECLARED)]
    assert not unknown, "give values as parameters; if no input is in it, say in DECLARED why"


def test_what_is_declared_is_needed(found: set[str]) -> None:
    assert not [pattern for pattern in DECLARED if not any(fnmatchcase(piece, pattern) for piece in found)]


def opened(tmp_path: Path, **modules: str) -> set[str]:
    for name, code in modules.items():
        (tmp_path / f"{name}.py").write_text(code)
    return Reader(Project.read(tmp_path, sorted(tmp_path.glob("*.py")))).open()


@pytest.mark.parametrize("code", [
    "def view(request): cursor.execute(f\"SELECT * FROM part WHERE name = '{request.GET['q']}'\")",
    "def view(request):\n text = 'SELECT 1 WHERE '\n text += request.data['q']\n cursor.execute(text)",
    "def view(request): cursor.execute('SELECT {}'.format(request.data['q']))",
    "def view(request): cursor.execute('SELECT %s' % request.GET.get('q', ''))",
    "def view(request):\n parts = ['SELECT 1']\n parts.append(request.data['q'])\n cursor.execute(' '.join(parts))",
    "def view(request): run(request.data['q'])\ndef run(order): rows.annotate(x=RawSQL(f'SELECT {order}', []))",
    "def view(request): run(order=request.data['q'])\ndef run(**parts): cursor.execute('SELECT {order}'.format(**parts))",
    "def view(request): cursor.execute(made(request))\ndef made(request): return f'SELECT {request.user}'",
    "def view(query): cursor.execute(' AND '.join(f'{name} = %s' for name in query))",
])  # fmt: skip
def test_input_in_the_text_of_a_statement_is_seen(code: str, tmp_path: Path) -> None:
    assert opened(tmp_path, one=code)


def test_input_is_seen_across_modules(tmp_path: Path) -> None:
    low = "def rows(order): cursor.execute(f'SELECT 1 ORDER BY {order}')"
    assert opened(tmp_path, low=low, view="from low import rows\ndef view(request): return rows(request.GET['sort'])")


@pytest.mark.parametrize("code", [
    "def view(request): cursor.execute('SELECT 1 WHERE name = %s', [request.GET['q']])",
    "TABLE = 'part'\ndef view(request): cursor.execute(f'SELECT 1 FROM {TABLE} WHERE name = %s', [request.GET['q']])",
    "SORTS = {'a': 'name', 'b': 'id DESC'}\ndef view(request): cursor.execute(f\"SELECT 1 ORDER BY {SORTS[request.GET['q']]}\")",
    "def view(request): cursor.execute(f'SELECT 1 FROM {Part._meta.db_table}')",
    "def view(request):\n found = [('a = %s', request.GET['q'])]\n cursor.execute(' AND '.join(sql for sql, _ in found))",
])  # fmt: skip
def test_parameters_and_closed_lists_are_fine(code: str, tmp_path: Path) -> None:
    assert not opened(tmp_path, one=code)
