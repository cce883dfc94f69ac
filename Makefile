# What can be done here; `make` alone lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup build quickstart quickstart-aws quickstart-files test tsan format lint docs check-deploy local-aws
.PHONY: invoke lambda-zip check-lambda-zip bench clean

# An import that a target's manifest line does not list is an error, not an accident of the build's order.
SWIFT_FLAGS := --explicit-target-dependency-import-check error
# The Swift runtime is linked in: a reindex costs a seventh less CPU, and the program runs where Swift is not installed.
RELEASE_FLAGS := --configuration release --static-swift-stdlib
OWN_SWIFT := Package.swift Sources Tests

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## Install what the build and the scripts need and this machine lacks (apt; sudo unless root)
	@Scripts/setup.sh

build: setup ## Build the release program, .build/release/sluice
	swift build $(SWIFT_FLAGS) $(RELEASE_FLAGS) --product sluice

quickstart: build ## Reindex 100,000 products from a stand-in Vespa to a stand-in Ecommerce API, and verify them
	@Scripts/quickstart.sh "$$(swift build --configuration release --show-bin-path)/sluice"

quickstart-aws: build ## The same with 20,000 products and the books on an emulator of AWS, two workers, one of them killed
	@Scripts/quickstart-aws.sh "$$(swift build --configuration release --show-bin-path)/sluice"

quickstart-files: build ## Move this machine's Debian package index, killed once midway, and check every record
	@Scripts/quickstart-files.sh "$$(swift build --configuration release --show-bin-path)/sluice"

test: setup lint ## Lint, debug build with the program, all tests
	swift build $(SWIFT_FLAGS) --build-tests
	@Scripts/emulator.py --prepare
	@Scripts/check_deploy.py "$$(swift build --show-bin-path)/sluice"
	@Scripts/local_aws.py "$$(swift build --show-bin-path)"/sluice{,-lambda} 2000
	@Scripts/test.sh $(SWIFT_FLAGS) --skip-build

tsan: setup ## The tests under the thread sanitizer, but for those of whole processes and those that run one task at a time
	swift build $(SWIFT_FLAGS) --build-tests --sanitize thread --scratch-path .build-tsan
	@Scripts/emulator.py --prepare
	@TSAN_OPTIONS="suppressions=$$PWD/Scripts/tsan-suppressions.txt" \
		Scripts/test.sh $(SWIFT_FLAGS) --skip-build --sanitize thread --scratch-path .build-tsan --no-parallel --skip IntegrationTests --skip SimulationTests --skip FaultLoopTests

format: ## Format the Swift files
	swift format --in-place --parallel --recursive $(OWN_SWIFT)

lint: docs ## Check the Swift files' format and the rules of the house
	swift format lint --strict --parallel --recursive $(OWN_SWIFT)
	@Scripts/check_house.py

docs: ## Check that the documents name every target, and that their links lead somewhere
	@Scripts/check_docs.py

check-deploy: setup ## Check the deployment's files: linters, and the template on an emulator against what the program wants
	swift build $(SWIFT_FLAGS) --product sluice
	@Scripts/emulator.py --prepare
	@Scripts/check_deploy.py "$$(swift build --show-bin-path)/sluice"

local-aws: setup ## Run 10,000 documents on an emulator by the template's wiring alone: functions, an extraction Job, stand-ins
	swift build $(SWIFT_FLAGS) $(RELEASE_FLAGS) --product sluice
	swift build $(SWIFT_FLAGS) $(RELEASE_FLAGS) --product sluice-lambda
	@Scripts/emulator.py --prepare
	@Scripts/local_aws.py "$$(swift build --configuration release --show-bin-path)"/sluice{,-lambda}

invoke: setup ## Invoke a function under Lambda's emulator: FUNCTION=extraction|replay|progress|confirm [EVENT=FILE]
	@[ -n "$(FUNCTION)" ] || { echo "make invoke FUNCTION=extraction|replay|progress|confirm [EVENT=FILE]" >&2; exit 2; }
	swift build $(SWIFT_FLAGS)
	@Scripts/emulator.py --prepare
	@Scripts/invoke.py "$$(swift build --show-bin-path)"/sluice{,-lambda} "$(FUNCTION)" $(EVENT)

lambda-zip: setup ## Build the functions' zip, .build/lambda/sluice-lambda.zip, for this machine's processor
	swift build $(SWIFT_FLAGS) $(RELEASE_FLAGS) --product sluice-lambda
	@Scripts/lambda_zip.py "$$(swift build --configuration release --show-bin-path)/sluice-lambda"

check-lambda-zip: lambda-zip ## Start that zip where the C library is older than Lambda's (root, debootstrap)
	@Scripts/check_lambda_zip.sh .build/lambda/sluice-lambda.zip

bench: setup ## Measure Sluice against its peers (pip, in Benchmarks/.venv)
	@for bench in Benchmarks/*.sh; do echo "== $$bench"; "$$bench"; done

clean: ## Remove what was built
	rm -rf .build .build-tsan Benchmarks/.build Benchmarks/.venv Benchmarks/.venv-aws Benchmarks/.venv-emulator
