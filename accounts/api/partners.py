from accounts.models import Address, Contact, Party
from core.api import ArchivableViewSet, TenantViewSet
from core.serializers import TenantSerializer


class PartySerializer(TenantSerializer):
    class Meta:
        model = Party
        fields = [
            "id", "name", "kind", "tax_number", "gln", "language", "website", "payment_terms_days", "external_ref",
            "custom_fields", "archived_at", "created_at", "updated_at", "version",
        ]


class PartyViewSet(ArchivableViewSet):
    serializer_class = PartySerializer
    filters = ["external_ref", "name"]
    search_keys = ["name_key"]
    sort_fields = ["name"]


class AddressSerializer(TenantSerializer):
    class Meta:
        model = Address
        fields = [
            "id", "party", "kind", "street1", "street2", "city", "region", "postal_code", "country", "is_default",
            "created_at", "updated_at", "version",
        ]


class AddressViewSet(TenantViewSet):
    serializer_class = AddressSerializer
    filters = ["party"]


class ContactSerializer(TenantSerializer):
    class Meta:
        model = Contact
        fields = [
            "id", "party", "name", "email", "phone", "fax", "position", "is_primary", "created_at", "updated_at", "version",
        ]


class ContactViewSet(TenantViewSet):
    serializer_class = ContactSerializer
    filters = ["party"]
    search_keys = ["name_key"]


routes = {"parties": PartyViewSet, "addresses": AddressViewSet, "contacts": ContactViewSet}
