"""The stacks of production, made one after the other by moto's CloudFormation, as far as it goes."""

import json
import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.cloudformation.parsing import get_model_map

from infra.stacks import AFTER_RELEASE, BEFORE_RELEASE, CAPABILITIES, stack_name
from tests.deploy.cloudformation import STACKS, read
from tests.moto_server import moto_server

STAGE = "production"
# What moto does not know, and makes nothing of. Its cluster and its secrets it knows, though not as resources of a stack.
UNKNOWN = {
    "AWS::ApiGatewayV2::ApiMapping", "AWS::ApiGatewayV2::DomainName", "AWS::Budgets::Budget",
    "AWS::CertificateManager::Certificate", "AWS::CloudFront::Distribution", "AWS::CloudFront::OriginAccessControl",
    "AWS::CloudTrail::Trail", "AWS::CloudWatch::Alarm", "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient",
    "AWS::Logs::MetricFilter", "AWS::Logs::QueryDefinition", "AWS::RDS::DBCluster", "AWS::RDS::DBClusterParameterGroup",
    "AWS::RDS::DBProxy", "AWS::RDS::DBProxyEndpoint", "AWS::RDS::DBProxyTargetGroup", "AWS::S3::BucketPolicy",
    "AWS::SES::EmailIdentity", "AWS::SNS::Subscription", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy",
    "AWS::SecretsManager::RotationSchedule", "AWS::SecretsManager::Secret", "AWS::SecretsManager::SecretTargetAttachment",
    "AWS::WAFv2::WebACL",
}  # fmt: skip
WITHOUT_ITS_CLUSTER = {"AWS::RDS::DBInstance"}
ABSENT = "arn:aws:absent:eu-west-1:123456789012:x:absent"  # what would have come of these
IN_BRACES = re.compile(r"\$\{(\w+)[\w.]*\}")


