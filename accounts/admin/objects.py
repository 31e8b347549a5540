"""What a reference to a row of any kind looks like: words and a link in place of inventory.product and an id."""

from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.admin.utils import quote
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst


def type_name(label: str) -> str:
    """inventory.product: Product."""
    return _name(label, "verbose_name")


def types_name(label: str) -> str:
    """inventory.product: Products."""
    return _name(label, "verbose_name_plural")


def object_link(label: str, object_id: UUID, text: str = "") -> SafeString | str:
    text = text or type_name(label)
    try:
        address = reverse(f"admin:{label.replace('.', '_')}_change", args=[quote(object_id)])
    except NoReverseMatch:
        return f"{text} {object_id}"
    return format_html('<a class="text-important" href="{}">{}</a>', address, text)


def object_name(label: str, object_id: UUID) -> str:
    """Empty if the row is gone. A statement: for pages of one row, not for lists."""
    try:
        model: Any = apps.get_model(label)
    except (LookupError, ValueError):
        return ""
    row = model.objects.filter(pk=object_id).first()
    return f"{type_name(label)}: {row}" if row else ""


def _name(label: str, which: str) -> str:
    try:
        return str(capfirst(str(getattr(apps.get_model(label)._meta, which))))
    except (LookupError, ValueError):
        return label
