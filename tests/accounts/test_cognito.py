"""The real client of Amazon Cognito against moto's server: sign up, sign in, use the token here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from accounts.models import IdentityProvider
from accounts.permissions import MANAGER
from accounts.services.providers import identity_provider_approve
from tests.companies import Api, Company
from tests.contracts.resources import assert_problem
from tests.moto_server import moto_server

EMAIL, PASSWORD = "lena@example.test", "Correct-horse-9"
REGION = "eu-west-1"


@dataclass(frozen=True)
class Pool:
    client: Any
    address: str
    id: str
    client_id: str

    @property
    def issuer(self) -> str:
        return f"https://cognito-idp.{REGION}.amazonaws.com/{self.id}"

    def sign_in(self) -> dict[str, str]:
        parameters = {"USERNAME": EMAIL, "PASSWORD": PASSWORD}
        found = self.client.initiate_auth(ClientId=self.client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)
        tokens: dict[str, str] = found["AuthenticationResult"]
        return tokens


@pytest.fixture(scope="module")
def cognito() -> Iterator[tuple[Any, str]]:
    with moto_server() as address:
        client = boto3.client(
            "cognito-idp", region_name=REGION, endpoint_url=address, aws_access_key_id="x", aws_secret_access_key="x",
        )
        yield client, address


@pytest.fixture
def pool(cognito: tuple[Any, str]) -> Pool:
    client, address = cognito
    pool_id = client.create_user_pool(PoolName="quartermaster")["UserPool"]["Id"]
    made = client.create_user_pool_client(UserPoolId=pool_id, ClientName="web")["UserPoolClient"]
    pool = Pool(client, address, pool_id, made["ClientId"])
    client.sign_up(ClientId=pool.client_id, Username=EMAIL, Password=PASSWORD)
    client.admin_confirm_sign_up(UserPoolId=pool_id, Username=EMAIL)
    client.create_group(UserPoolId=pool_id, GroupName="warehouse-staff")
    client.admin_add_user_to_group(UserPoolId=pool_id, Username=EMAIL, GroupName="warehouse-staff")
    return pool


def trust(company: Company, pool: Pool, **values: Any) -> None:
    with company.scope():
        IdentityProvider.objects.create(
            name="Cognito", issuer=pool.issuer, audience=pool.client_id, creates_members=True,
            jwks_url=f"{pool.address}/{pool.id}/.well-known/jwks.json", group_roles={"warehouse-staff": MANAGER}, **values,
        )
    identity_provider_approve(organization_id=company.organization.pk, issuer=pool.issuer)


def get(token: str, url: str = "/api/v1/me/") -> Any:
    return Api(f"Bearer {token}").get(url)


def test_a_member_of_the_pool_works_here(pool: Pool, acme: Company) -> None:
    trust(acme, pool)
    tokens = pool.sign_in()
    own = get(tokens["AccessToken"])
    assert own.status_code == 200, own.content
    assert (own.json()["organization"]["slug"], own.json()["roles"]) == ("acme", [MANAGER])
    assert get(tokens["AccessToken"], "/api/v1/products/").status_code == 200
    assert get(pool.sign_in()["AccessToken"]).json()["id"] == own.json()["id"]


def test_the_id_token_is_not_the_access_token(pool: Pool, acme: Company) -> None:
    trust(acme, pool)
    assert_problem(get(pool.sign_in()["IdToken"]), 401, "no_access_token")


def test_a_token_of_another_client_of_the_pool_is_refused(pool: Pool, acme: Company) -> None:
    trust(acme, pool)
    other = pool.client.create_user_pool_client(UserPoolId=pool.id, ClientName="other")["UserPoolClient"]["ClientId"]
    tokens = Pool(pool.client, pool.address, pool.id, other).sign_in()
    assert_problem(get(tokens["AccessToken"]), 401, "not_authenticated")


def test_a_token_of_another_pool_is_refused(pool: Pool, acme: Company) -> None:
    """Even though the emulator signs for all of its pools with one key."""
    other = pool.client.create_user_pool(PoolName="other")["UserPool"]["Id"]
    client_id = pool.client.create_user_pool_client(UserPoolId=other, ClientName="web")["UserPoolClient"]["ClientId"]
    pool.client.sign_up(ClientId=client_id, Username=EMAIL, Password=PASSWORD)
    pool.client.admin_confirm_sign_up(UserPoolId=other, Username=EMAIL)
    trust(acme, pool)
    assert_problem(get(Pool(pool.client, pool.address, other, client_id).sign_in()["AccessToken"]), 401, "not_authenticated")
