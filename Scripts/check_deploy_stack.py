"""Deploys the template to the emulator, and compares what is there with what the program wants; see Scripts/check_deploy.py.

    check_deploy_stack.py PROGRAM

Two accounts of one emulator are compared: in one `sluice tables create` has made everything, in the other CloudFormation.
"""

import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

import boto3
from botocore.config import Config
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

SCRIPTS = pathlib.Path(__file__).resolve().parent
TEMPLATE = SCRIPTS.parent / "Deploy" / "template.yaml"
REGION = "us-east-1"
PREFIX = "sluice-check-"
# An access key of twelve digits is an account of its own there.
MADE, DEPLOYED = "100000000001", "100000000002"
CODE_BUCKET = "sluice-check-code"
PARAMETERS = {
    "Prefix": PREFIX, "EcommerceUrl": "ecommerce+https://ecommerce.example/api/v1", "EksClusterName": "check",
    "ExtractionImage": "registry.example/sluice:check", "ManageClusterAccess": "false",
}
# The stack's own, for launches that fail; the program has no such queue.
OWN_QUEUES = {"extraction-dead-letters"}
# What only sluice-lambda reads, beside the settings of every program.
FUNCTIONS_OWN = re.compile(r"SLUICE_(KUBERNETES_\w+|\w+_SECRET)")


def client(service, url, account):
    return boto3.client(
        service, endpoint_url=url, region_name=REGION, aws_access_key_id=account, aws_secret_access_key="check",
        config=Config(retries={"total_max_attempts": 2}),
    )


def run(program, url, account, bucket, *arguments):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SLUICE_"))}
    environment |= {
        "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": "check", "AWS_REGION": REGION,
        "SLUICE_BACKEND": "aws", "SLUICE_AWS_PREFIX": PREFIX, "SLUICE_AWS_BUCKET": bucket,
    }
    return subprocess.run([program, *arguments], env=environment, capture_output=True, text=True)


def transformed(parameters):
    """The template as CloudFormation gets it once SAM's transform is done."""
    template = yaml_parse(TEMPLATE.read_text())
    template["Globals"]["Function"]["CodeUri"] = f"s3://{CODE_BUCKET}/function.zip"
    session = boto3.Session(region_name=REGION)
    result = Translator({}, Parser(), boto_session=session).translate(template, dict(parameters))
    defaults = {name: parameter["Default"] for name, parameter in result["Parameters"].items() if "Default" in parameter}
    result["Resources"] = typed(result["Resources"], defaults, result["Mappings"], int)
    return result


def typed(node, defaults, mappings, kind):
    """Numbers where a property is one, texts in an environment; CloudFormation sees to that itself, the emulator does not."""
    match node:
        case {"Ref": str(name)} if str(defaults.get(name, "")).isdigit():
            return kind(defaults[name])
        case {"Fn::FindInMap": [table, {"Ref": name}, entry]}:
            return kind(mappings[table][defaults[name]][entry])
        case dict():
            return {key: typed(part, defaults, mappings, str if key == "Variables" else kind) for key, part in node.items()}
        case list():
            return [typed(part, defaults, mappings, kind) for part in node]
    return node


def archive(script):
    """A function's zip whose program is a shell script."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o100755 << 16
        opened.writestr(entry, script)
    return packed.getvalue()


def deploy(url, account, parameters, script):
    """Makes the stack; the bucket's name."""
    s3 = client("s3", url, account)
    s3.create_bucket(Bucket=CODE_BUCKET)
    s3.put_object(Bucket=CODE_BUCKET, Key="function.zip", Body=archive(script))
    stacks = client("cloudformation", url, account)
    # JSON is YAML to CloudFormation, and has no tags that could be lost on the way. A call takes no template of this size.
    s3.put_object(Bucket=CODE_BUCKET, Key="template.json", Body=json.dumps(transformed(parameters)).encode())
    stacks.create_stack(
        StackName="check", TemplateURL=f"{url}/{CODE_BUCKET}/template.json", Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
    stacks.get_waiter("stack_create_complete").wait(StackName="check", WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    outputs = stacks.describe_stacks(StackName="check")["Stacks"][0]["Outputs"]
    bucket = next(output["OutputValue"] for output in outputs if output["OutputKey"] == "BucketName")
    # What the emulator's CloudFormation passes over is told to the services themselves, as the template has it.
    resources = yaml_parse(TEMPLATE.read_text())["Resources"]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules(resources["Bucket"])})
    for name, specification in expiries(resources, parameters["Prefix"]).items():
        client("dynamodb", url, account).update_time_to_live(TableName=name, TimeToLiveSpecification=specification)
    return bucket


def expiries(resources, prefix):
    tables = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::DynamoDB::Table"]
    return {
        table["TableName"]["Fn::Sub"].replace("${Prefix}", prefix): table["TimeToLiveSpecification"]
        for table in tables if "TimeToLiveSpecification" in table
    }


def rules(bucket):
    return [
        {"ID": rule["Id"], "Filter": {"Prefix": rule["Prefix"]}}
        | {name: rule[name] for name in ("Status", "AbortIncompleteMultipartUpload")}
        for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    ]


def keys(schema):
    return [(key["AttributeName"], key["KeyType"]) for key in schema]


