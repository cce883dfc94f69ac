"""The transform's work done with orjson: Vespa's document in, Marqo's document out.

Usage: transform_orjson.py KIND DOCS.ndjson [--label WORK] [--compare SLUICE.ndjson]
It trusts the types of values, which the transform checks; for the rest the mapping is the same.
"""
import json
import sys

import orjson

from scan_orjson import seconds

DECLARED = {
    "productTitle", "variantTitle", "variantImageUrl", "description", "parentProductId", "vendor", "productCollections",
    "attributes", "price", "inventory", "serial", "available", "onSale",
}
BOOLS = {"available", "onSale"}
SEARCH_ONLY = {"sddocname", "matchfeatures", "documentid"}


def put(document, name, value):
    if name in document and document[name] != value:
        raise ValueError(f"field {name}: two values")
    document[name] = value


def put_numbers(document, maps, fields, types):
    for name, value in fields.items():
        if "." in name and (types is None or types.get(name) in ("int_map_entry", "float_map_entry")):
            name, key = name.split(".", 1)
            if name in maps:
                maps[name][key] = value
            else:
                put(document, name, {key: value})
                maps[name] = document[name]
        else:
            put(document, name, value)


def put_bools(document, fields):
    for name, value in fields.items():
        put(document, name, value != 0)


def put_lists(document, elements):
    lists = {}
    for element in elements:
        name, value = element.split("::", 1)
        if name in lists:
            lists[name].append(value)
        else:
            lists[name] = [value]
    for name, values in lists.items():
        put(document, name, values)


def structured(fields):
    document = {"_id": fields["marqo__id"]}
    for key, value in fields.items():
        if key.startswith("marqo__"):
            if key.startswith("marqo__lexical_"):
                key = key[15:]
            elif key.startswith("marqo__filter_"):
                key = key[14:]
            else:
                continue
        elif key in SEARCH_ONLY:
            continue
        if key not in DECLARED:
            raise ValueError(f"field {key}: not declared")
        if key in BOOLS:
            if value not in (0, 1):
                raise ValueError(f"field {key}: no bool")
            value = value == 1
        put(document, key, value)
    return document


def unstructured(fields):
    document = {"_id": fields["marqo__id"]}
    maps = {}
    for key, value in fields.items():
        if key == "marqo__short_string_fields" or key == "marqo__long_string_fields":
            for name, text in value.items():
                put(document, name, text)
        elif key == "marqo__int_fields" or key == "marqo__float_fields":
            put_numbers(document, maps, value, None)
        elif key == "marqo__bool_fields":
            put_bools(document, value)
        elif key == "marqo__string_array":
            put_lists(document, value)
        elif not key.startswith("marqo__") and key not in SEARCH_ONLY:
            put(document, key, value)
    return document


def semi_structured(fields):
    document = {"_id": fields["marqo__id"]}
    maps = {}
    types = fields.get("marqo__field_types")
    for key, value in fields.items():
        if key.startswith("marqo__lexical_"):
            put(document, key[15:], value)
        elif key.startswith("marqo__string_array_"):
            put(document, key[20:], value)
        elif key == "marqo__int_fields" or key == "marqo__float_fields":
            put_numbers(document, maps, value, types)
        elif key == "marqo__bool_fields":
            put_bools(document, value)
        elif key == "marqo__string_array":
            put_lists(document, value)
        elif not key.startswith("marqo__") and key not in SEARCH_ONLY:
            put(document, key, value)
    return document


KINDS = {"structured": structured, "unstructured": unstructured, "semi-structured": semi_structured}


def main():
    kind, path = sys.argv[1:3]
    mapped = KINDS[kind]
    loads, dumps = orjson.loads, orjson.dumps

    def work(text):
        return dumps(mapped(loads(text)["fields"]))

    texts = open(path, "rb").read().splitlines()
    if "--compare" in sys.argv:
        ours = open(sys.argv[sys.argv.index("--compare") + 1], "rb").read().splitlines()
        assert len(ours) == len(texts), "another number of documents"
        for text, our in zip(texts, ours):
            # Python holds 1 and 1.0 and True for the same; the text of a sorted dump does not.
            left, right = (json.dumps(orjson.loads(side), sort_keys=True) for side in (work(text), our))
            assert left == right, (left, right)
        print(f"{kind}: {len(ours)} documents are the same on both sides", file=sys.stderr)
        return
    spent = seconds(work, texts)
    print(json.dumps({
        "side": f"orjson {orjson.__version__}",
        "work": sys.argv[sys.argv.index("--label") + 1] if "--label" in sys.argv else kind,
        "records": len(texts), "recordsPerCPUSecond": int(len(texts) / spent),
        "megabytesPerCPUSecond": int(sum(map(len, texts)) / spent / 1e6),
    }, separators=(",", ":")), flush=True)


if __name__ == "__main__":
    main()
