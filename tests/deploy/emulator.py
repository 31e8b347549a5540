"""AWS as moto plays it, over HTTP, with what Zappa asks of it and moto does not know."""

import inspect
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import unquote

import pytest
import requests
from moto.apigatewayv2.models import ApiGatewayV2Backend, apigatewayv2_backends
from moto.apigatewayv2.responses import ApiGatewayV2Response
from moto.awslambda import urls
from moto.awslambda.models import LambdaBackend, Permission
from moto.awslambda.responses import LambdaResponse
from moto.core.common_models import CloudFormationModel

from tests.moto_server import moto_server

REGION = "eu-west-1"


class Emulator(NamedTuple):
    """`invoked`: each function that was invoked, and with what. None of them runs."""

    address: str
    invoked: list[tuple[str, Any]]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.address, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": REGION, "NO_PROXY": "127.0.0.1",
        }  # fmt: skip


@contextmanager
def emulator() -> Iterator[Emulator]:
    invoked: list[tuple[str, Any]] = []

    def invoke(_: LambdaBackend, function_name: str, qualifier: str | None, body: Any, *rest: Any) -> bytes:
        invoked.append((function_name, json.loads(body)))
        return b'{"output": "Made it."}'

    with pytest.MonkeyPatch.context() as patched, moto_server() as address:
        patched.setattr(LambdaBackend, "invoke", invoke)
        STANDING_READY.clear()
        try:
            requests.post(f"{address}/moto-api/reset", timeout=10)  # of what other tests left
            yield Emulator(address, invoked)
        finally:
            requests.post(f"{address}/moto-api/reset", timeout=10)


# Zappa asks before it updates or removes a function; moto answers 404.
LambdaResponse.list_function_url_configs = lambda self: '{"FunctionUrlConfigs": []}'
LambdaResponse.get_account_settings = lambda self: json.dumps({
    "AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}, "AccountUsage": {},
})
STANDING_READY: dict[str, int] = {}  # environments, by the ARN of a version


def put_provisioned_concurrency_config(self: LambdaResponse) -> str:
    STANDING_READY[version_of(self)] = self.json_body["ProvisionedConcurrentExecutions"]
    return get_provisioned_concurrency_config(self)


def get_provisioned_concurrency_config(self: LambdaResponse) -> str:
    return json.dumps({"Status": "READY", "RequestedProvisionedConcurrentExecutions": STANDING_READY[version_of(self)]})


def delete_provisioned_concurrency_config(self: LambdaResponse) -> str:
    del STANDING_READY[version_of(self)]
    return "{}"


def list_provisioned_concurrency_configs(self: LambdaResponse) -> str:
    mine = [version for version in STANDING_READY if version.split(":")[-2] == named(self)]
    return json.dumps({"ProvisionedConcurrencyConfigs": [{"FunctionArn": version} for version in mine]})


def named(self: LambdaResponse) -> str:
    """The function, by its name or its ARN."""
    return unquote(self.path.rpartition("/functions/")[2].partition("/")[0]).rpartition(":")[2]


def version_of(self: LambdaResponse) -> str:
    return str(self.backend.get_function(named(self), self.querystring["Qualifier"][0]).function_arn)


for method in (
    put_provisioned_concurrency_config, get_provisioned_concurrency_config, delete_provisioned_concurrency_config,
    list_provisioned_concurrency_configs,
):  # fmt: skip
    setattr(LambdaResponse, method.__name__, method)
urls.url_paths |= {
    r"{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\w_:%-]+)/provisioned-concurrency/?$": LambdaResponse.dispatch,
    r"{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\w_:%-]+)/urls/?$": LambdaResponse.dispatch,
    r"{0}/(?P<api_version>[^/]+)/account-settings/?$": LambdaResponse.dispatch,
}


def update_stage(self: ApiGatewayV2Response) -> str:
    *_, api, _, name = self.path.split("/")
    stage = self.apigatewayv2_backend.get_stage(api, name)
    stage.access_log_settings = self._get_param("accessLogSettings")
    stage.default_route_settings = self._get_param("defaultRouteSettings")
    return json.dumps(stage.to_json())


