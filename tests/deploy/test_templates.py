"""The templates: that AWS takes them, that stacks fit together, that they say what was asked for, and that rights are few."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from cfnlint.config import ConfigMixIn
from cfnlint.runner import Runner
from django.conf import settings

from infra.settings import of_stage
from infra.stacks import AFTER_RELEASE, ASKED, BEFORE_RELEASE, OPTIONAL, STAGES
from tests.deploy.cloudformation import STACKS, TEMPLATES, Rendered, read, statements

EACH = pytest.mark.parametrize("template", STACKS)
OF_ALL = [(template, stage) for template in STACKS for stage in STAGES]

# What the deploy command and zappa_settings.json take from stacks.
PROMISED = {
    "network": {"PrivateSubnetIds", "LambdaSecurityGroupId"},
    "database": {"ProxyEndpoint", "DatabaseName", "AdministratorSecretArn", "OwnerSecretArn", "AppSecretArn", "WorkerSecretArn"},
    "secrets": {"SecretKeyArn", "MfaEncryptionKeyArn"},
    "identity": {"UserPoolId", "ClientId", "Issuer"},
    "storage": {"PrivateBucket", "StaticBucket", "StaticUrl", "PackagesBucket"},
    "messaging": {"JobsQueueUrl", "JobsQueueArn", "BusName"},
    "roles": {f"{kind}Role{what}" for kind in ("Api", "Worker", "Migrate") for what in ("Name", "Arn")},
}

TLS_ONLY, BLOCKED = {"Bool": {"aws:SecureTransport": False}}, {
    "BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True,
}  # fmt: skip

# Of docs/requirements.md: the line, the template, where in it, and what is there. `*` is for dev and production alike.
ASKED_FOR: list[tuple[str, str, str, str, Any]] = [
    ("002-11", "*", "network", "Vpc.CidrBlock", "10.0.0.0/16"),
    ("002-12", "*", "network", "PublicSubnetA.CidrBlock", "10.0.1.0/24"),
    ("002-12", "*", "network", "PublicSubnetB.CidrBlock", "10.0.2.0/24"),
    ("002-13", "dev", "network", "NatMachine.InstanceType", "t4g.nano"),
    ("002-13", "dev", "network", "NatMachine.NetworkInterfaces.0.SubnetId", "<PublicSubnetA>"),
    ("002-13", "dev", "network", "PrivateRouteOutB.InstanceId", "<NatMachine>"),
    ("002-14", "*", "network", "PrivateSubnetA.CidrBlock", "10.0.3.0/24"),
    ("002-14", "*", "network", "PrivateSubnetB.CidrBlock", "10.0.4.0/24"),
    ("002-14", "*", "database", "Proxy.VpcSubnetIds", "<PrivateSubnetIds>"),
    ("002-15", "*", "network", "IsolatedSubnetA.CidrBlock", "10.0.5.0/24"),
    ("002-15", "*", "network", "IsolatedSubnetB.CidrBlock", "10.0.6.0/24"),
    ("002-15", "*", "database", "Subnets.SubnetIds", "<IsolatedSubnetIds>"),
    ("002-121", "production", "network", "PrivateRouteOutA.NatGatewayId", "<NatGatewayA>"),
    ("002-121", "production", "network", "PrivateRouteOutB.NatGatewayId", "<NatGatewayB>"),
    ("002-121", "production", "database", "SecondInstance.PromotionTier", 1),
    ("002-67", "production", "network", "SecretsEndpoint.PrivateDnsEnabled", True),
    ("003-65", "*", "network", "S3Endpoint.VpcEndpointType", "Gateway"),
    ("002-70", "*", "network", "LambdaSecurityGroup.SecurityGroupEgress.0.CidrIp", "0.0.0.0/0"),
    ("002-30", "*", "database", "Cluster.Engine", "aurora-postgresql"),
    ("002-31", "*", "database", "Proxy.IdleClientTimeout", 30 * 60),
    ("002-32", "*", "database", "ProxyTargets.ConnectionPoolConfigurationInfo.MaxConnectionsPercent", 90),
    ("002-33", "*", "database", "Proxy.Auth.0.IAMAuth", "REQUIRED"),
    ("002-69", "*", "database", "Cluster.EnableIAMDatabaseAuthentication", True),
    ("002-68", "*", "database", "Proxy.RequireTLS", True),
    ("002-74", "*", "database", "ClusterParameters.Parameters", {
        "timezone": "UTC", "rds.force_ssl": "1", "ssl_min_protocol_version": "TLSv1.2",
        "log_parameter_max_length": "0", "log_parameter_max_length_on_error": "0",
    }),
    ("002-120", "dev", "database", "Cluster.ServerlessV2ScalingConfiguration", {"MinCapacity": 0.5, "MaxCapacity": "4"}),
    ("002-36", "production", "database", "Cluster.ServerlessV2ScalingConfiguration", {"MinCapacity": 0.5, "MaxCapacity": "16"}),
    ("002-38", "*", "database", "Cluster.BackupRetentionPeriod", 7),
    ("002-73", "*", "database", "Cluster.KmsKeyId", "<KeyArn>"),
    ("002-73", "*", "database", "Cluster.StorageEncrypted", True),
    ("003-64", "*", "keys", "Key.EnableKeyRotation", True),
    ("002-75", "*", "secrets", "AppRotation.RotationRules.ScheduleExpression", "rate(30 days)"),
    ("002-47", "*", "secrets", "OwnerRotation.RotationRules.ScheduleExpression", "rate(30 days)"),
    ("002-47", "*", "secrets", "WorkerRotation.RotationRules.ScheduleExpression", "rate(30 days)"),
    ("002-47", "*", "secrets", "AdministratorRotation.RotationRules.ScheduleExpression", "rate(30 days)"),
    ("000-47", "*", "identity", "Pool.UsernameAttributes", ["email"]),
    ("000-49", "*", "identity", "Pool.AutoVerifiedAttributes", ["email"]),
    ("000-50", "*", "identity", "Pool.Policies.PasswordPolicy.MinimumLength", 8),
    ("000-51", "*", "identity", "Pool.Policies.PasswordPolicy.RequireUppercase", True),
    ("000-51", "*", "identity", "Pool.Policies.PasswordPolicy.RequireLowercase", True),
    ("000-51", "*", "identity", "Pool.Policies.PasswordPolicy.RequireNumbers", True),
    ("000-52", "*", "identity", "Pool.Policies.PasswordPolicy.RequireSymbols", False),
    ("000-53", "*", "identity", "Client.GenerateSecret", False),
    ("000-55", "*", "identity", "Client.ExplicitAuthFlows",
     ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]),
    ("002-41", "*", "identity", "Pool.MfaConfiguration", "OPTIONAL"),
    ("002-42", "*", "identity", "Client.AccessTokenValidity", 1),
    ("002-43", "*", "identity", "Client.RefreshTokenValidity", 30),
    ("002-43", "*", "identity", "Client.TokenValidityUnits",
     {"AccessToken": "hours", "IdToken": "hours", "RefreshToken": "days"}),
    ("000-62", "dev", "storage", "Attachments.BucketName", "quartermaster-dev-storage-attachments-123456789012"),
    ("000-64", "*", "storage", "Attachments.VersioningConfiguration.Status", "Enabled"),
    ("000-65", "*", "storage", "Attachments.PublicAccessBlockConfiguration", BLOCKED),
    ("000-65", "*", "storage", "Static.PublicAccessBlockConfiguration", BLOCKED),
    ("000-87", "*", "storage", "Packages.VersioningConfiguration.Status", "Enabled"),
    ("002-74", "*", "storage", "AttachmentsPolicy.PolicyDocument.Statement.0.Condition", TLS_ONLY),
    ("001-109", "*", "storage", "Distribution.DistributionConfig.DefaultCacheBehavior.ViewerProtocolPolicy", "redirect-to-https"),
    ("001-70", "*", "messaging", "JobsQueue.KmsMasterKeyId", "<KeyArn>"),
    ("000-57", "*", "messaging", "StockIsLow.EventPattern", {"source": ["quartermaster"], "detail-type": ["stock.low"]}),
    ("004-60", "*", "logs", "Api.RetentionInDays", 14),
    ("004-60", "*", "logs", "Worker.RetentionInDays", 14),
    ("004-60", "*", "logs", "Access.RetentionInDays", 14),
    ("002-133", "*", "logs", "WhatFailed.LogGroupNames", ["<Api>", "<Worker>"]),
    ("001-84", "production", "budget", "Month.Budget.BudgetLimit.Amount", "460"),
    ("003-62", "production", "firewall", "Firewall.Rules.0.Statement.RateBasedStatement.AggregateKeyType", "IP"),
    ("002-76", "production", "trail", "Trail.IsMultiRegionTrail", True),
]  # fmt: skip

# Of an alarm: the metric, its statistic, and above what it tells.
ALARMS = [
    ("003-80", "ApiErrors", "errors / calls", 5), ("003-80", "WorkerErrors", "errors / calls", 5),
    ("003-81", "GatewayErrors", "errors / calls", 1), ("001-93", "LoggedErrors", "ErrorLines", 0),
    ("001-95", "ApiThrottles", "Throttles", 0), ("003-83", "ApiDuration", "Duration", 25_000),
    ("003-82", "DatabaseRefuses", "DatabaseConnectionsSetupFailed", 0), ("001-95", "DatabaseIsFull", "ACUUtilization", 95),
    ("002-132", "DeadMessages", "ApproximateNumberOfMessagesVisible", 0), ("001-94", "SlowAnswers", "Latency", 3000),
]  # fmt: skip


def test_linted() -> None:
    """By no rule but those of cfn-lint; none is ignored, here or in a template."""
    paths = sorted(TEMPLATES.glob("*.yml"))
    found = Runner(ConfigMixIn([], templates=list(map(str, paths)))).run()
    assert [f"{match.filename}:{match.linenumber} {match.rule.id} {match.message}" for match in found] == []
    assert not [path.name for path in paths if "cfn-lint" in path.read_text()]


def test_each_template_is_a_stack() -> None:
    assert sorted(path.stem for path in TEMPLATES.glob("*.yml")) == sorted(STACKS)


def test_each_parameter_is_given() -> None:
    """By the stage, an earlier stack or the operator, or it has a default."""
    known = {"Stage"}
    for stack in (*BEFORE_RELEASE, *AFTER_RELEASE, *OPTIONAL):
        if stack in AFTER_RELEASE:
            known.add("ApiId")
        parameters = read(stack.template)["Parameters"]
        needed = {name for name, parameter in parameters.items() if "Default" not in parameter}
        assert needed <= known | set(ASKED), stack.template
        assert set(stack.parameters) in (set(), set(STAGES))
        assert {name for own in stack.parameters.values() for name in own} <= set(parameters)
        known |= set(read(stack.template).get("Outputs", {}))
    assert all(any(name in read(template)["Parameters"] for template in STACKS) for name in ASKED)


@pytest.mark.parametrize("template", PROMISED)
def test_outputs(template: str) -> None:
    assert PROMISED[template] <= set(read(template)["Outputs"])


@EACH
def test_every_stage_has_a_sensible_stack(template: str) -> None:
    """Values of a stage are among those that are allowed; what it names is there."""
    for stage in STAGES:
        rendered = Rendered(template, stage)
        for name, parameter in rendered.source["Parameters"].items():
            assert rendered.values[name] in parameter.get("AllowedValues", [rendered.values[name]])
        named = set(re.findall(r"<(\w+)(?:\.\w+)*>", str(rendered.resources)))
        assert named <= {*rendered.source["Parameters"], *rendered.resources, "AvailabilityZones"}


@pytest.mark.parametrize(
    ("line", "stage", "template", "path", "value"), ASKED_FOR, ids=[f"{row[0]}-{row[3]}" for row in ASKED_FOR],
)
def test_what_is_asked_for(line: str, stage: str, template: str, path: str, value: Any) -> None:
    for each in ("dev", "production") if stage == "*" else (stage,):
        assert Rendered(template, each).at(path) == value, line


@pytest.mark.parametrize(("line", "name", "metric", "limit"), ALARMS, ids=[one[1] for one in ALARMS])
def test_alarms(line: str, name: str, metric: str, limit: float) -> None:
    alarm = Rendered("observability", "production").at(name)
    assert metric in str(alarm)
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (limit, "GreaterThanThreshold"), line
    assert alarm["AlarmActions"] == ["<AlarmsTopicArn>"]


def test_the_dashboard() -> None:
    """Valid JSON; of functions, gateway, database, proxy, queue and business what requirements name."""
    dashboard = Rendered("dashboard", "production")
    widgets = json.loads(dashboard.at("Dashboard.DashboardBody"))["widgets"]
    shown = {word for widget in widgets for metric in widget["properties"]["metrics"] for word in metric if isinstance(word, str)}
    assert {"Invocations", "Errors", "Duration", "Throttles", "ConcurrentExecutions"} <= shown, "000-82, 001-85"
    assert {"Count", "Latency", "4xx", "5xx"} <= shown, "000-84, 001-87"
    assert {"ServerlessDatabaseCapacity", "ReadIOPS", "WriteIOPS", "DatabaseConnections", "Deadlocks"} <= shown, "000-83, 001-86"
    assert {"OrdersPlaced", "LowStock", "JobsDead"} <= shown, "002-130"


@pytest.mark.parametrize("stage", STAGES)
def test_metrics_are_looked_for_where_a_stage_puts_them(stage: str) -> None:
    """Under a namespace of its own, so that one stage's are not shown or alarmed about as another's; by the names in the code."""
    namespace = of_stage(stage)["aws_environment_variables"]["METRICS_NAMESPACE"].replace("${Stage}", stage)
    assert namespace == f"Quartermaster/{stage}"
    dashboard = json.loads(Rendered("dashboard", stage).at("Dashboard.DashboardBody"))
    shown = [metric for widget in dashboard["widgets"] for metric in widget["properties"]["metrics"]]
    ours = {metric[1] for metric in shown if metric[0].startswith("Quartermaster")}
    assert ours and {metric[0] for metric in shown if metric[0].startswith("Quartermaster")} == {namespace}
    code = [path for app in ("config", "core", "notifications") for path in settings.BASE_DIR.glob(f"{app}/**/*.py")]
    source = "".join(path.read_text() for path in code)
    assert {name for name in ours if f'"{name}"' not in source} == set()
    watched = Rendered("observability", stage)
    assert watched.at("LoggedErrors.Namespace") == namespace
    for lines in ("ApiErrorLines", "WorkerErrorLines"):
        [made] = watched.at(f"{lines}.MetricTransformations")
        assert (made["MetricNamespace"], made["MetricName"]) == (namespace, watched.at("LoggedErrors.MetricName"))


def test_who_reaches_the_database() -> None:
    """002-71, 002-72: Lambda the proxy, the proxy the database, and the database nobody."""
    network = Rendered("network", "production")
    port = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432}
    proxy = network.at("ProxySecurityGroup")
    assert proxy["SecurityGroupIngress"] == [{"SourceSecurityGroupId": "<LambdaSecurityGroup>", **port}]
    assert proxy["SecurityGroupEgress"] == [{"DestinationSecurityGroupId": "<DatabaseSecurityGroup>", **port}]
    into = [one["Properties"] for one in network.resources.values() if one["Type"] == "AWS::EC2::SecurityGroupIngress"]
    assert into == [{"GroupId": "<DatabaseSecurityGroup>", "SourceSecurityGroupId": "<ProxySecurityGroup>", **port}]
    assert "SecurityGroupIngress" not in network.at("DatabaseSecurityGroup")
    assert [rule["CidrIp"] for rule in network.at("DatabaseSecurityGroup.SecurityGroupEgress")] == ["127.0.0.1/32"]
    isolated = [one for one in network.resources.values() if "<IsolatedRoutes>" in str(one) and one["Type"] == "AWS::EC2::Route"]
    assert isolated == [], "the isolated subnets have a way out"


def test_secrets_are_written_as_they_are_read() -> None:
    """The member of the JSON is the variable's name in small letters."""
    secrets = Rendered("secrets", "dev")
    for name in ("SecretKey", "MfaEncryptionKey"):
        made = secrets.at(f"{name}.GenerateSecretString")
        assert made["GenerateStringKey"] == secrets.at(f"{name}.Description").lower()
    assert Rendered("database", "dev").at("AppSecret.GenerateSecretString.GenerateStringKey") == "password"


