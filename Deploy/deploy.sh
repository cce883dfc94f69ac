#!/usr/bin/env bash
# Deploys the functions and what they need, to staging unless another environment is named.
# SLUICE_PARAMETERS holds what is an account's own, as the template's parameters: at least
#   SLUICE_PARAMETERS="EcommerceUrl=… EksClusterName=… ExtractionImage=…"
# SLUICE_ZIP names a zip to deploy; without it the zip is built from this checkout.
# Usage: Deploy/deploy.sh [staging|preprod|production] [OPTION-OF-SAM-DEPLOY...]
set -euo pipefail
export SAM_CLI_TELEMETRY=0

environment=${1:-staging}
shift || true
cd "$(dirname "$(realpath "$0")")"

fail() {
    echo "deploy: $1" >&2
    exit 1
}

case $environment in
    staging | preprod | production) ;;
    *) fail "$environment is no environment; name staging, preprod or production" ;;
esac
for tool in sam aws python3 make; do
    command -v "$tool" >/dev/null || fail "there is no $tool here; pip install --requirement Scripts/deploy-requirements.txt brings sam, and awscli aws"
done
# A variable of a workflow may well have several lines.
read -r -d '' -a parameters <<<"${SLUICE_PARAMETERS:-}" || true
for parameter in "${parameters[@]}"; do
    [[ $parameter == ?*=* ]] || fail "SLUICE_PARAMETERS holds $parameter, which is no Name=value"
done
for name in EcommerceUrl EksClusterName ExtractionImage; do
    [[ " ${parameters[*]} " == *" $name="?* ]] || fail "SLUICE_PARAMETERS has no $name"
done
aws sts get-caller-identity --query Arn --output text >/dev/null || fail "AWS knows us not; set AWS_PROFILE or log in"

[ -n "${SLUICE_ZIP:-}" ] || make --directory .. lambda-zip
zip=$(realpath --canonicalize-existing "${SLUICE_ZIP:-../.build/lambda/sluice-lambda.zip}")
architecture=$(../Scripts/lambda_zip.py --architecture "$zip")

sam validate --config-env "$environment"
ZIP=$zip sam build --config-env "$environment"
sam deploy --config-env "$environment" "$@" --parameter-overrides \
    "Prefix=sluice-$environment-" "Architecture=$architecture" "${parameters[@]}"
