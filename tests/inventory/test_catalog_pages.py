"""The pages on which a clerk describes products: values, components, relations and pictures."""

from typing import Any

from inventory.models import BomLine, ProductAttributeValue, ProductRelation
from tests.accounts.files import PDF, attach, picture
from tests.admin.pages import text
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.factories.inventory import ProductVariantFactory
from tests.inventory.wares import PRODUCTS, VARIANTS, Wares

VARIANT = "/admin/inventory/productvariant/{}/change/"


def posted(company: Company, url: str, **values: Any) -> Any:
    """The form as it is shown, with some values changed."""
    shown = company.admin.get(url)
    assert shown.status_code == 200, text(shown)[:500]
    formsets = [part.formset for part in shown.context["inline_admin_formsets"]]
    with company.scope():
        lines = [form for formset in formsets for form in (*formset.forms, formset.management_form)]
        data = {bound.html_name: bound.value() for form in (shown.context["adminform"].form, *lines) for bound in form}
    given = {name: "" if value is None else value for name, value in data.items() if value is not False}
    return company.admin.post(url, {**given, **values})


def prefix_of(company: Company, url: str, model: Any, field: str) -> str:
    """Of the lines of a model on the page, by a field that they ask for."""
    formsets = [part.formset for part in company.admin.get(url).context["inline_admin_formsets"]]
    with company.scope():
        return str(next(one.prefix for one in formsets if one.model is model and field in one.empty_form.fields))


def test_a_clerk_writes_values_as_they_are_said(acme: Company) -> None:
    wares = Wares.create(acme)
    url = VARIANT.format(wares.variants[0].pk)
    lines = prefix_of(acme, url, ProductAttributeValue, "value")
    storage, cores = (str(wares.attributes[code].pk) for code in ("storage", "cores"))
    new = {f"{lines}-TOTAL_FORMS": "2", f"{lines}-0-definition": storage, f"{lines}-1-definition": cores}
    wrong = posted(acme, url, **new, **{f"{lines}-0-value": "128 kg", f"{lines}-1-value": "many"})
    assert wrong.status_code == 200 and "Unknown unit" in text(wrong) and "Give a number" in text(wrong)
    right = posted(acme, url, **new, **{f"{lines}-0-value": "128 gb", f"{lines}-1-value": "8"})
    assert right.status_code == 302, text(right)[:2000]
    assert wares.found(storage="0.128 TB", cores="8") == [0]
    assert "128 GB" in text(acme.admin.get(url))
    assert posted(acme, url, **{f"{lines}-1-value": "256 GB"}).status_code == 302
    assert wares.found(storage="256", cores="8") == [0]


def test_a_clerk_lists_components_and_relations(acme: Company) -> None:
    with acme.scope():
        assembly, part, old = ProductVariantFactory.create_batch(3)
    url = VARIANT.format(assembly.pk)
    bom = prefix_of(acme, url, BomLine, "component")
    relations = prefix_of(acme, url, ProductRelation, "to_variant")
    answer = posted(acme, url, **{
        f"{bom}-TOTAL_FORMS": "1", f"{bom}-0-component": str(part.pk), f"{bom}-0-quantity": "4", f"{bom}-0-scrap_percent": "0",
        f"{bom}-0-position": "0", f"{relations}-TOTAL_FORMS": "1", f"{relations}-0-kind": "supersedes",
        f"{relations}-0-to_variant": str(old.pk),
    })  # fmt: skip
    assert answer.status_code == 302, text(answer)[:2000]
    assert acme.api.get(f"{VARIANTS}{old.pk}/current/").json()["variant"] == str(assembly.pk)
    looped = posted(acme, VARIANT.format(part.pk), **{
        f"{bom}-TOTAL_FORMS": "1", f"{bom}-0-component": str(assembly.pk), f"{bom}-0-quantity": "1",
        f"{bom}-0-scrap_percent": "0", f"{bom}-0-position": "0",
    })  # fmt: skip
    assert looped.status_code == 200 and "cannot be a part of itself" in text(looped)


def test_the_primary_picture_comes_first(acme: Company) -> None:
    wares = Wares.create(acme)
    api, phone = acme.api, wares.variants[0]
    attach(api, phone, PDF, "manual.pdf")
    first, second = (attach(api, phone, picture(), f"{name}.png").json()["id"] for name in ("front", "back"))
    general = attach(api, wares.product, picture(), "box.png").json()["id"]

    def shown(url: str) -> list[str]:
        return [one["attachment"] for one in api.get(f"{url}/pictures/").json()["pictures"]]

    url = f"{VARIANTS}{phone.pk}"
    assert shown(url) == [first, second, general]
    assert api.post(f"/api/v1/attachments/{second}/make-primary/").json()["is_primary"] is True
    assert shown(url) == [second, first, general]
    assert shown(f"{PRODUCTS}{wares.product.pk}") == [general]
    thumbnail = api.get(f"{url}/pictures/").json()["pictures"][0]["thumbnail"]
    assert api.get(thumbnail).headers["Content-Type"] == "image/webp"
    page = f"/admin/accounts/attachment/{first}/make-primary/"
    assert acme.admin.post(page).status_code == 302
    assert shown(url)[0] == first
    assert "shown first" in text(acme.admin.get(VARIANT.format(phone.pk)))
    manual = api.get("/api/v1/attachments/", {"object_type": "inventory.productvariant", "object_id": str(phone.pk)}).json()
    pdf = next(one["id"] for one in manual["results"] if one["filename"] == "manual.pdf")
    assert_problem(api.post(f"/api/v1/attachments/{pdf}/make-primary/"), 409, "no_picture")
    assert_problem(acme.api_by_key("inventory.view_productvariant").get(f"{url}/pictures/"), 403)