def tables(url, account):
    dynamodb, found = client("dynamodb", url, account), {}
    for name in dynamodb.list_tables()["TableNames"]:
        table = dynamodb.describe_table(TableName=name)["Table"]
        ttl = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        found[name] = {
            "keys": keys(table["KeySchema"]),
            "attributes": sorted((one["AttributeName"], one["AttributeType"]) for one in table["AttributeDefinitions"]),
            "indexes": sorted(
                (index["IndexName"], keys(index["KeySchema"]), index["Projection"]["ProjectionType"])
                for index in table.get("GlobalSecondaryIndexes", [])
            ),
            "stream": table.get("StreamSpecification", {}).get("StreamViewType"),
            "ttl": ttl.get("AttributeName") if ttl["TimeToLiveStatus"] in ("ENABLED", "ENABLING") else None,
            "billing": table.get("BillingModeSummary", {}).get("BillingMode"),
        }
    return found


def queues(url, account):
    sqs, found = client("sqs", url, account), {}
    for queue in sqs.list_queues().get("QueueUrls", []):
        attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        redrive = json.loads(attributes.get("RedrivePolicy", "{}"))
        found[queue.rpartition("/")[2]] = {
            "retention": int(attributes["MessageRetentionPeriod"]),
            "dead letters": redrive.get("deadLetterTargetArn", "").rpartition(":")[2],
            "receives": int(redrive.get("maxReceiveCount", 0)),
        }
    return found


def lifecycle(url, account, bucket):
    found = client("s3", url, account).get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    return [(rule["ID"], rule["Status"], rule.get("AbortIncompleteMultipartUpload"), rule.get("Expiration")) for rule in found]


def compare(kind, wanted, found, problems):
    for name in sorted(wanted.keys() | found.keys()):
        if name not in found:
            problems.append(f"the template has no {kind} {name}")
        elif name not in wanted:
            problems.append(f"the program has no {kind} {name}, and the template has")
        elif wanted[name] != found[name]:
            problems.append(f"the {kind} {name} is {found[name]}, and `sluice tables create` makes {wanted[name]}")


def known(program, url, problems):
    """Every variable that the template sets is a setting, and what it sets by default is what the program has by default."""
    shown = run(program, url, MADE, "check", "config", "show", "--format", "json")
    settings = {entry["environment"]: entry for entry in json.loads(shown.stdout)}
    template = yaml_parse(TEMPLATE.read_text())
    parameters = template["Parameters"]
    blocks = [template["Globals"]["Function"]] + [
        resource["Properties"] for resource in template["Resources"].values() if resource["Type"] == "AWS::Serverless::Function"
    ]
    for block in blocks:
        for name in block["Environment"]["Variables"]:
            if name not in settings and not FUNCTIONS_OWN.fullmatch(name):
                problems.append(f"the template sets {name}, which is no setting; `sluice config show` lists all")
    by_key = {entry["key"]: entry for entry in settings.values()}
    for name, parameter in parameters.items():
        if match := re.search(r"the setting ([a-z.-]+[a-z])", parameter.get("Description", ""), re.IGNORECASE):
            setting = by_key.get(match.group(1))
            if setting is None:
                problems.append(f"the parameter {name} speaks of {match.group(1)}, which is no setting")
            elif "Default" in parameter and str(parameter["Default"]) != str(setting["default"]):
                problems.append(f"the parameter {name} is {parameter['Default']}, and the program has {setting['default']}")


def check(program, url):
    problems = []
    bucket = f"{PREFIX}made"
    made = run(program, url, MADE, bucket, "tables", "create")
    if made.returncode != 0:
        sys.exit(f"check_deploy: sluice tables create: {made.stderr.strip()}")
    deployed_bucket = deploy(url, DEPLOYED, PARAMETERS, "#!/bin/sh\nexit 1\n")
    compare("table", tables(url, MADE), tables(url, DEPLOYED), problems)
    deployed = queues(url, DEPLOYED)
    for name in OWN_QUEUES:
        if deployed.pop(PREFIX + name, None) is None:
            problems.append(f"the template has no queue {PREFIX}{name}")
    compare("queue", queues(url, MADE), deployed, problems)
    wanted, found = lifecycle(url, MADE, bucket), lifecycle(url, DEPLOYED, deployed_bucket)
    if wanted != found:
        problems.append(f"the bucket's rules are {found}, and `sluice tables create` makes {wanted}")
    known(program, url, problems)
    doctor = run(program, url, DEPLOYED, deployed_bucket, "doctor")
    if doctor.returncode != 0:
        problems.append(f"sluice doctor: {doctor.stdout}{doctor.stderr}")
    for problem in problems:
        print(f"check_deploy: {problem}", file=sys.stderr)
    if problems:
        sys.exit(1)
    print(f"check_deploy: the template makes what {len(tables(url, MADE))} tables and {len(deployed)} queues want to be")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryFile("w+") as log:
        emulator = subprocess.Popen([SCRIPTS / "emulator.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            url = emulator.stdout.readline().strip()
            if not url:
                log.seek(0)
                sys.exit(f"check_deploy: the emulator did not start: {log.read().strip()}")
            check(pathlib.Path(sys.argv[1]).resolve(), url)
        finally:
            # It ends with its standard input.
            emulator.stdin.close()
            emulator.wait()


if __name__ == "__main__":
    main()
