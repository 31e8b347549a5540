"""What Zappa calls when it has deployed or updated a function: what it cannot set, forgets, or fails at without a word.

`zappa schedule` alone does not call it, and leaves all of this as it was.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

STANDING_READY_ALIAS = "provisioned-concurrency"  # as Zappa calls it
ACCESS_LOG = {  # JSON, as the program's own log; no query, which may hold an address or a token
    "requestId": "$context.requestId", "time": "$context.requestTime", "ip": "$context.identity.sourceIp",
    "method": "$context.httpMethod", "path": "$context.path", "status": "$context.status", "ms": "$context.responseLatency",
    "bytes": "$context.responseLength", "agent": "$context.identity.userAgent", "error": "$context.integrationErrorMessage",
}
FAILED_AGAIN = {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}  # the next minute's tick does what this one has not


class Incomplete(RuntimeError):
    """Zappa says that it has done it, and it has not."""


def complete(cli: Any) -> None:
    """Raises Incomplete."""
    path = Path(cli.vargs.get("settings_file") or "zappa_settings.json")
    settings = json.loads(path.read_text())[cli.api_stage]
    client = cli.zappa.boto_session.client("lambda")
    client.get_waiter("function_updated_v2").wait(FunctionName=cli.lambda_name)  # Zappa does not wait for its own update
    arn = client.get_function_configuration(FunctionName=cli.lambda_name)["FunctionArn"]
    set_environment(client, cli.lambda_name, settings["aws_environment_variables"])
    _set_tags(client, arn, settings["tags"])
    if not settings.get("provisioned_concurrency"):
        _stop_standing_ready(client, cli.lambda_name)
    events = settings.get("events", [])
    _set_queues(client, arn, [event["event_source"] for event in events if "event_source" in event])
    if events:
        client.put_function_event_invoke_config(FunctionName=cli.lambda_name, **FAILED_AGAIN)
    rules = cli.zappa.boto_session.client("events")
    if not settings.get("keep_warm"):
        _stop_keeping_warm(rules, arn)
    scheduled = [event["function"] for event in events if "expression" in event]
    _check_rules(rules, arn, scheduled)
    if cli.use_apigateway:
        api = cli.zappa.get_api_id(cli.lambda_name, apigateway_version="v2")
        _set_gateway(cli.zappa.boto_session.client("apigatewayv2"), api, cli.api_stage, settings["gateway"])


def set_environment(client: Any, name: str, variables: Mapping[str, str]) -> None:
    """These and no others: Zappa keeps what a function once had."""
    found = client.get_function_configuration(FunctionName=name).get("Environment", {}).get("Variables", {})
    if found != variables:
        client.update_function_configuration(FunctionName=name, Environment={"Variables": dict(variables)})
        client.get_waiter("function_updated_v2").wait(FunctionName=name)


def _set_tags(client: Any, arn: str, tags: Mapping[str, str]) -> None:
    found = client.list_tags(Resource=arn)["Tags"]
    if former := [name for name in found if name not in tags and not name.startswith("aws:")]:
        client.untag_resource(Resource=arn, TagKeys=former)


def _stop_standing_ready(client: Any, name: str) -> None:
    """What once stood ready would cost money on, and no traffic goes there."""
    found = client.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]
    for version in [one["FunctionArn"].rpartition(":")[2] for one in found]:
        client.delete_provisioned_concurrency_config(FunctionName=name, Qualifier=version)
    if found:
        client.delete_alias(FunctionName=name, Name=STANDING_READY_ALIAS)


def _stop_keeping_warm(client: Any, arn: str) -> None:
    for rule in client.list_rule_names_by_target(TargetArn=arn)["RuleNames"]:
        if rule.endswith("keep_warm_callback"):
            targets = client.list_targets_by_rule(Rule=rule)["Targets"]
            client.remove_targets(Rule=rule, Ids=[target["Id"] for target in targets])
            client.delete_rule(Name=rule)


def _set_queues(client: Any, arn: str, sources: list[Mapping[str, Any]]) -> None:
    """A message that failed comes again alone, and a full queue leaves room for the clock."""
    wanted = {source["arn"]: source for source in sources}
    there = {mapping["EventSourceArn"]: mapping for mapping in _mappings(client, arn)}
    if missing := wanted.keys() - there.keys():
        raise Incomplete(f"{arn} does not get the messages of {', '.join(missing)}: may its role receive them?")
    for source_arn, mapping in there.items():
        _wait_for(client, mapping["UUID"])
        if source_arn not in wanted:
            client.delete_event_source_mapping(UUID=mapping["UUID"])
            continue
        client.update_event_source_mapping(
            UUID=mapping["UUID"], FunctionResponseTypes=["ReportBatchItemFailures"],
            ScalingConfig={"MaximumConcurrency": wanted[source_arn]["maximum_concurrency"]},
        )  # fmt: skip


def _mappings(client: Any, arn: str) -> list[Any]:
    pages = client.get_paginator("list_event_source_mappings").paginate(FunctionName=arn)
    return [mapping for page in pages for mapping in page["EventSourceMappings"]]


def _set_gateway(client: Any, api: str, stage: str, gateway: Mapping[str, Any]) -> None:
    """What is too much is answered with 429, before it costs a function or a connection; and each request leaves a line."""
    client.update_stage(
        ApiId=api, StageName=stage,
        AccessLogSettings={"DestinationArn": gateway["access_log_arn"], "Format": json.dumps(ACCESS_LOG)},
        DefaultRouteSettings={
            "ThrottlingRateLimit": gateway["requests_per_second"], "ThrottlingBurstLimit": gateway["burst"],
            "DetailedMetricsEnabled": True,
        },
    )  # fmt: skip


def _wait_for(client: Any, mapping: str) -> None:
    """AWS changes no mapping that it is still making or changing."""
    for _ in range(60):
        if client.get_event_source_mapping(UUID=mapping)["State"] in ("Enabled", "Disabled"):
            return
        time.sleep(2)
    raise Incomplete(f"AWS is still busy with the mapping {mapping}, after two minutes.")


def _check_rules(client: Any, arn: str, functions: list[str]) -> None:
    for _ in range(10):  # what was written a moment ago may not be seen at once
        rules = client.list_rule_names_by_target(TargetArn=arn)["RuleNames"]
        missing = [function for function in functions if not any(rule.endswith(f"-{function}") for rule in rules)]
        if not missing:
            return
        time.sleep(2)
    raise Incomplete(f"{arn} has no schedule for {', '.join(missing)}: may this account put rules on EventBridge?")
