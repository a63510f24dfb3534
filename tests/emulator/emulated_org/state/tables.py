"""DynamoDB's tables as tests make and change them. What is in them is moto's."""
import json
from importlib import import_module
from typing import Dict, List, Tuple

from .named import Named

KEY = "pk"


class Tables:
    """All tables that were made here, by name, of which there are no two. Whoever uses it holds the world's lock."""

    def __init__(self) -> None:
        self._places: Named[Tuple[str, str]] = Named("table", "tables")
        self._replicas: Dict[str, Tuple[List[str], str]] = {}

    def reset(self) -> None:
        self._places.clear()
        self._replicas.clear()

    def create(self, account: str, region: str, name: str, replicas: List[str], consistency: str) -> str:
        """The ARN of a table whose only key is the text `pk`, billed by request; with `replicas` of a global table, which
        other regions have as well. Whatever their `consistency` is called, they agree at once."""
        self._places.add(name, (account, region))
        if replicas:
            self._replicas[name] = (replicas, consistency)
        table = self._backend(name).create_table(
            name,
            schema=[{"AttributeName": KEY, "KeyType": "HASH"}],
            throughput=None,
            attr=[{"AttributeName": KEY, "AttributeType": "S"}],
            global_indexes=None,
            indexes=None,
            streams=None,
            billing_mode="PAY_PER_REQUEST",
            sse_specification=None,
            tags=[],
            deletion_protection_enabled=True,
            warm_throughput=None,
        )
        return table.table_arn

    def is_made(self, name: str) -> bool:
        return self._places.find(name) is not None

    def home(self, name: str, region: str) -> str:
        """The region in which a table is kept that a caller finds in `region`."""
        replicas, _ = self._replicas.get(name, ([], ""))
        return self._places.named(name)[1] if region in replicas else region

    def described(self, name: str, region: str) -> dict:
        """What a description in `region` has of the other regions."""
        if name not in self._replicas:
            return {}
        replicas, consistency = self._replicas[name]
        others = [one for one in [self._places.named(name)[1], *replicas] if one != region]
        listed = [{"RegionName": one, "ReplicaStatus": "ACTIVE"} for one in others]
        return {"Replicas": listed, "GlobalTableVersion": "2019.11.21", "MultiRegionConsistency": consistency}

    def items(self, name: str) -> List[dict]:
        """All items, by key, as DynamoDB writes them in JSON."""
        # What moto keeps is not all JSON: binary values are types of its own.
        write = import_module("moto.dynamodb.models.utilities").dynamo_json_dump
        items = self._backend(name).get_table(name).all_items()
        return [json.loads(write(item.to_json()["Attributes"])) for item in items]

    def put(self, name: str, item: Dict[str, dict]) -> None:
        """Puts an item, whether one stands there or not."""
        self._backend(name).get_table(name).put_item(item)

    def remove(self, name: str, key: str) -> bool:
        hash_key = import_module("moto.dynamodb.models.dynamo_type").DynamoType({"S": key})
        return self._backend(name).get_table(name).delete_item(hash_key, None) is not None

    def _backend(self, name: str):
        account, region = self._places.named(name)
        # Imported when the first table is made: most tests have none.
        return import_module("moto.dynamodb.models").dynamodb_backends[account][region]