def test_dev_is_small() -> None:
    """002-120: no gateways, no second instance, no endpoints that cost."""
    made = {*Rendered("network", "dev").resources, *Rendered("database", "dev").resources}
    assert not made & {"NatGatewayA", "NatGatewayB", "SecretsEndpoint", "QueueEndpoint", "SecondInstance", "ReadingEndpoint"}
    assert {"NatMachine", "S3Endpoint", "Writer"} <= made


def test_connections_are_given_up_before_the_proxy_ends_them() -> None:
    lambda_ = (settings.BASE_DIR / "config" / "settings" / "lambda_.py").read_text()
    [seconds] = re.findall(r'"CONN_MAX_AGE"\] = (\d+)', lambda_)
    assert int(seconds) < Rendered("database", "production").at("Proxy.IdleClientTimeout")


def test_what_is_kept_is_not_lost_with_its_stack() -> None:
    kept = {"keys": "Key", "database": "Cluster", "secrets": "SecretKey", "identity": "Pool", "storage": "Attachments"}
    for template, name in kept.items():
        resource = read(template)["Resources"][name]
        assert {resource["DeletionPolicy"], resource["UpdateReplacePolicy"]} <= {"Retain", "Snapshot"}, name


# --- Rights ---


def allowed() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """All that is allowed on a stage with everything: where, the statement, the reasons that the resource gives."""
    for template in STACKS:
        for how in ("REQUIRED", "DISABLED"):
            rendered = Rendered(template, "production", MailDomain="example.com", ProxyIamAuthentication=how)
            for name, statement in statements(rendered.resources):
                if statement["Effect"] == "Allow":
                    yield f"{template}.{name}", statement, rendered.resources[name].get("Metadata", {})


