"""The pages of price lists that are not forms of a row: what something costs, a copy, another level of prices."""

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.models.partners import country_code
from core.characters import CONTROL, REFUSAL
from core.currencies import currency_code
from core.errors import DomainError
from inventory.models import PriceList, PriceListItem
from inventory.queries.price_changes import Change, Effect
from inventory.queries.price_reasons import plain
from inventory.queries.prices import Question, Quote, Wanted, prices_of
from inventory.services.prices import price_list_preview


class PlainForm(forms.Form):
    def clean(self) -> dict[str, Any]:
        for name, value in list(self.cleaned_data.items()):
            if isinstance(value, str) and CONTROL.search(value):
                self.add_error(name, REFUSAL)
        return self.cleaned_data


class CostForm(PlainForm):
    """Asked by GET, so that an answer has an address. The page adds the references, which are found by typing."""

    quantity = forms.DecimalField(
        initial=1, max_digits=19, decimal_places=6, min_value=Decimal("0.000001"), widget=UnfoldAdminDecimalFieldWidget,
    )
    day = forms.DateField(
        required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}), help_text="Empty: today.",
    )
    kind = forms.ChoiceField(
        choices=PriceList.Kind.choices, initial=PriceList.Kind.SALE, required=False, widget=UnfoldAdminSelectWidget,
    )
    currency = forms.CharField(
        required=False, validators=[currency_code], widget=UnfoldAdminTextInputWidget, help_text="Empty: the organization's.",
    )
    country = forms.CharField(
        required=False, validators=[country_code], widget=UnfoldAdminTextInputWidget,
        help_text="Whose tax is due. Empty: the party's default address says it.",
    )
    region = forms.CharField(required=False, max_length=100, widget=UnfoldAdminTextInputWidget)

    order = ("variant", "quantity", "party", "day", "kind", "currency", "country", "region")

    def __init__(self, references: Mapping[str, Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.update(references)
        self.order_fields(self.order)

    def answer(self) -> Quote:
        """Raises DomainError."""
        given = self.cleaned_data
        party = given["party"]
        question = Question(
            kind=given["kind"] or PriceList.Kind.SALE, party_id=party and party.pk, currency=given["currency"], day=given["day"],
            country=given["country"], region=given["region"],
        )
        return prices_of(question, [Wanted(given["variant"].pk, given["quantity"])], explain=True)


class ChangeForm(PlainForm):
    percent = forms.DecimalField(
        initial=0, max_digits=8, decimal_places=4, widget=UnfoldAdminDecimalFieldWidget, help_text="5 is up by 5 %, -5 down.",
    )
    ending = forms.DecimalField(
        required=False, max_digits=5, decimal_places=4, widget=UnfoldAdminDecimalFieldWidget,
        help_text="0.95: to the nearest price that ends so. Prices under 1 are left out of it.",
    )

    @property
    def change(self) -> Change:
        return Change(self.cleaned_data["percent"], self.cleaned_data["ending"])


class CopyForm(ChangeForm):
    code = forms.CharField(max_length=40, widget=UnfoldAdminTextInputWidget)
    name = forms.CharField(max_length=100, widget=UnfoldAdminTextInputWidget)

    field_order = ("code", "name", "percent", "ending")


def cost_page(page: Any, request: Any, items: Any) -> HttpResponse:
    """`items` is the admin of the items, whose references have their search."""
    references = {
        "variant": items.formfield_for_foreignkey(PriceListItem._meta.get_field("variant"), request),
        "party": page.formfield_for_foreignkey(PriceList._meta.get_field("party"), request),
    }
    form = CostForm(references, _without_nonsense(request.GET, references) if "variant" in request.GET else None)
    answer: dict[str, Any] = {}
    if form.is_bound and form.is_valid():
        try:
            quote = form.answer()
            answer = {"quote": quote, "cost": quote.costs[0], "cards": _cards(quote)}
        except DomainError as error:
            form.add_error(None, error.detail)
    return _rendered(page, request, "cost", title="What does it cost?", form=form, media=page.media + form.media, **answer)


def _without_nonsense(asked: QueryDict, references: Collection[str]) -> QueryDict:
    """Django looks for what is chosen before it knows whether it is an id."""
    given = asked.copy()
    for name in references:
        try:
            UUID(given.get(name, ""))
        except ValueError:
            given[name] = ""
    return given


def _cards(quote: Quote) -> list[tuple[str, Decimal | None, str]]:
    """A title, an amount and a note each."""
    [cost] = quote.costs
    amounts, goods = cost.amounts, cost.goods
    place = goods.region or quote.asked.country or "any place"
    tax = "" if goods.rate is None else f"{goods.category}, {plain(goods.rate)} % of {place}"
    with_tax = "" if cost.offer is None else "with tax" if cost.offer.includes_tax else "without tax"
    return [
        ("Unit price", cost.unit_price and Decimal(plain(cost.unit_price)), with_tax),
        ("Net", amounts.net, f"for {plain(cost.wanted.quantity)}"), ("Tax", amounts.tax, tax), ("Gross", amounts.gross, ""),
    ]


def change_page(
    page: Any, request: HttpRequest, row: PriceList, form: ChangeForm, title: str, do: Callable[[], PriceList],
) -> HttpResponse:
    """Shows what a change would do; does it when it is asked for once more, with what was shown."""
    effect: Effect | None = None
    if form.is_bound and form.is_valid():
        try:
            if "do" in request.POST:
                done = do()
                page.message_user(request, f"{title}: done.", messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:inventory_pricelist_change", args=[done.pk]))
            effect = price_list_preview(price_list_id=row.pk, change=form.change)
        except DomainError as error:
            form.add_error(None, error.detail)
    back = reverse("admin:inventory_pricelist_change", args=[row.pk])
    return _rendered(
        page, request, "change", title=title, subtitle=str(row), object=row, form=form, effect=effect, back=back,
        media=page.media + form.media,
    )


def _rendered(page: Any, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    request.current_app = page.admin_site.name
    return TemplateResponse(
        request, f"admin/inventory/pricelist/{template}.html",
        {**page.admin_site.each_context(request), "opts": page.opts, **context},
    )
