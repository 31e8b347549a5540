"""From a provider's access token to a claim."""

from accounts.external import Vouched, announced, vouched
from accounts.principal import Claim
from accounts.queries.identity import ProviderFound, find_identity_providers
from accounts.services.providers import Newcomer, external_member_enter
from core.errors import NotAuthenticated
from core.tenancy import Origin


def external_claim(*, token: str, origin: Origin) -> Claim | None:
    """None if no provider that counts here could have issued the token.

    Raises NotAuthenticated for a token that its provider would not stand by, ProviderUnavailable where nobody can tell.
    """
    said = announced(token)
    if said is None:
        return None
    providers = find_identity_providers(said.issuer, said.audiences, said.subject)
    if not providers:
        return None
    if len(providers) > 1:
        raise NotAuthenticated("The token names several audiences of this installation: ask for one with a single audience.")
    [provider] = providers
    proof = vouched(token, said, audience=provider.audience, keys_url=provider.keys_url)
    user_id = provider.user_id
    if user_id is None or _groups_are_news(provider, proof):
        user_id = external_member_enter(
            organization_id=provider.organization_id, provider_id=provider.id, newcomer=_newcomer(provider, proof),
            creates_members=provider.creates_members, group_roles=provider.group_roles, origin=origin,
        )
    return Claim(
        user_id, provider.organization_id, proved=provider.checks_second_factor, provider_id=provider.id, slug=provider.slug,
    )


def _newcomer(provider: ProviderFound, proof: Vouched) -> Newcomer:
    groups = tuple(proof.groups(provider.group_claim))
    return Newcomer(proof.subject, proof.email, proof.name, groups, proof.issued_at)


def _groups_are_news(provider: ProviderFound, proof: Vouched) -> bool:
    newer = provider.groups_at is None or proof.issued_at > provider.groups_at
    return newer and proof.groups(provider.group_claim) != provider.groups
