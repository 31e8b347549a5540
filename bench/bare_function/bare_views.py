from bare_people.models import Person
from rest_framework.serializers import ModelSerializer
from rest_framework.viewsets import ModelViewSet


class PersonSerializer(ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "email", "name")


class PersonViewSet(ModelViewSet):
    queryset = Person.objects.order_by("pk")[:100]
    serializer_class = PersonSerializer
