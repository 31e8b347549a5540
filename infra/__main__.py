"""`python -m infra deploy|rollback|manage|undeploy --stage dev`: brings a stage to AWS, back to what it was, and away."""

import argparse
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from infra import releasing
from infra.aws import Aws, Failed, Refused, reason
from infra.package import build
from infra.problems import PackageProblem
from infra.settings import of_stage
from infra.stacks import OPTIONAL, STAGES
from infra.steps import STEPS, Deployment

WORK = Path(__file__).resolve().parents[1] / ".cache" / "deploy"


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra", description="Brings a stage to AWS.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--stage", required=True, choices=STAGES)
    dry = argparse.ArgumentParser(add_help=False)
    dry.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    asks = argparse.ArgumentParser(add_help=False)
    asks.add_argument("--address", default="", help="where the smoke test asks, if not where the API is")
    alone = argparse.ArgumentParser(add_help=False)
    alone.add_argument("--break-lock", action="store_true", help="whoever was busy with the stage broke off")
    deploy = verbs.add_parser("deploy", parents=[common, dry, asks, alone], help="all steps, or those from one on")
    deploy.add_argument("--from", dest="first", default=STEPS[0].name, choices=[step.name for step in STEPS])
    deploy.add_argument("--with", dest="optional", action="append", default=[], choices=[stack.template for stack in OPTIONAL])
    deploy.add_argument("--without-stacks", action="store_true", help="a release alone, for who may not change stacks")
    rollback = verbs.add_parser("rollback", parents=[common, dry, asks, alone], help="the code of before, on the schema of now")
    rollback.add_argument("--to", default="", help="a release, by the first digits of its package's hash")
    manage = verbs.add_parser("manage", parents=[common], help="a command of manage.py, on the stage")
    manage.add_argument("command", nargs=argparse.REMAINDER, help="such as verify, or unlock EMAIL")
    undeploy = verbs.add_parser("undeploy", parents=[common, dry, alone], help="takes the functions and the API away")
    undeploy.add_argument("--yes", action="store_true", help="do not ask")
    undeploy.add_argument("--with-stacks", action="store_true", help="and all else, the database with a last snapshot")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = parsed(arguments)
    deployment = Deployment(
        stage=options.stage, aws=Aws(of_stage(options.stage)["aws_region"]), folder=WORK / options.stage, build=build,
        say=lambda line: print(f"  {line}", flush=True),
        address=getattr(options, "address", ""), optional=tuple(getattr(options, "optional", ())),
    )  # fmt: skip
    try:
        getattr(releasing, options.verb)(deployment, options)
    except (Refused, PackageProblem) as problem:
        print(problem, file=sys.stderr)
        return 2
    except Failed as problem:
        print(problem, file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as error:
        print(f"AWS refused: {reason(error)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
