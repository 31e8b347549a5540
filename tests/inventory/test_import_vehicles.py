"""The vehicle file that comes along, and files of one's own."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from core.errors import Invalid
from inventory.models import VehicleModel
from inventory.services.vehicles import Choice, vehicles_import
from tests.companies import Company
from tests.contracts.resources import assert_problem

pytestmark = pytest.mark.django_db(databases=["default", "worker"])  # a command finds an organization as the worker
IMPORT = "/api/v1/vehicle-models/import/"


def test_all_of_the_file_once(acme: Company) -> None:
    with acme.scope():
        first, second = vehicles_import(), vehicles_import()
        assert (first.created, first.unchanged, first.problems) == (19_772, 0, [])
        assert (second.created, second.unchanged) == (0, 19_772)
        assert VehicleModel.objects.filter(make="TOYOTA", model="COROLLA", year=2001).count() == 1


def test_some_makes_and_years(acme: Company) -> None:
    with acme.scope():
        vehicles_import(choice=Choice(["Toyota", " honda "], 2010, 2011))
        found = set(VehicleModel.objects.values_list("make", "year"))
        assert found == {(make, year) for make in ("TOYOTA", "HONDA") for year in (2010, 2011)}
        with pytest.raises(Invalid, match="no vehicle of TRABANT"):
            vehicles_import(choice=Choice(["TRABANT", "TOYOTA"]))


def test_the_api_imports_what_one_names(acme: Company) -> None:
    done = acme.api.send("post", IMPORT, {"makes": ["ACURA"], "year_to": 2002})
    assert done.status_code == 200 and done.json()["created"] > 5
    assert acme.api.send("post", IMPORT, {"makes": ["ACURA"], "year_to": 2002}).json()["created"] == 0
    for body in ({}, {"all": True, "makes": ["ACURA"]}, {"makes": []}, {"makes": ["TRABANT"]}, {"year_from": 2100}):
        assert acme.api.send("post", IMPORT, body).status_code == (200 if "year_from" in body else 400)
    assert_problem(acme.api_as("viewer").send("post", IMPORT, {"all": True}), 403)


def test_the_admin_imports_what_one_names(acme: Company) -> None:
    url = "/admin/inventory/vehiclemodel/import/"
    assert "19,772" in acme.admin.get(url).text
    assert "Say which" in acme.admin.post(url, {}).text
    assert "no vehicle of TRABANT" in acme.admin.post(url, {"makes": "Trabant"}).text
    assert acme.admin.post(url, {"makes": "acura, infiniti", "year_from": 2005, "year_to": 2005}).status_code == 302
    with acme.scope():
        assert set(VehicleModel.objects.values_list("make", flat=True)) == {"ACURA", "INFINITI"}
    assert acme.admin_as("viewer").get(url).status_code == 403


def run(company: Company, *arguments: Any) -> None:
    call_command("import_vehicles", "--organization", company.organization.slug, *map(str, arguments))


def test_the_command_says_what_it_did(acme: Company, capsys: Any, tmp_path: Path) -> None:
    run(acme, "--make", "Acura", "--from", 2001, "--to", 2001)
    assert "7 vehicle models created, 0 unchanged." in capsys.readouterr().out
    own = tmp_path / "own.csv"
    own.write_text("year,make,model\n2001,ACURA,CL\n1066,NORMAN,LONGSHIP\n2020,OWN,ONE\n")
    with pytest.raises(SystemExit) as left_out:
        run(acme, "--file", own)
    said = capsys.readouterr().out
    assert left_out.value.code == 1
    assert "1 vehicle models created, 1 unchanged." in said and "line 3, column year" in said


@pytest.mark.parametrize(("content", "why"), [
    (None, "cannot be read"), (b"", "no header"), (b"year,make\n2001,ACURA\n", "correct the header"),
    (b"year,make,model\n2001,\xff,A\n", "UTF-8"),
])  # fmt: skip
def test_a_bad_file_changes_nothing(content: bytes | None, why: str, acme: Company, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CommandError, match=why) as refusal:
        run(acme, "--file", file)
    assert refusal.value.returncode == 2
    with pytest.raises(CommandError, match="there are:") as refusal:
        call_command("import_vehicles", "--organization", "nobody")
    assert refusal.value.returncode == 2


@pytest.mark.parametrize(("text", "expected"), [
    ("honda civic 2010", ["CIVIC 2010"]), ("Civic", ["CIVIC 2009", "CIVIC 2010", "MY CIVIC 2010"]), ("honda cr", ["CR-V 2010"]),
    ("2009", ["CIVIC 2009"]), ("1.8 civ", ["CIVIC 2009"]), ("ivic", []), ("honda 201%", []),
])
def test_models_are_found_as_one_says_them(text: str, expected: list[str], acme: Company) -> None:
    with acme.scope():
        VehicleModel.objects.bulk_create([
            VehicleModel(make=make, model=model, year=year, engine=engine) for make, model, year, engine in (
                ("ANY", "MY CIVIC", 2010, ""), ("HONDA", "CIVIC", 2009, "1.8"), ("HONDA", "CIVIC", 2010, ""),
                ("HONDA", "CR-V", 2010, ""),
            )
        ])
    found = acme.api.get("/api/v1/vehicle-models/", {"search": text}).json()["results"]
    assert [f"{row['model']} {row['year']}" for row in found] == expected
    listed = acme.admin.get("/admin/inventory/vehiclemodel/", {"q": text}).context["cl"].result_list
    assert sorted(f"{row.model} {row.year}" for row in listed) == sorted(expected)