def many(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_no_right_is_wider_than_its_reason() -> None:
    used = set()
    for where, statement, reasons in allowed():
        sid = statement.get("Sid", "")
        if any("*" in action for action in many(statement["Action"])):
            assert reasons.get("EveryAction", {}).get(sid), f"{where}: {statement['Action']} without a reason"
            used.add((where, "EveryAction", sid))
        if "NotResource" in statement or "*" in many(statement.get("Resource", [])):
            assert reasons.get("EveryResource", {}).get(sid), f"{where} {sid}: every resource without a reason"
            used.add((where, "EveryResource", sid))
        assert statement.get("Principal") != "*"
    stated = {
        (where, kind, sid) for where, _, reasons in allowed() for kind in ("EveryAction", "EveryResource")
        for sid in reasons.get(kind, {})
    }  # fmt: skip
    assert stated == used, "a reason for what is no longer so"


def rights(role: str, **said: str) -> list[dict[str, Any]]:
    """Of a function's role, with its managed policies."""
    rendered = Rendered("roles", "production", **said)
    named = {role, *(policy.strip("<>") for policy in rendered.at(f"{role}.ManagedPolicyArns"))}
    return [found for name, found in statements(rendered.resources) if name in named and found["Effect"] == "Allow"]


def on(role: str, action: str, **said: str) -> set[str]:
    wanted = [found for found in rights(role, **said) if action in many(found["Action"])]
    return {resource for found in wanted for resource in many(found.get("Resource", []))}


@pytest.mark.parametrize("role", ["ApiRole", "WorkerRole"])
def test_what_serves_never_is_the_owner(role: str) -> None:
    """002-48: it signs in as its own two roles, by tokens, and reads their passwords only where the proxy takes no tokens."""
    keys, passwords = {"<SecretKeyArn>", "<MfaEncryptionKeyArn>"}, {"<AppSecretArn>", "<WorkerSecretArn>"}
    assert {name.rpartition("_")[2] for name in on(role, "rds-db:connect")} == {"app", "worker"}
    assert on(role, "secretsmanager:GetSecretValue") == keys
    assert on(role, "secretsmanager:GetSecretValue", ProxyIamAuthentication="DISABLED") == keys | passwords
    assert not on(role, "rds-db:connect", ProxyIamAuthentication="DISABLED")


def test_files_of_nobody_else() -> None:
    """000-23."""
    for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
        assert on("ApiRole", action) == {"arn:aws:s3:::<PrivateBucket>/*"}
    assert not [found for found in rights("MigrateRole") if any(action.startswith("s3:") for action in many(found["Action"]))]


def test_the_api_only_rings_and_the_worker_listens() -> None:
    assert on("ApiRole", "sqs:SendMessage") == on("WorkerRole", "sqs:ReceiveMessage") == {"<JobsQueueArn>"}
    assert not on("ApiRole", "sqs:ReceiveMessage")
    assert not on("ApiRole", "events:PutEvents")
    assert on("WorkerRole", "events:PutEvents") == {"<BusArn>"}


def test_who_releases_gives_functions_no_other_role() -> None:
    passed = [found for _, found in statements(Rendered("deployer", "dev").resources) if "iam:PassRole" in many(found["Action"])]
    assert [found["Resource"] for found in passed] == [["<ApiRoleArn>", "<WorkerRoleArn>", "<MigrateRoleArn>"]]
