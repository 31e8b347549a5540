"""`?tag=fragile`: the rows with a tag; with several, separated by commas, the rows that have all of them."""

from django.db import models

from core.choosing import Conditions
from core.problems import BadParameter
from core.reading import BASE
from core.tenancy import active_organization_id

MOST_TAGS = 10
TAGGED = f"""{BASE}.id IN (
    SELECT i.object_id FROM accounts_taggeditem AS i
    JOIN accounts_tag AS g ON g.organization_id = i.organization_id AND g.id = i.tag_id
    WHERE i.organization_id = %s AND i.object_type = %s AND g.slug = %s)"""


def tag_conditions(model: type[models.Model], text: str) -> Conditions:
    slugs = text.split(",")
    if len(slugs) > MOST_TAGS or not all(slugs) or "\0" in text:
        raise BadParameter("tag", f"tag: the slugs of at most {MOST_TAGS} tags, separated by commas.")
    return [(TAGGED, [active_organization_id(), model._meta.label_lower, slug]) for slug in slugs]