ApiGatewayV2Response.update_stage = update_stage


def granted_anew(
    cls: type[Permission], original_resource: Permission, new_resource_name: str, cloudformation_json: Any, account_id: str,
    region_name: str,
) -> Permission:  # fmt: skip
    """Of another version than before."""
    return cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)


Permission.update_from_cloudformation_json = classmethod(granted_anew)


def lower(properties: dict[str, Any]) -> dict[str, Any]:
    return {name[0].lower() + name[1:]: value for name, value in properties.items()}


def called(method: Callable[..., Any], properties: dict[str, Any]) -> Any:
    """With the properties that it takes by these names, and None for the others."""
    by_name = {"".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]: value
               for name, value in properties.items()}  # fmt: skip
    return method(**{name: by_name.get(name) for name in inspect.signature(method).parameters})


class Resource:
    """A CloudFormation resource of the HTTP API: moto has the calls, but not the type. It finds direct subclasses alone."""

    kind = ""

    def __init__(self, name: str) -> None:
        self.physical_resource_id = name

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @classmethod
    def cloudformation_type(cls) -> str:
        return f"AWS::ApiGatewayV2::{cls.kind}"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return False

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any,
    ) -> "Resource":  # fmt: skip
        resource = cls(cls.create(apigatewayv2_backends[account_id][region_name], cloudformation_json["Properties"]))
        resource.type = cls.cloudformation_type()
        return resource

    @classmethod
    def update_from_cloudformation_json(cls, original_resource: "Resource", *_: Any, **__: Any) -> "Resource":
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> None:
        cls.delete(apigatewayv2_backends[account_id][region_name], resource_name)

    @classmethod
    def create(cls, backend: ApiGatewayV2Backend, properties: dict[str, Any]) -> str:
        raise NotImplementedError

    @classmethod
    def delete(cls, backend: ApiGatewayV2Backend, name: str) -> None:
        """What goes with its API."""


class Api(Resource, CloudFormationModel):
    kind = "Api"

    @classmethod
    def create(cls, backend: ApiGatewayV2Backend, properties: dict[str, Any]) -> str:
        cors = lower(properties.get("CorsConfiguration", {})) or None
        return str(called(backend.create_api, {**properties, "CorsConfiguration": cors, "Tags": {}}).api_id)

    @classmethod
    def delete(cls, backend: ApiGatewayV2Backend, name: str) -> None:
        backend.delete_api(name)


class Integration(Resource, CloudFormationModel):
    kind = "Integration"

    @classmethod
    def create(cls, backend: ApiGatewayV2Backend, properties: dict[str, Any]) -> str:
        without = {"ResponseParameters": {}, "RequestParameters": {}, "RequestTemplates": {}}
        return str(called(backend.create_integration, {**without, **properties}).id)

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Resource, cloudformation_json: Any, account_id: str, region_name: str, **_: Any,
    ) -> Resource:  # fmt: skip
        for api in apigatewayv2_backends[account_id][region_name].apis.values():
            if found := api.integrations.get(original_resource.physical_resource_id):
                found.integration_uri = cloudformation_json["Properties"]["IntegrationUri"]
        return original_resource


class Route(Resource, CloudFormationModel):
    kind = "Route"

    @classmethod
    def create(cls, backend: ApiGatewayV2Backend, properties: dict[str, Any]) -> str:
        without = {"ApiKeyRequired": False, "AuthorizationScopes": [], "RequestModels": {}, "RequestParameters": {}}
        return str(called(backend.create_route, {**without, **properties}).route_id)


class Stage(Resource, CloudFormationModel):
    kind = "Stage"

    @classmethod
    def create(cls, backend: ApiGatewayV2Backend, properties: dict[str, Any]) -> str:
        return str(backend.create_stage(properties["ApiId"], lower(properties)).name)


for resource in (Api, Integration, Route, Stage):
    resource.__module__ = "moto.apigatewayv2.models"  # moto reads the service from it
