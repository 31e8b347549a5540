"""The stacks of a stage, in the order in which they are made.

A template is `infra/templates/<name>.yml`, its stack `quartermaster-<stage>-<name>`. A parameter is, first to last: `Stage`; what
stands here for the stage; the output of the same name of an earlier stack (in the same region); what the operator says
(`ASKED`: AlarmEmail by the variable ALARM_EMAIL); the template's default.
"""

from collections.abc import Mapping
from typing import NamedTuple

STAGES = ("dev", "staging", "production")
CAPABILITIES = ("CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")  # roles by name; the rotation's functions are a macro of AWS
TAGS = ("Project", "Stage")  # of every stack: what it makes has them too, and costs are told apart by them

# What nobody but the operator knows. Each has an empty default, which leaves out what needs it.
ASKED = (
    "AlarmEmail", "AllowedOrigin", "MailDomain", "DomainName", "HostedZoneId", "FirewallDomain", "DeployPrincipalArn",
    "DeployRepository",
)  # fmt: skip


class Stack(NamedTuple):
    template: str
    parameters: Mapping[str, Mapping[str, str]] = {}  # by stage
    region: str = ""  # or the stage's


def _small_unless_production(**parameters: tuple[str, str]) -> dict[str, dict[str, str]]:
    small, production = ({name: pair[place] for name, pair in parameters.items()} for place in (0, 1))
    return {"dev": small, "staging": small, "production": production}


BEFORE_RELEASE = (
    Stack("keys"),
    Stack("network", _small_unless_production(
        Nat=("instance", "gateways"), InterfaceEndpoints=("false", "true"),
    )),
    Stack("logs"),
    Stack("database", _small_unless_production(
        MaxCapacity=("4", "16"), Reader=("false", "true"), DeletionProtection=("false", "true"),
    )),
    Stack("secrets"),
    Stack("identity", _small_unless_production(DeletionProtection=("INACTIVE", "ACTIVE"))),
    Stack("storage"),
    Stack("messaging"),
    Stack("roles"),
    Stack("deployer"),
    Stack("budget", _small_unless_production(MonthlyDollars=("200", "460"))),
)  # fmt: skip

# These ask for ApiId, which is known once Zappa has made the HTTP API.
AFTER_RELEASE = (Stack("observability"), Stack("dashboard"))

# Made if asked for, after the release.
OPTIONAL = (
    Stack("domain"),
    Stack("trail"),
    Stack("firewall", region="us-east-1"),  # where everything of CloudFront is
)


def stack_name(stage: str, template: str) -> str:
    return f"quartermaster-{stage}-{template}"
