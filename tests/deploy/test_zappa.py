"""The deploy command and Zappa's own command line, against AWS as moto plays it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings

from infra import functions, steps
from infra.aws import Refused
from infra.settings import API, KINDS, MIGRATE, WORKER, function_name, of_stage
from infra.stacks import AFTER_RELEASE, BEFORE_RELEASE, stack_name
from tests.deploy.emulator import emulator
from tests.deploy.stage import Stage, stage


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with emulator() as aws, stage(aws, tmp_path_factory.mktemp("stage")) as found:
        yield found


def test_a_stage_is_deployed_updated_rolled_back_and_taken_away(dev: Stage) -> None:
    """One story, since Zappa takes its time."""
    dev.deploy("one", dry_run=True)
    assert dev.client("cloudformation").list_stacks()["StackSummaries"] == [], "nothing is done"
    with pytest.raises(Refused, match="nothing is deployed"):
        dev.rollback()

    dev.make_function("quartermaster-dev")  # as a deployment does that breaks off before Zappa has made the API
    dev.deploy("one")
    assert_stacks(dev)
    for kind in KINDS:
        assert_function(dev, kind)
    assert_api(dev)
    assert_events(dev)
    assert_static_files(dev)
    migrating, working = function_name("dev", MIGRATE), function_name("dev", WORKER)
    assert dev.emulator.invoked == [
        (migrating, {"manage": "setup_database"}), (migrating, {"manage": "migrate"}),
        (working, {"command": "notifications.aws.sweep"}),
    ]  # fmt: skip
    assert dev.said.index("manage.py migrate") < dev.said.index("zappa deploy dev_worker") < dev.said.index("zappa deploy dev")
    first = functions.released(dev.aws, "dev")
    with pytest.raises(Refused, match="There is no release before"):
        dev.rollback()

    functions.zappa(dev.aws, dev.deployment().settings, "schedule", "dev_worker")
    assert_events(dev)

    second = release_badly(dev)
    assert functions.releases(dev.aws, "dev") == [first, second]
    dev.rollback(dry_run=True)
    assert functions.released(dev.aws, "dev") == second
    dev.rollback()
    assert functions.released(dev.aws, "dev") == first
    assert dev.said.index("zappa update dev_worker") < dev.said.index("zappa update dev")
    for kind in (WORKER, API):
        assert_function(dev, kind)
    assert_api(dev)
    assert_events(dev)

    dev.undeploy(with_stacks=True)
    assert dev.client("lambda").list_functions()["Functions"] == []
    assert dev.client("apigatewayv2").get_apis()["Items"] == []
    assert dev.client("events").list_rules()["Rules"] == []
    assert dev.client("lambda").list_event_source_mappings()["EventSourceMappings"] == []
    assert dev.client("cloudformation").describe_stacks()["Stacks"] == []


def assert_stacks(dev: Stage) -> None:
    found = {stack["StackName"]: stack for stack in dev.client("cloudformation").describe_stacks()["Stacks"]}
    for template in (*BEFORE_RELEASE, *AFTER_RELEASE):
        described = found[stack_name("dev", template.template)]
        assert {tag["Key"]: tag["Value"] for tag in described["Tags"]} == {"Project": "quartermaster", "Stage": "dev"}
    roles = {said["ParameterKey"]: said["ParameterValue"] for said in found["quartermaster-dev-roles"]["Parameters"]}
    storage = {said["OutputKey"]: said["OutputValue"] for said in found["quartermaster-dev-storage"]["Outputs"]}
    assert roles["PrivateBucket"] == storage["PrivateBucket"], "an output of one stack is a parameter of a later one"


def assert_function(dev: Stage, kind: str) -> None:
    client, name, wanted = dev.client("lambda"), function_name("dev", kind), of_stage(f"dev{kind}")
    found = client.get_function(FunctionName=name)
    configuration = found["Configuration"]
    role = {API: "ApiRoleArn", WORKER: "WorkerRoleArn", MIGRATE: "MigrateRoleArn"}[kind]
    assert configuration["Role"] == dev.deployment().outputs[role]
    assert configuration["Handler"] == "config.on_lambda.lambda_handler"
    assert (configuration["Timeout"], configuration["MemorySize"]) == (wanted["timeout_seconds"], wanted["memory_size"])
    assert configuration["Architectures"] == ["arm64"]
    assert configuration["VpcConfig"]["SubnetIds"] == ["subnet-1", "subnet-2"]
    assert found["Tags"] == {"Project": "quartermaster", "Stage": "dev"}
    assert client.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == wanted["lambda_concurrency"]
    variables = configuration["Environment"]["Variables"]
    assert variables["FILES_BUCKET"] == dev.deployment().outputs["PrivateBucket"]
    assert variables["PUBLIC_URL"] == dev.deployment().api_address, "mailed links lead to the API, which was made last"
    reader = "postgres://readingendpoint:5432/quartermaster" if kind == API else None
    assert variables.get("READER_DATABASE_URL") == reader, "who answers reports reads them there"
    assert variables["CORS_ALLOWED_ORIGINS"] == "https://app.example.com"
    assert "FORGOTTEN" not in variables, "a variable that the settings have no longer is gone"


def assert_api(dev: Stage) -> None:
    client = dev.client("apigatewayv2")
    [api] = client.get_apis()["Items"]
    assert (api["Name"], api["ProtocolType"]) == ("quartermaster-dev", "HTTP")
    assert api["CorsConfiguration"]["AllowOrigins"] == ["https://app.example.com"]
    assert {name.lower() for name in api["CorsConfiguration"]["AllowHeaders"]} == set(settings.CORS_ALLOW_HEADERS)
    [route] = client.get_routes(ApiId=api["ApiId"])["Items"]
    assert route["RouteKey"] == "$default"
    [found] = client.get_stages(ApiId=api["ApiId"])["Items"]
    assert found["StageName"] == "dev"
    assert found["DefaultRouteSettings"]["ThrottlingRateLimit"] == 100
    assert found["AccessLogSettings"]["DestinationArn"] == dev.deployment().outputs["AccessLogArn"]
    assert "query" not in found["AccessLogSettings"]["Format"].lower()


def assert_events(dev: Stage) -> None:
    rules = {rule["Name"]: rule["ScheduleExpression"] for rule in dev.client("events").list_rules()["Rules"]}
    assert rules == {
        "quartermaster-dev-worker-notifications.aws.clock": "rate(1 minute)",
        "quartermaster-dev-zappa-keep-warm-handler.keep_warm_callback": "rate(4 minutes)",
    }
    [mapping] = dev.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert mapping["EventSourceArn"] == dev.deployment().outputs["JobsQueueArn"]
    assert mapping["FunctionArn"].endswith(":quartermaster-dev-worker")
    assert (mapping["BatchSize"], mapping["State"]) == (10, "Enabled")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 3}
    again = dev.client("lambda").get_function_event_invoke_config(FunctionName="quartermaster-dev-worker")
    assert again["MaximumRetryAttempts"] == 0


def assert_static_files(dev: Stage) -> None:
    bucket = dev.deployment().outputs["StaticBucket"]
    [file] = dev.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    found = dev.client("s3").get_object(Bucket=bucket, Key=file["Key"])
    assert (file["Key"], found["ContentType"]) == ("a.1234.css", "text/css")
    assert "immutable" in found["CacheControl"]


def release_badly(dev: Stage) -> str:
    """Another release, and with it what Zappa would keep, wipe or not see. The release's name."""
    deployment = dev.deployment("two")
    steps.package(deployment)
    release, client = steps.built(deployment), dev.client("lambda")
    for kind in (WORKER, API):
        client.update_function_code(
            FunctionName=function_name("dev", kind), S3Bucket=deployment.output("PackagesBucket"), S3Key=steps.key_of(release),
            Publish=True,
        )  # fmt: skip
    found = client.get_function(FunctionName=function_name("dev", WORKER))["Configuration"]
    variables: dict[str, Any] = {**found["Environment"]["Variables"], "FORGOTTEN": "yes"}
    client.update_function_configuration(FunctionName=found["FunctionName"], Environment={"Variables": variables})
    client.tag_resource(Resource=found["FunctionArn"], Tags={"Former": "yes"})
    [mapping] = client.list_event_source_mappings()["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], FunctionResponseTypes=[], ScalingConfig={"MaximumConcurrency": 9})
    queue = dev.client("sqs").create_queue(QueueName="former", Attributes={"VisibilityTimeout": "900"})["QueueUrl"]
    arn = dev.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client.create_event_source_mapping(FunctionName=found["FunctionArn"], EventSourceArn=arn)
    return release
