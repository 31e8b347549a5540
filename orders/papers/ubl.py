"""An invoice as UBL 2.1, with what the core of EN 16931 asks for. BT-… are the names that the norm gives to its terms."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

from accounts.queries.rates import minor_unit
from orders.models import Invoice, InvoiceItem
from orders.papers.pdf import payment_of
from orders.papers.sheet import plain

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
CAC, CBC = f"{UBL}CommonAggregateComponents-2", f"{UBL}CommonBasicComponents-2"
CORE = "urn:cen.eu:en16931:2017"
INVOICE, CREDIT_NOTE = "380", "381"  # BT-3, by UNTDID 1001
TRANSFER = "30"  # BT-81, by UNTDID 4461: credit transfer
EXEMPT = "Exempt from tax"
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
DISCOUNT_CODE, CHARGE_CODES = "95", {"shipping": "FC"}  # by UNTDID 5189 and 7161

type Element = ET.Element


def ubl_of(
    invoice: Invoice, items: Sequence[InvoiceItem], *, order_number: str, corrects: tuple[str, str] | None = None,
) -> bytes:
    """`corrects`: number and day of the invoice that a credit note is about."""
    return _Writer(invoice).document(items, order_number, corrects)


class _Writer:
    def __init__(self, invoice: Invoice) -> None:
        self.invoice = invoice
        self.is_credit = invoice.kind == Invoice.Kind.CREDIT_NOTE
        self.name = "CreditNote" if self.is_credit else "Invoice"
        self.unit = minor_unit(invoice.currency)

    def document(self, items: Sequence[InvoiceItem], order_number: str, corrects: tuple[str, str] | None) -> bytes:
        for prefix, address in (("cac", CAC), ("cbc", CBC), ("ubl", f"{UBL}{self.name}-2")):
            ET.register_namespace(prefix, address)
        root = ET.Element(f"{{{UBL}{self.name}-2}}{self.name}")
        self._head(root)
        if order_number:
            self._text(self._group(root, "OrderReference"), "ID", order_number)
        if corrects is not None:
            reference = self._group(self._group(root, "BillingReference"), "InvoiceDocumentReference")
            self._text(reference, "ID", corrects[0])
            self._text(reference, "IssueDate", corrects[1])
        self._party(self._group(root, "AccountingSupplierParty"), self.invoice.seller)
        self._party(self._group(root, "AccountingCustomerParty"), self.invoice.buyer)
        if self.invoice.delivered_on:
            self._text(self._group(root, "Delivery"), "ActualDeliveryDate", self.invoice.delivered_on.isoformat())
        self._payment(root)
        goods = [one for one in items if one.kind == InvoiceItem.Kind.GOODS]
        goods = goods or [one for one in items if one.net_amount >= 0]  # a document has a line
        beside = [one for one in items if one not in goods]
        for one in beside:
            self._allowance(root, one)
        self._taxes(root)
        self._totals(root, goods, beside)
        for one in goods:
            self._line(root, one)
        written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
        return written

    def _head(self, root: Element) -> None:
        invoice = self.invoice
        self._text(root, "CustomizationID", CORE)
        self._text(root, "ID", invoice.number or "")
        self._text(root, "IssueDate", invoice.issued_on.isoformat() if invoice.issued_on else "")
        if not self.is_credit and invoice.due_on:
            self._text(root, "DueDate", invoice.due_on.isoformat())
        self._text(root, f"{self.name}TypeCode", CREDIT_NOTE if self.is_credit else INVOICE)
        if invoice.note:
            self._text(root, "Note", invoice.note)
        self._text(root, "DocumentCurrencyCode", invoice.currency)
        if code := invoice.buyer.get("code"):
            self._text(root, "BuyerReference", code)

    def _party(self, above: Element, party: dict[str, Any]) -> None:
        inner = self._group(above, "Party")
        self._text(self._group(inner, "PartyName"), "Name", party.get("name") or "-")
        address = self._group(inner, "PostalAddress")
        for tag, name in (
            ("StreetName", "street1"), ("AdditionalStreetName", "street2"), ("CityName", "city"), ("PostalZone", "postal_code"),
            ("CountrySubentity", "region"),
        ):
            if value := party.get(name):
                self._text(address, tag, value)
        if country := party.get("country"):
            self._text(self._group(address, "Country"), "IdentificationCode", country)
        if number := party.get("tax_number"):
            scheme = self._group(inner, "PartyTaxScheme")
            self._text(scheme, "CompanyID", number)
            self._vat(scheme)
        self._text(self._group(inner, "PartyLegalEntity"), "RegistrationName", party.get("name") or "-")

    def _payment(self, root: Element) -> None:
        seller = self.invoice.seller
        if iban := seller.get("iban"):
            means = self._group(root, "PaymentMeans")
            self._text(means, "PaymentMeansCode", TRANSFER)
            self._text(means, "PaymentID", self.invoice.number or "")
            account = self._group(means, "PayeeFinancialAccount")
            self._text(account, "ID", iban)
            if bic := seller.get("bic"):
                self._text(self._group(account, "FinancialInstitutionBranch"), "ID", bic)
        terms = " ".join(filter(None, (payment_of(self.invoice), str(seller.get("terms", "")))))
        if terms:
            self._text(self._group(root, "PaymentTerms"), "Note", terms)

    def _allowance(self, root: Element, item: InvoiceItem) -> None:
        """What is added to the goods, or taken off, of the document as a whole (BG-20, BG-21)."""
        is_charge = item.net_amount >= 0
        part = self._group(root, "AllowanceCharge")
        self._text(part, "ChargeIndicator", "true" if is_charge else "false")
        code = CHARGE_CODES.get(item.kind) if is_charge else DISCOUNT_CODE
        if code:
            self._text(part, "AllowanceChargeReasonCode", code)
        self._text(part, "AllowanceChargeReason", item.name)
        self._money(part, "Amount", abs(item.net_amount))
        self._category(part, "TaxCategory", item.tax_category, item.tax_rate)

    def _taxes(self, root: Element) -> None:
        total = self._group(root, "TaxTotal")
        self._money(total, "TaxAmount", self.invoice.tax_total)
        for tax in self.invoice.taxes:
            part = self._group(total, "TaxSubtotal")
            self._money(part, "TaxableAmount", Decimal(tax["net"]))
            self._money(part, "TaxAmount", Decimal(tax["tax"]))
            category = self._category(part, "TaxCategory", tax["category"], Decimal(tax["rate"]), scheme=False)
            if tax["category"] == InvoiceItem.TaxCategory.EXEMPT:
                self._text(category, "TaxExemptionReason", EXEMPT)
            self._vat(category)

    def _totals(self, root: Element, goods: Sequence[InvoiceItem], beside: Sequence[InvoiceItem]) -> None:
        invoice, part = self.invoice, self._group(root, "LegalMonetaryTotal")
        off = -sum((one.net_amount for one in beside if one.net_amount < 0), Decimal(0))
        added = sum((one.net_amount for one in beside if one.net_amount >= 0), Decimal(0))
        self._money(part, "LineExtensionAmount", sum((one.net_amount for one in goods), Decimal(0)))
        self._money(part, "TaxExclusiveAmount", invoice.net_total)
        self._money(part, "TaxInclusiveAmount", invoice.net_total + invoice.tax_total)
        if off:
            self._money(part, "AllowanceTotalAmount", off)
        if added:
            self._money(part, "ChargeTotalAmount", added)
        if invoice.rounding:
            self._money(part, "PayableRoundingAmount", invoice.rounding)
        self._money(part, "PayableAmount", invoice.total)

    def _line(self, root: Element, item: InvoiceItem) -> None:
        """The price is without tax and discount; where it has no end, that of the whole quantity (BT-149)."""
        quantity = item.quantity or Decimal(1)
        part = self._group(root, f"{self.name}Line")
        self._text(part, "ID", str(item.line))
        tag = "CreditedQuantity" if self.is_credit else "InvoicedQuantity"
        self._text(part, tag, plain(quantity), unitCode=item.unit)
        self._money(part, "LineExtensionAmount", item.net_amount)
        inner = self._group(part, "Item")
        self._text(inner, "Name", item.name)
        if item.sku:
            self._text(self._group(inner, "SellersItemIdentification"), "ID", item.sku)
        self._category(inner, "ClassifiedTaxCategory", item.tax_category, item.tax_rate)
        price = self._group(part, "Price")
        each = (item.net_amount / quantity).quantize(Decimal("0.000001"))
        is_exact = each * quantity == item.net_amount
        self._text(price, "PriceAmount", plain(each if is_exact else item.net_amount), currencyID=self.invoice.currency)
        if not is_exact:
            self._text(price, "BaseQuantity", plain(quantity), unitCode=item.unit)

    def _category(self, above: Element, tag: str, category: str, rate: Decimal, *, scheme: bool = True) -> Element:
        part = self._group(above, tag)
        self._text(part, "ID", category)
        self._text(part, "Percent", plain(rate))
        if scheme:
            self._vat(part)
        return part

    def _vat(self, above: Element) -> None:
        self._text(self._group(above, "TaxScheme"), "ID", "VAT")

    def _money(self, above: Element, tag: str, amount: Decimal) -> None:
        self._text(above, tag, f"{amount.quantize(self.unit):f}", currencyID=self.invoice.currency)

    def _group(self, above: Element, tag: str) -> Element:
        return ET.SubElement(above, f"{{{CAC}}}{tag}")

    def _text(self, above: Element, tag: str, text: str, **attributes: str) -> None:
        ET.SubElement(above, f"{{{CBC}}}{tag}", attributes).text = NOT_XML.sub(" ", text)