def without(value: Any, gone: set[str]) -> Any:
    """The template without these resources, and with something that stands for what they would give."""
    if isinstance(value, list):
        return [without(item, gone) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("Ref") in gone or value.get("Fn::GetAtt", [""])[0] in gone:
        return ABSENT
    if isinstance(text := value.get("Fn::Sub"), str):
        return {"Fn::Sub": IN_BRACES.sub(lambda found: ABSENT if found[1] in gone else found[0], text)}
    return {name: without(item, gone) for name, item in value.items() if not (name == "DependsOn" and item in gone)}


def reduced(template: str) -> dict[str, Any]:
    source = read(template)
    gone = {name for name, found in source["Resources"].items() if found["Type"] in UNKNOWN | WITHOUT_ITS_CLUSTER}
    kept = {name: found for name, found in source["Resources"].items() if name not in gone}
    return dict(without({**source, "Resources": kept}, gone))


@pytest.fixture(scope="module")
def aws() -> Iterator[Any]:
    """Makes a client of what the stacks have made."""
    with moto_server() as address:

        def client(service: str) -> Any:
            return boto3.client(
                service, region_name="eu-west-1", endpoint_url=address, aws_access_key_id="x", aws_secret_access_key="x",
            )

        yield client


@pytest.fixture(scope="module")
def known(aws: Any) -> dict[str, str]:
    """What the stacks gave."""
    client, known = aws("cloudformation"), {"Stage": STAGE, "ApiId": "a1b2c3d4e5", "MailDomain": "example.com"}
    for stack in (*BEFORE_RELEASE, *AFTER_RELEASE):
        template, name = reduced(stack.template), stack_name(STAGE, stack.template)
        known |= dict.fromkeys(template.get("Outputs", {}), ABSENT)
        if not template["Resources"]:
            continue
        values = {**known, **stack.parameters.get(STAGE, {})}
        client.create_stack(
            StackName=name, TemplateBody=json.dumps(template), Capabilities=list(CAPABILITIES),
            Parameters=[
                {"ParameterKey": one, "ParameterValue": values[one]} for one in template["Parameters"] if one in values
            ],
        )  # fmt: skip
        [made] = client.describe_stacks(StackName=name)["Stacks"]
        assert made["StackStatus"] == "CREATE_COMPLETE"
        known |= {output["OutputKey"]: output["OutputValue"] for output in made.get("Outputs", [])}
    return known


def test_what_moto_does_not_know(aws: Any) -> None:
    types = {found["Type"] for template in STACKS for found in read(template)["Resources"].values()}
    assert types - set(get_model_map()) == UNKNOWN


def test_the_network(aws: Any, known: dict[str, str]) -> None:
    ec2 = aws("ec2")
    private = ec2.describe_subnets(SubnetIds=known["PrivateSubnetIds"].split(","))["Subnets"]
    assert {subnet["CidrBlock"] for subnet in private} == {"10.0.3.0/24", "10.0.4.0/24"}
    assert len({subnet["AvailabilityZone"] for subnet in private}) == 2
    [proxy] = ec2.describe_security_groups(GroupIds=[known["ProxySecurityGroupId"]])["SecurityGroups"]
    [rule] = proxy["IpPermissions"]
    assert [pair["GroupId"] for pair in rule["UserIdGroupPairs"]] == [known["LambdaSecurityGroupId"]]
    assert (rule["FromPort"], rule["ToPort"]) == (5432, 5432)
    gateways = ec2.describe_nat_gateways(Filter=[{"Name": "vpc-id", "Values": [known["VpcId"]]}])["NatGateways"]
    assert len(gateways) == 2


def test_messages_that_fail_are_kept_apart(aws: Any, known: dict[str, str]) -> None:
    queue = aws("sqs").get_queue_attributes(QueueUrl=known["JobsQueueUrl"], AttributeNames=["All"])["Attributes"]
    policy = json.loads(queue["RedrivePolicy"])
    assert policy["deadLetterTargetArn"].endswith("-jobs-dead")
    assert int(policy["maxReceiveCount"]) == 5


def test_the_bus_tells_the_topic_that_stock_is_low(aws: Any, known: dict[str, str]) -> None:
    """By a queue in the topic's place: moto's bus does not reach topics."""
    events, sqs, bus = aws("events"), aws("sqs"), known["BusName"]
    [rule] = events.list_rules(EventBusName=bus)["Rules"]
    [target] = events.list_targets_by_rule(EventBusName=bus, Rule=rule["Name"])["Targets"]
    assert target["Arn"] == known["RemindersTopicArn"]
    queue = sqs.create_queue(QueueName="listener")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_targets(EventBusName=bus, Rule=rule["Name"], Targets=[{"Id": target["Id"], "Arn": arn}])
    for kind in ("stock.low", "stock.posted"):
        event = {"Source": "quartermaster", "DetailType": kind, "Detail": "{}", "EventBusName": bus}
        assert events.put_events(Entries=[event])["FailedEntryCount"] == 0
    [told] = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert json.loads(told["Body"])["detail-type"] == "stock.low"


def test_buckets_are_encrypted_by_the_key_of_the_stage(aws: Any, known: dict[str, str]) -> None:
    s3, bucket = aws("s3"), known["PrivateBucket"]
    assert bucket == "quartermaster-production-storage-attachments-123456789012"
    [rule] = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": known["KeyArn"]}


def test_functions_have_their_roles(aws: Any, known: dict[str, str]) -> None:
    iam = aws("iam")
    for kind in ("Api", "Worker", "Migrate"):
        assert iam.get_role(RoleName=known[f"{kind}RoleName"])["Role"]["Arn"] == known[f"{kind}RoleArn"]
    document = iam.get_role_policy(RoleName=known["WorkerRoleName"], PolicyName="worker")["PolicyDocument"]
    assert known["JobsQueueArn"] in str(document)


def test_logs_are_kept_for_two_weeks(aws: Any, known: dict[str, str]) -> None:
    groups = aws("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/quartermaster-production")["logGroups"]
    assert {group["retentionInDays"] for group in groups} == {14}
    assert known["ApiLogGroup"] in {group["logGroupName"] for group in groups}
